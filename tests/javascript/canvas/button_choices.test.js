import assert from "node:assert/strict";
import { test } from "node:test";
import { useClicked } from "../../../histowidgets/widgets/static/canvas/button_choices.js";

// A layer with three classes, and a button (or the icon in it) of the given CSS classes.
function makeClick(...classes) {
  const chosen = [];
  const layer = {
    tools: { brush: {}, eraser: {} },
    classes: [{ name: "Gland" }, { name: "Stroma" }, { name: "<b>" }],
    useTool: (tool) => chosen.push(["tool", tool]),
    link: { choose: (content) => chosen.push([content.kind, content.tool]) },
  };
  const button = { classList: classes, dispatchEvent: ({ type, detail }) => chosen.push([type, detail]) };
  const target = { closest: (selector) => (classes.includes(selector.slice(1)) ? button : null) };
  useClicked(layer, target);
  return chosen;
}

test("a tool that is clicked is used at once, and the kernel told", () => {
  assert.deepEqual(makeClick("jupyter-button", "hw-tool", "hw-tool-eraser"), [
    ["tool", "eraser"],
    ["tool", "eraser"],
  ]);
});

test("a chip that is clicked announces its class", () => {
  assert.deepEqual(makeClick("hw-chip", "hw-chip-2", "hw-on"), [["hw-class-chosen", "<b>"]]);
});

test("other buttons, and classes that are gone, choose nothing", () => {
  assert.deepEqual(makeClick("hw-tool", "hw-tool-undo"), []);
  assert.deepEqual(makeClick("hw-tool"), []);
  assert.deepEqual(makeClick("hw-chip", "hw-chip-7"), []);
  assert.deepEqual(makeClick("hw-pointer"), []);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMANDS } from "../../../histowidgets/widgets/static/canvas/commands.js";
import { actionOf, isForControl } from "../../../histowidgets/widgets/static/canvas/key_bindings.js";

const key = (name, changes = {}) => ({ key: name, timeStamp: 5, shiftKey: false, ...changes });
const control = (name) => key(name, { ctrlKey: true });

test("letters choose tools, in either case", () => {
  assert.deepEqual(actionOf(key("b")), ["tool", "brush"]);
  assert.deepEqual(actionOf(key("P")), ["tool", "polygon"]);
});

test("digits choose classes, counted from 0", () => {
  assert.deepEqual(actionOf(key("1")), ["class", 0]);
  assert.deepEqual(actionOf(key("9")), ["class", 8]);
  assert.equal(actionOf(key("0")), null);
});

test("undo and redo, with and without Control", () => {
  assert.deepEqual(actionOf(key("z")), ["step", "undo"]);
  assert.deepEqual(actionOf(control("z")), ["step", "undo"]);
  assert.deepEqual(actionOf(key("Z", { shiftKey: true, ctrlKey: true })), ["step", "redo"]);
  assert.deepEqual(actionOf(control("y")), ["step", "redo"]);
});

test("Control makes other things of letters, and leaves the rest to the browser", () => {
  assert.deepEqual(actionOf(control("v")), ["step", "paste"]);
  assert.deepEqual(actionOf(key("v", { metaKey: true })), ["step", "paste"]);
  assert.equal(actionOf(control("r")), null); // reloads the page
  assert.equal(actionOf(control("ArrowLeft")), null);
});

test("Alt and Tab belong to the page", () => {
  assert.equal(actionOf(key("b", { altKey: true })), null);
  assert.equal(actionOf(key("Tab")), null);
});

test("a held Enter presses once", () => {
  assert.deepEqual(actionOf(key("Enter")), ["press", "Enter", 5, false]);
  assert.equal(actionOf(key("Enter", { repeat: true })), null);
  assert.deepEqual(actionOf(key("D", { shiftKey: true })), ["press", "d", 5, true]);
});

test("arrows say how far they move", () => {
  assert.deepEqual(actionOf(key("ArrowLeft")), ["move", -1, 0, false]);
  assert.deepEqual(actionOf(key("ArrowDown", { shiftKey: true })), ["move", 0, 1, true]);
});

test("O and A blink layers", () => {
  assert.deepEqual(actionOf(key("o")), ["blink", "overlay", 5]);
  assert.deepEqual(actionOf(key("a")), ["blink", "annotations", 5]);
});

test("plus and minus undo each other", () => {
  assert.equal(actionOf(key("+"))[1] * actionOf(key("-"))[1], 1);
});

test("every action is a command", () => {
  const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i));
  const named = ["Enter", "Escape", "Backspace", "Delete", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
  const actions = [...printable, ...named].flatMap((name) => [actionOf(key(name)), actionOf(control(name))]);
  const unknown = actions.filter((action) => action && !(action[0] in COMMANDS));
  assert.deepEqual(unknown, []);
});

test("a button, slider or tab keeps the keys that work it, and no other", () => {
  for (const name of ["Enter", " ", "Tab", "ArrowLeft", "Home", "PageDown"]) assert.ok(isForControl(key(name)), name);
  for (const name of ["x", "b", "1", "[", "Escape", "Delete"]) assert.ok(!isForControl(key(name)), name);
});

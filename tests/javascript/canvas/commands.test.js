import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMANDS, endBlink } from "../../../histowidgets/widgets/static/canvas/commands.js";
import { makeLayer, toldOf } from "./layer.js";

function makeCommanded(changes = {}) {
  const layer = makeLayer({ classes: [{ name: "Tumour" }, { name: "Stroma" }], classIndex: 0, ...changes });
  const tell =
    (name) =>
    (...values) =>
      layer.told.push([name, ...values]);
  layer.link.choose = tell("choose");
  layer.useTool = (tool) => {
    layer.tool = tool;
  };
  layer.showLayer = (name, on) => {
    layer.shown[name] = on;
  };
  layer.gestures ??= { now: null, drop: tell("drop") };
  layer.selection ??= { count: 0, nudge: tell("nudge") };
  layer.shapes ??= { tool: null, cancel: tell("cancel"), close: tell("close") };
  Object.assign(layer.cursor, { move: tell("cursor"), press: tell("press") });
  Object.assign(layer.overlays, { helpShown: false, scrollHelp: () => false, toggleHelp: tell("help") });
  return layer;
}

test("the brush grows and shrinks by a fifth, at least by a pixel, from 1 to 200", () => {
  const layer = makeCommanded({ brushWidth: 10 });
  COMMANDS.thicker(layer);
  assert.equal(layer.brushWidth, 12);
  COMMANDS.thinner(layer);
  assert.equal(layer.brushWidth, 10);
  layer.brushWidth = 1;
  COMMANDS.thinner(layer);
  assert.equal(layer.brushWidth, 1);
  COMMANDS.thicker(layer);
  assert.equal(layer.brushWidth, 2);
  layer.brushWidth = 199;
  COMMANDS.thicker(layer);
  assert.equal(layer.brushWidth, 200);
});

test("with the wand the same keys change its tolerance", () => {
  const layer = makeCommanded({ tool: "wand", wandTolerance: 10 });
  COMMANDS.thicker(layer);
  COMMANDS.thinner(layer);
  assert.deepEqual(toldOf(layer, "tolerance"), [[12], [8]]);
});

test("a class is chosen for the brush, or given to the selection", () => {
  const layer = makeCommanded({ tool: "pan" });
  COMMANDS.class(layer, 1);
  assert.equal(layer.classIndex, 1);
  assert.equal(layer.tool, "brush");
  layer.selection.count = 2;
  COMMANDS.class(layer, 0);
  assert.equal(layer.classIndex, 1);
  assert.deepEqual(toldOf(layer, "edit"), [[{ kind: "reclassify", class_name: "Tumour" }]]);
});

test("a class keeps a tool that paints with it, and one that does not exist is ignored", () => {
  const layer = makeCommanded({ tool: "polygon" });
  COMMANDS.class(layer, 1);
  assert.equal(layer.tool, "polygon");
  COMMANDS.class(layer, 2);
  assert.equal(layer.classIndex, 1);
});

test("an arrow moves the selection, else the crosshair, else the picture", () => {
  const layer = makeCommanded({ view: { x: 100, y: 100, zoom: 2 } });
  COMMANDS.move(layer, 1, 0, false);
  assert.deepEqual(toldOf(layer, "cursor"), [[1, 0, false]]);
  layer.selection.count = 1;
  COMMANDS.move(layer, 1, 0, true);
  assert.deepEqual(toldOf(layer, "nudge"), [[5, 0]]); // ten CSS pixels
  layer.selection.count = 0;
  layer.spaceHeld = true;
  COMMANDS.move(layer, 0, -1, false);
  assert.deepEqual(layer.view, { x: 100, y: 70, zoom: 2 });
});

test("Escape cancels one thing at a time", () => {
  const layer = makeCommanded({ selection: { count: 1 } });
  layer.overlays.helpShown = true;
  COMMANDS.escape(layer);
  assert.deepEqual(toldOf(layer, "help"), [[false]]);
  layer.overlays.helpShown = false;
  layer.shapes.tool = "polygon";
  COMMANDS.escape(layer);
  assert.equal(toldOf(layer, "cancel").length, 1);
  assert.deepEqual(toldOf(layer, "edit"), []);
  layer.shapes.tool = null;
  COMMANDS.escape(layer);
  assert.deepEqual(toldOf(layer, "edit"), [[{ kind: "deselect" }]]);
});

test("Enter closes the polygon, unless the crosshair is used", () => {
  const layer = makeCommanded();
  layer.shapes.tool = "polygon";
  COMMANDS.press(layer, "Enter", 5, false);
  assert.equal(toldOf(layer, "close").length, 1);
  layer.cursor.active = true;
  COMMANDS.press(layer, "Enter", 5, false);
  COMMANDS.press(layer, "d", 6, false);
  assert.deepEqual(toldOf(layer, "press"), [
    [true, 5, false],
    [false, 6, false],
  ]);
});

test("a tap hides a layer for good, a held key for as long as it is held", () => {
  const layer = makeCommanded();
  COMMANDS.blink(layer, "overlay", 1000);
  COMMANDS.blink(layer, "overlay", 1050); // the key repeats
  assert.equal(layer.shown.overlay, false);
  endBlink(layer, 1200);
  assert.equal(layer.shown.overlay, false);
  COMMANDS.blink(layer, "overlay", 2000);
  assert.equal(layer.shown.overlay, true);
  endBlink(layer, 2301);
  assert.equal(layer.shown.overlay, false);
});

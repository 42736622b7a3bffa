import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Gestures,
  pressedTool,
  WheelSteps,
  wheelFactor,
} from "../../../histowidgets/widgets/static/canvas/gestures.js";
import { Pan } from "../../../histowidgets/widgets/static/canvas/pan.js";
import { toImage } from "../../../histowidgets/widgets/static/canvas/view.js";
import { closeTo, makeLayer, toldOf } from "./layer.js";

const LEFT = 0;
const MIDDLE = 1;
const RIGHT = 2;

// A tool that remembers what becomes of its gestures.
function makeTool(gesture = {}) {
  const done = [];
  const note =
    (name) =>
    (...values) =>
      done.push([name, ...values]);
  return {
    done,
    start(tool, at) {
      done.push(["start", tool, at]);
      return { kind: "test", tool, move: (places) => done.push(["move", places]), up: note("up"), ...gesture };
    },
  };
}

function makeGestures(changes = {}, gesture = {}) {
  const tool = makeTool(gesture);
  const layer = makeLayer(changes);
  layer.tools = { brush: tool, eraser: tool, select: tool, pan: new Pan(layer) };
  return { layer, tool, gestures: new Gestures(layer) };
}

const mouse = (at, changes = {}) => ({ id: 1, type: "mouse", button: LEFT, at, places: () => [at], ...changes });
const finger = (id, at) => ({ id, type: "touch", button: LEFT, at, places: () => [at] });

test("the left button uses the tool, the right one erases, the middle one and Space move the picture", () => {
  const brush = { tool: "brush", spaceHeld: false };
  assert.equal(pressedTool(LEFT, brush), "brush");
  assert.equal(pressedTool(RIGHT, brush), "eraser");
  assert.equal(pressedTool(MIDDLE, brush), "pan");
  assert.equal(pressedTool(LEFT, { ...brush, spaceHeld: true }), "pan");
  assert.equal(pressedTool(RIGHT, { tool: "pan", spaceHeld: false }), "pan");
});

test("the wheel zooms by its turn in pixels, lines or pages, and no more than a large turn", () => {
  assert.ok(Math.abs(wheelFactor({ deltaY: 100, deltaMode: 0 }, 300) - Math.exp(-0.2)) < 1e-12);
  assert.ok(Math.abs(wheelFactor({ deltaY: -3, deltaMode: 1 }, 300) - Math.exp(0.096)) < 1e-12);
  assert.equal(wheelFactor({ deltaY: 1, deltaMode: 2 }, 100), wheelFactor({ deltaY: 100, deltaMode: 0 }, 100));
  assert.equal(wheelFactor({ deltaY: 5000, deltaMode: 0 }, 300), wheelFactor({ deltaY: 240, deltaMode: 0 }, 300));
  assert.equal(wheelFactor({ deltaY: 0, deltaMode: 0 }, 300), 1);
});

test("a gesture gets the moves of its own pointer alone, and ends when that is lifted", () => {
  const { tool, gestures } = makeGestures();
  gestures.down(mouse([10, 10]));
  gestures.move(mouse([20, 20]));
  gestures.move(mouse([99, 99], { id: 2 }));
  gestures.up({ id: 2 });
  assert.notEqual(gestures.now, null);
  gestures.up({ id: 1 });
  assert.equal(gestures.now, null);
  assert.deepEqual(tool.done, [["start", "brush", [10, 10]], ["move", [[20, 20]]], ["up"]]);
});

test("a second press during a gesture begins nothing", () => {
  const { tool, gestures } = makeGestures();
  gestures.down(mouse([10, 10]));
  gestures.down(mouse([30, 30], { button: RIGHT }));
  assert.equal(tool.done.length, 1);
});

test("when the browser takes the pointer away, a gesture that can be cancelled is, and another one ends", () => {
  const done = [];
  const { gestures } = makeGestures({}, { cancel: () => done.push("cancel") });
  gestures.down(mouse([10, 10]));
  gestures.up({ id: 1, cancelled: true });
  assert.deepEqual(done, ["cancel"]);
  const other = makeGestures();
  other.gestures.down(mouse([10, 10]));
  other.gestures.up({ id: 1, cancelled: true });
  assert.deepEqual(other.tool.done.at(-1), ["up"]);
});

test("dragging with the middle button moves the picture with the pen", () => {
  const { layer, gestures } = makeGestures();
  gestures.down(mouse([100, 100], { button: MIDDLE }));
  assert.equal(gestures.movesView, true);
  gestures.move(mouse([130, 90]));
  gestures.move(mouse([140, 80]));
  assert.deepEqual(layer.view, { x: 160, y: 170, zoom: 1 });
});

test("a second finger drops what the first one drew, and pinches", () => {
  const dropped = [];
  const { layer, gestures } = makeGestures({}, { drop: () => dropped.push(true) });
  gestures.down(finger(1, [100, 100]));
  gestures.down(finger(2, [200, 100]));
  assert.deepEqual(dropped, [true]);
  const before = toImage(layer.view, layer.stage, [100, 100]);
  gestures.move(finger(2, [300, 100]));
  assert.equal(layer.view.zoom, 2);
  closeTo(assert, toImage(layer.view, layer.stage, [100, 100]), before);
});

test("a pinch ends with its first finger lifted, and the other one then draws nothing", () => {
  const { tool, gestures } = makeGestures({}, { drop() {} });
  gestures.down(finger(1, [100, 100]));
  gestures.down(finger(2, [200, 100]));
  gestures.up({ id: 1 });
  assert.equal(gestures.now, null);
  gestures.move(finger(2, [250, 100]));
  assert.deepEqual(
    tool.done.map(([name]) => name),
    ["start"],
  );
});

test("hidden annotations are shown before they change, and not for a look around", () => {
  const hidden = { shown: { annotations: false } };
  const { layer, gestures } = makeGestures(hidden);
  gestures.down(mouse([10, 10], { button: MIDDLE }));
  assert.deepEqual(toldOf(layer, "show annotations"), []);
  gestures.up({ id: 1 });
  gestures.down(mouse([10, 10]));
  assert.equal(toldOf(layer, "show annotations").length, 1);
});

test("the kernel is asked what is under the pen between the gestures only, and told when it leaves", () => {
  const { layer, gestures } = makeGestures();
  gestures.move(mouse([50, 60]));
  gestures.down(mouse([50, 60]));
  gestures.move(mouse([70, 60]));
  gestures.leave(); // the pen is down: it may come back
  gestures.up({ id: 1 });
  gestures.leave();
  assert.deepEqual(toldOf(layer, "hover"), [[[50, 60]], [null]]);
  assert.equal(layer.at, null);
});

test("zooming keeps what is under the pen, also during a gesture", () => {
  const { layer, gestures } = makeGestures();
  const before = toImage(layer.view, layer.stage, [300, 100]);
  gestures.down(mouse([10, 10]));
  gestures.zoom([300, 100], 2);
  assert.deepEqual(layer.at, [10, 10]);
  closeTo(assert, toImage(layer.view, layer.stage, [300, 100]), before);
});

test("a pen is reported, a mouse is not", () => {
  const { layer, gestures } = makeGestures();
  gestures.down(mouse([1, 1]));
  gestures.up({ id: 1 });
  gestures.down(mouse([1, 1], { type: "pen" }));
  assert.equal(toldOf(layer, "pen").length, 1);
});

test("a size changes by a step for each notch of a mouse, and as far for the same way on a touchpad", () => {
  const mouse = new WheelSteps();
  assert.equal(mouse.take({ deltaY: -50, deltaMode: 0 }, 800), 1);
  assert.equal(mouse.take({ deltaY: -3, deltaMode: 1 }, 800), 1, "three lines");
  const touchpad = new WheelSteps();
  const steps = Array.from({ length: 24 }, () => touchpad.take({ deltaY: 4, deltaMode: 0 }, 800));
  assert.equal(
    steps.reduce((sum, step) => sum + step, 0),
    -2,
  );
  assert.equal(touchpad.take({ deltaX: -47, deltaY: 0, deltaMode: 0 }, 800), 0, "turned back, from 0");
  assert.equal(touchpad.take({ deltaX: -1, deltaY: 0, deltaMode: 0 }, 800), 1, "sideways with a modifier");
});

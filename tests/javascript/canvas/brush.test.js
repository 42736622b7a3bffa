import assert from "node:assert/strict";
import { test } from "node:test";
import { Brush } from "../../../histowidgets/widgets/static/canvas/brush.js";
import { makeLayer, toldOf } from "./layer.js";

const numbers = (buffer) => [...new Float32Array(buffer)];

test("a stroke is one edit with the points that the pen went over, and keeps its ink", () => {
  const layer = makeLayer();
  const stroke = new Brush(layer).start("brush", [10, 20], { type: "mouse", pressure: 0.5 });
  stroke.move([
    [20, 20, 0.5],
    [30, 25, 0.5],
  ]);
  stroke.up();
  const [[content, buffers]] = toldOf(layer, "edit");
  assert.deepEqual(content, {
    kind: "stroke",
    tool: "brush",
    class_name: "Stroma",
    width: 12,
    image_name: "colon",
  });
  assert.deepEqual(buffers.map(numbers), [[10, 20, 20, 20, 30, 25]]);
  assert.deepEqual(toldOf(layer, "renumber"), [[0, 1]]);
});

test("a pen sends a width for each point, unless pressure is switched off", () => {
  for (const penPressure of [true, false]) {
    const layer = makeLayer({ penPressure });
    const stroke = new Brush(layer).start("brush", [10, 20], { type: "pen", pressure: 1 });
    stroke.move([[20, 20, 0.001]]);
    stroke.up();
    const [[, buffers]] = toldOf(layer, "edit");
    assert.equal(buffers.length, penPressure ? 2 : 1);
    if (penPressure) assert.equal(numbers(buffers[1])[0], 12);
  }
});

test("a stroke that is full is sent, and continues from its last point as a new one", () => {
  const layer = makeLayer();
  const stroke = new Brush(layer).start("eraser", [0, 0], { type: "mouse", pressure: 0.5 });
  stroke.move(Array.from({ length: 9999 }, (_, i) => [i + 1, 0, 0.5]));
  stroke.move([[10_000, 0, 0.5]]);
  stroke.up();
  const sent = toldOf(layer, "edit").map(([, [points]]) => numbers(points));
  assert.deepEqual(
    sent.map((points) => points.length / 2),
    [10_000, 2],
  );
  assert.deepEqual(sent[0].slice(-2), sent[1].slice(0, 2));
});

test("a pen that has a sensor has it in the rest of a long stroke too", () => {
  const layer = makeLayer({ penPressure: true });
  const stroke = new Brush(layer).start("brush", [0, 0], { type: "pen", pressure: 1 });
  stroke.move(Array.from({ length: 9999 }, (_, i) => [i + 1, 0, 0.5]));
  stroke.up();
  const [, [, rest]] = toldOf(layer, "edit");
  assert.ok(Math.abs(numbers(rest[1])[0] - 12 * 0.65) < 1e-5);
});

test("a dropped stroke is not sent, and its ink goes", () => {
  const layer = makeLayer();
  new Brush(layer).start("brush", [10, 20], { type: "touch", pressure: 0.5 }).drop();
  assert.deepEqual(toldOf(layer, "edit"), []);
  assert.deepEqual(toldOf(layer, "remove"), [[[0], layer.view]]);
});

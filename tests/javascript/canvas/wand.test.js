import assert from "node:assert/strict";
import { test } from "node:test";
import { draggedTolerance, WandTool } from "../../../histowidgets/widgets/static/canvas/wand.js";
import { makeLayer, toldOf } from "./layer.js";

const RINGS = [[0, 0, 5, 0, 5, 5]];

function makeWand() {
  const layer = makeLayer({ tool: "wand", gestures: { now: null } });
  const drawing = {
    areas: [],
    draw(areas) {
      this.areas = areas;
    },
    place() {},
  };
  const wand = new WandTool(layer, drawing);
  const press = (at) => {
    layer.gestures.now = wand.start("wand", at);
    return layer.gestures.now;
  };
  return { layer, drawing, wand, press };
}

test("right and up take more, left and down less, three pixels a step, from 1 to 100", () => {
  assert.equal(draggedTolerance(18, [100, 100], [130, 100]), 28);
  assert.equal(draggedTolerance(18, [100, 100], [100, 85]), 23);
  assert.equal(draggedTolerance(18.4, [100, 100], [101, 100]), 18);
  assert.equal(draggedTolerance(18, [100, 100], [0, 100]), 1);
  assert.equal(draggedTolerance(18, [100, 100], [400, 100]), 100);
});

test("a click previews and then annotates the region at its place", () => {
  const { layer, press } = makeWand();
  press([30, 40]).up();
  const region = { x: 30, y: 40, tolerance: 18, view: [200, 150, 1] };
  assert.deepEqual(toldOf(layer, "send"), [[{ kind: "wand-preview", request: 1, ...region }]]);
  assert.deepEqual(toldOf(layer, "edit"), [[{ kind: "wand", class_name: "Stroma", ...region }]]);
  assert.deepEqual(toldOf(layer, "tolerance"), []);
});

test("a drag asks for one preview at a time, and its tolerance is kept for the next click", () => {
  const { layer, wand, press } = makeWand();
  const drag = press([30, 40]);
  drag.move([[36, 40]]);
  drag.move([[42, 40]]);
  assert.equal(toldOf(layer, "send").length, 1);
  wand.found({ request: 1, rings: RINGS });
  assert.deepEqual(
    toldOf(layer, "send").map(([{ request, tolerance }]) => [request, tolerance]),
    [
      [1, 18],
      [2, 22],
    ],
  );
  drag.up();
  assert.deepEqual(toldOf(layer, "tolerance"), [[22]]);
});

test("an answer to another question is not shown", () => {
  const { drawing, wand, press } = makeWand();
  press([30, 40]);
  wand.found({ request: 2, rings: RINGS });
  assert.deepEqual(drawing.areas, []);
  wand.found({ request: 1, rings: RINGS });
  assert.equal(drawing.areas.length, 1);
});

test("the outline stays from the release until the kernel has drawn the annotation", () => {
  const { layer, drawing, wand, press } = makeWand();
  press([30, 40]).up();
  layer.gestures.now = null;
  wand.found({ request: 1, rings: RINGS });
  assert.equal(drawing.areas[0].path, "M0 0L5 0L5 5Z");
  wand.answered([1]);
  assert.deepEqual(drawing.areas, []);
});

test("a cancelled wand annotates nothing, and a late preview is not shown", () => {
  const { layer, drawing, wand, press } = makeWand();
  press([30, 40]).cancel();
  layer.gestures.now = null;
  wand.found({ request: 1, rings: RINGS });
  assert.deepEqual(drawing.areas, []);
  assert.deepEqual(toldOf(layer, "edit"), []);
});

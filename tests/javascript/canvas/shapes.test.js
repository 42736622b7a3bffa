import assert from "node:assert/strict";
import { test } from "node:test";
import { ShapeTools } from "../../../histowidgets/widgets/static/canvas/shapes.js";
import { makeLayer, toldOf } from "./layer.js";

const START = { timeStamp: 0, shiftKey: false };

function makeShapes() {
  const layer = makeLayer();
  const shapes = new ShapeTools(layer);
  let time = 0;
  // Presses, drags over stage points, and lifts.
  const draw = (tool, [at, ...rest], shiftKey = false) => {
    time += 1000;
    const gesture = shapes.start(tool, at, { timeStamp: time, shiftKey });
    if (!gesture) return;
    gesture.move(rest, { shiftKey });
    gesture.up();
  };
  const click = (at) => draw("polygon", [at]);
  return { layer, shapes, draw, click };
}

test("a line goes from the press to the release", () => {
  const { layer, draw } = makeShapes();
  draw("line", [
    [10, 10],
    [50, 10],
    [90, 40],
  ]);
  assert.deepEqual(toldOf(layer, "finish"), [
    [
      "line",
      [
        [10, 10],
        [90, 40],
      ],
    ],
  ]);
});

test("Shift snaps a line to 45 degrees, and not a rectangle", () => {
  const { layer, draw } = makeShapes();
  const way = [
    [10, 10],
    [60, 12],
  ];
  draw("line", way, true);
  draw("rectangle", way.with(1, [60, 22]), true);
  const [[, line], [, rectangle]] = toldOf(layer, "finish");
  assert.ok(Math.abs(line[1][0] - 60) < 1e-9 && Math.abs(line[1][1] - 10) < 1e-9);
  assert.deepEqual(rectangle[1], [60, 22]);
});

test("a press that hardly moves draws no line and no rectangle, and says what to do", () => {
  const { layer, shapes, draw } = makeShapes();
  draw("line", [
    [10, 10],
    [12, 12],
  ]);
  draw("rectangle", [
    [10, 10],
    [90, 12],
  ]); // its shorter side counts
  assert.deepEqual(toldOf(layer, "finish"), []);
  assert.deepEqual(toldOf(layer, "hint"), [["Drag from one end to the other"], ["Drag from one corner to the other"]]);
  assert.equal(shapes.tool, null);
});

test("a polygon is closed by a click at its first point", () => {
  const { layer, shapes, click } = makeShapes();
  for (const at of [
    [10, 10],
    [100, 10],
    [100, 100],
    [15, 15],
  ]) {
    click(at);
  }
  assert.deepEqual(toldOf(layer, "finish"), [
    [
      "polygon",
      [
        [10, 10],
        [100, 10],
        [100, 100],
      ],
    ],
  ]);
  assert.equal(shapes.tool, null);
});

test("a double click closes a polygon, two slow clicks at one place do not", () => {
  const { layer, shapes, click } = makeShapes();
  click([10, 10]);
  click([100, 10]);
  const before = shapes.points.length;
  click([100, 100]);
  click([100, 100]);
  assert.equal(shapes.points.length, before + 2);
  const last = shapes.lastPress.time;
  assert.equal(shapes.start("polygon", [102, 100], { timeStamp: last + 400, shiftKey: false }), null);
  assert.equal(toldOf(layer, "finish").length, 1);
});

test("a polygon needs three points", () => {
  const { layer, shapes, click } = makeShapes();
  click([10, 10]);
  click([100, 10]);
  shapes.close();
  assert.deepEqual(toldOf(layer, "short"), [[2]]);
  assert.equal(shapes.tool, "polygon");
});

test("a drag adds freehand points, and only clicked points are corners", () => {
  const { layer, shapes, click, draw } = makeShapes();
  click([10, 10]);
  draw("polygon", [
    [50, 10],
    [55, 10], // still a click
    [56, 10], // a drag
    [58, 10], // too close
    [60, 10],
  ]);
  assert.deepEqual(shapes.points, [
    [10, 10],
    [50, 10],
    [56, 10],
    [60, 10],
  ]);
  assert.deepEqual(shapes.corners, [0, 1]);
  assert.deepEqual(toldOf(layer, "draft").at(-1), [shapes.points, [0, 1]]);
});

test("a freehand loop closes when it comes back", () => {
  const { layer, draw } = makeShapes();
  draw("polygon", [
    [10, 10],
    [50, 10],
    [50, 50],
    [10, 50],
    [10, 14],
  ]);
  assert.equal(toldOf(layer, "finish")[0][1].length, 5);
});

test("a freehand scribble around its first point stays open", () => {
  const { shapes, draw } = makeShapes();
  draw("polygon", [
    [10, 10],
    [18, 10],
    [12, 14],
  ]);
  assert.equal(shapes.tool, "polygon");
});

test("points can be taken back one by one, and the kernel forgets the draft with the last one", () => {
  const { layer, shapes, click } = makeShapes();
  click([10, 10]);
  click([100, 10]);
  shapes.removeLastPoint();
  assert.deepEqual(toldOf(layer, "draft").at(-1), [[[10, 10]], [0]]);
  shapes.removeLastPoint();
  assert.deepEqual(toldOf(layer, "draft").at(-1), [[], []]);
  assert.equal(shapes.tool, null);
  const { length } = toldOf(layer, "draft");
  shapes.removeLastPoint();
  assert.equal(toldOf(layer, "draft").length, length);
});

test("a click where a point was taken back at once is a new one, and no double click", () => {
  const { layer, shapes } = makeShapes();
  const press = (at, timeStamp) => shapes.start("polygon", at, { timeStamp, shiftKey: false })?.up();
  press([10, 10], 1000);
  press([100, 10], 2000);
  press([100, 100], 3000);
  press([10, 100], 4000);
  shapes.removeLastPoint();
  press([10, 100], 4300);
  assert.deepEqual(toldOf(layer, "finish"), []);
  assert.equal(shapes.points.length, 4);
});

test("a dropped press takes back its own points alone", () => {
  const { shapes, click } = makeShapes();
  click([10, 10]);
  const gesture = shapes.start("polygon", [100, 10], { timeStamp: 9000, shiftKey: false });
  gesture.move([[120, 10]], START);
  gesture.drop();
  assert.deepEqual(shapes.points, [[10, 10]]);
  assert.deepEqual(shapes.corners, [0]);
});

test("a line has no draft for the kernel to forget", () => {
  const { layer, shapes } = makeShapes();
  shapes.start("line", [10, 10], START).cancel();
  assert.deepEqual(toldOf(layer, "draft"), []);
});

test("a shape that was cancelled while the pen was down is not continued by it", () => {
  const { layer, shapes } = makeShapes();
  const gesture = shapes.start("line", [10, 10], START);
  shapes.cancel();
  gesture.move([[90, 90]], START);
  gesture.up();
  assert.deepEqual(toldOf(layer, "finish"), []);
});

test("a polygon that another page left open can be continued here", () => {
  const { layer, shapes, click } = makeShapes();
  shapes.take(
    [
      [10, 10],
      [100, 10],
      [100, 100],
    ],
    [0, 2],
  );
  click([12, 12]);
  assert.equal(toldOf(layer, "finish")[0][1].length, 3);
  shapes.take([], []);
  assert.equal(shapes.tool, null);
});

test("the outline follows the view", () => {
  const { layer, shapes } = makeShapes();
  shapes.start("line", [10, 10], START).move([[90, 10]], START);
  assert.deepEqual(shapes.outline(null), { line: "M10.00 10.00L90.00 10.00", thickness: 12 });
  layer.view = { x: 10, y: 10, zoom: 2 };
  assert.deepEqual(shapes.outline(null), { line: "M200.00 150.00L360.00 150.00", thickness: 24 });
});

test("the outline says when a click would close the polygon", () => {
  const { shapes, click } = makeShapes();
  assert.equal(shapes.outline([0, 0]), null);
  for (const at of [
    [10, 10],
    [100, 10],
    [100, 100],
  ]) {
    click(at);
  }
  assert.match(shapes.outline([16, 16]).first, /a8 8/);
  assert.match(shapes.outline([30, 30]).first, /a5 5/);
});

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { SelectTool } from "../../../histowidgets/widgets/static/canvas/select_tool.js";
import { Selection } from "../../../histowidgets/widgets/static/canvas/selection.js";
import { makeLayer, toldOf } from "./layer.js";

const SHAPE = { rings: [[100, 100, 140, 100, 140, 140, 100, 140]], color: "#112233" };

function makeSelection(shapes = [SHAPE]) {
  let edits = 0;
  const layer = makeLayer({ tool: "select", gestures: { now: null } });
  layer.link.edit = (content) => {
    layer.told.push(["edit", content]);
    edits += 1;
    return edits;
  };
  layer.edit = layer.link.edit;
  const drawing = {
    draw(areas) {
      this.areas = areas;
    },
    place(_view, _stage, offset) {
      this.offset = offset;
    },
  };
  layer.selection = new Selection(layer, drawing);
  layer.selection.take(shapes);
  return { layer, drawing, selection: layer.selection, tool: new SelectTool(layer) };
}

test("shapes of one colour are drawn as one area", () => {
  const other = { rings: [[0, 0, 1, 0, 1, 1]], color: "#445566" };
  const { drawing, selection } = makeSelection([SHAPE, other, SHAPE]);
  assert.equal(selection.count, 3);
  assert.deepEqual(
    drawing.areas.map(({ color, path }) => [color, path.split("Z").length - 1]),
    [
      ["#112233", 2],
      ["#445566", 1],
    ],
  );
});

test("a drag of the selection is one move, shown until the kernel has drawn it", () => {
  const { layer, drawing, selection, tool } = makeSelection();
  const drag = tool.start("select", [120, 120], { shiftKey: false });
  drag.move([[121, 121]]); // not yet a drag
  assert.deepEqual(drawing.offset, [0, 0]);
  drag.move([[150, 110]]);
  assert.deepEqual(drawing.offset, [30, -10]);
  drag.up();
  assert.deepEqual(toldOf(layer, "edit"), [[{ kind: "move", dx: 30, dy: -10, image_name: "colon" }]]);
  assert.deepEqual(drawing.offset, [30, -10]);
  const moved = { ...SHAPE, rings: [[130, 90, 170, 90, 170, 130, 130, 130]] };
  selection.take([moved]); // the kernel says it before the drawing is on the screen
  assert.deepEqual(selection.shapes, [SHAPE]);
  selection.answered([1]);
  assert.deepEqual(selection.shapes, [moved]);
  assert.deepEqual(drawing.offset, [0, 0]);
});

test("moves are in image pixels", () => {
  const { layer, tool } = makeSelection();
  layer.view = { x: 120, y: 120, zoom: 4 };
  const drag = tool.start("select", [200, 150], { shiftKey: false });
  drag.move([[220, 158]]);
  drag.up();
  assert.deepEqual(toldOf(layer, "edit"), [[{ kind: "move", dx: 5, dy: 2, image_name: "colon" }]]);
});

test("a selection is held where it is shown, and a little beside", () => {
  const { selection } = makeSelection();
  assert.equal(selection.holds([120, 120]), true);
  assert.equal(selection.holds([96, 120]), true);
  assert.equal(selection.holds([95, 120]), false);
  selection.drag(200, 0);
  assert.equal(selection.holds([120, 120]), false);
  assert.equal(selection.holds([320, 120]), true);
  assert.equal(selection.holds(null), false);
});

test("steps of the arrow keys with short pauses are one move", (context) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  context.after(() => mock.timers.reset());
  const { layer, selection } = makeSelection();
  selection.nudge(1, 0);
  mock.timers.tick(500);
  selection.nudge(1, 0);
  selection.nudge(0, 10);
  mock.timers.tick(599);
  assert.deepEqual(toldOf(layer, "edit"), []);
  mock.timers.tick(1);
  assert.deepEqual(toldOf(layer, "edit"), [[{ kind: "move", dx: 2, dy: 10, image_name: "colon" }]]);
});

test("two moves without an answer add up", () => {
  const { drawing, selection } = makeSelection();
  for (const offset of [
    [10, 0],
    [0, 5],
  ]) {
    selection.drag(...offset);
    selection.settle();
  }
  assert.deepEqual(drawing.offset, [10, 5]);
  selection.answered([1, 2]);
  assert.deepEqual(drawing.offset, [0, 0]);
});

test("a click on the selection picks what is below the pen", () => {
  const { layer, tool } = makeSelection();
  tool.start("select", [120, 120], { shiftKey: false }).up();
  assert.deepEqual(toldOf(layer, "edit"), [[{ kind: "pick", x: 120, y: 120, tolerance: 4, add: false }]]);
});

test("Shift and a click add to the selection, also on what is selected", () => {
  const { layer, tool } = makeSelection();
  tool.start("select", [120, 120], { shiftKey: true }).up();
  assert.deepEqual(toldOf(layer, "edit"), [[{ kind: "pick", x: 120, y: 120, tolerance: 4, add: true }]]);
});

test("a drag beside the selection opens a box", () => {
  const { layer, tool } = makeSelection([]);
  const drag = tool.start("select", [50, 60], { shiftKey: false });
  drag.move([[20, 100]]);
  drag.up();
  assert.deepEqual(toldOf(layer, "marquee"), [[[20, 60, 30, 40]], [null]]);
  assert.deepEqual(toldOf(layer, "edit").at(-1), [
    { kind: "marquee", x: 20, y: 60, width: 30, height: 40, add: false },
  ]);
});

test("a press beside the selection that hits something drags it at once", () => {
  const { layer, selection, tool } = makeSelection([]);
  layer.gestures.now = Object.assign(tool.start("select", [120, 120], { shiftKey: false }), { pointer: 1 });
  layer.at = [130, 125];
  selection.take([SHAPE]);
  tool.picked({ number: 1, hit: true });
  assert.equal(layer.gestures.now.kind, "move");
  assert.equal(layer.gestures.now.pointer, 1);
  assert.deepEqual(selection.offset, [10, 5]);
});

test("an answer to an earlier pick, or one that hit nothing, changes nothing", () => {
  const { layer, tool } = makeSelection([]);
  const gesture = tool.start("select", [120, 120], { shiftKey: false });
  layer.gestures.now = gesture;
  tool.picked({ number: 7, hit: true });
  tool.picked({ number: 1, hit: false });
  assert.equal(layer.gestures.now, gesture);
});

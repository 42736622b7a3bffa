import assert from "node:assert/strict";
import { test } from "node:test";
import {
  areaOutline,
  lineOutline,
  polygonOutline,
  ringsPath,
} from "../../../histowidgets/widgets/static/canvas/outline.js";

const TRIANGLE = [
  [0, 0],
  [100, 0],
  [100, 100],
];

test("a line is as thick as the brush, and never invisible", () => {
  const ends = TRIANGLE.slice(0, 2);
  assert.deepEqual(lineOutline(ends, 9), { line: "M0.00 0.00L100.00 0.00", thickness: 9 });
  assert.equal(lineOutline(ends, 0.2).thickness, 2);
});

test("a rectangle is closed and filled", () => {
  const { area, line } = areaOutline(TRIANGLE);
  assert.equal(area, "M0.00 0.00L100.00 0.00L100.00 100.00Z");
  assert.equal(line, area);
});

test("an open polygon reaches to the pen and back to its first point", () => {
  const outline = polygonOutline(TRIANGLE, [0, 2], [50, 60], false);
  assert.equal(outline.line, "M0.00 0.00L100.00 0.00L100.00 100.00");
  assert.equal(outline.area, "M0.00 0.00L100.00 0.00L100.00 100.00L50.00 60.00Z");
  assert.equal(outline.rubber, "M100.00 100.00L50.00 60.00L0 0");
});

test("only points that were clicked have a handle", () => {
  const { handles } = polygonOutline(TRIANGLE, [0, 2], null, false);
  assert.equal(handles, "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0ZM96 100a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z");
});

test("a polygon that a click would close shows itself closed, with a larger first handle", () => {
  const outline = polygonOutline(TRIANGLE, [0], [3, 4], true);
  assert.equal(outline.area, "M0.00 0.00L100.00 0.00L100.00 100.00Z");
  assert.equal(outline.rubber, "M100.00 100.00L0.00 0.00");
  assert.match(outline.first, /^M-8 0a8 8 /);
  assert.match(polygonOutline(TRIANGLE, [0], [30, 40], false).first, /^M-5 0a5 5 /);
});

test("without a pen nothing reaches anywhere", () => {
  const outline = polygonOutline(TRIANGLE, [0], null, false);
  assert.equal(outline.rubber, "");
  assert.equal(outline.area, "M0.00 0.00L100.00 0.00L100.00 100.00Z");
});

test("the first side of a polygon does not lead back over itself", () => {
  assert.equal(polygonOutline([[0, 0]], [0], [5, 5], false).rubber, "M0.00 0.00L5.00 5.00");
});

test("each ring is closed", () => {
  assert.equal(
    ringsPath([
      [0, 0, 1, 0, 1, 1],
      [5, 5, 6, 5, 6, 6],
    ]),
    "M0 0L1 0L1 1ZM5 5L6 5L6 6Z",
  );
  assert.equal(ringsPath([]), "");
});

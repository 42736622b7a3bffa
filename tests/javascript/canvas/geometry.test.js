import assert from "node:assert/strict";
import { test } from "node:test";
import {
  boxBetween,
  distance,
  isInside,
  midpoint,
  rectangleCorners,
  snapTo45,
  tangents,
} from "../../../histowidgets/widgets/static/canvas/geometry.js";
import { closeTo } from "./layer.js";

const SQUARE = [0, 0, 10, 0, 10, 10, 0, 10];
const HOLE = [4, 4, 6, 4, 6, 6, 4, 6];

test("distance and midpoint of two points", () => {
  assert.equal(distance([1, 2], [4, 6]), 5);
  assert.deepEqual(midpoint([1, 2], [4, 6]), [2.5, 4]);
});

test("a rectangle is the same from whichever corner it is dragged", () => {
  const [left, top, width, height] = [2, 3, 5, 7];
  const pairs = [
    [
      [2, 3],
      [7, 10],
    ],
    [
      [7, 10],
      [2, 3],
    ],
    [
      [7, 3],
      [2, 10],
    ],
  ];
  for (const [from, to] of pairs) assert.deepEqual(boxBetween(from, to), [left, top, width, height]);
  assert.deepEqual(rectangleCorners([2, 3], [7, 10]), [
    [2, 3],
    [7, 3],
    [7, 10],
    [2, 10],
  ]);
});

test("a line snaps to the nearest multiple of 45 degrees, to the point below the pen", () => {
  closeTo(assert, snapTo45([0, 0], [10, 1]), [10, 0]);
  closeTo(assert, snapTo45([0, 0], [10, 9]), [9.5, 9.5]);
  closeTo(assert, snapTo45([5, 5], [4, -20]), [5, -20]);
  closeTo(assert, snapTo45([5, 5], [5, 5]), [5, 5]);
});

test("inside is by the even-odd rule, so that a hole is outside", () => {
  assert.equal(isInside([SQUARE, HOLE], [2, 2], 0), true);
  assert.equal(isInside([SQUARE, HOLE], [5, 5], 0), false);
  assert.equal(isInside([SQUARE], [5, 5], 0), true);
  assert.equal(isInside([SQUARE], [11, 5], 0), false);
});

test("a point outside counts if it is close enough to an edge or a corner", () => {
  assert.equal(isInside([SQUARE], [13, 5], 3), true);
  assert.equal(isInside([SQUARE], [13.1, 5], 3), false);
  assert.equal(isInside([SQUARE], [13, 14], 5), true);
  assert.equal(isInside([SQUARE], [13, 14], 4.9), false);
  assert.equal(isInside([[3, 3, 3, 3]], [4, 3], 1), true); // an edge without length
});

test("the piece between two equal discs is as wide as they are", () => {
  const corners = tangents([0, 0], 2, [10, 0], 2);
  const [a, b, c, d] = corners;
  closeTo(assert, a, [0, 2]);
  closeTo(assert, b, [10, 2]);
  closeTo(assert, c, [10, -2]);
  closeTo(assert, d, [0, -2]);
});

test("the sides touch discs of different sizes at a right angle to their radius", () => {
  const [a, b] = tangents([0, 0], 1, [10, 0], 4);
  assert.ok(Math.abs(Math.hypot(...a) - 1) < 1e-9);
  assert.ok(Math.abs(distance(b, [10, 0]) - 4) < 1e-9);
  const along = [b[0] - a[0], b[1] - a[1]];
  assert.ok(Math.abs(along[0] * a[0] + along[1] * a[1]) < 1e-9);
});

test("there is no piece between discs of which one contains the other", () => {
  assert.equal(tangents([0, 0], 5, [1, 0], 2), null);
  assert.equal(tangents([3, 3], 5, [3, 3], 5), null);
});

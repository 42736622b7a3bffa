import assert from "node:assert/strict";
import { test } from "node:test";
import { nextOrder, rankTiles, sameCell } from "../../../histowidgets/widgets/static/review/ranking.js";

const ROWS = [
  { tile: 0, loss: 0.2, iou: 0.9, right: false, cells: [[0, 0]] },
  {
    tile: 1,
    loss: 2,
    iou: 0.1,
    right: true,
    cells: [
      [0, 1],
      [1, 1],
    ],
  },
  { tile: 2, loss: 1, iou: 0.3, right: false, cells: [[0, 1]] },
];
const tiles = (rows) => rows.map(({ tile }) => tile);

test("the worst tile comes first, and those found right last", () => {
  assert.deepEqual(tiles(rankTiles(ROWS, { cell: null, key: "loss", descending: true })), [2, 0, 1]);
  assert.deepEqual(tiles(rankTiles(ROWS, { cell: null, key: "iou", descending: false })), [2, 0, 1]);
  assert.deepEqual(tiles(ROWS), [0, 1, 2]); // not sorted in place
});

test("a cell of the matrix leaves the tiles that have such pixels", () => {
  assert.deepEqual(tiles(rankTiles(ROWS, { cell: [0, 1], key: "loss", descending: true })), [2, 1]);
  assert.deepEqual(tiles(rankTiles(ROWS, { cell: [1, 0], key: "loss", descending: true })), []);
});

test("a column starts with its worst tiles, and turns round with the next click", () => {
  const loss = { key: "loss", descending: true };
  assert.deepEqual(nextOrder(loss, "iou"), { key: "iou", descending: false });
  assert.deepEqual(nextOrder(loss, "disagreement"), { key: "disagreement", descending: true });
  assert.deepEqual(nextOrder(loss, "loss"), { key: "loss", descending: false });
});

test("cells are compared by their classes", () => {
  assert.equal(sameCell([0, 1], [0, 1]), true);
  assert.equal(sameCell([0, 1], [1, 0]), false);
  assert.equal(sameCell(null, [0, 1]), false);
});

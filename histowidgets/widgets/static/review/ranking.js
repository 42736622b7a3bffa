// The numbers of each tile: key, heading, meaning and format.
const percent = (share) => `${(100 * share).toFixed(0)} %`;
export const COLUMNS = [
  {
    key: "loss",
    heading: "loss",
    meaning: "Mean cross-entropy over the labelled pixels; high where a region was not learned or is labelled wrongly",
    format: (value) => value.toFixed(2),
  },
  {
    key: "disagreement",
    heading: "wrong",
    meaning: "Share of the labelled pixels that are predicted as another class",
    format: percent,
  },
  {
    key: "iou",
    heading: "IoU",
    meaning: "Mean IoU of the classes, over labelled pixels only",
    format: (value) => value.toFixed(2),
  },
];

export const sameCell = (a, b) => a?.[0] === b?.[0] && a?.[1] === b?.[1];

// The tiles with pixels in a cell [true class, predicted class] of the matrix, or all tiles if it is null. Tiles marked
// as right come last, since they are done.
export function rankTiles(rows, { cell, key, descending }) {
  const chosen = rows.filter((row) => !cell || row.cells.some((other) => sameCell(other, cell)));
  const sign = descending ? -1 : 1;
  return chosen.sort((a, b) => a.right - b.right || sign * (a[key] - b[key]));
}

// The order after a click on a heading: reversed, or the worst tiles first.
export function nextOrder(order, key) {
  return { key, descending: order.key === key ? !order.descending : key !== "iou" };
}

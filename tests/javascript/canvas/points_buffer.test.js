import assert from "node:assert/strict";
import { test } from "node:test";
import { packPoints, unpackPoints } from "../../../histowidgets/widgets/static/canvas/points_buffer.js";

const POINTS = [
  [1.5, 2],
  [-3, 4096.25],
];

test("points are little-endian float32, x and y in turn, flat or in pairs", () => {
  assert.deepEqual([...new Float32Array(packPoints(POINTS))], [1.5, 2, -3, 4096.25]);
  assert.deepEqual(new Uint8Array(packPoints(POINTS.flat())), new Uint8Array(packPoints(POINTS)));
  assert.deepEqual([...new Uint8Array(packPoints([1.5])).values()], [0, 0, 0xc0, 0x3f]);
});

test("points come back from a view at an odd place of a larger buffer", () => {
  const bytes = new Uint8Array(19);
  bytes.set(new Uint8Array(packPoints(POINTS)), 3);
  assert.deepEqual(unpackPoints(new DataView(bytes.buffer, 3)), POINTS);
  assert.deepEqual(unpackPoints(new DataView(new ArrayBuffer(0))), []);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { StrokePoints } from "../../../histowidgets/widgets/static/canvas/stroke_points.js";

// Adds places [x, y, pressure] of a stage whose image has half its scale.
function strokeOf(places, { width = 10, usesPressure = false } = {}) {
  const stroke = new StrokePoints(width, usesPressure);
  for (const place of places) stroke.add(place, [place[0] / 2, place[1] / 2]);
  return stroke;
}

test("points are kept in image pixels, and those closer than 0.75 CSS pixels are left out", () => {
  const { points, widths } = strokeOf([
    [0, 0],
    [0.7, 0],
    [0.75, 0],
    [1.4, 0],
    [1.5, 0],
  ]);
  assert.deepEqual(points, [0, 0, 0.375, 0, 0.75, 0]);
  assert.equal(widths, null);
});

test("the width follows the pressure, from 0.3 of the brush on", () => {
  const { widths } = strokeOf(
    [
      [0, 0, 0.25],
      [5, 0, 1],
      [9, 0, 0.001],
    ],
    { usesPressure: true },
  );
  const expected = [10 * (0.3 + 0.7 * 0.25), 10, 10 * (0.3 + 0.7 * 0.001)];
  widths.forEach((width, i) => {
    assert.ok(Math.abs(width - expected[i]) < 1e-9);
  });
});

test("pressing harder without moving widens the last point, pressing less leaves it", () => {
  const places = [
    [0, 0, 0.4],
    [0.1, 0, 0.9],
    [0.2, 0, 0.2],
  ];
  const { points, widths } = strokeOf(places, { usesPressure: true });
  assert.equal(points.length, 2);
  assert.equal(widths.length, 1);
  assert.ok(Math.abs(widths[0] - 10 * (0.3 + 0.7 * 0.9)) < 1e-9);
});

test("a pen without a sensor, which always reports 0.5, paints at full width", () => {
  const places = [
    [0, 0, 0.5],
    [5, 0, 0.5],
  ];
  assert.deepEqual(strokeOf(places, { usesPressure: true }).widths, [10, 10]);
});

test("0.5 is a pressure like others once the pen has reported another", () => {
  const places = [
    [0, 0, 0.6],
    [5, 0, 0.5],
  ];
  const { widths, feelsPressure } = strokeOf(places, { usesPressure: true });
  assert.equal(feelsPressure, true);
  assert.ok(Math.abs(widths[1] - 10 * 0.65) < 1e-9);
});

test("a stroke is full with 10,000 points", () => {
  const stroke = strokeOf(Array.from({ length: 9999 }, (_, i) => [i, 0]));
  assert.equal(stroke.isFull, false);
  stroke.add([9999, 0], [0, 0]);
  assert.equal(stroke.isFull, true);
  assert.equal(stroke.count, 10_000);
});

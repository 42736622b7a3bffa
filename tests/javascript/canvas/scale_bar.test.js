import assert from "node:assert/strict";
import { test } from "node:test";
import { scaleBar } from "../../../histowidgets/widgets/static/canvas/scale_bar.js";

test("the length is 1, 2 or 5 times a power of ten, and as long as fits", () => {
  assert.deepEqual(scaleBar(1, 0.5), { pixels: 100, text: "50 µm" });
  assert.deepEqual(scaleBar(2, 0.5), { pixels: 80, text: "20 µm" });
  assert.deepEqual(scaleBar(1, 1), { pixels: 100, text: "100 µm" });
});

test("long lengths are in millimetres, short ones have decimals", () => {
  assert.equal(scaleBar(0.05, 1).text, "2 mm");
  assert.equal(scaleBar(40, 0.25).text, "0.5 µm");
});

test("without a pixel size the length is in pixels", () => {
  assert.deepEqual(scaleBar(2, null), { pixels: 100, text: "50 px" });
  assert.equal(scaleBar(0.05, null).text, "2000 px");
});

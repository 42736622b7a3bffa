import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatValue,
  gammaToSlider,
  sliderToGamma,
} from "../../../histowidgets/widgets/static/channel_controls/values.js";

test("the middle of the slider is a gamma of 1, its ends are 1/4 and 4", () => {
  assert.deepEqual([-1, 0, 1].map(sliderToGamma), [0.25, 1, 4]);
  for (const gamma of [0.25, 0.7, 1, 3]) assert.ok(Math.abs(sliderToGamma(gammaToSlider(gamma)) - gamma) < 1e-12);
});

test("whole values have no decimals, others three digits", () => {
  assert.equal(formatValue(1234.4, true), "1234");
  assert.equal(formatValue(0.012345, false), "0.0123");
});

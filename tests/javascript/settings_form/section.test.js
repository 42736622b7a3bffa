import assert from "node:assert/strict";
import { test } from "node:test";
import { noteOf } from "../../../histowidgets/widgets/static/settings_form/section.js";

test("a heading counts the fields to correct and those changed", () => {
  const state = { errors: { epochs: "not a number", loss: "unknown" }, changed: ["epochs", "batch_size"] };
  assert.equal(noteOf(["epochs", "batch_size"], state), " · 1 to correct, 2 changed");
  assert.equal(noteOf(["loss"], state), " · 1 to correct");
  assert.equal(noteOf(["batch_size"], state), " · 1 changed");
  assert.equal(noteOf(["tile_size"], state), "");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { weightsEntry } from "../../../histowidgets/widgets/static/settings_form/class_weights.js";

test("weights that are empty or 1 are left out", () => {
  const typed = [
    ["Tumour", " 2 "],
    ["Stroma", "1"],
    ["Lumen", ""],
    ["Fat", "0,5"],
  ];
  assert.equal(weightsEntry(typed), '"Tumour"=2, "Fat"=0.5');
});

test("quotes and backslashes in a name are escaped", () => {
  assert.equal(weightsEntry([['a"b\\c', "3"]]), '"a\\"b\\\\c"=3');
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { answerOf, isForButton } from "../../../histowidgets/widgets/static/audit/keys.js";

const key = (name, changes = {}) => ({ key: name, ...changes });

test("digits are classes, counted from 0, as far as there are classes", () => {
  assert.deepEqual(answerOf(key("1"), 3), { kind: "judge", class: 0 });
  assert.deepEqual(answerOf(key("3"), 3), { kind: "judge", class: 2 });
  assert.equal(answerOf(key("4"), 3), "nothing");
  assert.deepEqual(answerOf(key("9"), 12), { kind: "judge", class: 8 });
});

test("0 and Space are for what cannot be told, Backspace goes back, Escape pauses", () => {
  assert.deepEqual(answerOf(key("0"), 3), { kind: "judge", class: null });
  assert.deepEqual(answerOf(key(" "), 3), { kind: "judge", class: null });
  assert.deepEqual(answerOf(key("Backspace"), 3), { kind: "back" });
  assert.deepEqual(answerOf(key("Escape"), 3), { kind: "pause" });
});

test("a key that is held down answers once", () => {
  assert.equal(answerOf(key("1", { repeat: true }), 3), "nothing");
  assert.equal(answerOf(key("Backspace", { repeat: true }), 3), "nothing");
});

test("keys that paint or show what is hidden do nothing, those of the view keep their meaning", () => {
  for (const name of ["b", "E", "o", "a", "w", "Enter", "Delete", "z"]) assert.equal(answerOf(key(name), 3), "nothing");
  for (const name of ["+", "-", "F", "h", "?", "ArrowLeft", "Tab", "Shift", "F5"])
    assert.equal(answerOf(key(name), 3), null);
  for (const name of ["a", "V"]) assert.equal(answerOf(key(name, { ctrlKey: true }), 3), "nothing");
  for (const name of ["z", "s", "r"]) assert.equal(answerOf(key(name, { ctrlKey: true }), 3), null);
  assert.equal(answerOf(key("1", { altKey: true }), 3), null);
});

test("Space and Enter press the button that has the focus", () => {
  assert.ok(isForButton(key(" ", { target: { tagName: "BUTTON" } })));
  assert.ok(isForButton(key("Enter", { target: { tagName: "BUTTON" } })));
  assert.ok(!isForButton(key("1", { target: { tagName: "BUTTON" } })));
  assert.ok(!isForButton(key(" ", { target: { tagName: "DIV" } })));
});

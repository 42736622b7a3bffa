import assert from "node:assert/strict";
import { test } from "node:test";
import { announceClass, ClassChoice } from "../../../histowidgets/widgets/static/common/class_choice.js";

const CLASSES = [{ name: "Gland" }, { name: "Stroma" }, { name: "Lumen" }];

// A studio that is in the page already, and an element in it.
function makeStudio() {
  globalThis.requestAnimationFrame = (call) => setTimeout(call);
  globalThis.cancelAnimationFrame = clearTimeout;
  const root = Object.assign(new EventTarget(), { isConnected: true });
  return { root, element: { closest: () => root } };
}

const settled = () => new Promise((done) => setTimeout(done, 5));

test("a class that was chosen beside the canvas holds until the kernel has it, and no longer", async () => {
  const { root, element } = makeStudio();
  const heard = [];
  const choice = new ClassChoice(element, (name) => heard.push(name));
  await settled();
  assert.equal(choice.indexOr(0, CLASSES), 0);
  announceClass(root, "Lumen");
  assert.deepEqual(heard, ["Lumen"]);
  assert.equal(choice.indexOr(0, CLASSES), 2, "the kernel still says Gland");
  assert.equal(choice.indexOr(2, CLASSES), 2, "now it has it");
  assert.equal(choice.indexOr(1, CLASSES), 1, "and what it says then counts");
  choice.close();
  announceClass(root, "Stroma");
  assert.deepEqual(heard, ["Lumen"]);
});

test("a key that chooses a class afterwards, and a class that is gone, make it void", async () => {
  const { root, element } = makeStudio();
  const choice = new ClassChoice(element, () => {});
  await settled();
  announceClass(root, "Lumen");
  choice.forget();
  assert.equal(choice.indexOr(1, CLASSES), 1);
  announceClass(root, "Nerve");
  assert.equal(choice.indexOr(1, CLASSES), 1);
  choice.close();
});

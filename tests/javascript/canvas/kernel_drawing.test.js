import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { KernelDrawing } from "../../../histowidgets/widgets/static/canvas/kernel_drawing.js";

const settled = () => new Promise((done) => setImmediate(done));
const never = () => new Promise(() => {});
let sent;

// Follows a manager of ipycanvas whose chain of commands is `work`.
async function follow(work, more = {}) {
  const manager = { currentProcessing: work, ...more };
  const models = { manager, layer: { once() {} } };
  const traits = { manager_id: "manager", layer_id: "layer", canvas_ids: [], picture_ids: [] };
  const model = { get: (name) => traits[name], widget_manager: { get_model: async (id) => models[id] } };
  const drawing = new KernelDrawing(model, (content) => sent.push(content.kind));
  await settled();
  sent = [];
  return { manager, drawing };
}

beforeEach(() => {
  sent = [];
  mock.timers.enable({ apis: ["setTimeout"] });
});

afterEach(() => mock.timers.reset());

test("what follows a drawing waits for it, in order", async () => {
  let finish;
  const { manager, drawing } = await follow(
    new Promise((resolve) => {
      finish = resolve;
    }),
  );
  const done = [];
  drawing.afterPainting(() => done.push("first"));
  manager.currentProcessing = Promise.resolve();
  drawing.afterPainting(() => done.push("second"));
  mock.timers.tick(5_000);
  await settled();
  assert.deepEqual(done, []);
  finish();
  await settled();
  assert.deepEqual(done, ["first", "second"]);
  assert.deepEqual(sent, []);
});

for (const [what, work] of [
  ["never ends", never],
  ["fails", () => Promise.reject(new Error("no picture"))],
]) {
  test(`a drawing that ${what} is given up, and the kernel draws again, once`, async () => {
    const stuck = work();
    stuck.catch(() => {});
    const { manager, drawing } = await follow(stuck);
    const done = [];
    drawing.afterPainting(() => done.push("first"));
    manager.currentProcessing = stuck.then(() => {}); // ipycanvas chains what is drawn next
    manager.currentProcessing.catch(() => {});
    drawing.afterPainting(() => done.push("second"));
    mock.timers.tick(10_000);
    await settled();
    assert.deepEqual(done, ["first", "second"]);
    assert.deepEqual(sent, ["redraw"]);
    let drawn = false;
    await manager.currentProcessing.then(() => {
      drawn = true;
    });
    assert.ok(drawn, "the new chain goes on");
    drawing.afterPainting(() => done.push("third"));
    await settled();
    assert.deepEqual(done, ["first", "second", "third"]);
    assert.deepEqual(sent, ["redraw"]);
  });
}

test("an error in what follows one drawing does not keep off the next", async (context) => {
  const error = context.mock.method(console, "error", () => {});
  const { drawing } = await follow(Promise.resolve());
  const done = [];
  drawing.afterPainting(() => {
    throw new Error("a bug");
  });
  drawing.afterPainting(() => done.push("second"));
  await settled();
  assert.deepEqual(done, ["second"]);
  assert.equal(error.mock.callCount(), 1);
});

test("a page that was made from a stored state is found to have no kernel", async () => {
  for (const [live, isDead] of [
    [true, false],
    [false, true],
    [undefined, false], // a front end that does not say
  ]) {
    const { drawing } = await follow(Promise.resolve(), { comm_live: live });
    assert.equal(drawing.isDead, isDead);
  }
});

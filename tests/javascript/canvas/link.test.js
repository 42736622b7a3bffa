import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Link } from "../../../histowidgets/widgets/static/canvas/link.js";
import * as messages from "../../../histowidgets/widgets/static/canvas/messages.js";

const SECOND = 1000;
let sent;
let silences;
let time;
let link;
const model = {
  isGone: false,
  send(content, _callbacks, buffers) {
    if (this.isGone) throw new Error("the comm is closed");
    sent.push([content, buffers]);
  },
};

function pass(seconds) {
  for (let i = 0; i < seconds; i += 1) {
    time += SECOND;
    mock.timers.tick(SECOND);
  }
}

beforeEach(() => {
  mock.timers.enable({ apis: ["setInterval"] });
  [sent, silences, time] = [[], [], 0];
  model.isGone = false;
  link = new Link(
    model,
    (edits, seconds) => silences.push([edits, seconds]),
    () => time,
  );
});

afterEach(() => {
  link.close();
  mock.timers.reset();
});

const kinds = () => sent.map(([{ kind }]) => kind);
const mine = (...numbers) => numbers.map((number) => [link.client, number]);

test("edits are numbered from 1, and carry the page's name and their buffers", () => {
  const buffer = new ArrayBuffer(8);
  assert.equal(link.edit(messages.step("undo")), 1);
  assert.equal(link.edit(messages.stroke("brush", "Stroma", 12), [buffer]), 2);
  assert.deepEqual(sent[0], [{ kind: "undo", number: 1, client: link.client }, []]);
  assert.equal(sent[1][0].number, 2);
  assert.deepEqual(sent[1][1], [buffer]);
  assert.match(link.client, /^[a-z0-9]{1,8}$/);
});

test("two pages have different names", () => {
  const other = new Link(model, () => {});
  assert.notEqual(other.client, link.client);
  other.close();
});

test("of the answered edits only this page's are its own", () => {
  link.edit(messages.step("undo"));
  link.edit(messages.step("redo"));
  assert.deepEqual(link.editsAnswered([["another", 1], ...mine(2)]), [2]);
  assert.deepEqual([...link.unanswered.keys()], [1]);
});

test("the oldest edit without an answer is sent again every ten seconds, with its number and buffers", () => {
  const buffer = new ArrayBuffer(8);
  link.edit(messages.stroke("brush", "Stroma", 12), [buffer]);
  link.edit(messages.step("undo"));
  pass(9);
  assert.deepEqual(kinds(), ["stroke", "undo"]);
  pass(1);
  assert.deepEqual(kinds(), ["stroke", "undo", "stroke"]);
  assert.deepEqual(sent[2], sent[0]);
  link.editsAnswered(mine(1));
  pass(10);
  assert.deepEqual(kinds(), ["stroke", "undo", "stroke", "undo"]);
  link.editsAnswered(mine(2));
  pass(30);
  assert.equal(sent.length, 4);
});

test("silence is reported after four seconds, each second, and taken back with the answers", () => {
  link.edit(messages.step("undo"));
  pass(1);
  link.edit(messages.step("undo"));
  pass(3);
  assert.deepEqual(silences, []);
  pass(2);
  assert.deepEqual(silences, [
    [2, 5],
    [2, 6],
  ]);
  link.editsAnswered(mine(1));
  assert.deepEqual(silences.at(-1), [1, 5]);
  link.editsAnswered(mine(2));
  assert.deepEqual(silences.at(-1), [0, 0]);
  pass(20);
  assert.equal(silences.length, 4);
});

test("without a kernel edits are kept, and sent when it is back", (context) => {
  const warn = context.mock.method(console, "warn", () => {});
  model.isGone = true;
  link.edit(messages.step("undo"));
  assert.equal(warn.mock.callCount(), 1);
  assert.equal(link.unanswered.size, 1);
  model.isGone = false;
  pass(10);
  assert.deepEqual(kinds(), ["undo"]);
});

test("while a view is being drawn only the last of those wanted meanwhile is requested", () => {
  for (const x of [1, 2, 3]) link.requestView({ x, y: 0, zoom: 1 });
  assert.deepEqual(
    sent.map(([{ number, x }]) => [number, x]),
    [[1, 1]],
  );
  assert.equal(link.views.pending, true);
  link.viewAnswered("another", 1);
  link.viewAnswered(link.client, 0); // something else was drawn
  assert.equal(sent.length, 1);
  link.viewAnswered(link.client, 1);
  assert.deepEqual(sent.at(-1)[0], { kind: "view", number: 2, x: 3, y: 0, zoom: 1, client: link.client });
  link.viewAnswered(link.client, 2);
  assert.equal(link.views.pending, false);
});

test("what is under the pen is asked one at a time, and that it left is not lost", () => {
  link.hover([1, 1]);
  link.hover([2, 2]);
  link.hover(null);
  assert.deepEqual(kinds(), ["hover"]);
  link.hoverAnswered();
  assert.deepEqual(kinds(), ["hover", "leave"]);
  link.hoverAnswered();
  link.hoverAnswered(); // another page's
  link.hover([3, 3]);
  assert.deepEqual(kinds(), ["hover", "leave", "hover"]);
});

test("choices are open until they are answered", () => {
  link.choose(messages.tool("brush"));
  link.choose(messages.width(20));
  link.choiceAnswered();
  assert.equal(link.openChoices, 1);
  link.choiceAnswered();
  assert.equal(link.openChoices, 0);
});

test("a closed link neither sends again nor watches", () => {
  link.edit(messages.step("undo"));
  link.close();
  pass(30);
  assert.equal(sent.length, 1);
  assert.deepEqual(silences, []);
});

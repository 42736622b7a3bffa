import assert from "node:assert/strict";
import { test } from "node:test";
import { LatestRequest } from "../../../histowidgets/widgets/static/canvas/latest_request.js";

function makeRequests() {
  const sent = [];
  return { sent, requests: new LatestRequest((content, number) => sent.push([content, number])) };
}

test("numbers count what was sent, not what was replaced", () => {
  const { sent, requests } = makeRequests();
  for (const content of ["a", "b", "c"]) requests.make(content);
  requests.answered(1);
  requests.answered(2);
  requests.make("d");
  assert.deepEqual(sent, [
    ["a", 1],
    ["c", 2],
    ["d", 3],
  ]);
});

test("an answer to a later request answers those before it", () => {
  const { requests } = makeRequests();
  requests.make("a");
  requests.answered(5);
  assert.equal(requests.pending, false);
});

test("an answer to an earlier request is none to this one", () => {
  const { sent, requests } = makeRequests();
  requests.make("a");
  requests.answered(1);
  requests.make("b");
  requests.make("c");
  requests.answered(1);
  assert.equal(requests.unanswered, 2);
  assert.equal(sent.length, 2);
});

test("what waits can be dropped", () => {
  const { sent, requests } = makeRequests();
  requests.make("a");
  requests.make("b");
  requests.dropWaiting();
  requests.answered(1);
  assert.deepEqual(sent, [["a", 1]]);
  assert.equal(requests.pending, false);
});

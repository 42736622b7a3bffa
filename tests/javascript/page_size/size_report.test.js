import assert from "node:assert/strict";
import { test } from "node:test";
import { SizeReport } from "../../../histowidgets/widgets/static/page_size/size_report.js";

// Views of one studio. Whatever one of them reports is laid out in all, until nobody reports anything more.
function makeViews(...rooms) {
  const shared = { size: [0, 0], reports: 0, rooms };
  shared.views = rooms.map(
    (_, i) =>
      new SizeReport(
        () => shared.rooms[i],
        () => shared.size,
        (size) => {
          shared.size = size;
          shared.reports += 1;
          assert.ok(shared.reports < 50, "the views fight");
          for (const view of shared.views) view.laidOut();
        },
      ),
  );
  return shared;
}

test("two views of different size report once each, when they are opened", () => {
  const shared = makeViews([1332, 888], [1132, 788]);
  shared.views[0].claim();
  shared.views[1].claim();
  assert.deepEqual(shared.size, [1132, 788]);
  for (const view of [...shared.views, ...shared.views]) view.laidOut();
  assert.equal(shared.reports, 2);
});

test("the view that is used gets its size, and only it follows its layout from then on", () => {
  const shared = makeViews([1332, 888], [1132, 788]);
  for (const view of shared.views) view.claim();
  shared.views[0].claim();
  assert.deepEqual(shared.size, [1332, 888]);
  shared.rooms[1] = [1117, 788]; // a scroll bar, since the studio is higher now
  shared.views[1].laidOut();
  assert.deepEqual(shared.size, [1332, 888]);
  shared.rooms[0] = [1000, 888]; // a side bar was opened
  shared.views[0].laidOut();
  assert.deepEqual(shared.size, [1000, 888]);
  assert.equal(shared.reports, 4);
});

test("a view that is used again without a change reports nothing", () => {
  const shared = makeViews([1332, 888]);
  for (let i = 0; i < 3; i += 1) shared.views[0].claim();
  assert.equal(shared.reports, 1);
});

test("a hidden view reports nothing, and its size once it is shown", () => {
  const shared = makeViews(null, [1132, 788]);
  for (const view of shared.views) view.claim();
  assert.deepEqual(shared.size, [1132, 788]);
  shared.rooms[0] = [1332, 888];
  shared.views[0].laidOut();
  assert.deepEqual(shared.size, [1332, 888]);
  shared.rooms[0] = null;
  shared.views[0].claim();
  assert.deepEqual(shared.size, [1332, 888]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  clampView,
  fitView,
  pannedView,
  pinchedView,
  sameView,
  toImage,
  toStage,
  viewTransform,
  zoomAt,
} from "../../../histowidgets/widgets/static/canvas/view.js";
import { closeTo, IMAGE, STAGE } from "./layer.js";

const VIEW = { x: 500, y: 400, zoom: 2 };

test("the whole picture fits the stage", () => {
  assert.deepEqual(fitView(IMAGE, STAGE), { x: 500, y: 400, zoom: 0.375 });
});

test("a tiny picture is enlarged no more than a pixel can be", () => {
  assert.equal(fitView({ width: 4, height: 4 }, STAGE).zoom, 40);
});

test("image and stage points belong together", () => {
  closeTo(assert, toStage(VIEW, STAGE, [500, 400]), [200, 150]);
  closeTo(assert, toStage(VIEW, STAGE, [510, 395]), [220, 140]);
  closeTo(assert, toImage(VIEW, STAGE, [220, 140]), [510, 395]);
});

test("the middle of the view stays in the picture, and zoom within its limits", () => {
  assert.deepEqual(clampView({ x: -5, y: 900, zoom: 1 }, IMAGE, STAGE), { x: 0, y: 800, zoom: 1 });
  assert.equal(clampView({ ...VIEW, zoom: 100 }, IMAGE, STAGE).zoom, 40);
  assert.equal(clampView({ ...VIEW, zoom: 0.001 }, IMAGE, STAGE).zoom, 0.375 / 4);
});

test("a picture smaller than the stage can be shrunk to a quarter of its pixels, not of the stage", () => {
  assert.equal(clampView({ x: 5, y: 5, zoom: 0.01 }, { width: 10, height: 10 }, STAGE).zoom, 0.25);
});

test("a drag moves the picture with the pen", () => {
  const view = pannedView(VIEW, [100, 100], [140, 80]);
  assert.deepEqual(view, { x: 480, y: 410, zoom: 2 });
  closeTo(assert, toStage(view, STAGE, toImage(VIEW, STAGE, [100, 100])), [140, 80]);
});

test("zooming keeps the image point under the pen", () => {
  const at = [50, 250];
  const view = zoomAt(VIEW, IMAGE, STAGE, at, 1.5);
  assert.equal(view.zoom, 3);
  closeTo(assert, toImage(view, STAGE, at), toImage(VIEW, STAGE, at));
});

test("at the largest zoom, zooming in moves nothing", () => {
  const view = { x: 500, y: 400, zoom: 40 };
  assert.deepEqual(zoomAt(view, IMAGE, STAGE, [10, 10], 2), view);
});

test("two fingers zoom by their distance and move the picture with the point between them", () => {
  const [before, after] = [
    [
      [100, 100],
      [200, 100],
    ],
    [
      [120, 120],
      [320, 120],
    ],
  ];
  const view = pinchedView(VIEW, IMAGE, STAGE, before, after);
  assert.equal(view.zoom, 4);
  closeTo(assert, toStage(view, STAGE, toImage(VIEW, STAGE, [150, 100])), [220, 120]);
});

test("views that look the same need no transform", () => {
  const near = { x: 500.001, y: 400, zoom: 2 };
  assert.equal(sameView(VIEW, near), true);
  assert.equal(viewTransform(VIEW, near, STAGE), "");
  assert.equal(sameView(VIEW, { ...VIEW, x: 500.01 }), false);
  assert.equal(sameView(VIEW, { ...VIEW, zoom: 2.0001 }), false);
});

test("the transform moves drawn pixels where the wanted view has them", () => {
  const wanted = { x: 480, y: 410, zoom: 3 };
  const [, x, y, scale] = viewTransform(VIEW, wanted, STAGE).match(/translate\((.+)px, (.+)px\) scale\((.+)\)/);
  const point = [512, 377];
  const [left, top] = toStage(VIEW, STAGE, point);
  closeTo(assert, [Number(x) + left * scale, Number(y) + top * scale], toStage(wanted, STAGE, point));
});

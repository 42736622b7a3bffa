import { clamp } from "../common/numbers.js";
import { distance, midpoint } from "./geometry.js";

// Arithmetic of the view. A view {x, y, zoom} is the image point in the middle of the stage and the CSS pixels that an
// image pixel takes; a stage {width, height} is in CSS pixels. The kernel's `View` follows the same rules.
const MOST_ZOOM = 40;
const LEAST_SHARE_OF_FIT = 0.25;

export function fitZoom(image, stage) {
  return Math.min(stage.width / image.width, stage.height / image.height);
}

export function clampView(view, image, stage) {
  const least = Math.min(1, fitZoom(image, stage)) * LEAST_SHARE_OF_FIT;
  return {
    x: clamp(view.x, 0, image.width),
    y: clamp(view.y, 0, image.height),
    zoom: clamp(view.zoom, least, MOST_ZOOM),
  };
}

export function fitView(image, stage) {
  return { x: image.width / 2, y: image.height / 2, zoom: Math.min(fitZoom(image, stage), MOST_ZOOM) };
}

export function toImage(view, stage, [x, y]) {
  return [(x - stage.width / 2) / view.zoom + view.x, (y - stage.height / 2) / view.zoom + view.y];
}

export function toStage(view, stage, [x, y]) {
  return [(x - view.x) * view.zoom + stage.width / 2, (y - view.y) * view.zoom + stage.height / 2];
}

// The view after dragging the image from one stage point to another.
export function pannedView(view, from, to) {
  return { ...view, x: view.x - (to[0] - from[0]) / view.zoom, y: view.y - (to[1] - from[1]) / view.zoom };
}

// The view after zooming by a factor; the image point under the stage point `at` stays there.
export function zoomAt(view, image, stage, at, factor) {
  const [x, y] = toImage(view, stage, at);
  const { zoom } = clampView({ ...view, zoom: view.zoom * factor }, image, stage);
  const moved = { x: x - (at[0] - stage.width / 2) / zoom, y: y - (at[1] - stage.height / 2) / zoom, zoom };
  return clampView(moved, image, stage);
}

// The view after two fingers moved from the stage points a, b to c, d.
export function pinchedView(view, image, stage, [a, b], [c, d]) {
  const apart = (p, q) => Math.max(1, distance(p, q));
  const from = midpoint(a, b);
  return pannedView(zoomAt(view, image, stage, from, apart(c, d) / apart(a, b)), from, midpoint(c, d));
}

// Whether two views look the same on screen.
export function sameView(a, b) {
  return Math.abs(a.zoom / b.zoom - 1) < 1e-6 && Math.hypot(a.x - b.x, a.y - b.y) * b.zoom < 0.01;
}

// The CSS transform (origin at the top left) that shows pixels drawn for one view as another view wants them.
export function viewTransform(drawn, wanted, stage) {
  if (sameView(drawn, wanted)) return "";
  const scale = wanted.zoom / drawn.zoom;
  const x = (stage.width / 2) * (1 - scale) + (drawn.x - wanted.x) * wanted.zoom;
  const y = (stage.height / 2) * (1 - scale) + (drawn.y - wanted.y) * wanted.zoom;
  return `translate(${x}px, ${y}px) scale(${scale})`;
}

// Pure arithmetic of the view. A view {x, y, zoom} is the image point in the middle of the stage and the CSS
// pixels an image pixel takes; a stage {width, height} is in CSS pixels. `_view.py` holds the same rules.
export const LEAST_DRAG = 3; // CSS pixels that a pen moves; less is a click
const MOST_ZOOM = 40;
const LEAST_SHARE_OF_FIT = 0.25;

export function fitZoom(image, stage) {
  return Math.min(stage.width / image.width, stage.height / image.height);
}

export function clampView(view, image, stage) {
  const least = Math.min(1, fitZoom(image, stage)) * LEAST_SHARE_OF_FIT;
  return {
    x: Math.min(Math.max(view.x, 0), image.width),
    y: Math.min(Math.max(view.y, 0), image.height),
    zoom: Math.min(Math.max(view.zoom, least), MOST_ZOOM),
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

// The image point under `at` stays under it.
export function zoomAt(view, image, stage, at, factor) {
  const [x, y] = toImage(view, stage, at);
  const zoom = clampView({ ...view, zoom: view.zoom * factor }, image, stage).zoom;
  const moved = { x: x - (at[0] - stage.width / 2) / zoom, y: y - (at[1] - stage.height / 2) / zoom, zoom };
  return clampView(moved, image, stage);
}

// The point nearest to `to` that lies from `from` at a multiple of 45 degrees.
export function snapTo45([x, y], to) {
  const [dx, dy] = [to[0] - x, to[1] - y];
  const angle = (Math.round(Math.atan2(dy, dx) / (Math.PI / 4)) * Math.PI) / 4;
  const length = dx * Math.cos(angle) + dy * Math.sin(angle);
  return [x + length * Math.cos(angle), y + length * Math.sin(angle)];
}

// Whether a point is inside rings [x, y, x, y, ...] by the even-odd rule, or within `near` of one.
export function isIn(rings, [x, y], near) {
  let inside = false;
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
      const [ax, ay, bx, by] = [ring[i], ring[i + 1], ring[j], ring[j + 1]];
      if (ay > y !== by > y && x < ax + ((bx - ax) * (y - ay)) / (by - ay)) inside = !inside;
      const squared = (bx - ax) ** 2 + (by - ay) ** 2;
      const along = squared ? Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / squared)) : 0;
      if (Math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay)) <= near) return true;
    }
  }
  return inside;
}

// Corners of the piece between two discs, along the straight lines that touch both; null if one holds the other.
export function tangents([ax, ay], a, [bx, by], b) {
  const apart = Math.hypot(bx - ax, by - ay);
  if (apart <= Math.abs(a - b)) return null;
  const way = Math.atan2(by - ay, bx - ax);
  const turn = Math.acos((a - b) / apart);
  const on = (x, y, r, angle) => [x + r * Math.cos(angle), y + r * Math.sin(angle)];
  const [left, right] = [way + turn, way - turn];
  return [on(ax, ay, a, left), on(bx, by, b, left), on(bx, by, b, right), on(ax, ay, a, right)];
}

// The view after two fingers went from the stage points a, b to c, d.
export function pinchedView(view, image, stage, [a, b], [c, d]) {
  const middle = (p, q) => [(p[0] + q[0]) / 2, (p[1] + q[1]) / 2];
  const apart = (p, q) => Math.max(1, Math.hypot(p[0] - q[0], p[1] - q[1]));
  const [from, to] = [middle(a, b), middle(c, d)];
  const { x, y, zoom } = zoomAt(view, image, stage, from, apart(c, d) / apart(a, b));
  return { x: x - (to[0] - from[0]) / zoom, y: y - (to[1] - from[1]) / zoom, zoom };
}

// [x, y] of float32 numbers that came as bytes.
export function pairsOf(view) {
  const numbers = new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
  return Array.from({ length: numbers.length / 2 }, (_, i) => [numbers[2 * i], numbers[2 * i + 1]]);
}

export function sameView(a, b) {
  return Math.abs(a.zoom / b.zoom - 1) < 1e-6 && Math.hypot(a.x - b.x, a.y - b.y) * b.zoom < 0.01;
}

// CSS transform (origin at the top left) that shows pixels drawn for the view `drawn` as the view `wanted`.
export function viewTransform(drawn, wanted, stage) {
  if (sameView(drawn, wanted)) return "";
  const k = wanted.zoom / drawn.zoom;
  const x = (stage.width / 2) * (1 - k) + (drawn.x - wanted.x) * wanted.zoom;
  const y = (stage.height / 2) * (1 - k) + (drawn.y - wanted.y) * wanted.zoom;
  return `translate(${x}px, ${y}px) scale(${k})`;
}

// The longest round length whose bar stays below `most` CSS pixels.
export function scaleBar(zoom, pixelSize, most = 120) {
  const unit = pixelSize ? zoom / pixelSize : zoom; // CSS pixels a micrometre, or an image pixel
  const longest = most / unit;
  const power = 10 ** Math.floor(Math.log10(longest));
  const length = [5, 2, 1].find((step) => step * power <= longest) * power;
  const digits = Math.max(0, -Math.floor(Math.log10(length)));
  const text = pixelSize && length >= 1000 ? `${length / 1000} mm` : `${length.toFixed(digits)} ${pixelSize ? "µm" : "px"}`;
  return { pixels: length * unit, text };
}

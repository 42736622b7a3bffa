import { clamp } from "../common/numbers.js";

// Arithmetic of points [x, y] and outlines, in any unit.
export function distance(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

export function midpoint(a, b) {
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}

// The corners of a rectangle, given two opposite ones.
export function rectangleCorners([x0, y0], [x1, y1]) {
  return [
    [x0, y0],
    [x1, y0],
    [x1, y1],
    [x0, y1],
  ];
}

// The box [left, top, width, height], given two opposite corners.
export function boxBetween([x0, y0], [x1, y1]) {
  return [Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0)];
}

// The point nearest to `to` in a direction from `from` that is a multiple of 45 degrees.
export function snapTo45([x, y], to) {
  const [dx, dy] = [to[0] - x, to[1] - y];
  const angle = (Math.round(Math.atan2(dy, dx) / (Math.PI / 4)) * Math.PI) / 4;
  const length = dx * Math.cos(angle) + dy * Math.sin(angle);
  return [x + length * Math.cos(angle), y + length * Math.sin(angle)];
}

function distanceToSegment([x, y], [ax, ay], [bx, by]) {
  const squared = (bx - ax) ** 2 + (by - ay) ** 2;
  const share = squared ? clamp(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / squared, 0, 1) : 0;
  return Math.hypot(x - ax - share * (bx - ax), y - ay - share * (by - ay));
}

// Whether a point is inside closed rings [x, y, x, y, ...] by the even-odd rule, or at most `near` away from one.
export function isInside(rings, point, near) {
  const [x, y] = point;
  let inside = false;
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
      const [ax, ay, bx, by] = [ring[i], ring[i + 1], ring[j], ring[j + 1]];
      if (distanceToSegment(point, [ax, ay], [bx, by]) <= near) return true;
      if (ay > y !== by > y && x < ax + ((bx - ax) * (y - ay)) / (by - ay)) inside = !inside;
    }
  }
  return inside;
}

// The corners of the area between two discs (centre and radius), bounded by their common tangents; null
// if one disc contains the other.
export function tangents([ax, ay], a, [bx, by], b) {
  const apart = Math.hypot(bx - ax, by - ay);
  if (apart <= Math.abs(a - b)) return null;
  const direction = Math.atan2(by - ay, bx - ax);
  const turn = Math.acos((a - b) / apart);
  const onCircle = (x, y, radius, angle) => [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
  const [left, right] = [direction + turn, direction - turn];
  return [onCircle(ax, ay, a, left), onCircle(bx, by, b, left), onCircle(bx, by, b, right), onCircle(ax, ay, a, right)];
}

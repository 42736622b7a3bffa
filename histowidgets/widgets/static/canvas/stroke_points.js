import { distance } from "./geometry.js";

const MOST_POINTS = 10_000; // the kernel refuses more than twice this
const LEAST_STEP = 0.75; // least distance between two points, in CSS pixels
const LIGHTEST = 0.3; // share of the brush width that the lightest touch of a pen paints
const NO_SENSOR = 0.5; // the pressure that a browser reports for a pen without a sensor

// The points of a stroke in image pixels and, if `usesPressure`, the width at each. A pen counts as pressure-sensitive
// once it has reported a value that a pen without a sensor would not.
export class StrokePoints {
  constructor(width, usesPressure, feelsPressure = false) {
    this.width = width;
    this.points = []; // x, y in turn
    this.widths = usesPressure ? [] : null;
    this.feelsPressure = feelsPressure;
    this.last = null;
  }

  get count() {
    return this.points.length / 2;
  }

  get isFull() {
    return this.count >= MOST_POINTS;
  }

  // Add a stage point [x, y, pressure] that is `point` in the image; of points too close to the last, only the pressure
  // is used.
  add(place, point) {
    const isNear = this.last !== null && distance(place, this.last) < LEAST_STEP;
    if (this.widths) {
      const width = this._widthAt(place[2]);
      if (isNear) this.widths.push(Math.max(this.widths.pop(), width));
      else this.widths.push(width);
    }
    if (isNear) return;
    this.last = place;
    this.points.push(...point);
  }

  _widthAt(pressure) {
    this.feelsPressure ||= pressure !== NO_SENSOR;
    const share = this.feelsPressure && pressure > 0 ? LIGHTEST + (1 - LIGHTEST) * Math.min(1, pressure) : 1;
    return this.width * share;
  }
}

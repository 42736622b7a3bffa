import { toImage } from "./canvas_geometry.js";

// Strokes of the brush and the eraser: ink under the pen, and an edit for the kernel at the end.
const MOST_POINTS = 10000; // a longer stroke goes on as a new one; the kernel refuses more than twice this
const LEAST_STEP = 0.75; // CSS pixels between two points of a stroke
const UNDER_PEN = 0; // the ink's number until the stroke gets its own when it is sent
const LIGHTEST = 0.3; // share of the brush's width that the lightest touch of a pen paints
const NO_SENSOR = 0.5; // what the browser tells of a pen that cannot feel how hard it is pressed

// `layer` is the pointer layer, whose `view`, `stage`, `brushWidth`, `colorOf(tool)`, `className`, `ink` and `edit`
// are used.
export class Brush {
  constructor(layer) {
    this.layer = layer;
  }

  start(tool, at, how) {
    return new Stroke(this.layer, tool, at, how);
  }
}

class Stroke {
  constructor(layer, tool, at, { pointerType, pressure }) {
    const { className, imageName } = layer;
    Object.assign(this, { kind: "stroke", layer, tool, className, imageName });
    [this.color, this.hatch] = [layer.colorOf(tool), layer.hatchOf(tool)];
    this.presses = pointerType === "pen" && layer.penPressure;
    this._begin([...at, pressure]);
  }

  _begin(at) {
    const { layer } = this;
    this.last = at;
    const { color, hatch } = this;
    this.ink = { points: toImage(layer.view, layer.stage, at), width: layer.brushWidth, color, hatch };
    if (this.presses) this.ink.widths = [this._width(at)];
    layer.ink.add(UNDER_PEN, this.ink);
    layer.ink.extend(this.ink, 0, layer.view);
  }

  _width([, , pressure]) {
    this.feels ||= pressure !== NO_SENSOR;
    const share = this.feels && pressure > 0 ? LIGHTEST + (1 - LIGHTEST) * Math.min(1, pressure) : 1;
    return this.ink.width * share;
  }

  move(places) {
    const { layer, ink } = this;
    const from = ink.points.length / 2;
    for (const at of places) {
      const near = Math.hypot(at[0] - this.last[0], at[1] - this.last[1]) < LEAST_STEP;
      if (near && this.presses) ink.widths.push(Math.max(ink.widths.pop(), this._width(at)));
      if (near) continue;
      this.last = at;
      ink.points.push(...toImage(layer.view, layer.stage, at));
      if (this.presses) ink.widths.push(this._width(at));
    }
    layer.ink.extend(ink, from, layer.view);
    if (ink.points.length / 2 < MOST_POINTS) return;
    this.up();
    this._begin(this.last);
  }

  up() {
    const { layer, ink, tool } = this;
    const content = { kind: "stroke", tool, class_name: this.className, width: ink.width, image_name: this.imageName };
    const buffers = [new Float32Array(ink.points).buffer];
    if (ink.widths) buffers.push(new Float32Array(ink.widths).buffer);
    const number = layer.edit(content, buffers);
    layer.ink.strokes.delete(UNDER_PEN);
    layer.ink.add(number, ink);
  }

  drop() {
    this.layer.ink.remove([UNDER_PEN], this.layer.view);
  }
}

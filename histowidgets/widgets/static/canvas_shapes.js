import { LEAST_DRAG, snapTo45, toImage, toStage } from "./canvas_geometry.js";
import { Outline } from "./canvas_outline.js";

// Lines and rectangles are dragged from one point to another; a polygon is clicked, or drawn free-hand, point by
// point, and stays open between the gestures: the picture can be moved and zoomed meanwhile.
export const SHAPE_TOOLS = ["line", "rectangle", "polygon"];
const MOST_CORNERS = 10000; // the kernel refuses more than twice this
const NEAR = 10; // CSS pixels from the first point within which the next one closes the polygon
const DOUBLE = { ms: 500, pixels: 5 };
const FREE = { first: 6, then: 3 }; // CSS pixels that the pen moves before a click becomes a free-hand piece, and on

const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

// What is not finished yet. `layer` is the pointer layer, whose `view`, `stage`, `brushWidth` and `colorOf(tool)`
// are read; it is told of a finished shape by `finishShape(tool, points)`, of an open polygon by `keepDraft(points,
// corners)`, and of what cannot be by `tellShort(count)` and `hint(text)`.
export class ShapeTools {
  constructor(layer) {
    this.layer = layer;
    this.outline = new Outline(layer.root);
    this.tool = null; // of the shape that is open
    this.points = []; // [x, y] in image pixels
    this.corners = []; // which of a polygon's points were clicked
    this.lastDown = null;
  }

  _stage(index) {
    return toStage(this.layer.view, this.layer.stage, this.points[index]);
  }

  _image(at) {
    return toImage(this.layer.view, this.layer.stage, at);
  }

  // The gesture of a pen that goes down, if it draws now.
  start(tool, at, { timeStamp }) {
    if (!this._down(tool, at, timeStamp)) return null;
    const move = (places, { shiftKey }) => places.forEach((place) => this.drag(place, shiftKey));
    const drop = () => this.drop();
    return { kind: "shape", tool, move, up: () => this.up(), drop, cancel: drop };
  }

  _down(tool, at, time) {
    const last = this.lastDown;
    this.lastDown = { at, time, tool };
    if (tool !== "polygon") return this._begin(tool, [this._image(at), this._image(at)]);
    const twice = last?.tool === tool && time - last.time < DOUBLE.ms && apart(at, last.at) < DOUBLE.pixels;
    if (twice || (this.tool && apart(at, this._stage(0)) < NEAR)) {
      this.close();
      return false;
    }
    if (!this.tool) this._begin(tool, []);
    this.pressed = { count: this.points.length, free: false };
    this.corners.push(this.points.length);
    this._add(at);
    return true;
  }

  _begin(tool, points) {
    this.tool = tool;
    this.points = points;
    this.corners = [];
    return true;
  }

  _add(at) {
    if (this.points.length < MOST_CORNERS) this.points.push(this._image(at));
    else this.layer.hint(`A polygon has ${MOST_CORNERS} points at most: press Enter`);
  }

  // The pen is drawn along; `straight` (Shift) snaps a line to multiples of 45 degrees.
  drag(at, straight) {
    if (!this.tool) return; // it was given up, or closed by a key, with the pen still down
    if (this.tool === "polygon") {
      if (apart(at, this._stage(this.points.length - 1)) < (this.pressed.free ? FREE.then : FREE.first)) return;
      this.pressed.free = true;
      this._add(at);
    } else {
      const to = this._image(at);
      this.points[1] = this.tool === "line" && straight ? snapTo45(this.points[0], to) : to;
    }
  }

  up() {
    if (!this.tool) return;
    if (this.tool === "polygon") {
      const count = this.points.length;
      const left = this.pressed.free && this.points.some((_, i) => apart(this._stage(i), this._stage(0)) > 2 * NEAR);
      if (left && apart(this._stage(count - 1), this._stage(0)) < NEAR) this.close();
      else this._keep();
      return;
    }
    const [from, to] = [this._stage(0), this._stage(1)];
    const sides = [Math.abs(from[0] - to[0]), Math.abs(from[1] - to[1])];
    const extent = this.tool === "line" ? Math.hypot(...sides) : Math.min(...sides);
    if (extent >= LEAST_DRAG) return this._finish();
    this.layer.hint(this.tool === "line" ? "Drag from one end to the other" : "Drag from one corner to the other");
    this.cancel();
  }

  // Another finger came: what the first one did was no drawing.
  drop() {
    if (this.tool === "polygon" && this.pressed.count > 0) {
      this.points.length = Math.min(this.points.length, this.pressed.count);
      this._forgetCorners();
      this._keep();
    } else this.cancel();
  }

  close() {
    if (this.tool !== "polygon") return;
    if (this.points.length < 3) this.layer.tellShort(this.points.length);
    else this._finish();
  }

  takeBack() {
    if (this.tool !== "polygon") return;
    this.points.pop();
    this._forgetCorners();
    this.lastDown = null; // a click at the same place is a new one
    if (this.points.length) this._keep();
    else this.cancel();
  }

  _forgetCorners() {
    this.corners = this.corners.filter((index) => index < this.points.length);
  }

  cancel() {
    this._forget();
    this._keep();
  }

  // Another tool or image came; the kernel knows.
  end() {
    this._forget();
    this.kept = false;
  }

  _forget() {
    this.tool = null;
    this.points = [];
    this.corners = [];
  }

  // The kernel keeps an open polygon, so that it outlives the page; it is told of none only after one.
  _keep() {
    const open = this.tool === "polygon";
    if (open || this.kept) this.layer.keepDraft(this.points, this.corners);
    this.kept = open;
  }

  // The kernel's word of a polygon that was open on another page, or on this one before it was loaded anew.
  take(points, corners) {
    this._forget();
    this.kept = points.length > 0;
    if (!this.kept) return;
    [this.tool, this.points, this.corners] = ["polygon", points, [...corners]];
    this.lastDown = null;
  }

  _finish() {
    const { tool, points } = this;
    this._forget();
    this.layer.finishShape(tool, points);
    this._keep();
  }

  // What is open, as it is in the view now; `at` is the pen's place, or null.
  show(at) {
    if (!this.tool) return this.outline.hide();
    const { outline, layer } = this;
    const color = layer.colorOf(this.tool);
    const places = this.points.map((_, i) => this._stage(i));
    if (this.tool === "line") outline.showLine(places, color, layer.brushWidth * layer.view.zoom);
    else if (this.tool === "rectangle") outline.showArea(rectangleCorners(...places), color);
    else {
      const closing = places.length > 2 && at !== null && apart(at, places[0]) < NEAR;
      outline.showPolygon(places, this.corners, at, color, closing);
    }
  }
}

export function rectangleCorners([x0, y0], [x1, y1]) {
  return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
}

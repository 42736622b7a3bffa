import { distance, rectangleCorners, snapTo45 } from "./geometry.js";
import { LEAST_DRAG } from "./gestures.js";
import { areaOutline, lineOutline, polygonOutline } from "./outline.js";
import { toImage, toStage } from "./view.js";

export const SHAPE_TOOLS = ["line", "rectangle", "polygon"];
const MOST_POINTS = 10_000; // most points of a polygon; the kernel refuses more than twice this
const NEAR = 10; // CSS pixels around the first point within which the next one closes the polygon
const DOUBLE_CLICK = { ms: 500, pixels: 5 };
const FREEHAND = { start: 6, step: 3 }; // CSS pixels of a drag that start a freehand piece, and between its points

// The shape that is being drawn. Lines and rectangles are dragged from one point to another. A polygon is clicked, or
// drawn freehand, point by point, and stays open between the gestures, so that the picture can be moved and zoomed.
//
// `layer` has `view`, `stage` and `brushWidth`. It accepts a finished shape with `finishShape(tool, points)`, an open
// polygon with `keepDraft(points, corners)`, and reports problems with `tellShort(count)` and `hint(text)`.
export class ShapeTools {
  constructor(layer) {
    this.layer = layer;
    this.tool = null; // of the open shape
    this.points = []; // [x, y] in image pixels
    this.corners = []; // indices of a polygon's points that were clicked
    this.lastPress = null;
    this.kernelHasDraft = false;
  }

  _stagePoint(index) {
    return toStage(this.layer.view, this.layer.stage, this.points[index]);
  }

  _imagePoint(at) {
    return toImage(this.layer.view, this.layer.stage, at);
  }

  // The gesture that a press of the pen starts; null if it only closes a polygon.
  start(tool, at, { timeStamp }) {
    if (!this._press(tool, at, timeStamp)) return null;
    const move = (places, { shiftKey }) => {
      for (const place of places) this.drag(place, shiftKey);
    };
    const drop = () => this.drop();
    return { kind: "shape", tool, move, up: () => this.up(), drop, cancel: drop };
  }

  _press(tool, at, time) {
    const last = this.lastPress;
    this.lastPress = { at, time, tool };
    if (tool !== "polygon") {
      this._begin(tool, [this._imagePoint(at), this._imagePoint(at)]);
      return true;
    }
    const isDouble =
      last?.tool === tool && time - last.time < DOUBLE_CLICK.ms && distance(at, last.at) < DOUBLE_CLICK.pixels;
    if (isDouble || (this.tool && distance(at, this._stagePoint(0)) < NEAR)) {
      this.close();
      return false;
    }
    if (!this.tool) this._begin(tool, []);
    this.pressed = { count: this.points.length, freehand: false };
    this.corners.push(this.points.length);
    this._add(at);
    return true;
  }

  _begin(tool, points) {
    this.tool = tool;
    this.points = points;
    this.corners = [];
  }

  _add(at) {
    if (this.points.length < MOST_POINTS) this.points.push(this._imagePoint(at));
    else this.layer.hint(`A polygon can have at most ${MOST_POINTS} points: press Enter to close it`);
  }

  // The pen is dragged; `straight` (Shift) snaps a line to multiples of 45 degrees.
  drag(at, straight) {
    if (!this.tool) return; // it was cancelled, or closed by a key, while the pen was down
    if (this.tool === "polygon") {
      const least = this.pressed.freehand ? FREEHAND.step : FREEHAND.start;
      if (distance(at, this._stagePoint(this.points.length - 1)) < least) return;
      this.pressed.freehand = true;
      this._add(at);
    } else {
      const to = this._imagePoint(at);
      this.points[1] = this.tool === "line" && straight ? snapTo45(this.points[0], to) : to;
    }
  }

  up() {
    if (!this.tool) return;
    if (this.tool === "polygon") this._endPiece();
    else this._endDrag();
  }

  // A freehand piece that comes back to the first point closes the polygon.
  _endPiece() {
    const first = this._stagePoint(0);
    const hasLeft =
      this.pressed.freehand && this.points.some((_, i) => distance(this._stagePoint(i), first) > 2 * NEAR);
    if (hasLeft && distance(this._stagePoint(this.points.length - 1), first) < NEAR) this.close();
    else this._keep();
  }

  _endDrag() {
    const isLine = this.tool === "line";
    const [from, to] = [this._stagePoint(0), this._stagePoint(1)];
    const sides = [Math.abs(from[0] - to[0]), Math.abs(from[1] - to[1])];
    const extent = isLine ? Math.hypot(...sides) : Math.min(...sides);
    if (extent >= LEAST_DRAG) {
      this._finish();
      return;
    }
    this.layer.hint(isLine ? "Drag from one end to the other" : "Drag from one corner to the other");
    this.cancel();
  }

  // Undo everything since the pen went down, as when a second finger shows that it was not a drawing.
  drop() {
    if (this.tool === "polygon" && this.pressed.count > 0) {
      this.points.length = Math.min(this.points.length, this.pressed.count);
      this._dropLostCorners();
      this._keep();
    } else this.cancel();
  }

  close() {
    if (this.tool !== "polygon") return;
    if (this.points.length < 3) this.layer.tellShort(this.points.length);
    else this._finish();
  }

  removeLastPoint() {
    if (this.tool !== "polygon") return;
    this.points.pop();
    this._dropLostCorners();
    this.lastPress = null; // a click at the same place is a new one
    if (this.points.length) this._keep();
    else this.cancel();
  }

  _dropLostCorners() {
    this.corners = this.corners.filter((index) => index < this.points.length);
  }

  cancel() {
    this._clear();
    this._keep();
  }

  // Another tool or image was chosen, which the kernel already knows.
  end() {
    this._clear();
    this.kernelHasDraft = false;
  }

  _clear() {
    this._begin(null, []);
  }

  // The kernel stores the open polygon so that it survives a reload. Tell it of none only if it has one.
  _keep() {
    const isOpen = this.tool === "polygon";
    if (isOpen || this.kernelHasDraft) this.layer.keepDraft(this.points, this.corners);
    this.kernelHasDraft = isOpen;
  }

  // Show the polygon that is open on another page, or was open on this one before it was reloaded.
  take(points, corners) {
    this._clear();
    this.kernelHasDraft = points.length > 0;
    if (!this.kernelHasDraft) return;
    this._begin("polygon", points);
    this.corners = [...corners];
    this.lastPress = null;
  }

  _finish() {
    const { tool, points } = this;
    this._clear();
    this.layer.finishShape(tool, points);
    this._keep();
  }

  // The outline of the open shape in the current view, or null; `at` is the position of the pen, or null.
  outline(at) {
    if (!this.tool) return null;
    const { layer } = this;
    const places = this.points.map((_, i) => this._stagePoint(i));
    if (this.tool === "line") return lineOutline(places, layer.brushWidth * layer.view.zoom);
    if (this.tool === "rectangle") return areaOutline(rectangleCorners(...places));
    const closing = places.length > 2 && at !== null && distance(at, places[0]) < NEAR;
    return polygonOutline(places, this.corners, at, closing);
  }
}

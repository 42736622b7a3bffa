import { clamp } from "../common/numbers.js";
import { pinchedView, toImage, zoomAt } from "./view.js";

export const LEAST_DRAG = 3; // CSS pixels; a press that moves less is a click
const BUTTONS = { middle: 1, right: 2 };
const WHEEL = { line: 16, most: 240, rate: 0.002 }; // CSS pixels a line, most a turn counts, zoom a pixel

// The tool that a press of a button begins with.
export function pressedTool(button, { tool, spaceHeld }) {
  if (button === BUTTONS.middle || spaceHeld || tool === "pan") return "pan";
  return button === BUTTONS.right ? "eraser" : tool;
}

// The factor by which a turn of the wheel zooms; `deltaMode` says whether `deltaY` counts pixels, lines or pages.
export function wheelFactor({ deltaY, deltaMode }, pageHeight) {
  const unit = { 1: WHEEL.line, 2: pageHeight }[deltaMode] ?? 1;
  return Math.exp(-clamp(deltaY * unit, -WHEEL.most, WHEEL.most) * WHEEL.rate);
}

// What presses and moves of pointers mean. A pointer is {id, type, button, at, places, pressure, shiftKey, timeStamp}: `at`
// is the stage point, and `places()` returns all stage points [x, y, pressure] since the last event.
//
// `now` is the gesture that a tool of `layer.tools` has begun, or null: `move(places, pointer)` takes stage points, `up()`
// ends it, `cancel()` ends it when the browser takes the pointer away (else `up`), `drop()` ends it as if it had not been
// (a gesture without one cannot be dropped); `kind` and `tool` say what it is, `pointer` whose it is.
export class Gestures {
  constructor(layer) {
    this.layer = layer;
    this.fingers = new Map(); // id -> stage point
    this.now = null;
  }

  get movesView() {
    return this.now?.kind === "pan" || this.now?.kind === "pinch";
  }

  down(pointer) {
    const { layer } = this;
    layer.cursor.hide();
    layer.at = pointer.at;
    if (pointer.type === "pen") layer.tellPen();
    if (pointer.type === "touch") {
      this.fingers.set(pointer.id, pointer.at);
      if (this.fingers.size === 2) {
        this._startPinch();
        return;
      }
    }
    if (this.now) return;
    this.begin(pressedTool(pointer.button, layer), pointer);
    layer.show();
  }

  // Begin with a tool at the pen's place.
  begin(tool, pointer) {
    const { layer } = this;
    // Hidden annotations are shown before they change.
    if (tool !== "pan" && !layer.shown.annotations) layer.showAnnotations();
    const gesture = layer.tools[tool].start(tool, layer.at, pointer);
    if (gesture) this.now = Object.assign(gesture, { pointer: pointer.id });
  }

  move(pointer) {
    const { layer, now } = this;
    if (layer.cursor.draws) return;
    layer.cursor.hide();
    layer.at = pointer.at;
    if (this.fingers.has(pointer.id)) this.fingers.set(pointer.id, pointer.at);
    if (now?.kind === "pinch") this._pinch();
    else if (now?.pointer === pointer.id) now.move(pointer.places(), pointer);
    layer.showPen();
    if (!now) layer.link.hover(toImage(layer.view, layer.stage, layer.at));
  }

  up({ id, cancelled = false }) {
    const { now } = this;
    this.fingers.delete(id);
    if (!now) return;
    if (now.kind === "pinch") {
      if (this.fingers.size < 2) this.now = null;
    } else if (now.pointer === id) {
      this.now = null;
      if (cancelled && now.cancel) now.cancel();
      else now.up();
    }
    this.layer.show();
  }

  drop() {
    if (!this.now?.drop) return;
    this.now.drop();
    this.now = null;
  }

  // The pointer has left the canvas.
  leave() {
    if (this.now || this.layer.cursor.active) return;
    this.layer.at = null;
    this.layer.showPen();
    this.layer.link.hover(null);
  }

  zoom(at, factor) {
    const { layer } = this;
    layer.look(zoomAt(layer.view, layer.image, layer.stage, at, factor));
    if (this.now) return;
    layer.at = at;
    layer.showPen();
  }

  _startPinch() {
    this.drop();
    this.now = { kind: "pinch", fingers: [...this.fingers.values()] };
  }

  _pinch() {
    const { layer, now } = this;
    const places = [...this.fingers.values()];
    layer.look(pinchedView(layer.view, layer.image, layer.stage, now.fingers, places));
    now.fingers = places;
  }
}

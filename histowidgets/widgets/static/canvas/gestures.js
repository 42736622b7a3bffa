import { clamp } from "../common/numbers.js";
import { pinchedView, toImage, zoomAt } from "./view.js";

export const LEAST_DRAG = 3; // CSS pixels; a press that moves less is a click
const BUTTONS = { middle: 1, right: 2 };
// CSS pixels per line, most pixels that a turn counts, zoom per pixel, pixels of a step.
const WHEEL = { line: 16, most: 240, rate: 0.002, step: 48 };

// The tool that a button press starts.
export function pressedTool(button, { tool, spaceHeld }) {
  if (button === BUTTONS.middle || spaceHeld || tool === "pan") return "pan";
  return button === BUTTONS.right ? "eraser" : tool;
}

// The zoom factor of a turn of the wheel; `deltaMode` says whether `deltaY` is in pixels, lines or pages.
export function wheelFactor(event, pageHeight) {
  return Math.exp(-wheelPixels(event, pageHeight) * WHEEL.rate);
}

// Counts the steps of a wheel that chooses a size: one for each notch of a mouse, or the same way on a touchpad.
export class WheelSteps {
  constructor() {
    this.turned = 0;
  }

  // Number of whole steps of a turn, above 0 for larger.
  take(event, pageHeight) {
    const pixels = wheelPixels(event, pageHeight);
    if (pixels * this.turned < 0) this.turned = 0; // turned back
    this.turned += pixels;
    const steps = Math.trunc(this.turned / WHEEL.step);
    this.turned -= steps * WHEEL.step;
    return -steps;
  }
}

function wheelPixels({ deltaX, deltaY, deltaMode }, pageHeight) {
  const unit = { 1: WHEEL.line, 2: pageHeight }[deltaMode] ?? 1;
  // With a modifier key some systems turn the wheel sideways.
  return clamp((deltaY || deltaX || 0) * unit, -WHEEL.most, WHEEL.most);
}

// Interprets presses and moves of pointers. A pointer is {id, type, button, at, places, pressure, shiftKey, timeStamp}:
// `at` is the stage point, and `places()` returns all stage points [x, y, pressure] since the last event.
//
// `now` is the gesture started by a tool of `layer.tools`, or null: `move(places, pointer)` takes stage points, `up()`
// ends it, `cancel()` ends it when the browser takes the pointer away (else `up`), `drop()` undoes it as if it had not
// been started (a gesture without `drop` cannot be undone); `kind` and `tool` identify it, `pointer` is its pointer.
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

  // Start a tool at the position of the pen.
  begin(tool, pointer) {
    const { layer } = this;
    // Show hidden annotations before changing them.
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

import { element } from "../common/dom.js";
import { clamp } from "../common/numbers.js";
import { toImage } from "./view.js";

const STEPS = { near: 4, far: 40 }; // CSS pixels
const MARGIN = 32; // CSS pixels from the edge of the stage at which the image moves too
const READ_AFTER_MS = 350; // what is under the crosshair is announced after it has rested for this long
const CLICKING_TOOLS = ["select", "wand", "polygon"]; // Enter clicks with these, and draws with others
const KEYBOARD = "keys"; // in place of a pointer's id

// A crosshair for drawing without a pointer: arrow keys move it, Enter or D puts the pen down and lifts it.
export class KeyboardCursor {
  constructor(layer) {
    this.layer = layer;
    this.element = element("div", "hw-cursor");
    this.element.hidden = true;
    layer.root.append(this.element);
  }

  get active() {
    return !this.element.hidden;
  }

  get draws() {
    return this.layer.gestures.now?.pointer === KEYBOARD;
  }

  // Hide it when a pointer is used or the canvas loses the focus.
  hide() {
    if (this.draws) this._up();
    this.element.hidden = true;
  }

  _show() {
    const { layer } = this;
    layer.at ??= [layer.stage.width / 2, layer.stage.height / 2];
    this.element.hidden = false;
    this.element.style.transform = `translate(${layer.at[0]}px, ${layer.at[1]}px)`;
    layer.link.hover(toImage(layer.view, layer.stage, layer.at));
  }

  move(x, y, far) {
    const { layer } = this;
    if (this.active || layer.at) {
      const step = far ? STEPS.far : STEPS.near;
      const wanted = [layer.at[0] + x * step, layer.at[1] + y * step];
      const [dx, dy] = this._panAtEdge(wanted);
      layer.at = [clamp(wanted[0] - dx, 0, layer.stage.width), clamp(wanted[1] - dy, 0, layer.stage.height)];
      if (this.draws) layer.gestures.now.move([layer.at], {});
    }
    this._show();
  }

  // Move the image if the crosshair reaches the edge; returns the offset in CSS pixels.
  _panAtEdge([x, y]) {
    const { layer } = this;
    const { width, height } = layer.stage;
    const { view } = layer;
    const over = (value, most) => value - clamp(value, MARGIN, most - MARGIN);
    const [dx, dy] = [over(x, width) / view.zoom, over(y, height) / view.zoom];
    if (!dx && !dy) return [0, 0];
    layer.look({ ...view, x: view.x + dx, y: view.y + dy });
    return [(layer.view.x - view.x) * view.zoom, (layer.view.y - view.y) * view.zoom];
  }

  // Enter or D puts the pen down or lifts it; with `clicks`, tools that click lift it at once.
  press(clicks, timeStamp, shiftKey) {
    const { layer } = this;
    if (this.draws) {
      this._up();
      return;
    }
    if (layer.gestures.now || layer.tool === "pan") return;
    this._show();
    layer.gestures.begin(layer.tool, { id: KEYBOARD, timeStamp, shiftKey });
    if (!this.draws) return;
    if (layer.tool === "polygon" || (clicks && CLICKING_TOOLS.includes(layer.tool))) this._up();
    else layer.overlays.say("Pen down");
  }

  _up() {
    const { layer } = this;
    layer.gestures.up({ id: KEYBOARD });
    if (!CLICKING_TOOLS.includes(layer.tool)) layer.overlays.say("Pen up");
  }

  // The kernel has described what is under the crosshair.
  describe(text) {
    if (!this.active || !text) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.layer.overlays.say(text), READ_AFTER_MS);
  }

  close() {
    clearTimeout(this.timer);
  }
}

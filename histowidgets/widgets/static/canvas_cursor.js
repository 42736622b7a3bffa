import { toImage } from "./canvas_geometry.js";

// A cross that the arrow keys move, for hands without a pointer: Enter or D puts the pen down there and lifts it.
// What is under it is read out when it stands still.
const STEPS = { near: 4, far: 40 }; // CSS pixels
const MARGIN = 32; // CSS pixels from the edge of the stage at which the picture moves along
const READ_AFTER_MS = 350;
const CLICKED = ["select", "wand", "polygon"]; // tools with which Enter clicks; with the others it draws until the next
const KEYS_PEN = "keys"; // in place of a pointer's id

export class Cursor {
  constructor(layer) {
    this.layer = layer;
    this.element = document.createElement("div");
    this.element.className = "hw-cursor";
    this.element.hidden = true;
    layer.root.append(this.element);
  }

  get active() {
    return !this.element.hidden;
  }

  get draws() {
    return this.layer.hand.now?.pointer === KEYS_PEN;
  }

  // A pointer has come, or the focus has gone.
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
    const { width, height } = layer.stage;
    if (this.active || layer.at) {
      const step = far ? STEPS.far : STEPS.near;
      const wanted = [layer.at[0] + x * step, layer.at[1] + y * step];
      const [dx, dy] = this._panned(wanted);
      const clamp = (value, most) => Math.min(Math.max(value, 0), most);
      layer.at = [clamp(wanted[0] - dx, width), clamp(wanted[1] - dy, height)];
      if (this.draws) layer.hand.now.move([layer.at], {});
    }
    this._show();
  }

  // Move the picture when the cross comes to the edge; returns by how much it moved under it.
  _panned([x, y]) {
    const { layer } = this;
    const { width, height } = layer.stage;
    const over = (value, most) => value - Math.min(Math.max(value, MARGIN), most - MARGIN);
    const { view } = layer;
    const way = [over(x, width) / view.zoom, over(y, height) / view.zoom];
    if (!way[0] && !way[1]) return [0, 0];
    layer.look({ ...view, x: view.x + way[0], y: view.y + way[1] });
    return [(layer.view.x - view.x) * view.zoom, (layer.view.y - view.y) * view.zoom];
  }

  // Enter or D: `clicks` says that the pen is lifted again at once.
  press(clicks, timeStamp, shiftKey) {
    const { layer } = this;
    if (this.draws) return this._up();
    if (layer.hand.now || layer.tool === "pan") return;
    this._show();
    layer.hand.begin(layer.tool, KEYS_PEN, { timeStamp, shiftKey });
    if (!this.draws) return;
    if (layer.tool === "polygon" || (clicks && CLICKED.includes(layer.tool))) this._up();
    else layer.furniture.say("Pen down");
  }

  _up() {
    const { layer } = this;
    layer.hand.up({ pointerId: KEYS_PEN });
    if (!CLICKED.includes(layer.tool)) layer.furniture.say("Pen up");
  }

  // The kernel has said what is under the cross.
  heard(text) {
    if (!this.active || !text) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.layer.furniture.say(text), READ_AFTER_MS);
  }

  close() {
    clearTimeout(this.timer);
  }
}

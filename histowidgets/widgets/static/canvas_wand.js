import { toImage } from "./canvas_geometry.js";
import { ImageSvg, ringPath } from "./canvas_outline.js";

// The wand: a click takes the region of similar colours, which the kernel finds. While the pen is held, to the right
// and up takes more, to the left and down less, and the outline follows; letting go confirms.
const MOST_TOLERANCE = 100;
const PIXELS_A_STEP = 3; // CSS pixels that the pen is dragged for one step of tolerance

export class WandTool {
  constructor(layer) {
    this.layer = layer;
    this.svg = new ImageSvg(layer.root, "hw-wand");
    this.requests = 0;
    this.onWay = 0;
    this.waiting = null; // a request that is not sent while another one is on its way
    this.kept = new Set(); // edits whose outline stays until the kernel has drawn them
  }

  start(tool, at) {
    const { layer } = this;
    const { x, y, zoom } = layer.view;
    const [px, py] = toImage(layer.view, layer.stage, at);
    const asked = { x: px, y: py, tolerance: layer.wandTolerance, view: [x, y, zoom], image_name: layer.imageName };
    const before = asked.tolerance;
    this.kept.clear();
    this.svg.draw([]);
    this._preview(asked);
    const move = (places) => {
      const to = places[places.length - 1];
      const steps = Math.round((to[0] - at[0] - (to[1] - at[1])) / PIXELS_A_STEP);
      const tolerance = Math.min(MOST_TOLERANCE, Math.max(1, Math.round(before) + steps));
      if (tolerance !== asked.tolerance) this._preview(Object.assign(asked, { tolerance }));
      layer.furniture.showTag(to, `tolerance ${tolerance}`);
    };
    const up = () => {
      layer.furniture.showTag(null);
      if (asked.tolerance !== before) layer.setTolerance(asked.tolerance);
      this.kept.add(layer.edit({ kind: "wand", class_name: layer.className, ...asked }));
    };
    const drop = () => this._hide();
    return { kind: "wand", tool, move, up, drop, cancel: drop };
  }

  _hide() {
    this.layer.furniture.showTag(null);
    this.waiting = null;
    this.requests += 1; // what is on its way is shown no more
    this.svg.draw([]);
  }

  _preview({ image_name, ...asked }) {
    this.waiting = { kind: "wand-preview", request: ++this.requests, ...asked };
    this._ask();
  }

  _ask() {
    if (this.onWay || !this.waiting) return;
    this.onWay = this.waiting.request;
    this.layer.link.send(this.waiting);
    this.waiting = null;
  }

  // The kernel's answer; one that is older than the last question is shown too, while the pen is held.
  found({ request, rings }) {
    if (request !== this.onWay) return;
    this.onWay = 0;
    const { layer } = this;
    if (layer.hand.now?.kind === "wand" || this.kept.size) {
      this.svg.draw([["hw-wand-area", rings.map(ringPath).join(""), layer.colorOf("wand")]]);
      this.place();
    }
    this._ask();
  }

  place() {
    this.svg.place(this.layer.view, this.layer.stage);
  }

  answered(numbers) {
    const done = numbers.filter((number) => this.kept.delete(number));
    if (done.length && !this.kept.size && this.layer.hand.now?.kind !== "wand") this._hide();
  }
}

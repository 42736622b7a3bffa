import { LEAST_DRAG, isIn, toImage } from "./canvas_geometry.js";
import { ImageSvg, ringPath } from "./canvas_outline.js";

// What is selected, outlined over the picture: white dashes on a dark line, seen on any tissue. While it is moved it
// goes with the pen as a ghost; the kernel's drawing follows.
const NEAR_ENOUGH = 4; // CSS pixels between the pen and what it means
const NUDGE_PAUSE_MS = 600; // steps of the arrow keys that follow each other sooner are one move

export class Selection {
  constructor(layer) {
    this.layer = layer;
    this.shapes = [];
    this.sent = new Map(); // edit number -> the way of a move that is not answered yet
    this.way = [0, 0]; // of the move that is going on, in image pixels
    this.svg = new ImageSvg(layer.root, "hw-selection");
  }

  get count() {
    return this.shapes.length;
  }

  // The kernel's word, unless it is older than a move that is shown already.
  take() {
    if (this.sent.size) return;
    this.shapes = this.layer.model.get("selected");
    const paths = new Map(); // color -> path of the shapes
    for (const { rings, color } of this.shapes) paths.set(color, (paths.get(color) ?? "") + rings.map(ringPath).join(""));
    this.svg.draw([...paths].map(([color, d]) => ["hw-ghost", d, color]));
    this.place();
  }

  // Another tool was chosen.
  clear() {
    this.settle();
    this.shapes = [];
    this.svg.draw([]);
  }

  get offset() {
    return [...this.sent.values()].reduce(([x, y], [dx, dy]) => [x + dx, y + dy], this.way);
  }

  place() {
    const { view, stage } = this.layer;
    if (!stage) return;
    const [dx, dy] = this.offset;
    this.svg.place(view, stage, [dx, dy]);
    this.svg.svg.dataset.moved = String(Boolean(dx || dy));
  }

  // Whether a stage point is on, or nearly on, what is selected.
  holds(at) {
    if (!this.count || !at) return false;
    const { view, stage } = this.layer;
    const [dx, dy] = this.offset;
    const [x, y] = toImage(view, stage, at);
    return this.shapes.some(({ rings }) => isIn(rings, [x - dx, y - dy], NEAR_ENOUGH / view.zoom));
  }

  drag(dx, dy) {
    this.way = [dx, dy];
    this.place();
  }

  // Send the move that is going on.
  settle() {
    clearTimeout(this.timer);
    const [dx, dy] = this.way;
    if (!dx && !dy) return;
    this.way = [0, 0];
    this.sent.set(this.layer.link.edit({ kind: "move", image_name: this.layer.imageName, dx, dy }), [dx, dy]);
    this.place();
  }

  nudge(dx, dy) {
    this.drag(this.way[0] + dx, this.way[1] + dy);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.settle(), NUDGE_PAUSE_MS);
  }

  // The kernel has drawn, or refused, these edits.
  answered(numbers) {
    const moved = numbers.filter((number) => this.sent.delete(number));
    if (moved.length) this.take();
  }
}

// The tool: a click selects, a drag moves what is selected or, from beside it, opens a box.
export class SelectTool {
  constructor(layer) {
    this.layer = layer;
  }

  start(_, at, { shiftKey }) {
    const { layer } = this;
    layer.selection.settle();
    if (!shiftKey && layer.selection.holds(at)) return this._mover(at, () => this._pick(at, false));
    return this._marquee(at, Boolean(shiftKey));
  }

  _pick(at, add) {
    const { layer } = this;
    const [x, y] = toImage(layer.view, layer.stage, at);
    return layer.edit({ kind: "pick", x, y, tolerance: NEAR_ENOUGH / layer.view.zoom, add });
  }

  _mover(from, clicked) {
    const { selection, view } = this.layer;
    let moved = false;
    const move = (places) => {
      const at = places[places.length - 1];
      moved ||= Math.hypot(at[0] - from[0], at[1] - from[1]) >= LEAST_DRAG;
      if (moved) selection.drag((at[0] - from[0]) / view.zoom, (at[1] - from[1]) / view.zoom);
    };
    const up = () => (moved ? selection.settle() : clicked());
    return { kind: "move", tool: "select", move, up, drop: () => selection.drag(0, 0) };
  }

  // What is under the pen is selected at once; if the kernel finds something there, the drag moves it.
  _marquee(from, add) {
    const { furniture } = this.layer;
    const number = this._pick(from, add);
    let box = null;
    const move = (places) => {
      const at = places[places.length - 1];
      const sides = [Math.abs(at[0] - from[0]), Math.abs(at[1] - from[1])];
      box = Math.max(...sides) < LEAST_DRAG ? null : [Math.min(at[0], from[0]), Math.min(at[1], from[1]), ...sides];
      furniture.showMarquee(box);
    };
    const up = () => {
      furniture.showMarquee(null);
      if (box) this._selectIn(box, add);
    };
    const drop = () => furniture.showMarquee(null);
    return { kind: "marquee", tool: "select", number, from, move, up, drop };
  }

  _selectIn([left, top, across, down], add) {
    const { layer } = this;
    const { zoom } = layer.view;
    const [x, y] = toImage(layer.view, layer.stage, [left, top]);
    const [width, height] = [Math.max(across, 1) / zoom, Math.max(down, 1) / zoom];
    layer.edit({ kind: "marquee", x, y, width, height, add });
  }

  // The kernel's answer to a pick.
  picked({ number, hit }) {
    const { hand, furniture, at } = this.layer;
    if (!hit || hand.now?.number !== number) return;
    const { from, pointer } = hand.now;
    furniture.showMarquee(null);
    hand.now = Object.assign(this._mover(from, () => {}), { pointer });
    hand.now.move([at]);
  }
}

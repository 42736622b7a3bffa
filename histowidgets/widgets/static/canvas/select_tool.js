import { boxBetween, distance } from "./geometry.js";
import { LEAST_DRAG } from "./gestures.js";
import * as messages from "./messages.js";
import { NEAR } from "./selection.js";
import { toImage } from "./view.js";

// A click selects; a drag moves the selection or, starting outside it, opens a box.
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
    return layer.edit(messages.pick(toImage(layer.view, layer.stage, at), NEAR / layer.view.zoom, add));
  }

  _mover(from, clicked) {
    const { selection, view } = this.layer;
    let moved = false;
    const move = (places) => {
      const at = places.at(-1);
      moved ||= distance(at, from) >= LEAST_DRAG;
      if (moved) selection.drag((at[0] - from[0]) / view.zoom, (at[1] - from[1]) / view.zoom);
    };
    const up = () => {
      if (moved) selection.settle();
      else clicked();
    };
    return { kind: "move", tool: "select", move, up, drop: () => selection.drag(0, 0) };
  }

  // The kernel picks what is under the pen immediately; if it finds something, the drag moves that.
  _marquee(from, add) {
    const { overlays } = this.layer;
    const number = this._pick(from, add);
    let box = null;
    const move = (places) => {
      const [left, top, width, height] = boxBetween(from, places.at(-1));
      box = Math.max(width, height) < LEAST_DRAG ? null : [left, top, width, height];
      overlays.showMarquee(box);
    };
    const up = () => {
      overlays.showMarquee(null);
      if (box) this._selectIn(box, add);
    };
    const drop = () => overlays.showMarquee(null);
    return { kind: "marquee", tool: "select", number, from, move, up, drop };
  }

  _selectIn([left, top, width, height], add) {
    const { layer } = this;
    const { zoom } = layer.view;
    const [x, y] = toImage(layer.view, layer.stage, [left, top]);
    layer.edit(messages.marquee([x, y, Math.max(width, 1) / zoom, Math.max(height, 1) / zoom], add));
  }

  // The kernel's answer to a pick.
  picked({ number, hit }) {
    const { gestures, overlays, at } = this.layer;
    if (!hit || gestures.now?.number !== number) return;
    const { from, pointer } = gestures.now;
    overlays.showMarquee(null);
    gestures.now = Object.assign(
      this._mover(from, () => {}),
      { pointer },
    );
    gestures.now.move([at]);
  }
}

import { clamp } from "../common/numbers.js";
import { LatestRequest } from "./latest_request.js";
import * as messages from "./messages.js";
import { ringsPath } from "./outline.js";
import { toImage } from "./view.js";

const TOLERANCES = [1, 100];
const PIXELS_PER_STEP = 3; // CSS pixels of a drag that change the tolerance by one

export const clampTolerance = (tolerance) => clamp(tolerance, ...TOLERANCES);

// The tolerance after a drag between two stage points: more to the right and up, less to the left and down.
export function draggedTolerance(tolerance, from, to) {
  const steps = Math.round((to[0] - from[0] - (to[1] - from[1])) / PIXELS_PER_STEP);
  return clampTolerance(Math.round(tolerance) + steps);
}

// A click fills the region of similar colours, which the kernel finds. While the pen is down, dragging changes the
// tolerance and updates the outline; lifting the pen confirms. `drawing` is the ImageOutline that shows the region.
export class WandTool {
  constructor(layer, drawing) {
    this.layer = layer;
    this.drawing = drawing;
    this.previews = new LatestRequest((region, number) => layer.link.send(messages.wandPreview(number, region)));
    this.kept = new Set(); // numbers of edits whose outline stays until the kernel has drawn them
  }

  start(tool, at) {
    const { layer } = this;
    const { x, y, zoom } = layer.view;
    const [px, py] = toImage(layer.view, layer.stage, at);
    const before = layer.wandTolerance;
    let region = { x: px, y: py, tolerance: before, view: [x, y, zoom] };
    this.kept.clear();
    this.drawing.draw([]);
    this.previews.make(region);
    const move = (places) => {
      const to = places.at(-1);
      const tolerance = draggedTolerance(before, at, to);
      if (tolerance !== region.tolerance) {
        region = { ...region, tolerance };
        this.previews.make(region);
      }
      layer.overlays.showTag(to, `tolerance ${tolerance}`);
    };
    const up = () => {
      layer.overlays.showTag(null);
      if (region.tolerance !== before) layer.setTolerance(region.tolerance);
      this.kept.add(layer.edit(messages.wand(layer.className, region)));
    };
    const drop = () => this._hide();
    return { kind: "wand", tool, move, up, drop, cancel: drop };
  }

  _hide() {
    this.layer.overlays.showTag(null);
    this.previews.dropWaiting();
    this.drawing.draw([]);
  }

  get _isDown() {
    return this.layer.gestures.now?.kind === "wand";
  }

  // The kernel's answer to a preview. While the pen is down, it is shown even if a later preview is already wanted.
  found({ request, rings }) {
    const { previews, layer, drawing } = this;
    if (request !== previews.unanswered) return;
    if (this._isDown || this.kept.size) {
      drawing.draw([{ className: "hw-wand-area", path: ringsPath(rings), color: layer.colorOf("wand") }]);
      this.place();
    }
    previews.answered(request);
  }

  place() {
    this.drawing.place(this.layer.view, this.layer.stage);
  }

  answered(numbers) {
    const done = numbers.filter((number) => this.kept.delete(number));
    if (done.length && !this.kept.size && !this._isDown) this._hide();
  }
}

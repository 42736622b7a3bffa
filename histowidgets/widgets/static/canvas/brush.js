import * as messages from "./messages.js";
import { packPoints } from "./points_buffer.js";
import { StrokePoints } from "./stroke_points.js";
import { toImage } from "./view.js";

const UNDER_PEN = 0; // number of the ink before its stroke is sent and numbered

// The brush and the eraser: ink under the pen, and an edit for the kernel at the end.
export class Brush {
  constructor(layer) {
    this.layer = layer;
  }

  start(tool, at, { type, pressure }) {
    return new Stroke(this.layer, tool, [...at, pressure], type === "pen" && this.layer.penPressure);
  }
}

class Stroke {
  constructor(layer, tool, place, usesPressure) {
    this.kind = "stroke";
    this.layer = layer;
    this.tool = tool;
    this.usesPressure = usesPressure;
    this.className = layer.className;
    this.imageName = layer.imageName;
    this.look = { color: layer.colorOf(tool), hatch: layer.hatchOf(tool) };
    this._begin(place);
  }

  _begin(place) {
    const { layer } = this;
    this.path = new StrokePoints(layer.brushWidth, this.usesPressure, this.path?.feelsPressure);
    const { points, width, widths } = this.path;
    this.ink = { points, width, widths, ...this.look };
    layer.ink.add(UNDER_PEN, this.ink);
    this.move([place]);
  }

  move(places) {
    const { layer, path } = this;
    const { count } = path;
    for (const place of places) path.add(place, toImage(layer.view, layer.stage, place));
    layer.ink.extend(this.ink, count, layer.view);
    if (!path.isFull) return;
    // A longer stroke continues as a new one.
    this.up();
    this._begin(path.last);
  }

  up() {
    const { layer, tool, className, imageName } = this;
    const { points, width, widths } = this.path;
    const content = { ...messages.stroke(tool, className, width), image_name: imageName };
    const number = layer.edit(content, widths ? [packPoints(points), packPoints(widths)] : [packPoints(points)]);
    layer.ink.renumber(UNDER_PEN, number);
  }

  drop() {
    this.layer.ink.remove([UNDER_PEN], this.layer.view);
  }
}

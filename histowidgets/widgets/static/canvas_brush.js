import { toImage } from "./canvas_geometry.js";

// Strokes of the brush and the eraser: ink under the pen, and an edit for the kernel at the end.
const MOST_POINTS = 10000; // a longer stroke goes on as a new one; the kernel refuses more than twice this
const LEAST_STEP = 0.75; // CSS pixels between two points of a stroke
const UNDER_PEN = 0; // the ink's number until the stroke gets its own when it is sent

// `layer` is the pointer layer, whose `view`, `stage`, `brushWidth`, `colorOf(tool)`, `className`, `ink` and `link`
// are used.
export class Brush {
  constructor(layer) {
    this.layer = layer;
  }

  // The gesture that a pointer begins at a stage point.
  start(pointer, tool, at) {
    const { layer } = this;
    const stroke = {
      points: toImage(layer.view, layer.stage, at),
      width: layer.brushWidth,
      color: layer.colorOf(tool),
    };
    layer.ink.add(UNDER_PEN, stroke);
    layer.ink.extend(stroke, 0, layer.view);
    return { kind: "stroke", pointer, tool, stroke, last: at, className: layer.className };
  }

  // Go on to these stage points; returns the gesture that goes on from there.
  extend(gesture, places) {
    const { layer } = this;
    const { stroke } = gesture;
    const from = stroke.points.length / 2;
    for (const at of places) {
      if (Math.hypot(at[0] - gesture.last[0], at[1] - gesture.last[1]) < LEAST_STEP) continue;
      gesture.last = at;
      stroke.points.push(...toImage(layer.view, layer.stage, at));
    }
    layer.ink.extend(stroke, from, layer.view);
    if (stroke.points.length / 2 < MOST_POINTS) return gesture;
    this.finish(gesture);
    return this.start(gesture.pointer, gesture.tool, gesture.last);
  }

  finish({ stroke, tool, className }) {
    const { ink, link } = this.layer;
    const content = { kind: "stroke", tool, class_name: className, width: stroke.width };
    const number = link.edit(content, [new Float32Array(stroke.points).buffer]);
    ink.strokes.delete(UNDER_PEN);
    ink.add(number, stroke);
  }

  drop() {
    this.layer.ink.remove([UNDER_PEN], this.layer.view);
  }
}

import { tangents, toStage } from "./canvas_geometry.js";

// What the hand has painted and the kernel has not drawn yet. A stroke has three stacked canvases' worth of
// paint (dark rim, light rim, colour), so that adding a segment never has to touch what is there already:
// the rims of a new segment lie under the colour of the old ones. An area is the inside of its points.
const RIMS = [
  { rim: 2, color: () => "rgb(0, 0, 0)", alpha: 0.55 },
  { rim: 1, color: () => "rgb(255, 255, 255)", alpha: 0.9 },
  { rim: 0, color: (stroke, context, scale) => hatched(stroke, context, scale), alpha: 0.9 },
];

// The colour of a stroke, with the lines of its class in it as the kernel will draw them: they stand on the canvas'
// own pixels.
function hatched(stroke, context, scale) {
  const { color, hatch } = stroke;
  if (!hatch) return color;
  if (stroke.paintScale === scale) return stroke.paint;
  const { side, bits, ink } = hatch;
  const tile = document.createElement("canvas");
  tile.width = tile.height = side;
  const brush = tile.getContext("2d");
  brush.fillStyle = color;
  brush.fillRect(0, 0, side, side);
  brush.fillStyle = ink;
  for (let i = 0; i < bits.length; i += 1) if (bits[i] === "1") brush.fillRect(i % side, Math.floor(i / side), 1, 1);
  const pattern = context.createPattern(tile, "repeat");
  pattern.setTransform(new DOMMatrix([1 / scale, 0, 0, 1 / scale, 0, 0]));
  [stroke.paint, stroke.paintScale] = [pattern, scale];
  return pattern;
}

export class Ink {
  constructor(parent) {
    this.strokes = new Map(); // number -> {points: [x, y, ...] in image pixels, width, widths, color, hatch, area}
    this.layers = RIMS.map(({ alpha }) => {
      const canvas = document.createElement("canvas");
      canvas.className = "hw-ink";
      canvas.style.opacity = alpha;
      parent.append(canvas);
      return canvas;
    });
  }

  resize(stage, scale) {
    this.stage = stage;
    this.scale = scale;
    for (const canvas of this.layers) {
      canvas.width = Math.round(stage.width * scale);
      canvas.height = Math.round(stage.height * scale);
    }
  }

  setOpacity(share) {
    RIMS.forEach(({ alpha }, i) => (this.layers[i].style.opacity = alpha * share));
  }

  add(number, stroke) {
    this.strokes.set(number, stroke);
  }

  // Paint what was added to the stroke since `from` points.
  extend(stroke, from, view) {
    this._paint(stroke, Math.max(0, from - 1), view);
  }

  remove(numbers, view) {
    for (const number of numbers) this.strokes.delete(number);
    this.repaint(view);
  }

  repaint(view) {
    for (const canvas of this.layers) canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    for (const stroke of this.strokes.values()) this._paint(stroke, 0, view);
  }

  // A stroke whose width follows the pen: from point to point the hull of two discs, as the kernel draws it.
  _paintTapered(stroke, from, points, view) {
    this.layers.forEach((canvas, i) => {
      const { rim, color } = RIMS[i];
      const context = canvas.getContext("2d");
      context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
      context.fillStyle = color(stroke, context, this.scale);
      points.forEach(([x, y], at) => {
        const r = Math.max(0.5, (stroke.widths[from + at] * view.zoom) / 2) + rim;
        context.beginPath();
        context.arc(x, y, r, 0, 2 * Math.PI);
        context.fill();
        if (!at) return;
        const before = Math.max(0.5, (stroke.widths[from + at - 1] * view.zoom) / 2) + rim;
        const sides = tangents(points[at - 1], before, [x, y], r);
        if (!sides) return;
        context.beginPath();
        for (const corner of sides) context.lineTo(...corner);
        context.fill();
      });
      context.setTransform(1, 0, 0, 1, 0, 0);
    });
  }

  _paint(stroke, from, view) {
    const points = [];
    for (let i = 2 * from; i < stroke.points.length; i += 2) {
      points.push(toStage(view, this.stage, [stroke.points[i], stroke.points[i + 1]]));
    }
    if (stroke.widths) return this._paintTapered(stroke, from, points, view);
    // A line without length is not drawn by every browser.
    if (points.length === 1) points.push([points[0][0] + 0.01, points[0][1]]);
    this.layers.forEach((canvas, i) => {
      const { rim, color } = RIMS[i];
      const context = canvas.getContext("2d");
      context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
      context.lineCap = context.lineJoin = "round";
      context.lineWidth = (stroke.area ? 0 : Math.max(1, stroke.width * view.zoom)) + 2 * rim;
      context.strokeStyle = color(stroke, context, this.scale);
      context.beginPath();
      points.forEach(([x, y], at) => (at ? context.lineTo(x, y) : context.moveTo(x, y)));
      if (stroke.area) {
        context.closePath();
        context.fillStyle = context.strokeStyle;
        context.fill("evenodd");
      }
      if (!stroke.area || rim) context.stroke();
      context.setTransform(1, 0, 0, 1, 0, 0);
    });
  }
}

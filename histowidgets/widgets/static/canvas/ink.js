import { tangents } from "./geometry.js";
import { toStage } from "./view.js";

// Strokes that the kernel has not drawn yet. A stroke is painted on three stacked canvases (dark rim, light rim,
// colour), so that adding a segment never requires a redraw: its rims lie below the colour of earlier segments. An area
// is the inside of its points.
const LAYERS = [
  { rim: 2, paint: () => "rgb(0, 0, 0)", alpha: 0.55 },
  { rim: 1, paint: () => "rgb(255, 255, 255)", alpha: 0.9 },
  { rim: 0, paint: classPaint, alpha: 0.9 },
];

// The colour of a stroke with the hatching of its class, which the kernel draws on the same pixels of the canvas.
function classPaint(stroke, context, scale) {
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
    this.canvases = LAYERS.map(({ alpha }) => {
      const canvas = document.createElement("canvas");
      canvas.className = "hw-ink";
      canvas.style.opacity = alpha;
      parent.append(canvas);
      return canvas;
    });
  }

  // `scale` is the number of device pixels per CSS pixel.
  resize(stage, scale) {
    this.stage = stage;
    this.scale = scale;
    for (const canvas of this.canvases) {
      canvas.width = Math.round(stage.width * scale);
      canvas.height = Math.round(stage.height * scale);
    }
  }

  setOpacity(share) {
    LAYERS.forEach(({ alpha }, i) => {
      this.canvases[i].style.opacity = alpha * share;
    });
  }

  add(number, stroke) {
    this.strokes.set(number, stroke);
  }

  renumber(number, to) {
    const stroke = this.strokes.get(number);
    this.strokes.delete(number);
    this.strokes.set(to, stroke);
  }

  // Paint the points of a stroke after its first `count`.
  extend(stroke, count, view) {
    this._paint(stroke, Math.max(0, count - 1), view);
  }

  remove(numbers, view) {
    for (const number of numbers) this.strokes.delete(number);
    this.repaint(view);
  }

  repaint(view) {
    for (const canvas of this.canvases) canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    for (const stroke of this.strokes.values()) this._paint(stroke, 0, view);
  }

  _paint(stroke, from, view) {
    const points = [];
    for (let i = 2 * from; i < stroke.points.length; i += 2) {
      points.push(toStage(view, this.stage, [stroke.points[i], stroke.points[i + 1]]));
    }
    const radii = stroke.widths?.slice(from).map((width) => Math.max(0.5, (width * view.zoom) / 2));
    LAYERS.forEach(({ rim, paint }, i) => {
      const context = this.canvases[i].getContext("2d");
      context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
      context.fillStyle = context.strokeStyle = paint(stroke, context, this.scale);
      if (radii) paintTapered(context, points, radii, rim);
      else if (stroke.area) paintArea(context, points, rim);
      else paintLine(context, points, Math.max(1, stroke.width * view.zoom) + 2 * rim);
      context.setTransform(1, 0, 0, 1, 0, 0);
    });
  }
}

// A stroke whose width follows the pressure of the pen: between points, the hull of their discs, as the kernel draws
// it.
function paintTapered(context, points, radii, rim) {
  points.forEach(([x, y], at) => {
    const radius = radii[at] + rim;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
    const sides = at ? tangents(points[at - 1], radii[at - 1] + rim, [x, y], radius) : null;
    if (!sides) return;
    context.beginPath();
    for (const corner of sides) context.lineTo(...corner);
    context.fill();
  });
}

function paintArea(context, points, rim) {
  trace(context, points);
  context.closePath();
  context.fill("evenodd");
  if (!rim) return;
  context.lineWidth = 2 * rim;
  context.stroke();
}

function paintLine(context, points, width) {
  // Not every browser draws a line without length.
  trace(context, points.length === 1 ? [points[0], [points[0][0] + 0.01, points[0][1]]] : points);
  context.lineWidth = width;
  context.stroke();
}

function trace(context, points) {
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  points.forEach(([x, y], at) => {
    if (at) context.lineTo(x, y);
    else context.moveTo(x, y);
  });
}

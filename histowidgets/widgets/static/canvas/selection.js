import { isInside } from "./geometry.js";
import * as messages from "./messages.js";
import { ringsPath } from "./outline.js";
import { toImage } from "./view.js";

export const NEAR = 4; // largest distance in CSS pixels between the pen and what it points at
const NUDGE_PAUSE_MS = 600; // arrow key steps with shorter pauses are one move

// The selection, outlined over the image. During a move, its outline and a ghost follow the pen; the kernel's drawing
// comes later.
//
// `layer` has `view`, `stage`, `imageName` and `link`; `drawing` is the ImageOutline that shows the selection.
export class Selection {
  constructor(layer, drawing) {
    this.layer = layer;
    this.drawing = drawing;
    this.shapes = []; // {rings, color}
    this.latest = []; // the kernel's latest selection
    this.sent = new Map(); // number of an unanswered move -> its offset
    this.moving = [0, 0]; // offset of the move that is not sent yet, in image pixels
  }

  get count() {
    return this.shapes.length;
  }

  // The kernel's selection, which is outdated while a move is unanswered.
  take(shapes) {
    this.latest = shapes;
    if (this.sent.size) return;
    this.shapes = shapes;
    const paths = new Map(); // color -> path of its shapes
    for (const { rings, color } of shapes) paths.set(color, (paths.get(color) ?? "") + ringsPath(rings));
    this.drawing.draw([...paths].map(([color, path]) => ({ className: "hw-ghost", path, color })));
    this.place();
  }

  // Another tool was chosen.
  clear() {
    this.settle();
    this.shapes = [];
    this.drawing.draw([]);
  }

  // The offset, in image pixels, of the shown selection from the kernel's.
  get offset() {
    return [...this.sent.values()].reduce(([x, y], [dx, dy]) => [x + dx, y + dy], this.moving);
  }

  place() {
    this.drawing.place(this.layer.view, this.layer.stage, this.offset);
  }

  // Whether a stage point is on or close to the selection.
  holds(at) {
    if (!this.count || !at) return false;
    const { view, stage } = this.layer;
    const [dx, dy] = this.offset;
    const [x, y] = toImage(view, stage, at);
    return this.shapes.some(({ rings }) => isInside(rings, [x - dx, y - dy], NEAR / view.zoom));
  }

  // Show the selection at an offset from its place after the last move.
  drag(dx, dy) {
    this.moving = [dx, dy];
    this.place();
  }

  nudge(dx, dy) {
    this.drag(this.moving[0] + dx, this.moving[1] + dy);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.settle(), NUDGE_PAUSE_MS);
  }

  // Send the move that is shown.
  settle() {
    clearTimeout(this.timer);
    const { moving, layer } = this;
    if (!moving[0] && !moving[1]) return;
    this.moving = [0, 0];
    const number = layer.link.edit({ ...messages.move(moving), image_name: layer.imageName });
    this.sent.set(number, moving);
    this.place();
  }

  // The kernel has drawn, or refused, these edits.
  answered(numbers) {
    const moves = numbers.filter((number) => this.sent.delete(number));
    if (moves.length) this.take(this.latest);
  }
}

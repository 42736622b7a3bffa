import { pannedView } from "./view.js";

// Drags the image.
export class Pan {
  constructor(layer) {
    this.layer = layer;
  }

  start(_, at) {
    let last = at;
    const move = (places) => {
      const to = places.at(-1);
      this.layer.look(pannedView(this.layer.view, last, to));
      last = to;
    };
    return { kind: "pan", move, up() {} };
  }
}

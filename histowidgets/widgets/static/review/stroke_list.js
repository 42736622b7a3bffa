import { button, element } from "../common/dom.js";

// Strokes that the prediction contradicts, each with a button that gives it the predicted class.
export class StrokeList {
  constructor(send, fallback) {
    this.send = send;
    this.fallback = fallback; // gets the focus when the last row is gone, so that Ctrl+Z still reaches the studio
    this.root = element("section", "hw-review-strokes");
    this.title = element("h4", "", "Contradicted strokes");
    this.list = element("ul");
    this.root.append(this.title, this.list);
  }

  show(strokes) {
    const index = [...this.list.querySelectorAll("button")].indexOf(document.activeElement);
    this.root.hidden = strokes.length === 0;
    this.list.replaceChildren(...strokes.map((stroke) => this._row(stroke)));
    // The row that had the focus may be gone: the next one takes its place.
    const buttons = this.list.querySelectorAll("button");
    if (index >= 0) (buttons[Math.min(index, buttons.length - 1)] ?? this.fallback).focus({ preventScroll: true });
  }

  _row({ id, image, class: name, predicted, share }) {
    const percent = Math.round(100 * share);
    const row = element("li");
    row.dataset.stroke = id;
    const place = button("hw-review-stroke", `${name}: ${percent} % ${predicted}`, `Show this stroke of ${image}`, () =>
      this.send({ kind: "show-stroke", id }),
    );
    const title = `Change the class of this stroke from ${name} to ${predicted}; undo takes it back`;
    const relabel = button("", `Relabel as ${predicted}`, title, () => this.send({ kind: "relabel-stroke", id }));
    row.append(place, relabel);
    return row;
  }
}

import { button, element } from "../common/dom.js";

// A summary of the settings, and a button that undoes the last change by a preset or advice.
export class Summary {
  constructor(send) {
    this.root = element("div", "hw-summary");
    this.words = element("span", "hw-summary-words");
    this.words.setAttribute("role", "status");
    this.undo = button("hw-text-button", "Undo", "Undo the last change made by a preset or by advice", () =>
      send({ kind: "undo" }),
    );
    this.root.append(this.words, this.undo);
  }

  show({ canUndo, disabled }, { summary = "Estimating tiles, time and memory…", level = "info" }) {
    if (this.words.textContent !== summary) this.words.textContent = summary;
    this.root.dataset.level = level;
    this.undo.style.visibility = canUndo ? "" : "hidden";
    this.undo.disabled = disabled;
  }
}

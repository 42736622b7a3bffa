import { button, element } from "../common/dom.js";

const MOST_ROWS = 14; // longer texts scroll
const COPIED_MS = 1500;

// A text to copy, from `key` of the state.
export class TextExport {
  constructor(key, title, description) {
    this.key = key;
    this.root = element("details", "hw-section-fold hw-code");
    this.area = element("textarea");
    this.area.spellcheck = false;
    this.area.readOnly = true;
    this.area.title = description;
    this.area.setAttribute("aria-label", description);
    this.area.addEventListener("focus", () => this.area.select());
    this.copy = button("hw-copy", "Copy", "Copy it to the clipboard", () => this._copy());
    const box = element("div", "hw-code-box");
    box.append(this.area, this.copy);
    this.root.append(element("summary", "", title), box);
  }

  async _copy() {
    this.area.select();
    // Pages without HTTPS have no clipboard, so the text is selected for Ctrl+C.
    try {
      await navigator.clipboard.writeText(this.area.value);
      this.copy.textContent = "Copied";
    } catch {
      this.copy.textContent = "Selected";
    }
    setTimeout(() => {
      this.copy.textContent = "Copy";
    }, COPIED_MS);
  }

  show(state) {
    this.area.value = state[this.key].trimEnd();
    this.area.rows = Math.min(this.area.value.split("\n").length, MOST_ROWS);
  }
}

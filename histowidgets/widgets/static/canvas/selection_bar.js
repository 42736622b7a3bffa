import { button, element } from "../common/dom.js";
import * as messages from "./messages.js";

const BUTTONS = [
  ["copy", "Copy", "Copy (Ctrl+C)"],
  ["paste", "Paste", "Paste (Ctrl+V)"],
  ["duplicate", "Duplicate", "Duplicate (Ctrl+D)"],
  ["delete", "Delete", "Delete (Delete key)"],
];

// Actions on the selection without the keyboard (class, copy, paste, delete), and the number of selected annotations.
export class SelectionBar {
  constructor(layer) {
    this.layer = layer;
    this.bar = element("div", "hw-selection-bar");
    this.bar.setAttribute("role", "toolbar");
    this.bar.setAttribute("aria-label", "Selection");
    this.text = element("span");
    this.choice = element("select");
    this.choice.title = "Change the class (1 to 9)";
    this.choice.setAttribute("aria-label", "Class of the selection");
    this.choice.addEventListener("change", () => this._reclassify());
    const act = (kind) => (event) => this._act(kind, event);
    this.buttons = Object.fromEntries(BUTTONS.map(([kind, text, title]) => [kind, button("", text, title, act(kind))]));
    this.bar.append(this.text, this.choice, ...Object.values(this.buttons));
    for (const name of ["pointerdown", "pointermove", "pointerup"]) {
      this.bar.addEventListener(name, (event) => event.stopPropagation());
    }
    layer.root.append(this.bar);
  }

  // After a click the focus returns to the canvas and its keys; after Enter (`detail` is 0) it stays.
  _act(kind, { detail }) {
    this.layer.edit(messages.step(kind));
    if (detail > 0) this._focusCanvas();
  }

  _focusCanvas() {
    this.layer.root.focus({ preventScroll: true });
  }

  _reclassify() {
    const chosen = this.layer.classes[Number(this.choice.value)];
    if (chosen) this.layer.edit(messages.reclassify(chosen.name));
    this.choice.selectedIndex = 0;
  }

  show() {
    const { layer, bar, choice, buttons } = this;
    const { count } = layer.selection;
    const hadFocus = !bar.hidden && bar.contains(document.activeElement);
    bar.hidden = layer.tool !== "select" || !(count || layer.copied) || (layer.gestures.now !== null && !count);
    this.text.textContent = count ? `${count} selected` : "Nothing selected";
    choice.hidden = buttons.copy.hidden = buttons.duplicate.hidden = buttons.delete.hidden = !count;
    buttons.paste.hidden = !layer.copied;
    this._setClasses(layer.classes.map(({ name }) => name));
    if (hadFocus && (bar.hidden || document.activeElement?.hidden)) this._focusCanvas();
  }

  _setClasses(names) {
    if (this.names === names.join("\n")) return;
    this.names = names.join("\n");
    const options = ["Class …", ...names].map((text, i) => new Option(text, String(i - 1)));
    this.choice.replaceChildren(...options);
  }
}

import { button, element } from "../common/dom.js";

// The choice of a preset, and the button that goes back to it.
export class Preset {
  constructor(presets, prefix, send) {
    this.root = element("div", "hw-preset-row");
    this.select = element("select");
    this.select.id = `${prefix}-preset`;
    this.select.append(...presets.map(([words, name]) => Object.assign(element("option", "", words), { value: name })));
    const label = element("label", "", "Preset");
    label.htmlFor = this.select.id;
    this.select.title = label.title = "Ready-made settings; choosing one replaces all settings below";
    this.note = element("span", "hw-changed-note");
    const choose = () => send({ kind: "preset", name: this.select.value });
    this.reset = button("hw-icon", "", "Reset to the preset", choose);
    this.reset.setAttribute("aria-label", this.reset.title);
    this.reset.append(element("i", "fa fa-undo"));
    this.select.addEventListener("change", choose);
    this.root.append(label, this.select, this.note, this.reset);
  }

  show({ preset, disabled, changed }) {
    this.select.value = preset;
    this.select.disabled = this.reset.disabled = disabled;
    this.note.textContent = changed.length ? "(changed)" : "";
    this.reset.style.visibility = changed.length ? "" : "hidden";
  }
}

// What a hand without keys needs while something is selected: how much it is, its class, copy, paste, delete.
const BUTTONS = [
  ["copy", "Copy", "Copy (Ctrl+C)"],
  ["paste", "Paste", "Paste (Ctrl+V)"],
  ["duplicate", "Duplicate", "Duplicate (Ctrl+D)"],
  ["delete", "Delete", "Delete (Delete key)"],
];

export class SelectionBar {
  constructor(layer) {
    this.layer = layer;
    this.bar = document.createElement("div");
    this.bar.className = "hw-selection-bar";
    this.bar.setAttribute("role", "toolbar");
    this.bar.setAttribute("aria-label", "Selection");
    this.text = document.createElement("span");
    this.choice = document.createElement("select");
    this.choice.title = "Change the class (1 to 9)";
    this.choice.setAttribute("aria-label", "Class of the selection");
    this.choice.addEventListener("change", () => this._chosen());
    this.buttons = {};
    this.bar.append(this.text, this.choice);
    for (const [kind, name, title] of BUTTONS) {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", textContent: name, title });
      button.addEventListener("click", (event) => this._do(kind, event));
      this.buttons[kind] = button;
      this.bar.append(button);
    }
    for (const name of ["pointerdown", "pointermove", "pointerup"]) {
      this.bar.addEventListener(name, (event) => event.stopPropagation());
    }
    layer.root.append(this.bar);
  }

  // A hand that clicked goes on with keys of the canvas; one that came by Tab stays.
  _do(kind, { detail }) {
    this.layer.edit({ kind });
    if (detail > 0) this.layer.root.focus({ preventScroll: true });
  }

  _chosen() {
    const [index, { classes }] = [Number(this.choice.value), this.layer];
    if (classes[index]) this.layer.edit({ kind: "reclassify", class_name: classes[index].name });
    this.choice.selectedIndex = 0;
  }

  show() {
    const { layer, bar, choice, buttons } = this;
    const { count } = layer.selection;
    const copied = layer.model.get("copied");
    const had = !bar.hidden && bar.contains(document.activeElement);
    bar.hidden = layer.tool !== "select" || !(count || copied) || (layer.hand.now !== null && !count);
    this.text.textContent = count ? `${count} selected` : "Nothing selected";
    choice.hidden = buttons.copy.hidden = buttons.duplicate.hidden = buttons.delete.hidden = !count;
    buttons.paste.hidden = !copied;
    const names = layer.classes.map(({ name }) => name);
    if (this.names !== names.join("\n")) this._setClasses(names);
    if (had && (bar.hidden || document.activeElement?.hidden)) layer.root.focus({ preventScroll: true });
  }

  _setClasses(names) {
    this.names = names.join("\n");
    const options = ["Class …", ...names].map((text, i) => new Option(text, String(i - 1)));
    this.choice.replaceChildren(...options);
  }
}

// One radio group: arrows move between the classes, a click or a digit on the canvas selects one. Each row has a
// menu; F2 or a double click renames, and the last line adds a class.
import { Popup, element } from "./popup.js";
import { openClassMenu } from "./class_list_menu.js";

const WORDS = { none: "", red: "too few", amber: "enough to start", green: "recommended number reached" };

class List {
  constructor(model, el) {
    this.model = model;
    this.root = element("div", "hw-class-list");
    this.group = element("div", "hw-class-list");
    this.group.setAttribute("role", "radiogroup");
    this.group.setAttribute("aria-label", "Class to paint");
    this.add = element("button", "hw-class-add", "+ class");
    this.add.title = "Add a class to the palette";
    this.add.addEventListener("click", () => this.addClass());
    this.said = element("div", "hw-class-said");
    this.said.setAttribute("role", "alert");
    this.root.append(this.group, this.add, this.said);
    el.append(this.root);
    this.popup = new Popup(this.root, "Class");
    this.popup.onClose = () => setTimeout(() => this.draw());
    this.group.addEventListener("keydown", (event) => this.key(event));
  }

  send(content) {
    this.said.textContent = "";
    this.model.send(content);
  }

  select(name) {
    this.model.set("selected", name);
    this.model.save_changes();
  }

  get editable() {
    return this.model.get("editable");
  }

  draw() {
    // What is being typed is not thrown away, nor the row under an open menu.
    if (this.group.querySelector(".hw-class-field") || this.popup.isOpen) return;
    const active = document.activeElement;
    const [focused, onMenu] = [this.group.contains(active), active?.classList.contains("hw-class-more")];
    this.group.replaceChildren(...this.model.get("rows").map((entry, index) => this.row(entry, index)));
    if (focused) this.group.querySelector(`[data-on] .${onMenu ? "hw-class-more" : "hw-class"}`)?.focus();
    this.add.hidden = !this.editable;
  }

  row(entry, index) {
    const row = element("div", "hw-class-row");
    const chosen = entry.name === this.model.get("selected");
    row.toggleAttribute("data-on", chosen);
    row.dataset.name = entry.name;
    row.append(this.radio(entry, index, chosen));
    if (!this.editable) return row;
    const more = element("button", "hw-class-more", "⋯");
    more.title = `Rename, recolour, merge or delete ${entry.name}`;
    more.setAttribute("aria-label", more.title);
    more.setAttribute("aria-haspopup", "dialog");
    more.setAttribute("aria-expanded", "false");
    more.tabIndex = chosen ? 0 : -1;
    const others = this.model.get("rows").filter((other) => other.name !== entry.name);
    const open = () => openClassMenu(this.popup, more, entry, others, this);
    more.addEventListener("click", open);
    row.addEventListener("contextmenu", (event) => {
      event.preventDefault();
      event.stopPropagation();
      open();
    });
    row.append(more);
    return row;
  }

  radio(entry, index, chosen) {
    const item = element("button", "hw-class");
    item.setAttribute("role", "radio");
    item.setAttribute("aria-checked", String(chosen));
    item.tabIndex = chosen ? 0 : -1;
    item.dataset.level = entry.level;
    const swatch = element("span", "hw-class-swatch");
    swatch.style.backgroundColor = entry.color;
    if (entry.pattern) swatch.style.backgroundImage = `url(${entry.pattern})`;
    const bar = element("span", "hw-class-bar");
    const fill = element("span");
    const share = entry.recommended ? Math.min(1, entry.count / entry.recommended) : 0;
    fill.style.width = `${Math.round(100 * share)}%`;
    bar.append(fill);
    const count = entry.recommended ? `${entry.count} / ${entry.recommended}` : String(entry.count);
    const words = WORDS[entry.level] || "";
    item.title = `Paint ${entry.name}` + (words ? ` (${entry.count} annotations: ${words})` : "");
    item.setAttribute("aria-label", `${entry.name}, ${entry.count} annotations${words ? ", " + words : ""}`);
    const key = element("kbd", "", index < 9 ? String(index + 1) : "");
    item.append(key, swatch, element("span", "hw-class-name", entry.name), bar, element("span", "hw-class-count", count));
    item.addEventListener("click", () => this.select(entry.name));
    item.addEventListener("dblclick", () => this.rename(entry.name));
    return item;
  }

  field(label, value, done) {
    const field = element("input", "hw-class-field");
    Object.assign(field, { type: "text", value, spellcheck: false });
    field.setAttribute("aria-label", label);
    const end = (keep) => {
      if (field.ended) return;
      field.ended = true;
      const text = field.value.trim();
      const row = field.parentElement?.classList.contains("hw-class-row") ? field.parentElement : null;
      if (row && !row.dataset.name) row.remove();
      field.remove();
      this.draw();
      this.group.querySelector("[data-on] .hw-class")?.focus();
      if (keep && text && text !== value) done(text);
    };
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") end(true);
      if (event.key === "Escape") end(false);
    });
    field.addEventListener("blur", () => end(true));
    return field;
  }

  rename(name) {
    const row = [...this.group.children].find((one) => one.dataset.name === name);
    if (!this.editable || !row) return;
    const field = this.field(`New name of ${name}`, name, (to) => this.send({ kind: "rename", name, to }));
    row.replaceChildren(field);
    field.focus();
    field.select();
  }

  addClass() {
    const row = element("div", "hw-class-row");
    const field = this.field("Name of the new class", "", (name) => this.send({ kind: "add", name }));
    field.placeholder = "name of the new class";
    row.append(field);
    this.group.append(row);
    field.focus();
  }

  key(event) {
    if (event.target.matches("input")) return;
    const chosen = this.model.get("selected");
    if (event.key === "F2") {
      event.preventDefault();
      this.rename(chosen);
    }
    if (event.key === "Enter" || event.key === " ") event.stopPropagation(); // not the notebook's command mode
    const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const names = this.model.get("rows").map((entry) => entry.name);
    this.select(names[(names.indexOf(chosen) + by + names.length) % names.length]);
  }
}

function render({ model, el }) {
  const list = new List(model, el);
  const draw = () => list.draw();
  const hear = (message) => {
    if (message.kind === "failed") list.said.textContent = message.text;
  };
  for (const name of ["rows", "selected", "editable"]) model.on(`change:${name}`, draw);
  model.on("msg:custom", hear);
  draw();
  return () => {
    for (const name of ["rows", "selected", "editable"]) model.off(`change:${name}`, draw);
    model.off("msg:custom", hear);
    list.popup.panel.remove();
  };
}

export default { render };

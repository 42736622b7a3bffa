// One radio group: arrows move between the classes, a click or a digit on the canvas selects one. Each row has a
// menu; F2 or a double click renames, and the last line adds a class.
import { Popup, element } from "./popup.js";
import { Row } from "./class_list_row.js";

class List {
  constructor(model, el) {
    this.model = model;
    this.rows = new Map();
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

  get entries() {
    return this.model.get("rows");
  }

  get editable() {
    return this.model.get("editable");
  }

  draw() {
    // What is being typed is not thrown away, nor the row under an open menu.
    if (this.group.querySelector(".hw-class-field") || this.popup.isOpen) return;
    const active = document.activeElement;
    const [focused, onMenu] = [this.group.contains(active), active?.classList.contains("hw-class-more")];
    const names = new Set(this.entries.map((entry) => entry.name));
    for (const [name, row] of this.rows) {
      if (names.has(name)) continue;
      row.root.remove();
      this.rows.delete(name);
    }
    this.entries.forEach((entry, index) => {
      if (!this.rows.has(entry.name)) this.rows.set(entry.name, new Row(this, entry.name));
      const row = this.rows.get(entry.name);
      if (this.group.children[index] !== row.root) this.group.insertBefore(row.root, this.group.children[index] || null);
      row.show(entry, index, entry.name === this.model.get("selected"));
    });
    if (focused) this.group.querySelector(`[data-on] .${onMenu ? "hw-class-more" : "hw-class"}`)?.focus();
    this.add.hidden = !this.editable;
  }

  field(label, value, done) {
    const field = element("input", "hw-class-field");
    Object.assign(field, { type: "text", value, spellcheck: false });
    field.setAttribute("aria-label", label);
    const end = (keep) => {
      if (field.ended) return;
      field.ended = true;
      const text = field.value.trim();
      const root = field.parentElement;
      const row = this.rows.get(root?.dataset.name);
      if (row) row.edited();
      else root?.remove(); // that of a class which is not there yet
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
    const row = this.rows.get(name);
    if (!this.editable || !row) return;
    const field = this.field(`New name of ${name}`, name, (to) => this.send({ kind: "rename", name, to }));
    row.edit(field);
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
    const names = this.entries.map((entry) => entry.name);
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

import { announceClass } from "../common/class_choice.js";
import { element } from "../common/dom.js";
import { follow } from "../common/model.js";
import { Popup } from "../common/popup.js";
import { Row } from "./row.js";

const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

// The classes as a radio group: arrows move between them, a click or a digit on the canvas selects one. Each row has a
// menu; F2 or a double-click renames, and the last line adds a class.
class ClassList {
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
    this.said.setAttribute("role", "status");
    this.root.append(this.group, this.add, this.said);
    el.append(this.root);
    this.popup = new Popup(this.root, "Class");
    this.popup.onClose = () => setTimeout(() => this.draw());
    this.group.addEventListener("keydown", (event) => this.onKey(event));
  }

  say(text, level) {
    this.said.textContent = text;
    this.said.dataset.level = level;
  }

  send(content) {
    this.say("", "good");
    this.model.send(content);
  }

  select(name) {
    announceClass(this.root, name);
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
    // Keep a field that is being edited, and the row of an open menu.
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
      if (this.group.children[index] !== row.root)
        this.group.insertBefore(row.root, this.group.children[index] || null);
      row.show(entry, index, entry.name === this.model.get("selected"));
    });
    if (focused) this.group.querySelector(`[data-on] .${onMenu ? "hw-class-more" : "hw-class"}`)?.focus();
    this.add.hidden = !this.editable;
  }

  // A field for a name. Enter or leaving the field confirms, Escape cancels; `done` is called with a changed name.
  makeField(label, value, done) {
    const field = element("input", "hw-class-field");
    Object.assign(field, { type: "text", value, spellcheck: false });
    field.setAttribute("aria-label", label);
    let ended = false;
    const end = (confirmed) => {
      if (ended) return;
      ended = true;
      const text = field.value.trim();
      const root = field.parentElement;
      const row = this.rows.get(root?.dataset.name);
      if (row) row.edited();
      else root?.remove(); // the line of a new class
      this.draw();
      this.group.querySelector("[data-on] .hw-class")?.focus();
      if (confirmed && text && text !== value) done(text);
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
    const field = this.makeField(`New name of ${name}`, name, (to) => this.send({ kind: "rename", name, to }));
    row.edit(field);
    field.focus();
    field.select();
  }

  addClass() {
    const row = element("div", "hw-class-row");
    const field = this.makeField("Name of the new class", "", (name) => this.send({ kind: "add", name }));
    field.placeholder = "name of the new class";
    row.append(field);
    this.group.append(row);
    field.focus();
  }

  onKey(event) {
    if (event.target.matches("input")) return;
    const chosen = this.model.get("selected");
    if (event.key === "F2") {
      event.preventDefault();
      this.rename(chosen);
    }
    if (event.key === "Enter" || event.key === " ") event.stopPropagation(); // keep it from the notebook's command mode
    const by = STEPS[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const names = this.entries.map((entry) => entry.name);
    this.select(names[(names.indexOf(chosen) + by + names.length) % names.length]);
  }
}

function render({ model, el }) {
  const list = new ClassList(model, el);
  const handlers = {
    said: ({ text, level }) => list.say(text, level),
  };
  const end = follow(
    model,
    ["rows", "selected", "editable"],
    () => list.draw(),
    (message) => handlers[message.kind]?.(message),
  );
  return () => {
    end();
    list.popup.panel.remove();
  };
}

export default { render };

import { element } from "../common/dom.js";

// The note in the heading of a section, such as " · 1 to correct, 2 changed".
export function noteOf(names, { errors, changed }) {
  const wrong = names.filter((name) => errors[name]).length;
  const altered = names.filter((name) => changed.includes(name)).length;
  const notes = [];
  if (wrong) notes.push(`${wrong} to correct`);
  if (altered) notes.push(`${altered} changed`);
  return notes.length ? ` · ${notes.join(", ")}` : "";
}

// Fields, with `extras` below them, under a heading that folds them.
export class Section {
  constructor(title, fields, extras) {
    this.names = fields.map((field) => field.spec.name);
    this.root = element("details", "hw-section-fold");
    const heading = element("summary", "", title);
    this.note = element("span", "hw-muted");
    heading.append(this.note);
    const grid = element("div", "hw-fields");
    grid.append(...fields.map((field) => field.root));
    this.root.append(heading, grid, ...extras);
  }

  show(state) {
    this.note.textContent = noteOf(this.names, state);
    this.note.classList.toggle(
      "hw-wrong",
      this.names.some((name) => state.errors[name]),
    );
  }
}

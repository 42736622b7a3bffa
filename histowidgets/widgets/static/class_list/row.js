import { element } from "../common/dom.js";
import { counted } from "../common/words.js";
import { openClassMenu } from "./menu.js";

const NUMBERED = 9; // number of classes that a digit selects

// A class. Its elements stay while counts change, since replacing one between press and release would lose the click.
export class Row {
  constructor(list, name) {
    this.list = list;
    this.root = element("div", "hw-class-row");
    this.root.dataset.name = name;
    this.item = element("button", "hw-class");
    this.item.setAttribute("role", "radio");
    this.key = element("kbd");
    this.swatch = element("span", "hw-class-swatch");
    this.fill = element("span");
    this.count = element("span", "hw-class-count");
    const bar = element("span", "hw-class-bar");
    bar.append(this.fill);
    this.item.append(this.key, this.swatch, element("span", "hw-class-name", name), bar, this.count);
    this.item.addEventListener("click", () => list.select(name));
    this.item.addEventListener("dblclick", () => list.rename(name));
    this.more = element("button", "hw-class-more", "⋯");
    this.more.title = `Rename, recolour, merge or delete ${name}`;
    this.more.setAttribute("aria-label", this.more.title);
    this.more.setAttribute("aria-haspopup", "dialog");
    this.more.setAttribute("aria-expanded", "false");
    this.more.addEventListener("click", () => this.openMenu());
    this.root.addEventListener("contextmenu", (event) => {
      if (!list.editable) return;
      event.preventDefault();
      event.stopPropagation();
      this.openMenu();
    });
    this.root.append(this.item, this.more);
  }

  openMenu() {
    const { list, more, entry } = this;
    const others = list.entries.filter((other) => other.name !== entry.name);
    openClassMenu(list.popup, more, entry, others, list);
  }

  show(entry, index, chosen) {
    const { item, more } = this;
    this.entry = entry;
    this.root.toggleAttribute("data-on", chosen);
    item.setAttribute("aria-checked", String(chosen));
    item.tabIndex = more.tabIndex = chosen ? 0 : -1;
    item.dataset.level = entry.goal && entry.count >= entry.goal ? "reached" : "open";
    this.key.textContent = index < NUMBERED ? String(index + 1) : "";
    this.swatch.style.backgroundColor = entry.color;
    this.swatch.style.backgroundImage = entry.pattern ? `url(${entry.pattern})` : "";
    const { name, count, goal, good } = entry;
    const reached = goal > 0 && count >= goal;
    this.fill.style.width = `${Math.round(100 * (goal ? Math.min(1, count / goal) : 0))}%`;
    const ofGoal = goal ? `${count} / ${goal}` : String(count);
    this.count.textContent = reached ? `✓ ${count}` : ofGoal;
    const words = goal ? `; ${goal} needed, ${good} recommended` : "";
    item.title = `Paint ${name}: ${counted(count, "stroke")}${words}`;
    item.setAttribute("aria-label", `${name}, ${counted(count, "stroke")}${words}`);
    more.hidden = !this.list.editable;
  }

  // Show a field in place of the elements while renaming the class.
  edit(field) {
    this.root.replaceChildren(field);
  }

  edited() {
    this.root.replaceChildren(this.item, this.more);
  }
}

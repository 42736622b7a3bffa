// Made by `npm run build` from the sources beside this folder; do not edit.

// common/class_choice.js
var EVENT = "hw-class-chosen";
function announceClass(element2, name) {
  element2.dispatchEvent(new CustomEvent(EVENT, { bubbles: true, detail: name }));
}

// common/dom.js
function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== "") made.textContent = text;
  if (tag === "button") made.type = "button";
  return made;
}

// common/model.js
function follow(model, names, draw, onMessage = null) {
  const changes = names.map((name) => `change:${name}`);
  for (const change of changes) model.on(change, draw);
  if (onMessage) model.on("msg:custom", onMessage);
  draw();
  return () => {
    for (const change of changes) model.off(change, draw);
    if (onMessage) model.off("msg:custom", onMessage);
  };
}

// common/numbers.js
function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}

// common/popup.js
var GAP = 4;
var Popup = class {
  constructor(root, label) {
    this.panel = document.createElement("div");
    this.panel.className = "hw-popup";
    this.panel.popover = "auto";
    this.panel.setAttribute("role", "dialog");
    this.panel.setAttribute("aria-label", label);
    this.panel.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") this.close();
      if (event.key === "ArrowDown" || event.key === "ArrowUp") this._step(event);
    });
    this.panel.addEventListener("toggle", (event) => {
      if (event.newState === "closed") this._closed();
    });
    root.append(this.panel);
  }
  open(anchor, children, label) {
    if (this.isOpen) this.panel.hidePopover();
    this.anchor = anchor;
    this.fill(children);
    if (label) this.panel.setAttribute("aria-label", label);
    anchor.setAttribute("aria-expanded", "true");
    this.panel.showPopover();
    this._place();
    this._focusFirst();
  }
  fill(children) {
    this.panel.replaceChildren(...children);
    if (this.isOpen) {
      this._place();
      this._focusFirst();
    }
  }
  get isOpen() {
    return this.panel.matches(":popover-open");
  }
  close() {
    if (this.isOpen) this.panel.hidePopover();
  }
  _closed() {
    this.onClose?.();
    const hadFocus = this.panel.contains(document.activeElement) || document.activeElement === document.body;
    this.anchor?.setAttribute("aria-expanded", "false");
    if (hadFocus && this.anchor?.isConnected) this.anchor.focus();
  }
  _focusFirst() {
    this._stops()[0]?.focus();
  }
  _stops() {
    return [...this.panel.querySelectorAll("button, input, select")].filter((stop) => !stop.disabled);
  }
  _step(event) {
    if (event.target.matches("input[type='text'], select")) return;
    event.preventDefault();
    const stops = this._stops();
    const by = event.key === "ArrowDown" ? 1 : -1;
    stops[(stops.indexOf(document.activeElement) + by + stops.length) % stops.length]?.focus();
  }
  // Below the button if there is room, otherwise above it, and always inside the window.
  _place() {
    const at = this.anchor.getBoundingClientRect();
    const { width, height } = this.panel.getBoundingClientRect();
    const fitsBelow = at.bottom + GAP + height <= window.innerHeight;
    const top = fitsBelow ? at.bottom + GAP : Math.max(GAP, at.top - height - GAP);
    this.panel.style.left = `${clamp(at.left, GAP, Math.max(GAP, window.innerWidth - width - GAP))}px`;
    this.panel.style.top = `${top}px`;
  }
};

// common/words.js
function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

// common/menu.js
function menuButton(text, act, { checked, reason, danger } = {}) {
  const made = element("button", danger ? "hw-menu-item hw-danger" : "hw-menu-item", text);
  if (checked !== void 0) made.setAttribute("aria-pressed", String(checked));
  if (reason) {
    made.setAttribute("aria-disabled", "true");
    made.title = reason;
    made.append(element("span", "hw-menu-reason", reason));
  } else {
    made.addEventListener("click", act);
  }
  return made;
}

// class_list/menu.js
function openClassMenu(popup, anchor, entry, others, list) {
  const { name } = entry;
  const send = (content) => {
    popup.close();
    list.send(content);
  };
  const rename = menuButton("Rename (F2)", () => {
    popup.close();
    list.rename(name);
  });
  const color = element("label", "hw-menu-item", "Colour");
  const field = element("input");
  field.type = "color";
  field.value = entry.color.toLowerCase();
  field.setAttribute("aria-label", `Colour of ${name}`);
  field.addEventListener("change", () => send({ kind: "recolor", name, color: field.value }));
  color.append(field);
  const merge = menuButton("Merge into…", () => popup.fill(mergeChoices(entry, others, send)), {
    reason: others.length ? "" : "There is no other class"
  });
  const remove = menuButton("Delete", () => send({ kind: "delete", name }), {
    reason: entry.locked || "",
    danger: !entry.locked
  });
  popup.open(anchor, [rename, color, merge, element("hr"), remove], `Actions for ${name}`);
}
function mergeChoices({ name, count }, others, send) {
  const choices = others.map((other) => menuButton(other.name, () => send({ kind: "merge", name, into: other.name })));
  return [element("p", "", `Assign the ${counted(count, "annotation")} of ${name} to:`), ...choices];
}

// class_list/row.js
var NUMBERED = 9;
var Row = class {
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
};

// class_list/widget.js
var STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
var ClassList = class {
  constructor(model, el) {
    this.model = model;
    this.rows = /* @__PURE__ */ new Map();
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
      else root?.remove();
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
    if (event.key === "Enter" || event.key === " ") event.stopPropagation();
    const by = STEPS[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const names = this.entries.map((entry) => entry.name);
    this.select(names[(names.indexOf(chosen) + by + names.length) % names.length]);
  }
};
function render({ model, el }) {
  const list = new ClassList(model, el);
  const handlers = {
    said: ({ text, level }) => list.say(text, level)
  };
  const end = follow(
    model,
    ["rows", "selected", "editable"],
    () => list.draw(),
    (message) => handlers[message.kind]?.(message)
  );
  return () => {
    end();
    list.popup.panel.remove();
  };
}
var widget_default = { render };
export {
  widget_default as default
};

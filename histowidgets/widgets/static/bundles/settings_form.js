// Made by `npm run build` from the sources beside this folder; do not edit.

// common/dom.js
function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== "") made.textContent = text;
  if (tag === "button") made.type = "button";
  return made;
}
function button(className, text, title, click) {
  const made = element("button", className, text);
  made.title = title;
  made.addEventListener("click", click);
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

// settings_form/class_weights.js
var quoted = (name) => `"${name.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
function weightsEntry(typed) {
  return typed.map(([name, weight]) => [name, weight.trim()]).filter(([, weight]) => weight !== "" && weight !== "1").map(([name, weight]) => `${quoted(name)}=${weight.replace(",", ".")}`).join(", ");
}
var ClassWeights = class {
  constructor(prefix, send) {
    this.prefix = prefix;
    this.send = send;
    this.drawn = "";
    this.root = element("fieldset", "hw-weights");
    this.list = element("div", "hw-weight-list");
    this.balance = button(
      "hw-text-button",
      "Balance once",
      "Set each weight to the median labelled area divided by that of the class, from 0.1 to 10",
      () => send({ kind: "balance" })
    );
    this.root.append(element("legend", "", "Weight of each class"), this.list, this.balance);
  }
  get _inputs() {
    return [...this.list.querySelectorAll("input")];
  }
  _enter() {
    const entry = weightsEntry(this._inputs.map((input) => [input.dataset.className, input.value]));
    this.send({ kind: "enter", name: "class_weights", entry });
  }
  _makeInput(name, index) {
    const label = element("label", "", name);
    const input = element("input");
    input.type = "text";
    input.inputMode = "decimal";
    input.id = label.htmlFor = `${this.prefix}-weight-${index}`;
    input.dataset.className = name;
    input.title = `Weight of ${name} in the loss, from 0.1 to 10; 1 is neutral`;
    input.addEventListener("change", () => this._enter());
    return [label, input];
  }
  show({ disabled, errors, weights }, { classes = [], balanced = {} }) {
    this.root.hidden = classes.length === 0;
    const wanted = JSON.stringify(classes);
    if (wanted !== this.drawn) {
      this.drawn = wanted;
      this.list.replaceChildren(...classes.flatMap((name, index) => this._makeInput(name, index)));
    }
    const isWrong = "class_weights" in errors;
    for (const input of this._inputs) {
      const value = String(weights[input.dataset.className] ?? 1);
      if (input !== document.activeElement && !isWrong && input.value !== value) input.value = value;
      input.disabled = disabled;
      input.setAttribute("aria-invalid", String(isWrong));
    }
    const names = Object.keys(balanced);
    const isBalanced = names.length > 0 && names.every((name) => (weights[name] ?? 1) === balanced[name]);
    this.balance.disabled = disabled || names.length === 0 || isBalanced;
    this.balance.textContent = isBalanced ? "Balanced" : "Balance once";
  }
};

// settings_form/field.js
function option(words) {
  return Object.assign(element("option", "", words), { value: words });
}
function makeControl(spec) {
  if (spec.kind === "choice") {
    const select = element("select");
    select.append(...spec.choices.map(option));
    return select;
  }
  const input = element("input");
  input.type = spec.kind === "flag" ? "checkbox" : "text";
  input.autocomplete = "off";
  input.spellcheck = false;
  if (spec.kind === "number") input.inputMode = "decimal";
  if (spec.placeholder) input.placeholder = spec.placeholder;
  return input;
}
var Field = class {
  constructor(spec, prefix, enter) {
    this.spec = spec;
    this.enter = enter;
    this.sent = this.shown = void 0;
    this.root = element("div", "hw-field");
    this.root.dataset.name = spec.name;
    this.root.dataset.kind = spec.kind;
    this.control = makeControl(spec);
    this.control.id = `${prefix}-${spec.name}`;
    const label = element("label", "", spec.label);
    label.htmlFor = this.control.id;
    label.title = this.control.title = spec.help;
    this.error = element("div", "hw-field-error");
    this.error.id = `${this.control.id}-error`;
    this.error.setAttribute("aria-live", "polite");
    this.root.append(label, this.control, element("span", "hw-unit", spec.unit), this.error);
    this.control.addEventListener("change", () => this._send());
    this.control.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this._send();
    });
  }
  get _isFlag() {
    return this.spec.kind === "flag";
  }
  get _entry() {
    return this._isFlag ? this.control.checked : this.control.value;
  }
  _send() {
    if (this._entry === this.shown && !this.root.classList.contains("hw-invalid")) return;
    this.sent = this._entry;
    this.enter(this.sent);
  }
  // Whether the user is typing an entry that was not sent yet and must not be overwritten.
  get _isTyping() {
    const isNew = this._entry !== this.sent && this._entry !== this.shown;
    return this.control === document.activeElement && !this._isFlag && isNew;
  }
  show(state) {
    const { control, error, root, spec } = this;
    const value = state.entries[spec.name];
    if (!this._isTyping) this._setValue(value);
    this.shown = value;
    const wrong = state.errors[spec.name];
    if (error.textContent !== (wrong ?? "")) error.textContent = wrong ?? "";
    root.classList.toggle("hw-invalid", Boolean(wrong));
    root.classList.toggle("hw-changed", state.changed.includes(spec.name));
    control.disabled = state.disabled || state.idle.includes(spec.name);
    if (wrong) {
      control.setAttribute("aria-invalid", "true");
      control.setAttribute("aria-describedby", error.id);
    } else {
      control.removeAttribute("aria-invalid");
      control.removeAttribute("aria-describedby");
    }
  }
  _setValue(value) {
    const { control, spec } = this;
    if (this._isFlag) {
      control.checked = value;
      return;
    }
    const isMissing = spec.kind === "choice" && ![...control.options].some((choice) => choice.value === value);
    if (isMissing) control.append(option(value));
    if (control.value !== value) control.value = value;
  }
};

// settings_form/freeze.js
var FreezeGroups = class {
  constructor(prefix, send) {
    this.prefix = prefix;
    this.send = send;
    this.drawn = "";
    this.root = element("fieldset", "hw-groups");
    const title = element("legend", "", "Frozen layers");
    title.title = "Frozen layers keep their pretrained weights. Listed from the input (stem) to the deepest block.";
    this.list = element("div", "hw-group-list");
    this.trained = element("div", "hw-muted");
    this.trained.setAttribute("role", "status");
    this.root.append(title, this.list, this.trained);
  }
  get _checks() {
    return [...this.list.querySelectorAll("input")];
  }
  _enter() {
    const groups = Object.fromEntries(this._checks.map((check) => [check.dataset.group, check.checked]));
    this.send({ kind: "freeze", groups });
  }
  _makeCheck({ name, count }) {
    const label = element("label");
    const check = element("input");
    check.type = "checkbox";
    check.dataset.group = name;
    check.id = `${this.prefix}-group-${name}`;
    check.title = `Freeze ${name}: ${count} parameters`;
    check.addEventListener("change", () => this._enter());
    label.append(check, element("span", "", name), element("span", "hw-muted", count));
    return label;
  }
  show({ disabled }, { groups = [], trained = "" }) {
    this.root.hidden = groups.length === 0;
    const wanted = JSON.stringify(groups.map(({ name, count }) => [name, count]));
    if (wanted !== this.drawn) {
      this.drawn = wanted;
      this.list.replaceChildren(...groups.map((group) => this._makeCheck(group)));
    }
    const frozen = new Map(groups.map((group) => [group.name, group.frozen]));
    for (const check of this._checks) {
      check.checked = frozen.get(check.dataset.group);
      check.disabled = disabled;
    }
    if (this.trained.textContent !== trained) this.trained.textContent = trained;
  }
};

// settings_form/help_line.js
function helpLine(form, fields) {
  const line = element("div", "hw-form-help");
  const name = element("b");
  const words = element("span", "", "Point at a field, or move to it with Tab, to see what it does.");
  line.append(name, words);
  const explain = (event) => {
    const field = fields.find(({ root }) => root.contains(event.target));
    if (!field) return;
    name.textContent = `${field.spec.label}: `;
    words.textContent = field.spec.help;
  };
  form.addEventListener("focusin", explain);
  form.addEventListener("pointerover", explain);
  return line;
}

// settings_form/preset.js
var Preset = class {
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
};

// settings_form/sample_tiles.js
var SampleTiles = class {
  constructor(send) {
    this.send = send;
    this.seed = 0;
    this.drawn = "";
    this.root = element("fieldset", "hw-tiles");
    this.list = element("div", "hw-tile-list");
    this.words = element("div", "hw-muted");
    const another = button("hw-text-button", "Another tile", "Show another tile, with other variations", () => {
      this.seed += 1;
      send({ kind: "tiles", seed: this.seed });
    });
    this.root.append(element("legend", "", "A tile as training sees it"), this.list, this.words, another);
  }
  // Request tiles when this section is opened, and stop when it is closed.
  watch(section) {
    section.addEventListener("toggle", () => this.send({ kind: "tiles", seed: section.open ? this.seed : null }));
  }
  show(_, { tiles = [], tilesSay = "" }) {
    this.root.hidden = tiles.length === 0 && !tilesSay;
    this.words.textContent = tilesSay;
    if (tiles.join() === this.drawn) return;
    this.drawn = tiles.join();
    this.list.replaceChildren(
      ...tiles.map((src, index) => {
        const alt = index === 0 ? "The unchanged tile" : `Variation ${index}`;
        return Object.assign(element("img"), { src, alt, title: alt });
      })
    );
  }
};

// settings_form/section.js
function noteOf(names, { errors, changed }) {
  const wrong = names.filter((name) => errors[name]).length;
  const altered = names.filter((name) => changed.includes(name)).length;
  const notes = [];
  if (wrong) notes.push(`${wrong} to correct`);
  if (altered) notes.push(`${altered} changed`);
  return notes.length ? ` · ${notes.join(", ")}` : "";
}
var Section = class {
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
      this.names.some((name) => state.errors[name])
    );
  }
};

// settings_form/summary.js
var Summary = class {
  constructor(send) {
    this.root = element("div", "hw-summary");
    this.words = element("span", "hw-summary-words");
    this.words.setAttribute("role", "status");
    this.undo = button(
      "hw-text-button",
      "Undo",
      "Undo the last change made by a preset or by advice",
      () => send({ kind: "undo" })
    );
    this.root.append(this.words, this.undo);
  }
  show({ canUndo, disabled }, { summary = "Estimating tiles, time and memory…", level = "info" }) {
    if (this.words.textContent !== summary) this.words.textContent = summary;
    this.root.dataset.level = level;
    this.undo.style.visibility = canUndo ? "" : "hidden";
    this.undo.disabled = disabled;
  }
};

// settings_form/text_export.js
var MOST_ROWS = 14;
var COPIED_MS = 1500;
var TextExport = class {
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
};

// settings_form/widget.js
function render({ model, el }) {
  const prefix = `hw-form-${Math.random().toString(36).slice(2)}`;
  const send = (message) => model.send(message);
  const fields = model.get("_fields").map((spec) => new Field(spec, prefix, (entry) => send({ kind: "enter", name: spec.name, entry })));
  const preset = new Preset(model.get("_presets"), prefix, send);
  const summary = new Summary(send);
  const freeze = new FreezeGroups(prefix, send);
  const weights = new ClassWeights(prefix, send);
  const tiles = new SampleTiles(send);
  const short = element("div", "hw-fields");
  short.append(...fields.filter(({ spec }) => !spec.section).map(({ root }) => root));
  const extras = { Network: [freeze.root], Augmentation: [tiles.root], Training: [weights.root] };
  const titles = [...new Set(fields.map(({ spec }) => spec.section).filter(Boolean))];
  const sections = titles.map((title) => {
    const inside = fields.filter(({ spec }) => spec.section === title);
    return new Section(title, inside, extras[title] ?? []);
  });
  tiles.watch(sections[titles.indexOf("Augmentation")].root);
  const code = new TextExport("code", "Copy as Python", "Python code that makes these settings");
  const json = new TextExport(
    "json",
    "Copy as JSON",
    "All settings as JSON, for the command line and TrainingSettings.from_json"
  );
  const form = element("div", "hw-form");
  form.setAttribute("role", "group");
  form.setAttribute("aria-label", "Training settings");
  form.dataset.lmSuppressShortcuts = "true";
  form.append(preset.root, summary.root, short, ...sections.map(({ root }) => root), code.root, json.root);
  form.append(helpLine(form, fields));
  el.append(form);
  const parts = [preset, summary, freeze, weights, tiles, ...fields, ...sections, code, json];
  const end = follow(model, ["_state", "_facts"], () => {
    for (const part of parts) part.show(model.get("_state"), model.get("_facts"));
  });
  const watcher = new IntersectionObserver((entries) => send({ kind: "seen", seen: entries.at(-1).isIntersecting }));
  watcher.observe(form);
  return () => {
    watcher.disconnect();
    end();
  };
}
var widget_default = { render };
export {
  widget_default as default
};

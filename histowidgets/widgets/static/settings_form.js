// Draws the settings form. The page never decides what is valid: it sends what was entered, and shows the answer.
import { button, make, makeFreeze, makeSummary, makeTiles, makeWeights } from "./settings_form_facts.js";

function option(words) {
  const node = make("option", "", words);
  node.value = words;
  return node;
}

function controlOf(spec) {
  if (spec.kind === "choice") {
    const select = make("select");
    select.append(...spec.choices.map(option));
    return select;
  }
  const input = make("input");
  input.type = spec.kind === "flag" ? "checkbox" : "text";
  input.autocomplete = "off";
  input.spellcheck = false;
  if (spec.kind === "number") input.inputMode = "decimal";
  if (spec.placeholder) input.placeholder = spec.placeholder;
  return input;
}

// One row: label, control, unit, and the line that says what is wrong.
function makeField(spec, prefix, enter) {
  const row = make("div", "hw-field");
  row.dataset.name = spec.name;
  row.dataset.kind = spec.kind;
  const control = controlOf(spec);
  control.id = `${prefix}-${spec.name}`;
  control.title = spec.help;
  const label = make("label", "", spec.label);
  label.htmlFor = control.id;
  label.title = spec.help;
  const error = make("div", "hw-field-error");
  error.id = `${control.id}-error`;
  error.setAttribute("aria-live", "polite");
  row.append(label, control, make("span", "hw-unit", spec.unit), error);

  const entry = () => (spec.kind === "flag" ? control.checked : control.value);
  let sent, shown;
  const send = () => {
    if (entry() === shown && !row.classList.contains("hw-invalid")) return;
    sent = entry();
    enter(spec.name, sent);
  };
  control.addEventListener("change", send);
  control.addEventListener("keydown", (event) => event.key === "Enter" && send());

  const show = (state) => {
    const value = state.entries[spec.name];
    const typing = control === document.activeElement && spec.kind !== "flag" && entry() !== sent && entry() !== shown;
    if (!typing) {
      if (spec.kind === "flag") control.checked = value;
      else {
        if (spec.kind === "choice" && ![...control.options].some((one) => one.value === value)) control.append(option(value));
        if (control.value !== value) control.value = value;
      }
    }
    shown = value;
    const wrong = state.errors[spec.name];
    if (error.textContent !== (wrong ?? "")) error.textContent = wrong ?? "";
    row.classList.toggle("hw-invalid", Boolean(wrong));
    row.classList.toggle("hw-changed", state.changed.includes(spec.name));
    control.disabled = state.disabled || state.idle.includes(spec.name);
    if (wrong) {
      control.setAttribute("aria-invalid", "true");
      control.setAttribute("aria-describedby", error.id);
    } else {
      control.removeAttribute("aria-invalid");
      control.removeAttribute("aria-describedby");
    }
  };
  return { row, show, spec };
}

function makePreset(presets, prefix, send) {
  const row = make("div", "hw-preset-row");
  const label = make("label", "", "Preset");
  const select = make("select");
  select.id = `${prefix}-preset`;
  label.htmlFor = select.id;
  select.title = label.title = "Ready-made settings; choosing one replaces all settings below";
  presets.forEach(([words, name]) => select.append(Object.assign(option(words), { value: name })));
  const note = make("span", "hw-changed-note");
  const reset = make("button", "hw-icon");
  reset.type = "button";
  reset.title = "Back to the preset as it was";
  reset.setAttribute("aria-label", reset.title);
  reset.append(make("i", "fa fa-undo"));
  select.addEventListener("change", () => send({ kind: "preset", name: select.value }));
  reset.addEventListener("click", () => send({ kind: "preset", name: select.value }));
  row.append(label, select, note, reset);
  const show = (state) => {
    select.value = state.preset;
    select.disabled = reset.disabled = state.disabled;
    const changed = state.changed.length > 0;
    note.textContent = changed ? "(changed)" : "";
    reset.style.visibility = changed ? "" : "hidden";
  };
  return { row, show };
}

function makeSection(title, fields, extra) {
  const fold = make("details", "hw-section-fold");
  const heading = make("summary", "", title);
  const note = make("span", "hw-muted");
  heading.append(note);
  const grid = make("div", "hw-fields");
  grid.append(...fields.map((field) => field.row));
  fold.append(heading, grid, ...extra);
  const show = (state) => {
    const wrong = fields.filter((field) => state.errors[field.spec.name]).length;
    const changed = fields.filter((field) => state.changed.includes(field.spec.name)).length;
    const notes = [];
    if (wrong) notes.push(`${wrong} to correct`);
    if (changed) notes.push(`${changed} changed`);
    note.textContent = notes.length ? ` · ${notes.join(", ")}` : "";
    note.classList.toggle("hw-wrong", wrong > 0);
  };
  return { fold, show };
}

// What the field at hand is for, in a room of its own at the foot of what is in sight: nothing moves, and fingers and
// keys, which see no tooltips, get it as well.
function makeHelp(form, fields) {
  const line = make("div", "hw-form-help");
  const name = make("b");
  const words = make("span");
  line.append(name, words);
  words.textContent = "Point at a field, or go there by Tab, to read what it does.";
  const tell = (event) => {
    const field = fields.find((one) => one.row.contains(event.target));
    if (!field) return;
    name.textContent = `${field.spec.label}: `;
    words.textContent = field.spec.help;
  };
  form.addEventListener("focusin", tell);
  form.addEventListener("pointerover", tell);
  return line;
}

// A text to take away: what it says is code of the state.
function makeText(key, title, tip) {
  const fold = make("details", "hw-section-fold hw-code");
  const box = make("div", "hw-code-box");
  const area = make("textarea");
  area.spellcheck = false;
  area.readOnly = true;
  area.title = tip;
  area.setAttribute("aria-label", tip);
  area.addEventListener("focus", () => area.select());
  const copy = button("hw-copy", "Copy", "Copy it to the clipboard", async () => {
    area.select();
    // Pages without https have no clipboard; the text is selected then, and Ctrl+C copies it.
    try {
      await navigator.clipboard.writeText(area.value);
      copy.textContent = "Copied";
    } catch {
      copy.textContent = "Selected";
    }
    setTimeout(() => (copy.textContent = "Copy"), 1500);
  });
  box.append(area, copy);
  fold.append(make("summary", "", title), box);
  const show = (state) => {
    area.value = state[key].trimEnd();
    area.rows = Math.min(area.value.split("\n").length, 14);
  };
  return { fold, show };
}

function render({ model, el }) {
  // Random, since each form loads this file anew and cannot count the others; labels find their controls by it.
  const prefix = `hw-form-${Math.random().toString(36).slice(2)}`;
  const send = (message) => model.send(message);
  const fields = model
    .get("_fields")
    .map((spec) => makeField(spec, prefix, (name, entry) => send({ kind: "enter", name, entry })));
  const preset = makePreset(model.get("_presets"), prefix, send);
  const short = make("div", "hw-fields");
  short.append(...fields.filter((field) => !field.spec.section).map((field) => field.row));
  const titles = [...new Set(fields.map((field) => field.spec.section).filter(Boolean))];
  const summary = makeSummary(send);
  const freeze = makeFreeze(prefix, send);
  const weights = makeWeights(prefix, send);
  const tiles = makeTiles(send);
  const extras = { Network: [freeze.box], Augmentation: [tiles.box], Training: [weights.box] };
  const sections = titles.map((title) =>
    makeSection(title, fields.filter((field) => field.spec.section === title), extras[title] ?? []),
  );
  tiles.watch(sections[titles.indexOf("Augmentation")].fold);
  const code = makeText("code", "Copy as Python", "Python code that makes these settings");
  const json = makeText("json", "Copy as JSON", "All settings as JSON, for the command line and TrainingSettings.from_json");

  const form = make("div", "hw-form");
  form.setAttribute("role", "group");
  form.setAttribute("aria-label", "Training settings");
  // JupyterLab would take letters and arrows for its own shortcuts.
  form.dataset.lmSuppressShortcuts = "true";
  form.append(preset.row, summary.line, short, ...sections.map((section) => section.fold), code.fold, json.fold);
  form.append(makeHelp(form, fields));
  el.append(form);

  const parts = [preset, summary, freeze, weights, tiles, ...fields, ...sections, code, json];
  const draw = () => parts.forEach((part) => part.show(model.get("_state"), model.get("_facts")));
  model.on("change:_state change:_facts", draw);
  draw();
  // What follows from the settings is worked out only while somebody looks.
  const watcher = new IntersectionObserver((entries) => send({ kind: "seen", seen: entries.at(-1).isIntersecting }));
  watcher.observe(form);
  return () => {
    watcher.disconnect();
    model.off("change:_state change:_facts", draw);
  };
}

export default { render };

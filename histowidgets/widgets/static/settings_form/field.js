import { element } from "../common/dom.js";

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

// A setting: label, control, unit, and a line for its error. `enter` is called with the user's entry.
export class Field {
  constructor(spec, prefix, enter) {
    this.spec = spec;
    this.enter = enter;
    this.sent = this.shown = undefined;
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
}

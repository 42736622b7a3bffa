import { button, element } from "../common/dom.js";

const quoted = (name) => `"${name.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

// The text of the setting "class_weights" for [class name, typed weight]; weights that are empty or 1 are left out.
export function weightsEntry(typed) {
  return typed
    .map(([name, weight]) => [name, weight.trim()])
    .filter(([, weight]) => weight !== "" && weight !== "1")
    .map(([name, weight]) => `${quoted(name)}=${weight.replace(",", ".")}`)
    .join(", ");
}

// A weight for each class of the project. Without a project there are no classes, and only the text field is shown.
export class ClassWeights {
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
      () => send({ kind: "balance" }),
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
      // Keep an invalid entry, so that it can be corrected.
      if (input !== document.activeElement && !isWrong && input.value !== value) input.value = value;
      input.disabled = disabled;
      input.setAttribute("aria-invalid", String(isWrong));
    }
    const names = Object.keys(balanced);
    const isBalanced = names.length > 0 && names.every((name) => (weights[name] ?? 1) === balanced[name]);
    this.balance.disabled = disabled || names.length === 0 || isBalanced;
    this.balance.textContent = isBalanced ? "Balanced" : "Balance once";
  }
}

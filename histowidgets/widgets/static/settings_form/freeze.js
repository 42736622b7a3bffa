import { element } from "../common/dom.js";

// A checkbox for each group of encoder layers, in step with the setting "freeze".
export class FreezeGroups {
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
}

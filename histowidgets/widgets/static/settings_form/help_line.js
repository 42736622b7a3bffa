import { element } from "../common/dom.js";

// Says what a field is for, on a line at the foot of the visible part: nothing moves, and people who use touch or
// the keyboard, which show no tooltips, can read it too.
export function helpLine(form, fields) {
  const line = element("div", "hw-form-help");
  const name = element("b");
  const words = element("span", "", "Point at a field, or move to it with Tab, to read what it does.");
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

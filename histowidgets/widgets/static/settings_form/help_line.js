import { element } from "../common/dom.js";

// Explains a field on a line at the bottom of the visible part, so that nothing moves and users of touch or the
// keyboard, who get no tooltips, can read it too.
export function helpLine(form, fields) {
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

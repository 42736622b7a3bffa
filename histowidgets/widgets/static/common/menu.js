import { element } from "./dom.js";

// A menu button. `checked` shows a tick or its absence; `reason` explains why the button is disabled.
export function menuButton(text, act, { checked, reason, danger } = {}) {
  const made = element("button", danger ? "hw-menu-item hw-danger" : "hw-menu-item", text);
  if (checked !== undefined) made.setAttribute("aria-pressed", String(checked));
  if (reason) {
    // The button stays focusable, so that the reason can be read.
    made.setAttribute("aria-disabled", "true");
    made.title = reason;
    made.append(element("span", "hw-menu-reason", reason));
  } else {
    made.addEventListener("click", act);
  }
  return made;
}

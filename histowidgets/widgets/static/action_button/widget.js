// A button whose label and action change. A click tells the kernel the action of the label that was clicked, which may
// have changed in the kernel in the meantime.
import { element } from "../common/dom.js";
import { follow } from "../common/model.js";

const CLASSES = "jupyter-widgets jupyter-button widget-button";

function render({ model, el }) {
  const button = element("button");
  let shown = "";
  button.addEventListener("click", () => model.send({ kind: "click", action: shown }));
  el.classList.add("hw-action-button");
  el.append(button);
  return follow(model, ["description", "icon", "tooltip", "button_style", "disabled", "action"], () => {
    const icon = model.get("icon");
    const style = model.get("button_style");
    shown = model.get("action");
    button.className = [CLASSES, model.get("classes"), style && `mod-${style}`].filter(Boolean).join(" ");
    button.title = model.get("tooltip");
    button.disabled = model.get("disabled");
    const symbol = icon ? [element("i", `fa fa-${icon}`)] : [];
    button.replaceChildren(...symbol, model.get("description"));
  });
}

export default { render };

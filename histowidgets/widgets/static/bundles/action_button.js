// Made by `npm run build` from the sources beside this folder; do not edit.

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

// action_button/widget.js
var CLASSES = "jupyter-widgets jupyter-button widget-button";
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
var widget_default = { render };
export {
  widget_default as default
};

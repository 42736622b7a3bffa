// Made by `npm run build` from the sources beside this folder; do not edit.

// pulse/widget.js
function render({ model, el }) {
  el.style.display = "none";
  const timer = setInterval(() => {
    if (!document.hidden) model.send({ kind: "pulse" });
  }, model.get("every_ms"));
  return () => clearInterval(timer);
}
var widget_default = { render };
export {
  widget_default as default
};

// Made by `npm run build` from the sources beside this folder; do not edit.

// download/widget.js
var REVOKE_AFTER_MS = 1e4;
function save(content, buffers) {
  if (content?.kind !== "file" || !buffers?.length) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([buffers[0]], { type: content.mime }));
  link.download = content.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), REVOKE_AFTER_MS);
}
function initialize({ model }) {
  model.on("msg:custom", save);
  return () => model.off("msg:custom", save);
}
function render({ el }) {
  el.style.display = "none";
}
var widget_default = { initialize, render };
export {
  widget_default as default
};

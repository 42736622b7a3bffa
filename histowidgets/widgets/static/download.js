// Saves what the kernel sends as a download. Once a page: the model listens, not each of its views.
function save(content, buffers) {
  if (content?.kind !== "file" || !buffers?.length) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([buffers[0]], { type: content.mime }));
  link.download = content.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function initialize({ model }) {
  model.on("msg:custom", save);
  return () => model.off("msg:custom", save);
}

function render({ el }) {
  el.style.display = "none";
}

export default { initialize, render };

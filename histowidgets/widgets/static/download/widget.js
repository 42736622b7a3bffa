const REVOKE_AFTER_MS = 10_000; // by then, the browser has started the download

// Downloads a file from the kernel. The model listens instead of its views, so that a page saves it only once.
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

export default { initialize, render };

// Calls the kernel at intervals. While handling a call, the kernel can send the messages of its threads.
function render({ model, el }) {
  el.style.display = "none";
  const timer = setInterval(() => {
    if (!document.hidden) model.send({ kind: "pulse" });
  }, model.get("every_ms"));
  return () => clearInterval(timer);
}

export default { render };

// Calls the kernel at intervals. While the kernel handles a call, it can send what its threads could not send.
function render({ model, el }) {
  el.style.display = "none";
  const timer = setInterval(() => {
    if (!document.hidden) model.send({ kind: "pulse" });
  }, model.get("every_ms"));
  return () => clearInterval(timer);
}

export default { render };

// A call that asks for nothing: while the kernel handles it, it sends what its threads could not.
function render({ model, el }) {
  el.style.display = "none";
  const timer = setInterval(() => document.hidden || model.send({ kind: "pulse" }), model.get("every_ms"));
  return () => clearInterval(timer);
}

export default { render };

const SETTLE_MS = 120; // a window that is being dragged is not followed pixel by pixel

function render({ model, el }) {
  el.style.display = "none";
  let studio = null;
  let timer = 0;
  const measure = () => {
    const width = Math.floor(studio.getBoundingClientRect().width);
    if (!width) return; // hidden, as in a folded cell
    model.set("size", [width, window.innerHeight]);
    model.save_changes();
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(measure, SETTLE_MS);
  };
  const observer = new ResizeObserver(soon);
  // The widget may be rendered before it is in the page.
  const start = requestAnimationFrame(function find() {
    studio = el.closest(".hw-studio");
    if (!studio?.isConnected) return requestAnimationFrame(find);
    measure();
    observer.observe(studio);
    window.addEventListener("resize", soon);
  });
  return () => {
    cancelAnimationFrame(start);
    clearTimeout(timer);
    observer.disconnect();
    window.removeEventListener("resize", soon);
  };
}

export default { render };

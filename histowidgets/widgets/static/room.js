const SETTLE_MS = 120; // a window that is being dragged is not followed pixel by pixel

// What scrolls the studio: the notebook's own area, else the window.
function scroller(node) {
  for (let one = node.parentElement; one && one !== document.body; one = one.parentElement) {
    const { overflowY } = getComputedStyle(one);
    // Not the output of a cell, which only scrolls when it is told to, and is then as high as its content.
    if ((overflowY === "auto" || overflowY === "scroll") && !one.closest(".jp-OutputArea")) return one;
  }
  return null;
}

function render({ model, el }) {
  el.style.display = "none";
  let studio = null;
  let timer = 0;
  const measure = () => {
    const width = Math.floor(studio.getBoundingClientRect().width);
    if (!width) return; // hidden, as in a folded cell
    const inside = scroller(studio)?.clientHeight || 0;
    model.set("size", [width, inside > 200 ? Math.min(inside, window.innerHeight) : window.innerHeight]);
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

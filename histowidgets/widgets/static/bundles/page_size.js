// Made by `npm run build` from the sources beside this folder; do not edit.

// page_size/widget.js
var SETTLE_MS = 120;
var LEAST_SCROLLER_HEIGHT = 200;
function scrollerOf(node) {
  for (let parent = node.parentElement; parent && parent !== document.body; parent = parent.parentElement) {
    const { overflowY } = getComputedStyle(parent);
    if ((overflowY === "auto" || overflowY === "scroll") && !parent.closest(".jp-OutputArea")) return parent;
  }
  return null;
}
function render({ model, el }) {
  el.style.display = "none";
  let studio = null;
  let timer = 0;
  const measure = () => {
    const width = Math.floor(studio.getBoundingClientRect().width);
    if (!width) return;
    const inside = scrollerOf(studio)?.clientHeight || 0;
    const height = inside > LEAST_SCROLLER_HEIGHT ? Math.min(inside, window.innerHeight) : window.innerHeight;
    model.set("size", [width, height]);
    model.save_changes();
  };
  const measureSoon = () => {
    clearTimeout(timer);
    timer = setTimeout(measure, SETTLE_MS);
  };
  const observer = new ResizeObserver(measureSoon);
  let search = requestAnimationFrame(function find() {
    studio = el.closest(".hw-studio");
    if (!studio?.isConnected) {
      search = requestAnimationFrame(find);
      return;
    }
    measure();
    observer.observe(studio);
    window.addEventListener("resize", measureSoon);
  });
  return () => {
    cancelAnimationFrame(search);
    clearTimeout(timer);
    observer.disconnect();
    window.removeEventListener("resize", measureSoon);
  };
}
var widget_default = { render };
export {
  widget_default as default
};

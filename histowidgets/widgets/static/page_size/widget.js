// Tells the kernel how much of the page is available to the studio.
const SETTLE_MS = 120; // wait until the window is no longer being resized
const LEAST_SCROLLER_HEIGHT = 200; // CSS pixels; lower areas have no room for a studio

// The element that scrolls the studio, that is the notebook's area; null for the window.
function scrollerOf(node) {
  for (let parent = node.parentElement; parent && parent !== document.body; parent = parent.parentElement) {
    const { overflowY } = getComputedStyle(parent);
    // The output of a cell scrolls only when told to, and is otherwise as high as its content.
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
    if (!width) return; // hidden, as in a folded cell
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
  // The widget may be rendered before it is in the page.
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

export default { render };

import { SizeReport } from "./size_report.js";

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

// Width of a studio and height of what scrolls it; null if it is hidden, as in a folded cell.
function roomOf(studio) {
  const width = Math.floor(studio.getBoundingClientRect().width);
  if (!width) return null;
  const inside = scrollerOf(studio)?.clientHeight || 0;
  return [width, inside > LEAST_SCROLLER_HEIGHT ? Math.min(inside, window.innerHeight) : window.innerHeight];
}

function render({ model, el }) {
  el.style.display = "none";
  let studio = null;
  let timer = 0;
  const report = new SizeReport(
    () => roomOf(studio),
    () => model.get("size"),
    (size) => {
      model.set("size", size);
      model.save_changes();
    },
  );
  let claims = false; // whether one of the events that are being waited out claims the size
  const soon = (claim) => () => {
    claims ||= claim;
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (claims) report.claim();
      else report.laidOut();
      claims = false;
    }, SETTLE_MS);
  };
  const observer = new ResizeObserver(soon(false));
  const resized = soon(true);
  const used = ({ buttons }) => buttons || report.claim(); // not while something is being dragged
  // The widget may be rendered before it is in the page.
  let search = requestAnimationFrame(function find() {
    studio = el.closest(".hw-studio");
    if (!studio?.isConnected) {
      search = requestAnimationFrame(find);
      return;
    }
    report.claim();
    observer.observe(studio);
    window.addEventListener("resize", resized);
    studio.addEventListener("pointerenter", used);
  });
  return () => {
    cancelAnimationFrame(search);
    clearTimeout(timer);
    observer.disconnect();
    window.removeEventListener("resize", resized);
    studio?.removeEventListener("pointerenter", used);
  };
}

export default { render };

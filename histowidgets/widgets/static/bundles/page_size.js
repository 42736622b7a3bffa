// Made by `npm run build` from the sources beside this folder; do not edit.

// page_size/size_report.js
var SizeReport = class {
  // `measure` returns [width, height] in CSS pixels, or null while the view is hidden; `get` and `set` access the
  // size that the kernel and all views share.
  constructor(measure, get, set) {
    this.measure = measure;
    this.get = get;
    this.set = set;
    this.told = null;
  }
  // Report this view's size: it is new, its window was resized, or it is being used.
  claim() {
    const size = this.measure();
    if (!size) return;
    this.told = size;
    if (!same(size, this.get())) this.set(size);
  }
  // The studio on the page has another size, for whatever reason; that counts only in the view that the size is from.
  laidOut() {
    if (!this.told || same(this.told, this.get())) this.claim();
  }
};
var same = (a, b) => a[0] === b[0] && a[1] === b[1];

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
    }
  );
  let claims = false;
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
  const used = ({ buttons }) => buttons || report.claim();
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
var widget_default = { render };
export {
  widget_default as default
};

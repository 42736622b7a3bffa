// The sliders of ipywidgets have no name for a screen reader: each gets that of the label before it. Those of a tab
// that is opened later come later.
function nameSliders(root) {
  for (const handle of root.querySelectorAll(".noUi-handle:not([aria-label])")) {
    const box = handle.closest(".jupyter-widgets");
    const name = box?.querySelector(".widget-label")?.textContent.trim();
    if (!name) continue;
    handle.setAttribute("aria-label", name);
    const readout = box.querySelector(".widget-readout");
    readout?.setAttribute("role", "textbox");
    readout?.setAttribute("aria-label", `${name}, as a number`);
  }
}

// Names the sliders around an element, in its canvas or the studio that holds it; returns what ends that.
export function keepSlidersNamed(el) {
  let observer = null;
  let waits = 0;
  const soon = (root) => {
    waits ||= requestAnimationFrame(() => {
      waits = 0;
      nameSliders(root);
    });
  };
  // The element may be rendered before it is in the page.
  let start = requestAnimationFrame(function find() {
    const root = el.closest(".hw-studio") ?? el.closest(".hw-canvas");
    if (!root?.isConnected) return (start = requestAnimationFrame(find));
    nameSliders(root);
    observer = new MutationObserver(() => soon(root));
    observer.observe(root, { childList: true, subtree: true });
  });
  return () => {
    cancelAnimationFrame(start);
    cancelAnimationFrame(waits);
    observer?.disconnect();
  };
}

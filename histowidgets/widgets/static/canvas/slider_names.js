import { whenInStudio } from "../common/studio_root.js";

// Sliders of ipywidgets have no name for screen readers, so each gets the name of the label before it.
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

// Names the sliders in the canvas or studio around an element, including those in tabs opened later. Returns a function
// to stop.
export function keepSlidersNamed(el) {
  let observer = null;
  let frame = 0;
  const stop = whenInStudio(el, (root) => {
    nameSliders(root);
    observer = new MutationObserver(() => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        nameSliders(root);
      });
    });
    observer.observe(root, { childList: true, subtree: true });
  });
  return () => {
    stop();
    cancelAnimationFrame(frame);
    observer?.disconnect();
  };
}

import { whenInStudio } from "../common/studio_root.js";

// The sliders of ipywidgets have no name for a screen reader: each gets the name of the label before it.
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

// Names the sliders around an element, in its canvas or in the studio around it, and those of tabs that are opened
// later. Returns a function that ends this.
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

import { svgElement, svgOverlay } from "./svg.js";

// The elements of an open shape, from the back to the front, with the part of its outline that each shows. Lines are
// drawn twice, light on dark, so that they are visible on any image.
const PARTS = {
  area: "area",
  dark: "line",
  light: "line",
  rubberDark: "rubber",
  rubber: "rubber",
  handles: "handles",
  first: "first",
};
const RIM = 4; // CSS pixels by which the dark line is wider than the light one

export class DraftOutline {
  constructor(parent) {
    this.svg = svgOverlay(parent, "hw-draft");
    this.paths = Object.entries(PARTS).map(([name, part]) => [svgElement("path", `hw-draft-${name}`), part]);
    this.svg.append(...this.paths.map(([path]) => path));
    this.show(null);
  }

  // Show the outline of the open shape in the colour of its class; null hides it.
  show(outline, color) {
    this.svg.style.display = outline ? "" : "none";
    if (!outline) return;
    for (const [path, part] of this.paths) path.setAttribute("d", outline[part] ?? "");
    this.svg.style.setProperty("--hw-class", color);
    this.svg.style.setProperty("--hw-thick", `${outline.thickness}px`);
    this.svg.style.setProperty("--hw-rim", `${outline.thickness + RIM}px`);
  }
}

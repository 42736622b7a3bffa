import { svgElement, svgOverlay } from "./svg.js";

function pathElement({ className, path, color }) {
  const made = svgElement("path", className);
  made.setAttribute("d", path);
  if (color) made.style.fill = color;
  return made;
}

// Areas in image pixels that move and zoom with the picture, outlined with a light line on a dark one.
export class ImageOutline {
  constructor(parent, className) {
    this.svg = svgOverlay(parent, `hw-on-image ${className}`);
    this.group = svgElement("g");
    this.svg.append(this.group);
    this.draw([]);
  }

  // `areas` are {className, path, color}.
  draw(areas) {
    const path = areas.map((area) => area.path).join("");
    const outlines = ["hw-outline-dark", "hw-outline-light"].map((className) => ({ className, path }));
    this.group.replaceChildren(...[...areas, ...outlines].map(pathElement));
    this.svg.style.display = path ? "" : "none";
  }

  // Put the areas where they belong in the view, moved by some image pixels.
  place(view, stage, [dx, dy] = [0, 0]) {
    const left = stage.width / 2 + (dx - view.x) * view.zoom;
    const top = stage.height / 2 + (dy - view.y) * view.zoom;
    this.group.setAttribute("transform", `translate(${left} ${top}) scale(${view.zoom})`);
    this.svg.dataset.moved = String(Boolean(dx || dy));
  }
}

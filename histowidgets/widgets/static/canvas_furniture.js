import { scaleBar, toStage } from "./canvas_geometry.js";
import { helpPanel } from "./canvas_keys.js";

function part(parent, className) {
  const element = document.createElement("div");
  element.className = className;
  parent.append(element);
  return element;
}

// What lies over the picture and moves with the hand: brush ring, scale bar, caption, held-out rectangles, help.
export class Furniture {
  constructor(root) {
    this.boxes = part(root, "hw-boxes");
    this.caption = part(root, "hw-caption");
    this.scale = part(root, "hw-scale");
    this.hint = part(root, "hw-hint");
    this.ring = part(root, "hw-ring");
    this.live = part(root, "hw-sr");
    this.live.setAttribute("role", "status");
    this.live.setAttribute("aria-live", "polite");
    this.help = helpPanel();
    root.append(this.help);
    this.caption.hidden = this.hint.hidden = this.ring.hidden = true;
  }

  setCaption(text) {
    this.caption.textContent = text;
    this.caption.hidden = !text;
  }

  setBoxes(rectangles) {
    this.rectangles = rectangles;
    this.boxes.replaceChildren(
      ...rectangles.map(() => {
        const box = document.createElement("div");
        box.className = "hw-box";
        box.textContent = "held out";
        return box;
      }),
    );
  }

  // Put everything where it belongs in the view.
  place(view, stage, pixelSize) {
    (this.rectangles ?? []).forEach(([x, y, width, height], i) => {
      const [left, top] = toStage(view, stage, [x, y]);
      const style = this.boxes.children[i].style;
      style.transform = `translate(${left}px, ${top}px)`;
      style.width = `${width * view.zoom}px`;
      style.height = `${height * view.zoom}px`;
    });
    const bar = scaleBar(view.zoom, pixelSize);
    this.scale.textContent = bar.text;
    this.scale.style.setProperty("--hw-bar", `${bar.pixels}px`);
  }

  showRing([x, y], diameter, color) {
    const size = Math.max(3, diameter);
    this.ring.hidden = false;
    this.ring.style.width = this.ring.style.height = `${size}px`;
    this.ring.style.transform = `translate(${x - size / 2}px, ${y - size / 2}px)`;
    this.ring.style.setProperty("--hw-ring", color);
  }

  hideRing() {
    this.ring.hidden = true;
  }

  say(text) {
    this.live.textContent = text;
  }

  showHint(text) {
    this.hint.textContent = text;
    this.hint.hidden = false;
    clearTimeout(this.hintTimer);
    this.hintTimer = setTimeout(() => (this.hint.hidden = true), 1800);
  }

  toggleHelp(shown = this.help.hidden) {
    this.help.hidden = !shown;
  }

  close() {
    clearTimeout(this.hintTimer);
  }
}

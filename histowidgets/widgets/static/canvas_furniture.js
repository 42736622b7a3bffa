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
    this.kept = part(root, "hw-kept");
    this.ring = part(root, "hw-ring");
    this.marquee = part(root, "hw-marquee");
    this.tag = part(root, "hw-tag");
    this.live = part(root, "hw-sr");
    this.live.setAttribute("role", "status");
    this.live.setAttribute("aria-live", "polite");
    this.help = helpPanel();
    root.append(this.help);
    this.kept.hidden = this.caption.hidden = this.hint.hidden = this.ring.hidden = this.marquee.hidden = this.tag.hidden = true;
  }

  setCaption(text) {
    this.caption.textContent = text;
    this.caption.hidden = !text;
  }

  // Edits that the kernel has not answered: it is busy, or the line is down. They are sent again until it does.
  setKept(edits, seconds) {
    if (edits && this.kept.hidden) this.say("No answer from the kernel. What you paint is kept here and sent again.");
    this.kept.hidden = !edits;
    const what = edits === 1 ? "1 edit is" : `${edits} edits are`;
    this.kept.textContent = `No answer from the kernel for ${Math.round(seconds)} s · ${what} kept here and sent again`;
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

  // A box [left, top, width, height] on the stage, or none.
  showMarquee(box) {
    this.marquee.hidden = !box;
    if (!box) return;
    const { style } = this.marquee;
    style.transform = `translate(${box[0]}px, ${box[1]}px)`;
    [style.width, style.height] = [`${box[2]}px`, `${box[3]}px`];
  }

  // A few words beside the pen, or none.
  showTag(at, text = "") {
    this.tag.hidden = !at;
    this.tag.textContent = text;
    if (at) this.tag.style.transform = `translate(${at[0] + 14}px, ${at[1] - 30}px)`;
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

  // Scroll the list of keys up or down; returns whether it is shown and has more to show.
  scrollHelp(by) {
    const { help } = this;
    if (help.hidden || help.scrollHeight <= help.clientHeight) return false;
    help.scrollBy(0, 40 * by);
    return true;
  }

  close() {
    clearTimeout(this.hintTimer);
  }
}

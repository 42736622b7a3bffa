import { element } from "../common/dom.js";
import { counted } from "../common/words.js";
import { helpPanel } from "./help_panel.js";
import { scaleBar } from "./scale_bar.js";
import { toStage } from "./view.js";

const HINT_MS = 1800;
const LEAST_RING = 3; // CSS pixels
const TAG_OFFSET = [14, -30]; // CSS pixels from the pen
const SCROLL_STEP = 40; // CSS pixels that an arrow key scrolls the list of keys

function part(parent, className) {
  const made = element("div", className);
  parent.append(made);
  return made;
}

function moveTo(part, [x, y]) {
  part.style.transform = `translate(${x}px, ${y}px)`;
}

function resize(part, width, height) {
  part.style.width = `${width}px`;
  part.style.height = `${height}px`;
}

// The overlays of the image: brush ring, scale bar, caption, held-out rectangles, cross, hints and the list of keys.
export class Overlays {
  constructor(root) {
    this.boxes = part(root, "hw-boxes");
    this.mark = part(root, "hw-mark");
    this.crossPart = part(root, "hw-cross");
    this.caption = part(root, "hw-caption");
    this.scale = part(root, "hw-scale");
    this.opening = part(root, "hw-opening");
    this.hint = part(root, "hw-hint");
    this.unanswered = part(root, "hw-kept");
    this.ring = part(root, "hw-ring");
    this.marquee = part(root, "hw-marquee");
    this.tag = part(root, "hw-tag");
    this.live = part(root, "hw-sr");
    this.live.setAttribute("role", "status");
    this.live.setAttribute("aria-live", "polite");
    this.help = helpPanel();
    root.append(this.help);
    this.heldOut = [];
    this.marked = [];
    this.cross = [];
    const { caption, opening, hint, unanswered, ring, marquee, tag } = this;
    for (const each of [caption, opening, hint, unanswered, ring, marquee, tag]) each.hidden = true;
  }

  setCaption(text) {
    this.caption.textContent = text;
    this.caption.hidden = !text;
  }

  // The image that is being opened, or "" once it is shown.
  showOpening(name) {
    this.opening.textContent = name ? `Opening ${name}…` : "";
    this.opening.hidden = !name;
    this.scale.hidden = Boolean(name);
  }

  // The number of edits that the kernel has not answered, and for how long: it is busy, or the connection is lost.
  setUnanswered(edits, seconds) {
    const { unanswered } = this;
    if (edits && unanswered.hidden) this.say("No answer from the kernel. Your edits are kept and will be sent again.");
    unanswered.hidden = !edits;
    const what = `${counted(edits, "edit")} ${edits === 1 ? "is" : "are"}`;
    unanswered.textContent = `No answer from the kernel for ${Math.round(seconds)} s · ${what} kept and will be sent again`;
  }

  // Held-out rectangles [x, y, width, height] in image pixels.
  setHeldOut(rectangles) {
    this.heldOut = rectangles;
    this.boxes.replaceChildren(
      ...rectangles.map(() => {
        const box = element("div", "hw-box");
        box.append(element("span", "hw-box-name", "test area"));
        return box;
      }),
    );
  }

  // The marked rectangle [x, y, width, height] in image pixels, or [] for none.
  setMarked(rectangle) {
    this.marked = rectangle;
    this.mark.hidden = !rectangle.length;
  }

  // The pixel [x, y] under the cross, or [] for none.
  setCross(pixel) {
    this.cross = pixel;
    this.crossPart.hidden = !pixel.length;
  }

  // Position everything for the view.
  place(view, stage, pixelSize) {
    this.heldOut.forEach(([x, y, width, height], i) => {
      const box = this.boxes.children[i];
      const [left, top] = toStage(view, stage, [x, y]);
      moveTo(box, [left, top]);
      resize(box, width * view.zoom, height * view.zoom);
      // Show its name at a corner that is in view.
      moveTo(box.firstChild, [Math.max(0, -left), Math.max(0, -top)]);
    });
    if (this.marked.length) {
      const [x, y, width, height] = this.marked;
      moveTo(this.mark, toStage(view, stage, [x, y]));
      resize(this.mark, width * view.zoom, height * view.zoom);
    }
    if (this.cross.length) {
      const [x, y] = this.cross;
      moveTo(this.crossPart, toStage(view, stage, [x + 0.5, y + 0.5]));
    }
    const bar = scaleBar(view.zoom, pixelSize);
    this.scale.textContent = bar.text;
    this.scale.style.setProperty("--hw-bar", `${bar.pixels}px`);
  }

  showRing([x, y], diameter, color) {
    const size = Math.max(LEAST_RING, diameter);
    this.ring.hidden = false;
    resize(this.ring, size, size);
    moveTo(this.ring, [x - size / 2, y - size / 2]);
    this.ring.style.setProperty("--hw-ring", color);
  }

  hideRing() {
    this.ring.hidden = true;
  }

  // A box [left, top, width, height] on the stage, or null for none.
  showMarquee(box) {
    this.marquee.hidden = !box;
    if (!box) return;
    const [left, top, width, height] = box;
    moveTo(this.marquee, [left, top]);
    resize(this.marquee, width, height);
  }

  // A short text beside the pen; hidden if `at` is null.
  showTag(at, text = "") {
    this.tag.hidden = !at;
    this.tag.textContent = text;
    if (at) moveTo(this.tag, [at[0] + TAG_OFFSET[0], at[1] + TAG_OFFSET[1]]);
  }

  // Announce a text to screen readers.
  say(text) {
    this.live.textContent = text;
  }

  showHint(text) {
    this.hint.textContent = text;
    this.hint.hidden = false;
    clearTimeout(this.hintTimer);
    this.hintTimer = setTimeout(() => {
      this.hint.hidden = true;
    }, HINT_MS);
  }

  get helpShown() {
    return !this.help.hidden;
  }

  toggleHelp(shown = !this.helpShown) {
    this.help.hidden = !shown;
  }

  // Scroll the list of keys; returns whether it is shown and can scroll further.
  scrollHelp(by) {
    const { help } = this;
    if (help.hidden || help.scrollHeight <= help.clientHeight) return false;
    help.scrollBy(0, SCROLL_STEP * by);
    return true;
  }

  close() {
    clearTimeout(this.hintTimer);
  }
}

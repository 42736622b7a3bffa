import { clamp } from "./numbers.js";

const GAP = 4; // CSS pixels between the panel and its button, and between the panel and the edge of the window

// A small panel beside a button, above everything else. Escape or a press elsewhere closes it.
export class Popup {
  constructor(root, label) {
    this.panel = document.createElement("div");
    this.panel.className = "hw-popup";
    this.panel.popover = "auto";
    this.panel.setAttribute("role", "dialog");
    this.panel.setAttribute("aria-label", label);
    // Keys pressed in the panel must not reach the notebook or the list below.
    this.panel.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") this.close();
      if (event.key === "ArrowDown" || event.key === "ArrowUp") this._step(event);
    });
    this.panel.addEventListener("toggle", (event) => {
      if (event.newState === "closed") this._closed();
    });
    root.append(this.panel);
  }

  open(anchor, children, label) {
    if (this.isOpen) this.panel.hidePopover();
    this.anchor = anchor;
    this.fill(children);
    if (label) this.panel.setAttribute("aria-label", label);
    anchor.setAttribute("aria-expanded", "true");
    this.panel.showPopover();
    this._place();
    this._focusFirst();
  }

  fill(children) {
    this.panel.replaceChildren(...children);
    if (this.isOpen) {
      this._place();
      this._focusFirst();
    }
  }

  get isOpen() {
    return this.panel.matches(":popover-open");
  }

  close() {
    if (this.isOpen) this.panel.hidePopover();
  }

  _closed() {
    this.onClose?.();
    const hadFocus = this.panel.contains(document.activeElement) || document.activeElement === document.body;
    this.anchor?.setAttribute("aria-expanded", "false");
    if (hadFocus && this.anchor?.isConnected) this.anchor.focus();
  }

  _focusFirst() {
    this._stops()[0]?.focus();
  }

  _stops() {
    return [...this.panel.querySelectorAll("button, input, select")].filter((stop) => !stop.disabled);
  }

  _step(event) {
    if (event.target.matches("input[type='text'], select")) return;
    event.preventDefault();
    const stops = this._stops();
    const by = event.key === "ArrowDown" ? 1 : -1;
    stops[(stops.indexOf(document.activeElement) + by + stops.length) % stops.length]?.focus();
  }

  // Below the button if there is room, otherwise above it, and always inside the window.
  _place() {
    const at = this.anchor.getBoundingClientRect();
    const { width, height } = this.panel.getBoundingClientRect();
    const fitsBelow = at.bottom + GAP + height <= window.innerHeight;
    const top = fitsBelow ? at.bottom + GAP : Math.max(GAP, at.top - height - GAP);
    this.panel.style.left = `${clamp(at.left, GAP, Math.max(GAP, window.innerWidth - width - GAP))}px`;
    this.panel.style.top = `${top}px`;
  }
}

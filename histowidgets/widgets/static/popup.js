// A small panel beside a button, over everything else, which Escape or a press elsewhere closes.
export class Popup {
  constructor(root, label) {
    this.panel = document.createElement("div");
    this.panel.className = "hw-popup";
    this.panel.popover = "auto";
    this.panel.setAttribute("role", "dialog");
    this.panel.setAttribute("aria-label", label);
    // Keys that are pressed in it are not the notebook's, nor the list's under it.
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
    (this.panel.querySelector("[data-first]") || this._stops()[0])?.focus();
  }

  _stops() {
    return [...this.panel.querySelectorAll("button, input, select")].filter((one) => !one.disabled);
  }

  _step(event) {
    if (event.target.matches("input[type='text'], select")) return;
    event.preventDefault();
    const stops = this._stops();
    const by = event.key === "ArrowDown" ? 1 : -1;
    stops[(stops.indexOf(document.activeElement) + by + stops.length) % stops.length]?.focus();
  }

  // Under the button where there is room, else over it, and never past the window's edges.
  _place() {
    const at = this.anchor.getBoundingClientRect();
    const { width, height } = this.panel.getBoundingClientRect();
    const below = at.bottom + 4 + height <= window.innerHeight;
    const top = below ? at.bottom + 4 : Math.max(4, at.top - height - 4);
    this.panel.style.left = `${Math.max(4, Math.min(at.left, window.innerWidth - width - 4))}px`;
    this.panel.style.top = `${top}px`;
  }
}

export function element(tag, className, text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text; // never HTML
  if (tag === "button") made.type = "button";
  return made;
}

export function menuButton(text, act, { checked, reason, danger } = {}) {
  const button = element("button", danger ? "hw-menu-item hw-danger" : "hw-menu-item", text);
  if (checked !== undefined) button.setAttribute("aria-pressed", String(checked));
  if (reason) {
    // Can be focused, so that the reason can be read; does nothing.
    button.setAttribute("aria-disabled", "true");
    button.title = reason;
    button.append(element("span", "hw-menu-reason", reason));
  } else {
    button.addEventListener("click", act);
  }
  return button;
}

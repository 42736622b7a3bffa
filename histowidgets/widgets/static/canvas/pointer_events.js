import { COMMANDS } from "./commands.js";
import { WheelSteps, wheelFactor } from "./gestures.js";

// Turns pointer and wheel events into the layer's gestures.
export class PointerEvents {
  constructor(layer) {
    this.layer = layer;
    this.wheelSteps = new WheelSteps();
    const { root, gestures } = layer;
    const on = (name, handle, options) => root.addEventListener(name, handle, options);
    on("pointerdown", (event) => this._down(event));
    on("pointermove", (event) => this._move(event));
    on("pointerup", (event) => gestures.up({ id: event.pointerId }));
    on("pointercancel", (event) => gestures.up({ id: event.pointerId, cancelled: true }));
    on("pointerleave", () => gestures.leave());
    on("wheel", (event) => this._wheel(event), { passive: false });
    on("contextmenu", (event) => event.preventDefault());
    // The notebook would move the focus to its cell, away from the canvas.
    for (const name of ["mousedown", "mouseup", "click", "dblclick", "contextmenu"]) {
      on(name, (event) => event.stopPropagation());
    }
  }

  _stagePoint(event) {
    const { root, stage } = this.layer;
    const box = root.getBoundingClientRect();
    const scale = stage.width / box.width || 1; // the page may be scaled by a transform
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  }

  _pointer(event) {
    const { pointerId: id, pointerType: type, button, pressure, shiftKey, timeStamp } = event;
    return { id, type, button, pressure, shiftKey, timeStamp, at: this._stagePoint(event) };
  }

  // All stage points of an event, each with the pen's pressure.
  _places(event) {
    const events = event.getCoalescedEvents?.() ?? [];
    return (events.length ? events : [event]).map((each) => [...this._stagePoint(each), each.pressure]);
  }

  _down(event) {
    const { root, gestures } = this.layer;
    event.preventDefault();
    event.stopPropagation();
    root.focus({ preventScroll: true });
    if (!this.layer.isOpen) return;
    root.setPointerCapture(event.pointerId);
    gestures.down(this._pointer(event));
  }

  _move(event) {
    const { cursor, gestures, isOpen } = this.layer;
    if (!isOpen) return;
    // The browser also sends a move if something changes under a resting pointer.
    if (cursor.active && !event.movementX && !event.movementY) return;
    gestures.move({ ...this._pointer(event), places: () => this._places(event) });
  }

  // Until the canvas has the focus, the wheel scrolls the page, as expected in a long notebook.
  _wheel(event) {
    const { root, gestures, overlays, stage, isOpen } = this.layer;
    const isMeant = event.ctrlKey || event.metaKey || event.altKey || document.activeElement === root;
    if (!isMeant) {
      overlays.showHint("Hold Ctrl to zoom with the wheel");
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    if (!isOpen) return;
    if (event.altKey) {
      const steps = this.wheelSteps.take(event, stage.height);
      for (let i = 0; i < Math.abs(steps); i++) COMMANDS[steps > 0 ? "thicker" : "thinner"](this.layer);
      this.layer.show();
      return;
    }
    gestures.zoom(this._stagePoint(event), wheelFactor(event, stage.height));
  }
}

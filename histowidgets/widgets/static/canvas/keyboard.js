import { COMMANDS, endBlink } from "./commands.js";
import { actionOf, BLINKED } from "./key_bindings.js";

// Turns the browser's keyboard events into commands.
export class Keyboard {
  constructor(layer) {
    this.layer = layer;
    layer.root.addEventListener("keydown", (event) => this._down(event));
    layer.root.addEventListener("keyup", (event) => this._up(event));
    layer.root.addEventListener("blur", (event) => {
      layer.hold(false);
      layer.cursor.hide();
      endBlink(layer, event.timeStamp);
    });
  }

  _down(event) {
    const { layer } = this;
    if (event.target !== layer.root && event.key !== "Escape") {
      event.stopPropagation();
      return;
    }
    if (event.key === "Shift") this._straighten(event);
    const action = actionOf(event);
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (action || (isPlain && event.key !== "Tab")) event.stopPropagation();
    if (!action) return;
    event.preventDefault();
    const [name, ...values] = action;
    COMMANDS[name](layer, ...values);
    layer.show();
  }

  _up(event) {
    const { layer } = this;
    if (event.key === " ") layer.hold(false);
    else if (event.key === "Shift") this._straighten(event);
    else if (layer.blink && BLINKED[event.key.toLowerCase()] === layer.blink.what) endBlink(layer, event.timeStamp);
  }

  // A line snaps when Shift goes down, not only when the pen moves next.
  _straighten(event) {
    const { layer } = this;
    if (layer.gestures.now?.tool !== "line" || !layer.at) return;
    layer.shapes.drag(layer.at, event.shiftKey);
    layer.show();
  }
}

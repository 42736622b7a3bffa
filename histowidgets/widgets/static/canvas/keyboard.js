import { COMMANDS, endBlink } from "./commands.js";
import { actionOf, BLINKED, isForControl } from "./key_bindings.js";
import { KeyScope } from "./key_scope.js";

// Turns keyboard events into commands, wherever the focus is in the studio.
export class Keyboard {
  constructor(layer) {
    this.layer = layer;
    this.scope = new KeyScope(layer.root, {
      down: (event) => this._down(event),
      up: (event) => this._up(event),
    });
    layer.root.addEventListener("blur", (event) => {
      layer.hold(false);
      layer.cursor.hide();
      endBlink(layer, event.timeStamp);
    });
  }

  // Returns whether the key was handled and must have no other effect.
  _down(event) {
    const { layer } = this;
    if (!layer.isOpen) return false;
    if (event.key === "Shift") this._straighten(event);
    const ofCanvas = event.target === layer.root || event.target === this.scope.root;
    if (!ofCanvas && isForControl(event)) return false;
    const action = actionOf(event);
    if (!action) return false;
    const [name, ...values] = action;
    COMMANDS[name](layer, ...values);
    layer.show();
    return true;
  }

  _up(event) {
    const { layer } = this;
    if (event.key === " ") layer.hold(false);
    else if (event.key === "Shift") this._straighten(event);
    else if (layer.blink && BLINKED[event.key.toLowerCase()] === layer.blink.what) endBlink(layer, event.timeStamp);
  }

  // A line snaps as soon as Shift is pressed, not only when the pen moves next.
  _straighten(event) {
    const { layer } = this;
    if (layer.gestures.now?.tool !== "line" || !layer.at) return;
    layer.shapes.drag(layer.at, event.shiftKey);
    layer.show();
  }

  close() {
    this.scope.close();
  }
}

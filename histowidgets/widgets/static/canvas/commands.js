import { clamp } from "../common/numbers.js";
import * as messages from "./messages.js";
import { SHAPE_TOOLS } from "./shapes.js";
import { fitView, zoomAt } from "./view.js";

const WIDTHS = [1, 200]; // image pixels of the brush
const WIDTH_STEP = 1.2;
const PAN_STEP = 60; // CSS pixels that an arrow key moves the image
const NUDGE = { near: 1, far: 10 }; // CSS pixels that an arrow key moves the selection; far with Shift
const TAP_MS = 300; // a key that is held longer is not a tap

function setWidth(layer, width) {
  layer.brushWidth = clamp(width, ...WIDTHS);
  layer.link.choose(messages.width(layer.brushWidth));
}

// Change the value that `[` and `]` control for the current tool: the brush width or the wand's tolerance.
function scaleTool(layer, scaled) {
  if (layer.tool === "wand") layer.setTolerance(scaled(layer.wandTolerance));
  else setWidth(layer, scaled(layer.brushWidth));
}

// The actions of keys on a pointer layer, by the names that the key bindings use.
export const COMMANDS = {
  tool(layer, tool) {
    layer.useTool(tool);
    layer.link.choose(messages.tool(tool));
  },
  class(layer, index) {
    if (index >= layer.classes.length) return;
    const { name } = layer.classes[index];
    if (layer.selection.count) {
      layer.edit(messages.reclassify(name));
      return;
    }
    layer.classChoice.forget();
    layer.classIndex = index;
    layer.link.choose(messages.className(name));
    if (!["brush", "wand", ...SHAPE_TOOLS].includes(layer.tool)) COMMANDS.tool(layer, "brush");
  },
  thicker: (layer) => scaleTool(layer, (size) => Math.ceil(size * WIDTH_STEP)),
  thinner: (layer) => scaleTool(layer, (size) => Math.floor(size / WIDTH_STEP)),
  step: (layer, name) => layer.edit(messages.step(name)),
  fit: (layer) => layer.look(fitView(layer.image, layer.stage)),
  zoom(layer, factor) {
    const middle = [layer.stage.width / 2, layer.stage.height / 2];
    const at = layer.cursor.active ? layer.at : middle;
    layer.look(zoomAt(layer.view, layer.image, layer.stage, at, factor));
  },
  // An arrow key scrolls the list of keys, or moves the selection, the image or the crosshair.
  move(layer, x, y, far) {
    const { zoom } = layer.view;
    if (layer.overlays.scrollHelp(y)) return;
    if (layer.selection.count && !layer.gestures.now) {
      const step = (far ? NUDGE.far : NUDGE.near) / zoom;
      layer.selection.nudge(x * step, y * step);
    } else if (layer.tool === "pan" || layer.spaceHeld) {
      const step = PAN_STEP / zoom;
      layer.look({ ...layer.view, x: layer.view.x + x * step, y: layer.view.y + y * step });
    } else layer.cursor.move(x, y, far);
  },
  help: (layer) => layer.overlays.toggleHelp(),
  // Cancel one thing at a time, the latest first.
  escape(layer) {
    if (layer.overlays.helpShown) layer.overlays.toggleHelp(false);
    else if (layer.gestures.now || layer.shapes.tool) {
      layer.gestures.drop();
      layer.shapes.cancel();
    } else if (layer.selection.count) layer.edit(messages.step("deselect"));
  },
  close: (layer) => layer.shapes.close(),
  // Enter closes the polygon for pointer users, and clicks for users of the keyboard alone.
  press(layer, key, ...how) {
    if (key === "Enter" && !layer.cursor.active && layer.shapes.tool) layer.shapes.close();
    else layer.cursor.press(key === "Enter", ...how);
  },
  // Backspace and Delete.
  back(layer) {
    if (layer.selection.count) layer.edit(messages.step("delete"));
    else layer.shapes.removeLastPoint();
  },
  hold: (layer) => layer.hold(true),
  blink(layer, what, time) {
    if (layer.blink) return; // the key repeats
    layer.blink = { what, time, on: layer.shown[what] };
    layer.showLayer(what, !layer.shown[what]);
  },
};

// The key that blinks a layer was released.
export function endBlink(layer, time) {
  const { blink } = layer;
  layer.blink = null;
  if (blink && time - blink.time > TAP_MS) layer.showLayer(blink.what, blink.on);
}

import { fitView, zoomAt } from "./canvas_geometry.js";
import { SHAPE_TOOLS } from "./canvas_shapes.js";

// What the actions of the keys (canvas_keys.js) do with a pointer layer.
const MOST_WIDTH = 200;
const WIDTH_STEP = 1.2;
const TAP_MS = 300; // a key that is held longer is no tap

function setWidth(layer, width) {
  layer.brushWidth = Math.min(MOST_WIDTH, Math.max(1, width));
  layer.link.choose({ kind: "width", width: layer.brushWidth });
}

function showOverlay(layer, on) {
  layer.overlayOn = on;
  layer.link.choose({ kind: "overlay", on });
}

export const COMMANDS = {
  tool(layer, tool) {
    layer.useTool(tool);
    layer.link.choose({ kind: "tool", tool });
  },
  class(layer, index) {
    if (index >= layer.classes.length) return;
    layer.classIndex = index;
    layer.link.choose({ kind: "class", class_name: layer.classes[index].name });
    if (layer.tool !== "brush" && !SHAPE_TOOLS.includes(layer.tool)) COMMANDS.tool(layer, "brush");
  },
  thicker: (layer) => setWidth(layer, Math.ceil(layer.brushWidth * WIDTH_STEP)),
  thinner: (layer) => setWidth(layer, Math.floor(layer.brushWidth / WIDTH_STEP)),
  undo: (layer) => layer.link.edit({ kind: "undo" }),
  redo: (layer) => layer.link.edit({ kind: "redo" }),
  fit: (layer) => layer.look(fitView(layer.image, layer.stage)),
  zoom(layer, factor) {
    const middle = [layer.stage.width / 2, layer.stage.height / 2];
    layer.look(zoomAt(layer.view, layer.image, layer.stage, middle, factor));
  },
  move(layer, x, y) {
    const step = 60 / layer.view.zoom;
    layer.look({ ...layer.view, x: layer.view.x + x * step, y: layer.view.y + y * step });
  },
  help: (layer) => layer.furniture.toggleHelp(),
  escape(layer) {
    layer.furniture.toggleHelp(false);
    layer.dropDrawing();
    layer.shapes.cancel();
  },
  close: (layer) => layer.shapes.close(),
  back: (layer) => layer.shapes.takeBack(),
  hold: (layer) => layer.hold(true),
  // A tap hides or shows the prediction; while the key is held it is only for as long as that.
  overlay(layer, time) {
    if (layer.blink) return; // the key repeats
    layer.blink = { time, on: layer.overlayOn };
    showOverlay(layer, !layer.overlayOn);
  },
};

// The key of the overlay was let go.
export function endBlink(layer, time) {
  const { blink } = layer;
  layer.blink = null;
  if (blink && time - blink.time > TAP_MS) showOverlay(layer, blink.on);
}

import { fitView, zoomAt } from "./canvas_geometry.js";
import { SHAPE_TOOLS } from "./canvas_shapes.js";

// What the actions of the keys (canvas_keys.js) do with a pointer layer.
const MOST_WIDTH = 200;
const WIDTH_STEP = 1.2;
const FAR_NUDGE = 10; // CSS pixels that Shift and an arrow key move the selection; 1 without Shift
const TAP_MS = 300; // a key that is held longer is no tap

function setWidth(layer, width) {
  layer.brushWidth = Math.min(MOST_WIDTH, Math.max(1, width));
  layer.link.choose({ kind: "width", width: layer.brushWidth });
}

export function showLayer(layer, what, on) {
  layer.shown[what] = on;
  layer.link.choose({ kind: what, on });
}

export const COMMANDS = {
  tool(layer, tool) {
    layer.useTool(tool);
    layer.link.choose({ kind: "tool", tool });
  },
  class(layer, index) {
    if (index >= layer.classes.length) return;
    if (layer.selection.count) return layer.edit({ kind: "reclassify", class_name: layer.classes[index].name });
    layer.classIndex = index;
    layer.link.choose({ kind: "class", class_name: layer.classes[index].name });
    if (!["brush", "wand", ...SHAPE_TOOLS].includes(layer.tool)) COMMANDS.tool(layer, "brush");
  },
  // The brush, or what the wand takes.
  thicker(layer) {
    if (layer.tool === "wand") layer.setTolerance(Math.ceil(layer.wandTolerance * WIDTH_STEP));
    else setWidth(layer, Math.ceil(layer.brushWidth * WIDTH_STEP));
  },
  thinner(layer) {
    if (layer.tool === "wand") layer.setTolerance(Math.floor(layer.wandTolerance / WIDTH_STEP));
    else setWidth(layer, Math.floor(layer.brushWidth / WIDTH_STEP));
  },
  undo: (layer) => layer.edit({ kind: "undo" }),
  redo: (layer) => layer.edit({ kind: "redo" }),
  fit: (layer) => layer.look(fitView(layer.image, layer.stage)),
  zoom(layer, factor) {
    const middle = [layer.stage.width / 2, layer.stage.height / 2];
    const at = layer.cursor.active ? layer.at : middle;
    layer.look(zoomAt(layer.view, layer.image, layer.stage, at, factor));
  },
  // An arrow key: scrolls the list of keys, moves the selection, the picture, or the cross.
  move(layer, x, y, far) {
    if (layer.furniture.scrollHelp(y)) return;
    if (layer.selection.count && !layer.hand.now) {
      const step = (far ? FAR_NUDGE : 1) / layer.view.zoom;
      return layer.selection.nudge(x * step, y * step);
    }
    if (layer.tool !== "pan" && !layer.spaceHeld) return layer.cursor.move(x, y, far);
    const step = 60 / layer.view.zoom;
    layer.look({ ...layer.view, x: layer.view.x + x * step, y: layer.view.y + y * step });
  },
  help: (layer) => layer.furniture.toggleHelp(),
  // One thing at a time: what was begun last is given up first.
  escape(layer) {
    if (!layer.furniture.help.hidden) layer.furniture.toggleHelp(false);
    else if (layer.hand.now || layer.shapes.tool) {
      layer.hand.drop();
      layer.shapes.cancel();
    } else if (layer.selection.count) layer.edit({ kind: "deselect" });
  },
  close: (layer) => layer.shapes.close(),
  // Enter closes the polygon of a hand with a pointer, and clicks for one with keys alone.
  press(layer, key, ...how) {
    if (key === "Enter" && !layer.cursor.active && layer.shapes.tool) layer.shapes.close();
    else layer.cursor.press(key === "Enter", ...how);
  },
  // Backspace and Delete.
  back(layer) {
    if (layer.selection.count) layer.edit({ kind: "delete" });
    else layer.shapes.takeBack();
  },
  edit: (layer, kind) => layer.edit({ kind }),
  hold: (layer) => layer.hold(true),
  blink(layer, what, time) {
    if (layer.blink) return; // the key repeats
    layer.blink = { what, time, on: layer.shown[what] };
    showLayer(layer, what, !layer.shown[what]);
  },
};

// The key that blinks a layer was let go.
export function endBlink(layer, time) {
  const { blink } = layer;
  layer.blink = null;
  if (blink && time - blink.time > TAP_MS) showLayer(layer, blink.what, blink.on);
}

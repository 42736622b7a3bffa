import { element } from "../common/dom.js";

// The list of keys that `?` shows.
const KEYS = [
  ["1 … 9", "choose a class, or assign it to the selection"],
  ["B   E   H", "brush, eraser, hand"],
  ["L   R   P", "line (Shift: 45° steps), rectangle, polygon"],
  ["V   W", "select, wand (drag: larger or smaller region)"],
  ["[   ]   Alt + wheel", "decrease, increase brush width or tolerance"],
  ["I", "fill the inside of the ring that was drawn last"],
  ["Right button", "erase"],
  ["Escape", "cancel the drawing, or clear the selection"],
  ["Z   Shift+Z", "undo, redo (Ctrl+Z and Ctrl+Y too)"],
  ["O   A", "hide or show prediction, annotations (hold: only while held)"],
  ["+   −   wheel", "zoom (wheel: hold Ctrl)"],
  ["F", "fit the image"],
  ["Space + drag", "move the image (middle button too)"],
  ["Space + ← ↑ → ↓", "move the image (Hand tool: arrows alone)"],
  ["← ↑ → ↓", "move the crosshair (Shift: large steps)"],
  ["Enter   D", "pen down and up at the crosshair; click"],
  ["Enter   C", "close the polygon (at the crosshair: Enter twice)"],
  ["Backspace", "remove the polygon's last point"],
  ["Shift + click", "add to the selection, or remove from it"],
  ["← ↑ → ↓", "nudge the selection (Shift: 10 px)"],
  ["Delete", "delete the selection"],
  ["Ctrl + A C X V D", "select all, copy, cut, paste, duplicate"],
  ["Tab", "leave the canvas"],
  ["?", "show or hide this list"],
];

export function helpPanel() {
  const panel = element("div", "hw-help");
  panel.hidden = true;
  panel.setAttribute("role", "dialog");
  panel.setAttribute("aria-label", "Keys of the canvas");
  const list = element("dl");
  list.append(...KEYS.flatMap(([keys, meaning]) => [element("dt", "", keys), element("dd", "", meaning)]));
  panel.append(list);
  // Pointer events scroll the panel and must not reach the canvas.
  for (const name of ["pointerdown", "wheel"]) panel.addEventListener(name, (event) => event.stopPropagation());
  return panel;
}

import { element } from "../common/dom.js";

// The list of keys, which `?` shows.
const KEYS = [
  ["1 … 9", "choose a class, or assign it to the selection"],
  ["B   E   H", "brush, eraser, hand"],
  ["L   R   P", "line (Shift: 45° steps), rectangle, polygon"],
  ["V   W", "select, wand (drag: larger or smaller region)"],
  ["[   ]", "smaller, larger brush or tolerance"],
  ["Right button", "erase"],
  ["Escape", "cancel the drawing, or clear the selection"],
  ["Z   Shift+Z", "undo, redo (Ctrl+Z and Ctrl+Y too)"],
  ["O   A", "hide or show prediction, annotations (held: for that long)"],
  ["+   −   wheel", "zoom (wheel: hold Ctrl)"],
  ["F", "fit the picture"],
  ["Space + drag", "move the picture (middle button too)"],
  ["Space + ← ↑ → ↓", "move the picture (Hand tool: arrows alone)"],
  ["← ↑ → ↓", "move the crosshair (Shift: in large steps)"],
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
  // The panel scrolls, and nothing is painted through it.
  for (const name of ["pointerdown", "wheel"]) panel.addEventListener(name, (event) => event.stopPropagation());
  return panel;
}

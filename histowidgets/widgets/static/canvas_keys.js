// What a key does on the canvas, and the list of keys under `?`. Nothing is kept from the page but what is used
// here; Tab always leaves the canvas.
export const KEYS = [
  ["1 … 9", "choose a class, or give it to the selection"],
  ["B   E   H", "brush, eraser, hand"],
  ["L   R   P", "line (Shift: 45° steps), rectangle, polygon"],
  ["V   W", "select, wand (drag: more or less of it)"],
  ["[   ]", "smaller, larger brush or tolerance"],
  ["Right button", "erase"],
  ["Escape", "give up what is being drawn, or the selection"],
  ["Z   Shift+Z", "undo, redo (Ctrl+Z and Ctrl+Y too)"],
  ["O   A", "prediction, annotations off and on (held: as long)"],
  ["+   −   wheel", "zoom (wheel: click first, or hold Ctrl)"],
  ["F", "fit the picture"],
  ["Space + drag", "move the picture (middle button too)"],
  ["Space + ← ↑ → ↓", "move the picture (with the hand: arrows alone)"],
  ["← ↑ → ↓", "move the cross (Shift: in large steps)"],
  ["Enter   D", "put the pen down at the cross, and lift it; click"],
  ["Enter   C", "close the polygon (at the cross: Enter twice)"],
  ["Backspace", "take the polygon's last point back"],
  ["Shift + click", "add to the selection, or take out"],
  ["← ↑ → ↓", "nudge the selection (Shift: 10 px)"],
  ["Delete", "delete the selection"],
  ["Ctrl + A C X V D", "select all, copy, cut, paste, duplicate"],
  ["Tab", "leave the canvas"],
  ["?", "show and hide this list"],
];

const PLAIN = {
  b: ["tool", "brush"],
  e: ["tool", "eraser"],
  h: ["tool", "pan"],
  v: ["tool", "select"],
  l: ["tool", "line"],
  r: ["tool", "rectangle"],
  p: ["tool", "polygon"],
  w: ["tool", "wand"],
  "[": ["thinner"],
  "]": ["thicker"],
  f: ["fit"],
  "+": ["zoom", 1.25],
  "=": ["zoom", 1.25],
  "-": ["zoom", 0.8],
  _: ["zoom", 0.8],
  "?": ["help"],
  " ": ["hold"],
  Escape: ["escape"],
  c: ["close"],
  Backspace: ["back"],
  Delete: ["back"],
  ArrowLeft: ["move", -1, 0],
  ArrowRight: ["move", 1, 0],
  ArrowUp: ["move", 0, -1],
  ArrowDown: ["move", 0, 1],
};

// Layers that a tap of a key hides or shows; while it is held, it is only for as long as that.
export const BLINKED = { o: "overlay", a: "annotations" };

const WITH_CONTROL = {
  y: ["redo"],
  a: ["edit", "select-all"],
  c: ["edit", "copy"],
  x: ["edit", "cut"],
  v: ["edit", "paste"],
  d: ["edit", "duplicate"],
};

// The action of a keydown as [name, ...arguments], or null.
export function actionOf(event) {
  if (event.altKey) return null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === "z") return [event.shiftKey ? "redo" : "undo"];
  if (event.ctrlKey || event.metaKey) return WITH_CONTROL[key] ?? null;
  if (BLINKED[key]) return ["blink", BLINKED[key], event.timeStamp];
  if (/^[1-9]$/.test(key)) return ["class", Number(key) - 1];
  if (key === "Enter" || key === "d") return event.repeat ? null : ["press", key, event.timeStamp, event.shiftKey];
  if (key.startsWith("Arrow")) return [...PLAIN[key], event.shiftKey];
  return PLAIN[key] ?? null;
}

export function helpPanel() {
  const panel = document.createElement("div");
  panel.className = "hw-help";
  panel.hidden = true;
  panel.setAttribute("role", "dialog");
  panel.setAttribute("aria-label", "Keys of the canvas");
  const list = document.createElement("dl");
  for (const [keys, meaning] of KEYS) {
    const term = document.createElement("dt");
    const detail = document.createElement("dd");
    term.textContent = keys;
    detail.textContent = meaning;
    list.append(term, detail);
  }
  panel.append(list);
  // It can be scrolled, and nothing is painted through it.
  for (const name of ["pointerdown", "wheel"]) panel.addEventListener(name, (event) => event.stopPropagation());
  return panel;
}

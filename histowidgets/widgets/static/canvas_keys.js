// What a key does on the canvas, and the list of keys under `?`. Nothing is kept from the page but what is used
// here; Tab always leaves the canvas.
export const KEYS = [
  ["1 … 9", "choose a class"],
  ["B   E   H", "brush, eraser, hand"],
  ["L   R   P", "line (Shift: 45° steps), rectangle, polygon"],
  ["Enter", "close the polygon (double click, or its first point too)"],
  ["Backspace", "take the polygon's last point back"],
  ["Escape", "give up what is being drawn"],
  ["[   ]", "smaller, larger brush"],
  ["Space + drag", "move the picture (middle button too)"],
  ["Right button", "erase"],
  ["Z   Shift+Z", "undo, redo (Ctrl+Z and Ctrl+Y too)"],
  ["O", "prediction off and on (held down: off for as long)"],
  ["+   −   wheel", "zoom in, out (wheel: click the picture first, or hold Ctrl)"],
  ["F", "fit the picture"],
  ["← ↑ → ↓", "move the picture"],
  ["Tab", "leave the canvas"],
  ["?", "show and hide this list"],
];

const PLAIN = {
  b: ["tool", "brush"],
  e: ["tool", "eraser"],
  h: ["tool", "pan"],
  l: ["tool", "line"],
  r: ["tool", "rectangle"],
  p: ["tool", "polygon"],
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
  Enter: ["close"],
  Backspace: ["back"],
  ArrowLeft: ["move", -1, 0],
  ArrowRight: ["move", 1, 0],
  ArrowUp: ["move", 0, -1],
  ArrowDown: ["move", 0, 1],
};

// The action of a keydown as [name, ...arguments], or null.
export function actionOf(event) {
  if (event.altKey) return null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === "z") return [event.shiftKey ? "redo" : "undo"];
  if (event.ctrlKey || event.metaKey) return key === "y" ? ["redo"] : null;
  if (key === "o") return ["overlay", event.timeStamp];
  if (/^[1-9]$/.test(key)) return ["class", Number(key) - 1];
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
  return panel;
}

// The key bindings. Unbound keys are left to the page; Tab always leaves the canvas.
const ZOOM_IN = 1.25;

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
  i: ["step", "fill"],
  "+": ["zoom", ZOOM_IN],
  "=": ["zoom", ZOOM_IN],
  "-": ["zoom", 1 / ZOOM_IN],
  _: ["zoom", 1 / ZOOM_IN],
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

const WITH_CONTROL = {
  y: ["step", "redo"],
  a: ["step", "select-all"],
  c: ["step", "copy"],
  x: ["step", "cut"],
  v: ["step", "paste"],
  d: ["step", "duplicate"],
};

// Layers that a tap of a key toggles, or that holding the key toggles only while held.
export const BLINKED = { o: "overlay", a: "annotations" };

// Whether a key is for the button, slider, list or tab that has the focus, and not for the canvas.
export function isForControl({ key }) {
  return ["Enter", " ", "Tab", "Home", "End", "PageUp", "PageDown"].includes(key) || key.startsWith("Arrow");
}

// The action of a keydown as [name of a command, ...arguments], or null.
export function actionOf(event) {
  if (event.altKey) return null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === "z") return ["step", event.shiftKey ? "redo" : "undo"];
  if (event.ctrlKey || event.metaKey) return WITH_CONTROL[key] ?? null;
  return plainAction(key, event);
}

function plainAction(key, { repeat, shiftKey, timeStamp }) {
  if (BLINKED[key]) return ["blink", BLINKED[key], timeStamp];
  if (/^[1-9]$/.test(key)) return ["class", Number(key) - 1];
  if (key === "Enter" || key === "d") return repeat ? null : ["press", key, timeStamp, shiftKey];
  if (key.startsWith("Arrow")) return [...PLAIN[key], shiftKey];
  return PLAIN[key] ?? null;
}

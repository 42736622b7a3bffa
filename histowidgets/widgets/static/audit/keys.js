export const NUMBERED = 9; // number of classes that a digit stands for
const VIEW_KEYS = ["+", "=", "-", "_", "f", "?", "h"];
const EDIT_KEYS = ["a", "c", "x", "v", "d"];

// What a key does while a point is judged: an answer {kind, ...}; "nothing", so that it neither paints nor shows what is
// hidden; or null where it keeps its meaning.
export function answerOf(event, classes) {
  const { key, repeat, altKey, ctrlKey, metaKey } = event;
  const plain = key.length === 1 ? key.toLowerCase() : key;
  if (altKey) return null;
  if (ctrlKey || metaKey) return EDIT_KEYS.includes(plain) ? "nothing" : null;
  const answer = plainAnswer(plain, classes);
  return answer && repeat ? "nothing" : answer;
}

function plainAnswer(key, classes) {
  if (key === "0" || key === " ") return { kind: "judge", class: null };
  if (/^[1-9]$/.test(key)) {
    const index = Number(key) - 1;
    return index < Math.min(classes, NUMBERED) ? { kind: "judge", class: index } : "nothing";
  }
  if (key === "Backspace") return { kind: "back" };
  if (key === "Escape") return { kind: "pause" };
  if (VIEW_KEYS.includes(key)) return null;
  return key.length === 1 || key === "Enter" || key === "Delete" ? "nothing" : null;
}

// Whether the button that has the focus takes the key.
export function isForButton({ key, target }) {
  return target.tagName === "BUTTON" && (key === " " || key === "Enter");
}

import { whenInStudio } from "../common/studio_root.js";
import { takesText } from "../common/text_fields.js";

// Whether the focus can be taken from this element without losing keystrokes.
function canGive(element) {
  if (!element || element === document.body) return true;
  if (element.closest(".cm-editor")) return !element.textContent.trim();
  return !takesText(element) && !element.closest(".hw-studio");
}

// Whether an unbound key is left to the notebook. Plain keys are not: they would insert, cut or convert cells.
function isForNotebook({ key, target, ctrlKey, metaKey, altKey }) {
  if (!ctrlKey && !metaKey && !altKey) return false;
  return key.toLowerCase() === "s" || !takesText(target);
}

// Listens to keys in a whole studio, or in a canvas by itself, and keeps from the notebook those not meant for it.
export class KeyScope {
  // `down` is called with each key that is not text, and returns whether it handled it; `up` with each released key.
  constructor(element, { down, up }) {
    this.down = down;
    this.up = up;
    this.onDown = (event) => this._down(event);
    this.onUp = (event) => this.up(event);
    this.onCapture = (event) => this._suppress(!isForNotebook(event));
    this.root = null;
    this.stop = whenInStudio(element, (root) => this._begin(root));
  }

  _begin(root) {
    this.root = root;
    root.addEventListener("keydown", this.onCapture, true);
    root.addEventListener("keydown", this.onDown);
    root.addEventListener("keyup", this.onUp);
    this._suppress(true);
    if (!root.matches(".hw-studio")) return;
    root.tabIndex = -1;
    // Right after its cell was run, keys go to the studio.
    if (canGive(document.activeElement)) root.focus({ preventScroll: true });
  }

  // JupyterLab and Notebook 7 look for their shortcuts only outside of elements with this attribute.
  _suppress(on) {
    this.root.toggleAttribute("data-lm-suppress-shortcuts", on);
  }

  _down(event) {
    // Restored after the notebook has handled the event.
    setTimeout(() => this._suppress(true));
    const done = !event.defaultPrevented && !takesText(event.target) && this.down(event);
    if (done) event.preventDefault();
    if (done || (!isForNotebook(event) && event.key !== "Tab")) event.stopPropagation();
  }

  close() {
    this.stop();
    if (!this.root) return;
    this.root.removeEventListener("keydown", this.onCapture, true);
    this.root.removeEventListener("keydown", this.onDown);
    this.root.removeEventListener("keyup", this.onUp);
  }
}

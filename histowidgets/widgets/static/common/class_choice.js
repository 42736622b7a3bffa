import { whenInStudio } from "./studio_root.js";

const EVENT = "hw-class-chosen";
const KEPT_MS = 5000; // by then, the kernel has accepted the choice or will not

// Tells the canvas of the same studio which class was just chosen, so that the next stroke gets it before the kernel
// has answered.
export function announceClass(element, name) {
  element.dispatchEvent(new CustomEvent(EVENT, { bubbles: true, detail: name }));
}

// The class that was chosen elsewhere in the studio, until the kernel confirms it.
export class ClassChoice {
  constructor(element, onChoice) {
    this.name = null;
    this.listen = ({ detail }) => {
      this.name = detail;
      this.made = performance.now();
      onChoice(detail);
    };
    this.stop = whenInStudio(element, (root) => {
      this.root = root;
      root.addEventListener(EVENT, this.listen);
    });
  }

  // The index of the class to paint, given the kernel's index `known`.
  indexOr(known, classes) {
    const index = classes.findIndex(({ name }) => name === this.name);
    if (index >= 0 && index !== known && performance.now() - this.made < KEPT_MS) return index;
    this.forget();
    return known;
  }

  forget() {
    this.name = null;
  }

  close() {
    this.stop();
    this.root?.removeEventListener(EVENT, this.listen);
  }
}

import { announceClass } from "../common/class_choice.js";
import { whenInStudio } from "../common/studio_root.js";
import { COMMANDS } from "./commands.js";

// What follows the prefix in the CSS class of a button that begins with it, or "".
function suffix(button, prefix) {
  const found = [...(button?.classList ?? [])].find((name) => name.startsWith(prefix));
  return found?.slice(prefix.length) ?? "";
}

// The buttons of tools and the chips of classes are the kernel's, which hears of a click only after a while. What is
// drawn meanwhile has the tool and the class that were clicked all the same.
export function useClicked(layer, target) {
  const tool = suffix(target.closest(".hw-tool"), "hw-tool-");
  if (tool in layer.tools) COMMANDS.tool(layer, tool);
  const chip = target.closest(".hw-chip");
  const chosen = layer.classes[suffix(chip, "hw-chip-")];
  if (chosen) announceClass(chip, chosen.name);
}

// Follows the buttons in the canvas or studio around an element. Returns a function to stop.
export function followButtons(layer, el) {
  const clicked = ({ target }) => useClicked(layer, target);
  let root = null;
  const stop = whenInStudio(el, (found) => {
    root = found;
    root.addEventListener("click", clicked);
  });
  return () => {
    stop();
    root?.removeEventListener("click", clicked);
  };
}

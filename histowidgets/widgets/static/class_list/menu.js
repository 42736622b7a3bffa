import { element } from "../common/dom.js";
import { menuButton } from "../common/menu.js";
import { counted } from "../common/words.js";

// The menu of a class. Colours are picked with the browser's own field.
export function openClassMenu(popup, anchor, entry, others, list) {
  const { name } = entry;
  const send = (content) => {
    popup.close();
    list.send(content);
  };
  const rename = menuButton("Rename (F2)", () => {
    popup.close();
    list.rename(name);
  });
  const color = element("label", "hw-menu-item", "Colour");
  const field = element("input");
  field.type = "color";
  field.value = entry.color.toLowerCase(); // the only form that a colour field accepts
  field.setAttribute("aria-label", `Colour of ${name}`);
  // "change" fires once, when the user has finished; each "input" before it would be a step of undo.
  field.addEventListener("change", () => send({ kind: "recolor", name, color: field.value }));
  color.append(field);
  const merge = menuButton("Merge into…", () => popup.fill(mergeChoices(entry, others, send)), {
    reason: others.length ? "" : "There is no other class",
  });
  const remove = menuButton("Delete", () => send({ kind: "delete", name }), {
    reason: entry.locked || "",
    danger: !entry.locked,
  });
  popup.open(anchor, [rename, color, merge, element("hr"), remove], `Actions for ${name}`);
}

function mergeChoices({ name, count }, others, send) {
  const choices = others.map((other) => menuButton(other.name, () => send({ kind: "merge", name, into: other.name })));
  return [element("p", "", `Assign the ${counted(count, "annotation")} of ${name} to:`), ...choices];
}

import { element, menuButton } from "./popup.js";

// What can be done with one class. Colours are picked with the browser's own field.
export function openClassMenu(popup, anchor, entry, others, list) {
  const close = (act) => () => {
    popup.close();
    act();
  };
  const color = element("label", "hw-menu-item", "Colour");
  const field = element("input");
  field.type = "color";
  field.value = entry.color.toLowerCase();
  field.setAttribute("aria-label", `Colour of ${entry.name}`);
  // "change" comes once, when the person is done; each step between would be a step of undo.
  field.addEventListener("change", close(() => list.send({ kind: "recolor", name: entry.name, color: field.value })));
  color.append(field);
  const merge = menuButton("Merge into…", () => popup.fill(mergeInto(popup, entry, others, list)), {
    reason: others.length ? "" : "There is no other class",
  });
  const remove = menuButton("Delete", close(() => list.send({ kind: "delete", name: entry.name })), {
    reason: entry.locked || "",
    danger: !entry.locked,
  });
  popup.open(
    anchor,
    [menuButton("Rename (F2)", close(() => list.rename(entry.name))), color, merge, element("hr"), remove],
    `What to do with ${entry.name}`,
  );
}

function mergeInto(popup, entry, others, list) {
  const count = `${entry.count} annotation${entry.count === 1 ? "" : "s"}`;
  const choices = others.map((other) =>
    menuButton(other.name, () => {
      popup.close();
      list.send({ kind: "merge", name: entry.name, into: other.name });
    }),
  );
  return [element("p", "", `Give the ${count} of ${entry.name} to:`), ...choices];
}

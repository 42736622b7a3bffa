import { element, menuButton } from "./popup.js";

const ROLES = [
  ["both", "Train and validation"],
  ["train", "Train only"],
  ["validation", "Validation only"],
];

// What can be done with one image: its role, and taking it out, which is asked once.
export function openMenu(popup, anchor, entry, isOnly, send) {
  const roles = ROLES.map(([role, words]) =>
    menuButton(
      words,
      () => {
        send({ kind: "role", name: entry.name, role });
        popup.close();
      },
      { checked: entry.role === role },
    ),
  );
  const ask = () => {
    const count = `${entry.count} annotation${entry.count === 1 ? "" : "s"}`;
    const words = element("p", "", `Remove ${entry.name} with its ${count}? Undo brings it back.`);
    const remove = menuButton(
      "Remove",
      () => {
        popup.close();
        send({ kind: "remove", name: entry.name });
      },
      { danger: true },
    );
    popup.fill([words, remove, menuButton("Keep it", () => popup.close())]);
  };
  const reason = isOnly ? "The project needs an image" : "";
  popup.open(
    anchor,
    [
      element("h5", "", "Used for"),
      ...roles,
      element("hr"),
      menuButton("Remove from the project…", ask, { reason, danger: true }),
    ],
    `What to do with ${entry.name}`,
  );
}

import { element } from "../common/dom.js";
import { menuButton } from "../common/menu.js";
import { counted } from "../common/words.js";
import { ROLES } from "./roles.js";

// The menu of an image: its role, and its removal, which needs confirmation.
export function openImageMenu(popup, anchor, entry, isOnly, send) {
  const { name } = entry;
  const sendAndClose = (content) => {
    send(content);
    popup.close();
  };
  const roles = Object.entries(ROLES).map(([role, { choice }]) =>
    menuButton(choice, () => sendAndClose({ kind: "role", name, role }), { checked: entry.role === role }),
  );
  const confirmRemoval = () => {
    const words = `Remove ${name} with its ${counted(entry.count, "annotation")}? Undo brings it back.`;
    const remove = menuButton("Remove", () => sendAndClose({ kind: "remove", name }), { danger: true });
    popup.fill([element("p", "", words), remove, menuButton("Keep it", () => popup.close())]);
  };
  const reason = isOnly ? "A project needs at least one image" : "";
  const remove = menuButton("Remove from the project…", confirmRemoval, { reason, danger: true });
  popup.open(anchor, [element("h5", "", "Used for"), ...roles, element("hr"), remove], `Actions for ${name}`);
}

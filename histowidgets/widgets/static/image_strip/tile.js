import { element } from "../common/dom.js";
import { counted } from "../common/words.js";
import { ROLES } from "./roles.js";

// An image of the strip: thumbnail, name and menu button.
export class Tile {
  constructor(name, onShow, onMenu) {
    this.root = element("div", "hw-strip-tile");
    this.root.setAttribute("role", "listitem");
    this.root.dataset.name = name;
    this.main = element("button", "hw-strip-image");
    this.picture = element("span", "hw-strip-picture");
    this.role = element("span", "hw-strip-badge hw-strip-role");
    this.count = element("span", "hw-strip-badge hw-strip-count");
    this.label = element("span", "hw-strip-name", name);
    this.picture.append(this.role, this.count);
    this.main.append(this.picture, this.label);
    this.more = element("button", "hw-strip-more", "⋯");
    this.more.title = "Role and removal";
    this.more.setAttribute("aria-label", `Actions for ${name}`);
    this.more.setAttribute("aria-haspopup", "dialog");
    this.more.setAttribute("aria-expanded", "false");
    this.main.addEventListener("click", onShow);
    this.more.addEventListener("click", () => onMenu(this));
    this.root.addEventListener("contextmenu", (event) => {
      event.preventDefault();
      event.stopPropagation();
      onMenu(this);
    });
    this.root.append(this.main, this.more);
  }

  show(entry, isShown, isTabStop) {
    this.entry = entry;
    const { badge, description } = ROLES[entry.role];
    const count = counted(entry.count, "annotation");
    this.role.textContent = badge;
    this.role.dataset.role = entry.role;
    this.count.textContent = entry.count;
    this.main.setAttribute("aria-label", `${entry.name}, ${count}, ${description}`);
    this.title = `${entry.name}: ${count}, ${description}`;
    this._showTitle();
    if (isShown) this.main.setAttribute("aria-current", "true");
    else this.main.removeAttribute("aria-current");
    this.setTabStop(isTabStop);
  }

  setTabStop(isTabStop) {
    this.main.tabIndex = this.more.tabIndex = isTabStop ? 0 : -1;
  }

  // Show the thumbnail at an object URL, which the tile then owns, or else an error.
  setThumbnail(url, error) {
    this.release();
    this.url = url;
    this.error = error;
    this.root.classList.toggle("hw-strip-missing", Boolean(error));
    this.picture.style.backgroundImage = url ? `url(${url})` : "";
    this.hasAnswer = true;
    this._showTitle();
  }

  _showTitle() {
    this.main.title = this.error || this.title;
  }

  release() {
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = null;
  }
}

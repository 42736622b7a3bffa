import { Popup, element } from "./popup.js";
import { AddRow } from "./image_strip_add.js";
import { openMenu } from "./image_strip_menu.js";

const ROLE_WORDS = { both: "train and validation", train: "training only", validation: "validation only" };
const ROLE_BADGES = { both: "both", train: "train", validation: "val" };
const ASK_MS = 60; // a strip that is being scrolled asks for what it stops at

class Tile {
  constructor(strip, name) {
    this.strip = strip;
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
    this.more.setAttribute("aria-label", `What to do with ${name}`);
    this.more.setAttribute("aria-haspopup", "dialog");
    this.more.setAttribute("aria-expanded", "false");
    this.main.addEventListener("click", () => strip.send({ kind: "show", name }));
    this.more.addEventListener("click", () => strip.openMenu(this));
    this.root.addEventListener("contextmenu", (event) => {
      event.preventDefault();
      event.stopPropagation();
      strip.openMenu(this);
    });
    this.root.append(this.main, this.more);
  }

  show(entry, isShown, isStop) {
    this.entry = entry;
    const count = `${entry.count} annotation${entry.count === 1 ? "" : "s"}`;
    this.role.textContent = ROLE_BADGES[entry.role] || entry.role;
    this.role.dataset.role = entry.role;
    this.count.textContent = entry.count;
    this.main.setAttribute("aria-label", `${entry.name}, ${count}, ${ROLE_WORDS[entry.role] || entry.role}`);
    this.main.title = this.error || `${entry.name}: ${count}, ${ROLE_WORDS[entry.role] || entry.role}`;
    if (isShown) this.main.setAttribute("aria-current", "true");
    else this.main.removeAttribute("aria-current");
    for (const button of [this.main, this.more]) button.tabIndex = isStop ? 0 : -1;
  }

  paint(url, error) {
    this.release();
    this.url = url;
    this.error = error;
    this.root.classList.toggle("hw-strip-missing", Boolean(error));
    this.picture.style.backgroundImage = url ? `url(${url})` : "";
    this.answered = true;
    this.show(this.entry, this.main.hasAttribute("aria-current"), this.main.tabIndex === 0);
  }

  release() {
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = null;
  }
}

class Strip {
  constructor(model, el) {
    this.model = model;
    this.tiles = new Map();
    this.inSight = new Set();
    this.root = element("div", "hw-strip");
    this.row = element("div", "hw-strip-row");
    this.list = element("div", "hw-strip-list");
    this.list.setAttribute("role", "list");
    this.list.setAttribute("aria-label", "Images of the project");
    this.button = element("button", "hw-strip-button", "+ Image");
    this.button.title = "Add an image to the project";
    this.button.setAttribute("aria-expanded", "false");
    this.add = new AddRow(model, this.button);
    this.button.addEventListener("click", () => this.add.toggle());
    this.said = element("span", "hw-strip-said");
    this.said.setAttribute("role", "status");
    this.row.append(this.list, this.button, this.said);
    this.root.append(this.row, this.add.root);
    el.append(this.root);
    this.popup = new Popup(this.root, "Image");
    this.list.addEventListener("keydown", (event) => this.key(event));
    // What is a little outside is made too, so that it is there when it comes.
    this.observer = new IntersectionObserver((seen) => this.seen(seen), { root: this.list, rootMargin: "0px 80px" });
  }

  send(content) {
    this.model.send(content);
  }

  get names() {
    return this.model.get("entries").map((entry) => entry.name);
  }

  draw() {
    const entries = this.model.get("entries");
    const shown = this.model.get("shown");
    const names = new Set(entries.map((entry) => entry.name));
    const focused = this.list.contains(document.activeElement) && document.activeElement.closest(".hw-strip-tile");
    for (const [name, tile] of this.tiles) {
      if (names.has(name)) continue;
      tile.release();
      this.observer.unobserve(tile.root);
      tile.root.remove();
      this.tiles.delete(name);
      this.inSight.delete(name);
    }
    const stop = names.has(this.stop) && focused ? this.stop : shown;
    const isNew = this.drawn && entries.some((entry) => !this.tiles.has(entry.name));
    entries.forEach((entry, index) => {
      let tile = this.tiles.get(entry.name);
      if (!tile) {
        tile = new Tile(this, entry.name);
        this.tiles.set(entry.name, tile);
        this.observer.observe(tile.root);
      }
      if (this.list.children[index] !== tile.root) this.list.insertBefore(tile.root, this.list.children[index] || null);
      tile.show(entry, entry.name === shown, entry.name === stop);
    });
    this.root.classList.toggle("hw-strip-single", entries.length < 2);
    this.button.hidden = this.model.get("read_only");
    if (isNew) this.add.added();
    if (focused && !focused.isConnected) this.tiles.get(shown)?.main.focus();
    if (shown !== this.lastShown) this.tiles.get(shown)?.root.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.lastShown = shown;
    this.drawn = true;
  }

  seen(seen) {
    for (const { target, isIntersecting } of seen) {
      const name = target.dataset.name;
      if (isIntersecting) this.inSight.add(name);
      else this.inSight.delete(name);
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const names = [...this.inSight].filter((name) => this.tiles.has(name) && !this.tiles.get(name).answered);
      if (names.length) this.send({ kind: "thumbnails", names: names.reverse() }); // the last one asked is made first
    }, ASK_MS);
  }

  hear(message, buffers) {
    if (message.kind === "thumbnail") {
      const url = buffers.length ? URL.createObjectURL(new Blob([buffers[0]], { type: "image/jpeg" })) : null;
      this.tiles.get(message.name)?.paint(url, message.error);
    }
    if (message.kind === "say") this.said.textContent = message.text;
    this.add.hear(message);
  }

  openMenu(tile) {
    if (this.model.get("read_only")) return;
    openMenu(this.popup, tile.more, tile.entry, this.tiles.size < 2, (content) => this.send(content));
  }

  key(event) {
    const tile = event.target.closest(".hw-strip-tile");
    if (!tile) return;
    const names = this.names;
    const at = names.indexOf(tile.dataset.name);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: names.length - 1 }[event.key];
    if (event.key === "Enter" || event.key === " ") event.stopPropagation(); // the notebook's command mode
    if (event.key === "Delete") this.openMenu(this.tiles.get(names[at]));
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.stop = names[Math.max(0, Math.min(to, names.length - 1))];
    for (const [name, one] of this.tiles) {
      one.main.tabIndex = one.more.tabIndex = name === this.stop ? 0 : -1;
    }
    const next = this.tiles.get(this.stop);
    next.main.focus();
    next.root.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  close() {
    clearTimeout(this.timer);
    clearTimeout(this.add.timer);
    this.observer.disconnect();
    for (const tile of this.tiles.values()) tile.release();
  }
}

function render({ model, el }) {
  const strip = new Strip(model, el);
  const draw = () => strip.draw();
  const hear = (message, buffers) => strip.hear(message, buffers || []);
  for (const name of ["entries", "shown", "read_only"]) model.on(`change:${name}`, draw);
  model.on("msg:custom", hear);
  draw();
  return () => {
    for (const name of ["entries", "shown", "read_only"]) model.off(`change:${name}`, draw);
    model.off("msg:custom", hear);
    strip.close();
  };
}

export default { render };

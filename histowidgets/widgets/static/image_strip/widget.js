import { element } from "../common/dom.js";
import { follow } from "../common/model.js";
import { clamp } from "../common/numbers.js";
import { Popup } from "../common/popup.js";
import { AddRow } from "./add_row.js";
import { openImageMenu } from "./menu.js";
import { Tile } from "./tile.js";

const REQUEST_AFTER_MS = 60; // wait until scrolling has stopped before requesting thumbnails
const PRELOAD_MARGIN = "0px 80px"; // thumbnails this close to the visible part are requested too

// The index of the tile, out of `count`, that a key moves the focus to; undefined for other keys.
function targetOf(key, index, count) {
  return {
    ArrowRight: index + 1,
    ArrowDown: index + 1,
    ArrowLeft: index - 1,
    ArrowUp: index - 1,
    Home: 0,
    End: count - 1,
  }[key];
}

class ImageStrip {
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
    this.status = element("span", "hw-strip-said");
    this.status.setAttribute("role", "status");
    this.row.append(this.list, this.button, this.status);
    this.root.append(this.row, this.add.root);
    el.append(this.root);
    this.popup = new Popup(this.root, "Image");
    this.list.addEventListener("keydown", (event) => this.onKey(event));
    this.observer = new IntersectionObserver((changes) => this.onScroll(changes), {
      root: this.list,
      rootMargin: PRELOAD_MARGIN,
    });
    this.handlers = {
      thumbnail: (message, buffers) => this.setThumbnail(message, buffers),
      say: ({ text }) => {
        this.status.textContent = text;
      },
    };
  }

  send(content) {
    this.model.send(content);
  }

  onMessage(message, buffers) {
    this.handlers[message.kind]?.(message, buffers ?? []);
    this.add.onMessage(message);
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
    const tabStop = names.has(this.tabStop) && focused ? this.tabStop : shown;
    const isNew = this.drawn && entries.some((entry) => !this.tiles.has(entry.name));
    entries.forEach((entry, index) => {
      const tile = this.tiles.get(entry.name) ?? this.addTile(entry.name);
      if (this.list.children[index] !== tile.root) this.list.insertBefore(tile.root, this.list.children[index] || null);
      tile.show(entry, entry.name === shown, entry.name === tabStop);
    });
    this.root.classList.toggle("hw-strip-single", entries.length < 2);
    this.button.hidden = this.model.get("read_only");
    if (isNew) this.add.added();
    if (focused && !focused.isConnected) this.tiles.get(shown)?.main.focus();
    if (shown !== this.lastShown) this.scrollTo(this.tiles.get(shown));
    this.lastShown = shown;
    this.drawn = true;
  }

  addTile(name) {
    const tile = new Tile(
      name,
      () => this.send({ kind: "show", name }),
      (owner) => this.openMenu(owner),
    );
    this.tiles.set(name, tile);
    this.observer.observe(tile.root);
    return tile;
  }

  scrollTo(tile) {
    tile?.root.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  onScroll(changes) {
    for (const { target, isIntersecting } of changes) {
      if (isIntersecting) this.inSight.add(target.dataset.name);
      else this.inSight.delete(target.dataset.name);
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const names = [...this.inSight].filter((name) => this.tiles.has(name) && !this.tiles.get(name).hasAnswer);
      if (names.length) this.send({ kind: "thumbnails", names: names.reverse() }); // the kernel makes the last one first
    }, REQUEST_AFTER_MS);
  }

  setThumbnail({ name, error }, buffers) {
    const url = buffers.length ? URL.createObjectURL(new Blob([buffers[0]], { type: "image/jpeg" })) : null;
    this.tiles.get(name)?.setThumbnail(url, error);
  }

  openMenu(tile) {
    if (this.model.get("read_only")) return;
    openImageMenu(this.popup, tile.more, tile.entry, this.tiles.size < 2, (content) => this.send(content));
  }

  onKey(event) {
    const focused = event.target.closest(".hw-strip-tile");
    if (!focused) return;
    const names = this.model.get("entries").map((entry) => entry.name);
    const index = names.indexOf(focused.dataset.name);
    if (event.key === "Enter" || event.key === " ") event.stopPropagation(); // keep it from the notebook's command mode
    if (event.key === "Delete") this.openMenu(this.tiles.get(names[index]));
    const target = targetOf(event.key, index, names.length);
    if (target === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.tabStop = names[clamp(target, 0, names.length - 1)];
    for (const [name, tile] of this.tiles) tile.setTabStop(name === this.tabStop);
    const next = this.tiles.get(this.tabStop);
    next.main.focus();
    this.scrollTo(next);
  }

  close() {
    clearTimeout(this.timer);
    this.add.close();
    this.observer.disconnect();
    for (const tile of this.tiles.values()) tile.release();
  }
}

function render({ model, el }) {
  const strip = new ImageStrip(model, el);
  const end = follow(
    model,
    ["entries", "shown", "read_only"],
    () => strip.draw(),
    (message, buffers) => strip.onMessage(message, buffers),
  );
  return () => {
    end();
    strip.close();
  };
}

export default { render };

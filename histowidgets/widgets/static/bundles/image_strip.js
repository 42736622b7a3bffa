// Made by `npm run build` from the sources beside this folder; do not edit.

// common/dom.js
function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== "") made.textContent = text;
  if (tag === "button") made.type = "button";
  return made;
}

// common/model.js
function follow(model, names, draw, onMessage = null) {
  const changes = names.map((name) => `change:${name}`);
  for (const change of changes) model.on(change, draw);
  if (onMessage) model.on("msg:custom", onMessage);
  draw();
  return () => {
    for (const change of changes) model.off(change, draw);
    if (onMessage) model.off("msg:custom", onMessage);
  };
}

// common/numbers.js
function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}

// common/popup.js
var GAP = 4;
var Popup = class {
  constructor(root, label) {
    this.panel = document.createElement("div");
    this.panel.className = "hw-popup";
    this.panel.popover = "auto";
    this.panel.setAttribute("role", "dialog");
    this.panel.setAttribute("aria-label", label);
    this.panel.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") this.close();
      if (event.key === "ArrowDown" || event.key === "ArrowUp") this._step(event);
    });
    this.panel.addEventListener("toggle", (event) => {
      if (event.newState === "closed") this._closed();
    });
    root.append(this.panel);
  }
  open(anchor, children, label) {
    if (this.isOpen) this.panel.hidePopover();
    this.anchor = anchor;
    this.fill(children);
    if (label) this.panel.setAttribute("aria-label", label);
    anchor.setAttribute("aria-expanded", "true");
    this.panel.showPopover();
    this._place();
    this._focusFirst();
  }
  fill(children) {
    this.panel.replaceChildren(...children);
    if (this.isOpen) {
      this._place();
      this._focusFirst();
    }
  }
  get isOpen() {
    return this.panel.matches(":popover-open");
  }
  close() {
    if (this.isOpen) this.panel.hidePopover();
  }
  _closed() {
    this.onClose?.();
    const hadFocus = this.panel.contains(document.activeElement) || document.activeElement === document.body;
    this.anchor?.setAttribute("aria-expanded", "false");
    if (hadFocus && this.anchor?.isConnected) this.anchor.focus();
  }
  _focusFirst() {
    this._stops()[0]?.focus();
  }
  _stops() {
    return [...this.panel.querySelectorAll("button, input, select")].filter((stop) => !stop.disabled);
  }
  _step(event) {
    if (event.target.matches("input[type='text'], select")) return;
    event.preventDefault();
    const stops = this._stops();
    const by = event.key === "ArrowDown" ? 1 : -1;
    stops[(stops.indexOf(document.activeElement) + by + stops.length) % stops.length]?.focus();
  }
  // Below the button if there is room, otherwise above it, and always inside the window.
  _place() {
    const at = this.anchor.getBoundingClientRect();
    const { width, height } = this.panel.getBoundingClientRect();
    const fitsBelow = at.bottom + GAP + height <= window.innerHeight;
    const top = fitsBelow ? at.bottom + GAP : Math.max(GAP, at.top - height - GAP);
    this.panel.style.left = `${clamp(at.left, GAP, Math.max(GAP, window.innerWidth - width - GAP))}px`;
    this.panel.style.top = `${top}px`;
  }
};

// image_strip/add_row.js
var CHUNK_BYTES = 2 ** 21;
var HINT_AFTER_MS = 150;
var AddRow = class {
  constructor(model, button) {
    this.model = model;
    this.button = button;
    this.root = element("div", "hw-strip-add");
    this.root.hidden = true;
    const id = `hw-hints-${Math.random().toString(36).slice(2)}`;
    this.path = element("input", "hw-strip-path");
    Object.assign(this.path, {
      type: "text",
      placeholder: "path of an image on the kernel's computer",
      spellcheck: false
    });
    this.path.setAttribute("aria-label", "Path of an image file");
    this.path.setAttribute("list", id);
    this.hints = element("datalist");
    this.hints.id = id;
    this.add = element("button", "hw-strip-button", "Open");
    this.add.title = "Add this file to the project";
    this.file = element("input", "hw-strip-file");
    this.file.type = "file";
    this.file.tabIndex = -1;
    this.file.setAttribute("aria-hidden", "true");
    this.pick = element("button", "hw-strip-button", "Upload…");
    this.pick.title = "Upload a file from this computer and add it to the project";
    this.status = element("span", "hw-strip-said");
    this.status.setAttribute("role", "status");
    this.root.append(this.path, this.hints, this.add, this.pick, this.file, this.status);
    this.handlers = {
      hints: (message) => this._showHints(message),
      received: ({ bytes }) => this._continueUpload(bytes),
      failed: ({ text }) => this._fail(text),
      say: ({ level, text }) => level === "error" && this._fail(text)
    };
    this._listen();
  }
  _listen() {
    this.path.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this._requestHints(), HINT_AFTER_MS);
    });
    this.root.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter" && event.target === this.path) this._open();
      if (event.key === "Escape") this.toggle(false);
    });
    this.add.addEventListener("click", () => this._open());
    this.pick.addEventListener("click", () => this.file.click());
    this.file.addEventListener("change", () => this._startUpload(this.file.files[0]));
  }
  toggle(show = this.root.hidden) {
    this.root.hidden = !show;
    this.button.setAttribute("aria-expanded", String(show));
    this.status.textContent = "";
    if (show) {
      this._requestHints();
      this.path.focus();
    } else {
      this.button.focus();
    }
  }
  _requestHints() {
    this.model.send({ kind: "hints", path: this.path.value });
  }
  _showHints({ path, hints }) {
    if (path !== this.path.value) return;
    this.hints.replaceChildren(...hints.map((hint) => Object.assign(element("option"), { value: hint })));
  }
  _open() {
    if (!this.path.value.trim()) return;
    this.status.textContent = "Opening…";
    this.model.send({ kind: "open", path: this.path.value });
  }
  _startUpload(file) {
    this.sending = file;
    this.file.value = "";
    if (file) this._sendChunk(0);
  }
  async _sendChunk(start) {
    const file = this.sending;
    this.status.textContent = `Uploading ${file.name}: ${Math.round(100 * start / Math.max(1, file.size))} %`;
    const chunk = await file.slice(start, start + CHUNK_BYTES).arrayBuffer();
    this.model.send({ kind: "upload", first: start === 0, name: file.name, size: file.size }, void 0, [chunk]);
  }
  _continueUpload(bytes) {
    if (!this.sending) return;
    if (bytes < this.sending.size) this._sendChunk(bytes);
    else this.sending = null;
  }
  _fail(text) {
    this.sending = null;
    this.status.textContent = text;
  }
  onMessage(message) {
    this.handlers[message.kind]?.(message);
  }
  added() {
    this.path.value = "";
    this.status.textContent = "";
    if (!this.root.hidden) this.toggle(false);
  }
  close() {
    clearTimeout(this.timer);
  }
};

// common/menu.js
function menuButton(text, act, { checked, reason, danger } = {}) {
  const made = element("button", danger ? "hw-menu-item hw-danger" : "hw-menu-item", text);
  if (checked !== void 0) made.setAttribute("aria-pressed", String(checked));
  if (reason) {
    made.setAttribute("aria-disabled", "true");
    made.title = reason;
    made.append(element("span", "hw-menu-reason", reason));
  } else {
    made.addEventListener("click", act);
  }
  return made;
}

// common/words.js
function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

// image_strip/roles.js
var ROLES = {
  both: { badge: "both", description: "train and validation", choice: "Train and validation" },
  train: { badge: "train", description: "training only", choice: "Train only" },
  validation: { badge: "val", description: "validation only", choice: "Validation only" }
};

// image_strip/menu.js
function openImageMenu(popup, anchor, entry, isOnly, send) {
  const { name } = entry;
  const sendAndClose = (content) => {
    send(content);
    popup.close();
  };
  const roles = Object.entries(ROLES).map(
    ([role, { choice }]) => menuButton(choice, () => sendAndClose({ kind: "role", name, role }), { checked: entry.role === role })
  );
  const confirmRemoval = () => {
    const words = `Remove ${name} with its ${counted(entry.count, "annotation")}? Undo brings it back.`;
    const remove2 = menuButton("Remove", () => sendAndClose({ kind: "remove", name }), { danger: true });
    popup.fill([element("p", "", words), remove2, menuButton("Keep it", () => popup.close())]);
  };
  const reason = isOnly ? "A project needs at least one image" : "";
  const remove = menuButton("Remove from the project…", confirmRemoval, { reason, danger: true });
  popup.open(anchor, [element("h5", "", "Used for"), ...roles, element("hr"), remove], `Actions for ${name}`);
}

// image_strip/tile.js
var Tile = class {
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
};

// image_strip/widget.js
var REQUEST_AFTER_MS = 60;
var PRELOAD_MARGIN = "0px 80px";
function targetOf(key, index, count) {
  return {
    ArrowRight: index + 1,
    ArrowDown: index + 1,
    ArrowLeft: index - 1,
    ArrowUp: index - 1,
    Home: 0,
    End: count - 1
  }[key];
}
var ImageStrip = class {
  constructor(model, el) {
    this.model = model;
    this.tiles = /* @__PURE__ */ new Map();
    this.inSight = /* @__PURE__ */ new Set();
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
      rootMargin: PRELOAD_MARGIN
    });
    this.handlers = {
      thumbnail: (message, buffers) => this.setThumbnail(message, buffers),
      say: ({ text }) => {
        this.status.textContent = text;
      }
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
      (owner) => this.openMenu(owner)
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
      if (names.length) this.send({ kind: "thumbnails", names: names.reverse() });
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
    if (event.key === "Enter" || event.key === " ") event.stopPropagation();
    if (event.key === "Delete") this.openMenu(this.tiles.get(names[index]));
    const target = targetOf(event.key, index, names.length);
    if (target === void 0) return;
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
};
function render({ model, el }) {
  const strip = new ImageStrip(model, el);
  const end = follow(
    model,
    ["entries", "shown", "read_only"],
    () => strip.draw(),
    (message, buffers) => strip.onMessage(message, buffers)
  );
  return () => {
    end();
    strip.close();
  };
}
var widget_default = { render };
export {
  widget_default as default
};

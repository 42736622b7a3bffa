import { element } from "./popup.js";

const PIECE_BYTES = 2 ** 21; // a message of the page to the kernel may have 10 MB
const HINT_MS = 150;

// The row that "+ Image" opens: a path with hints of what is there, or a file of this computer.
export class AddRow {
  constructor(model, button) {
    this.model = model;
    this.button = button;
    this.root = element("div", "hw-strip-add");
    this.root.hidden = true;
    const id = `hw-hints-${Math.random().toString(36).slice(2)}`;
    this.path = element("input", "hw-strip-path");
    Object.assign(this.path, { type: "text", placeholder: "path of an image, as the kernel sees it", spellcheck: false });
    this.path.setAttribute("aria-label", "Path of an image file");
    this.path.setAttribute("list", id);
    this.hints = element("datalist");
    this.hints.id = id;
    this.add = element("button", "hw-strip-button", "Open");
    this.add.title = "Add this file to the project";
    this.file = element("input");
    this.file.type = "file";
    this.file.className = "hw-strip-file";
    this.file.tabIndex = -1;
    this.file.setAttribute("aria-hidden", "true");
    this.pick = element("button", "hw-strip-button", "Upload…");
    this.pick.title = "Send a file of this computer to the kernel, and add it";
    this.said = element("span", "hw-strip-said");
    this.said.setAttribute("role", "status");
    this.root.append(this.path, this.hints, this.add, this.pick, this.file, this.said);
    this._listen();
  }

  _listen() {
    this.path.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.model.send({ kind: "hints", path: this.path.value }), HINT_MS);
    });
    this.root.addEventListener("keydown", (event) => {
      event.stopPropagation(); // arrows and letters are the field's
      if (event.key === "Enter" && event.target === this.path) this._open();
      if (event.key === "Escape") this.toggle(false);
    });
    this.add.addEventListener("click", () => this._open());
    this.pick.addEventListener("click", () => this.file.click());
    this.file.addEventListener("change", () => this._start(this.file.files[0]));
  }

  toggle(show = this.root.hidden) {
    this.root.hidden = !show;
    this.button.setAttribute("aria-expanded", String(show));
    this.said.textContent = "";
    if (show) {
      this.model.send({ kind: "hints", path: this.path.value });
      this.path.focus();
    } else {
      this.button.focus();
    }
  }

  _open() {
    if (!this.path.value.trim()) return;
    this.said.textContent = "Opening…";
    this.model.send({ kind: "open", path: this.path.value });
  }

  _start(file) {
    this.sending = file;
    this.file.value = "";
    if (file) this._send(0);
  }

  async _send(at) {
    const file = this.sending;
    this.said.textContent = `Sending ${file.name}: ${Math.round((100 * at) / Math.max(1, file.size))} %`;
    const piece = await file.slice(at, at + PIECE_BYTES).arrayBuffer();
    this.model.send({ kind: "upload", first: at === 0, name: file.name, size: file.size }, undefined, [piece]);
  }

  hear(message) {
    if (message.kind === "hints" && message.path === this.path.value) {
      this.hints.replaceChildren(
        ...message.hints.map((hint) => {
          const option = document.createElement("option");
          option.value = hint;
          return option;
        }),
      );
    }
    if (message.kind === "received" && this.sending) {
      if (message.bytes < this.sending.size) this._send(message.bytes);
      else this.sending = null;
    }
    if (message.kind === "failed" || (message.kind === "say" && message.level === "error")) {
      this.sending = null;
      this.said.textContent = message.text;
    }
  }

  added() {
    this.path.value = "";
    this.said.textContent = "";
    if (!this.root.hidden) this.toggle(false);
  }
}

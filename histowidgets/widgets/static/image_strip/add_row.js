import { element } from "../common/dom.js";

const CHUNK_BYTES = 2 ** 21; // the server closes the connection for messages of more than 10 MB
const HINT_AFTER_MS = 150; // after the last keystroke

// The row that "+ Image" opens: a path, completed from the kernel's disk, or an upload from this computer.
export class AddRow {
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
      spellcheck: false,
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
      say: ({ level, text }) => level === "error" && this._fail(text),
    };
    this._listen();
  }

  _listen() {
    this.path.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this._requestHints(), HINT_AFTER_MS);
    });
    this.root.addEventListener("keydown", (event) => {
      event.stopPropagation(); // arrows and letters are for the field
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
    this.status.textContent = `Uploading ${file.name}: ${Math.round((100 * start) / Math.max(1, file.size))} %`;
    const chunk = await file.slice(start, start + CHUNK_BYTES).arrayBuffer();
    this.model.send({ kind: "upload", first: start === 0, name: file.name, size: file.size }, undefined, [chunk]);
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
}

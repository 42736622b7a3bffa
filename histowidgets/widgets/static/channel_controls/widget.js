import { element } from "../common/dom.js";
import { follow } from "../common/model.js";
import { Row } from "./row.js";

const SEND_MS = 100; // least interval between messages
const LEAST_FILTERED = 9; // from this many channels on, they can be filtered by name

// A row for each channel. The kernel answers a change with new rows, which must not disturb the row being moved.
class ChannelControls {
  constructor(model, el) {
    this.model = model;
    this.rows = [];
    this.pending = new Map();
    this.root = element("div", "hw-channels");
    this.filter = element("input", "hw-channel-filter");
    Object.assign(this.filter, { type: "search", placeholder: "filter channels" });
    this.filter.setAttribute("aria-label", "Filter the channels by name");
    this.filter.addEventListener("input", () => this.applyFilter());
    this.filter.addEventListener("keydown", (event) => event.stopPropagation());
    this.list = element("div", "hw-channel-list");
    this.idle = element("p", "hw-channel-idle", "Reading the channels…");
    this.root.append(this.filter, this.list, this.idle);
    el.append(this.root);
  }

  draw() {
    const rows = this.model.get("rows");
    while (this.rows.length > rows.length) this.rows.pop().root.remove();
    while (this.rows.length < rows.length) {
      const index = this.rows.length;
      const row = new Row((change) => this.send(index, change));
      this.rows.push(row);
      this.list.append(row.root);
    }
    rows.forEach((row, index) => {
      this.rows[index].show(row, this.model.get("joint"), this.model.get("whole"));
    });
    this.filter.hidden = rows.length < LEAST_FILTERED;
    this.idle.hidden = rows.length > 0;
    this.applyFilter();
  }

  applyFilter() {
    const wanted = this.filter.hidden ? "" : this.filter.value.trim().toLowerCase();
    for (const row of this.rows) row.root.hidden = !row.row.name.toLowerCase().includes(wanted);
  }

  send(index, change) {
    this.image = this.model.get("image_name");
    this.pending.set(index, { ...this.pending.get(index), ...change });
    this.timer ??= setTimeout(() => this.flush(), SEND_MS);
  }

  flush() {
    this.timer = null;
    for (const [index, change] of this.pending) this.model.send({ image: this.image, index, change });
    this.pending.clear();
  }

  close() {
    clearTimeout(this.timer);
  }
}

function render({ model, el }) {
  const controls = new ChannelControls(model, el);
  const end = follow(model, ["rows", "joint", "whole"], () => controls.draw());
  return () => {
    end();
    controls.close();
  };
}

export default { render };

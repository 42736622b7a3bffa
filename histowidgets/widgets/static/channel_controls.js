// One row a channel: a switch, a colour, a histogram with two handles. What the person moves is sent at most ten times
// a second; the kernel answers with rows, which do not disturb the row that is being moved.
const SEND_MS = 100;
const FILTER_FROM = 9; // with so many channels they can be filtered by name

function make(tag, className, text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  if (tag === "button") made.type = "button";
  return made;
}

function number(value, whole) {
  return whole ? String(Math.round(value)) : Number(value).toPrecision(3);
}

class Row {
  constructor(controls, index) {
    this.controls = controls;
    this.index = index;
    this.root = make("div", "hw-channel");
    this.root.setAttribute("role", "group");
    this.visible = make("input");
    this.visible.type = "checkbox";
    this.color = make("input");
    this.color.type = "color";
    this.name = make("span", "hw-channel-name");
    this.values = make("span", "hw-channel-values");
    this.auto = make("button", "hw-channel-auto", "Auto");
    const head = make("div", "hw-channel-head");
    head.append(this.visible, this.color, this.name, this.values, this.auto);
    this.range = make("div", "hw-channel-range");
    this.plot = make("canvas", "hw-channel-plot");
    [this.plot.width, this.plot.height] = [256, 40];
    this.low = this.handle("lower end");
    this.high = this.handle("upper end");
    this.range.append(this.plot, this.low, this.high);
    this.gamma = this.handle("gamma");
    Object.assign(this.gamma, { min: -1, max: 1, step: 0.02 }); // of the logarithm to base 4
    this.gammaRow = make("label", "hw-channel-gamma", "Midtones");
    this.gammaValue = make("span", "hw-channel-values");
    this.gammaRow.append(this.gamma, this.gammaValue);
    this.root.append(head, this.range, this.gammaRow);
    this.listen();
  }

  handle(words) {
    const handle = make("input", "hw-channel-handle");
    handle.type = "range";
    handle.dataset.words = words;
    handle.addEventListener("pointerdown", () => (this.held = true));
    for (const kind of ["pointerup", "pointercancel", "blur"]) handle.addEventListener(kind, () => (this.held = false));
    return handle;
  }

  listen() {
    const send = (change) => this.controls.send(this.index, change);
    this.visible.addEventListener("change", () => send({ visible: this.visible.checked }));
    this.color.addEventListener("change", () => send({ color: this.color.value }));
    this.auto.addEventListener("click", () => send({ auto: true }));
    this.low.addEventListener("input", () => {
      if (Number(this.low.value) > Number(this.high.value)) this.low.value = this.high.value;
      send({ low: Number(this.low.value) });
    });
    this.high.addEventListener("input", () => {
      if (Number(this.high.value) < Number(this.low.value)) this.high.value = this.low.value;
      send({ high: Number(this.high.value) });
    });
    this.gamma.addEventListener("input", () => send({ gamma: 4 ** Number(this.gamma.value) }));
    for (const handle of [this.low, this.high, this.gamma]) {
      handle.addEventListener("input", () => this.write());
      handle.addEventListener("keydown", (event) => event.stopPropagation());
    }
  }

  show(row, joint, whole) {
    this.row = row;
    this.whole = whole;
    this.root.setAttribute("aria-label", row.name);
    this.name.textContent = row.name;
    this.name.title = row.name;
    this.root.classList.toggle("hw-channel-off", !row.visible);
    this.visible.hidden = this.color.hidden = joint;
    this.gammaRow.hidden = !joint;
    this.visible.checked = row.visible;
    this.visible.title = `Show ${row.name}`;
    this.visible.setAttribute("aria-label", `Show ${row.name}`);
    this.color.value = row.color.toLowerCase();
    this.color.title = `Colour of ${row.name}`;
    this.color.setAttribute("aria-label", this.color.title);
    this.auto.title = `Range of ${row.name} from its pixels`;
    this.auto.setAttribute("aria-label", this.auto.title);
    for (const handle of [this.low, this.high]) {
      handle.setAttribute("aria-label", `${row.name}, ${handle.dataset.words}`);
      handle.title = handle.dataset.words;
      Object.assign(handle, { min: row.least, max: row.most, step: whole ? 1 : (row.most - row.least) / 1000 });
    }
    this.gamma.setAttribute("aria-label", `${row.name}, brightness of the midtones`);
    if (!this.held) {
      this.low.value = row.low;
      this.high.value = row.high;
      this.gamma.value = Math.log(row.gamma) / Math.log(4);
    }
    this.write();
  }

  // Numbers and histogram as the handles stand.
  write() {
    const [low, high] = [Number(this.low.value), Number(this.high.value)];
    this.values.textContent = `${number(low, this.whole)} – ${number(high, this.whole)}`;
    this.gammaValue.textContent = `gamma ${(4 ** Number(this.gamma.value)).toFixed(2)}`;
    const { width, height } = this.plot;
    const pen = this.plot.getContext("2d");
    const heights = this.row.histogram;
    const { least, most } = this.row;
    const style = getComputedStyle(this.root);
    pen.clearRect(0, 0, width, height);
    heights.forEach((share, bin) => {
      const value = least + ((bin + 0.5) / heights.length) * (most - least);
      pen.globalAlpha = value >= low && value <= high ? 1 : 0.3;
      pen.fillStyle = style.color;
      const tall = Math.max(share > 0 ? 1 : 0, share * height);
      pen.fillRect((bin * width) / heights.length, height - tall, width / heights.length - 0.5, tall);
    });
  }
}

class Controls {
  constructor(model, el) {
    this.model = model;
    this.rows = [];
    this.pending = new Map();
    this.root = make("div", "hw-channels");
    this.filter = make("input", "hw-channel-filter");
    Object.assign(this.filter, { type: "search", placeholder: "filter the channels" });
    this.filter.setAttribute("aria-label", "Filter the channels by name");
    this.filter.addEventListener("input", () => this.narrow());
    this.filter.addEventListener("keydown", (event) => event.stopPropagation());
    this.list = make("div", "hw-channel-list");
    this.idle = make("p", "hw-channel-idle", "Reading the channels…");
    this.root.append(this.filter, this.list, this.idle);
    el.append(this.root);
  }

  draw() {
    const rows = this.model.get("rows");
    while (this.rows.length > rows.length) this.rows.pop().root.remove();
    while (this.rows.length < rows.length) {
      const row = new Row(this, this.rows.length);
      this.rows.push(row);
      this.list.append(row.root);
    }
    rows.forEach((row, index) => this.rows[index].show(row, this.model.get("joint"), this.model.get("whole")));
    this.filter.hidden = rows.length < FILTER_FROM;
    this.idle.hidden = rows.length > 0;
    this.narrow();
  }

  narrow() {
    const wanted = this.filter.hidden ? "" : this.filter.value.trim().toLowerCase();
    for (const row of this.rows) row.root.hidden = !row.row.name.toLowerCase().includes(wanted);
  }

  send(index, change) {
    this.image = this.model.get("image_name");
    this.pending.set(index, { ...this.pending.get(index), ...change });
    if (!this.timer) this.timer = setTimeout(() => this.flush(), SEND_MS);
  }

  flush() {
    this.timer = null;
    for (const [index, change] of this.pending) this.model.send({ image: this.image, index, change });
    this.pending.clear();
  }
}

function render({ model, el }) {
  const controls = new Controls(model, el);
  const draw = () => controls.draw();
  const names = ["rows", "joint", "whole"];
  for (const name of names) model.on(`change:${name}`, draw);
  draw();
  return () => {
    clearTimeout(controls.timer);
    for (const name of names) model.off(`change:${name}`, draw);
  };
}

export default { render };

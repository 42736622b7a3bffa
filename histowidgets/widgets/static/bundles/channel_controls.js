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

// channel_controls/histogram.js
var OUTSIDE_ALPHA = 0.3;
function drawHistogram(canvas, { histogram, least, most }, low, high, color) {
  const { width, height } = canvas;
  const context = canvas.getContext("2d");
  const across = width / histogram.length;
  context.clearRect(0, 0, width, height);
  context.fillStyle = color;
  histogram.forEach((share, bin) => {
    const value = least + (bin + 0.5) / histogram.length * (most - least);
    const tall = Math.max(share > 0 ? 1 : 0, share * height);
    context.globalAlpha = value >= low && value <= high ? 1 : OUTSIDE_ALPHA;
    context.fillRect(bin * across, height - tall, across - 0.5, tall);
  });
}

// channel_controls/values.js
var GAMMA_BASE = 4;
function sliderToGamma(position) {
  return GAMMA_BASE ** position;
}
function gammaToSlider(gamma) {
  return Math.log(gamma) / Math.log(GAMMA_BASE);
}
function formatValue(value, whole) {
  return whole ? String(Math.round(value)) : Number(value).toPrecision(3);
}

// channel_controls/row.js
var PLOT = { width: 256, height: 40 };
var GAMMA_RANGE = { min: -1, max: 1, step: 0.02 };
var RANGE_STEPS = 1e3;
var Row = class {
  constructor(send) {
    this.send = send;
    this.root = element("div", "hw-channel");
    this.root.setAttribute("role", "group");
    this.visible = element("input");
    this.visible.type = "checkbox";
    this.color = element("input");
    this.color.type = "color";
    this.name = element("span", "hw-channel-name");
    this.values = element("span", "hw-channel-values");
    this.auto = element("button", "hw-channel-auto", "Auto");
    const head = element("div", "hw-channel-head");
    head.append(this.visible, this.color, this.name, this.values, this.auto);
    this.range = element("div", "hw-channel-range");
    this.plot = Object.assign(element("canvas", "hw-channel-plot"), PLOT);
    this.low = this._makeHandle();
    this.high = this._makeHandle();
    this.range.append(this.plot, this.low, this.high);
    this.gamma = Object.assign(this._makeHandle(), GAMMA_RANGE);
    this.gammaRow = element("label", "hw-channel-gamma", "Midtones");
    this.gammaValue = element("span", "hw-channel-values");
    this.gammaRow.append(this.gamma, this.gammaValue);
    this.root.append(head, this.range, this.gammaRow);
    this._listen();
  }
  _makeHandle() {
    const handle = element("input", "hw-channel-handle");
    handle.type = "range";
    const setHeld = (held) => () => {
      this.held = held;
    };
    handle.addEventListener("pointerdown", setHeld(true));
    for (const kind of ["pointerup", "pointercancel", "blur"]) handle.addEventListener(kind, setHeld(false));
    return handle;
  }
  _listen() {
    const { send, low, high, gamma } = this;
    this.visible.addEventListener("change", () => send({ visible: this.visible.checked }));
    this.color.addEventListener("change", () => send({ color: this.color.value }));
    this.auto.addEventListener("click", () => send({ auto: true }));
    low.addEventListener("input", () => {
      if (Number(low.value) > Number(high.value)) low.value = high.value;
      send({ low: Number(low.value) });
    });
    high.addEventListener("input", () => {
      if (Number(high.value) < Number(low.value)) high.value = low.value;
      send({ high: Number(high.value) });
    });
    gamma.addEventListener("input", () => send({ gamma: sliderToGamma(Number(gamma.value)) }));
    for (const handle of [low, high, gamma]) {
      handle.addEventListener("input", () => this._showValues());
      handle.addEventListener("keydown", (event) => event.stopPropagation());
    }
  }
  // Show a row of the kernel. With `joint` it stands for all channels; with `whole`, values are whole numbers.
  show(row, joint, whole) {
    this.row = row;
    this.whole = whole;
    this.root.setAttribute("aria-label", row.name);
    this.name.textContent = this.name.title = row.name;
    this.root.classList.toggle("hw-channel-off", !row.visible);
    this.visible.hidden = this.color.hidden = joint;
    this.gammaRow.hidden = !joint;
    this.visible.checked = row.visible;
    this.color.value = row.color.toLowerCase();
    describe(this.visible, `Show ${row.name}`);
    describe(this.color, `Colour of ${row.name}`);
    describe(this.auto, `Set the range of ${row.name} from its pixels`);
    describe(this.low, `${row.name}, lower end`, "lower end");
    describe(this.high, `${row.name}, upper end`, "upper end");
    this.gamma.setAttribute("aria-label", `${row.name}, brightness of the midtones`);
    const step = whole ? 1 : (row.most - row.least) / RANGE_STEPS;
    for (const handle of [this.low, this.high]) Object.assign(handle, { min: row.least, max: row.most, step });
    if (!this.held) {
      this.low.value = row.low;
      this.high.value = row.high;
      this.gamma.value = gammaToSlider(row.gamma);
    }
    this._showValues();
  }
  // Show the numbers and the histogram for the current positions of the handles.
  _showValues() {
    const [low, high] = [Number(this.low.value), Number(this.high.value)];
    this.values.textContent = `${formatValue(low, this.whole)} – ${formatValue(high, this.whole)}`;
    this.gammaValue.textContent = `gamma ${sliderToGamma(Number(this.gamma.value)).toFixed(2)}`;
    drawHistogram(this.plot, this.row, low, high, getComputedStyle(this.root).color);
  }
};
function describe(control, label, title = label) {
  control.title = title;
  control.setAttribute("aria-label", label);
}

// channel_controls/widget.js
var SEND_MS = 100;
var LEAST_FILTERED = 9;
var ChannelControls = class {
  constructor(model, el) {
    this.model = model;
    this.rows = [];
    this.pending = /* @__PURE__ */ new Map();
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
};
function render({ model, el }) {
  const controls = new ChannelControls(model, el);
  const end = follow(model, ["rows", "joint", "whole"], () => controls.draw());
  return () => {
    end();
    controls.close();
  };
}
var widget_default = { render };
export {
  widget_default as default
};

import { element } from "../common/dom.js";
import { drawHistogram } from "./histogram.js";
import { formatValue, gammaToSlider, sliderToGamma } from "./values.js";

const PLOT = { width: 256, height: 40 }; // pixels of the histogram
const GAMMA_RANGE = { min: -1, max: 1, step: 0.02 }; // range of the slider; see values.js
const RANGE_STEPS = 1000; // steps of the slider where values are not whole numbers

// One channel: a switch, a colour, and a histogram with two handles.
export class Row {
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
    this.color.value = row.color.toLowerCase(); // the only form that a colour field accepts
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
}

function describe(control, label, title = label) {
  control.title = title;
  control.setAttribute("aria-label", label);
}

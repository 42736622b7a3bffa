import { clampView, fitView, sameView, toImage, viewTransform, zoomAt } from "./canvas_geometry.js";
import { Furniture } from "./canvas_furniture.js";
import { Ink } from "./canvas_ink.js";
import { actionOf } from "./canvas_keys.js";
import { Link } from "./canvas_link.js";

// The pointer layer: lies over the kernel's picture, takes pointer, wheel and keys, shows at once what the hand
// does, and tells the kernel. `drawn` is the view of the kernel's pixels, `view` the one the person wants to see.
const MOST_POINTS = 10000; // a longer stroke goes on as a new one; the kernel refuses more than twice this
const MOST_SCALE = 2; // device pixels a CSS pixel that the kernel is asked to draw
const ERASER_COLOR = "rgb(225, 228, 232)";
const LEAST_STEP = 0.75; // CSS pixels between two points of a stroke

class PointerLayer {
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.root = document.createElement("div");
    this.root.className = "hw-pointer";
    this.root.tabIndex = 0;
    this.root.setAttribute("role", "application");
    this.root.setAttribute("aria-label", "Annotation canvas. Press question mark for the list of keys, Tab to leave.");
    // JupyterLab would take B for "insert a cell below" and Z for undoing cells.
    this.root.dataset.lmSuppressShortcuts = "true";
    this.root.dataset.jpSuppressContextMenu = "true";
    this.link = new Link(model);
    this.ink = new Ink(this.root);
    this.furniture = new Furniture(this.root);
    this.fingers = new Map(); // pointerId -> stage point, for pinching
    this.gesture = null;
    this.order = Promise.resolve();
    const [x, y, zoom] = model.get("view");
    this.view = this.drawn = { x, y, zoom };
    this._takeTraits();
    el.append(this.root);
    el.classList.add("hw-live");
    this._listen();
    this._resize();
    this._watchScale();
  }

  // -- what the kernel says -------------------------------------------------------------------

  _takeTraits() {
    const { model } = this;
    const take = {
      stage: ([width, height]) => this._setStage(width, height),
      image_size: ([width, height]) => (this.image = { width, height }),
      pixel_size: (size) => (this.pixelSize = size),
      classes: (classes) => (this.classes = classes),
      class_index: () => this._takeChoices(),
      tool: () => this._takeChoices(),
      brush_width: () => this._takeChoices(),
      caption: (text) => this.furniture.setCaption(text),
      held_out: (rectangles) => this.furniture.setBoxes(rectangles),
      annotation_opacity: (share) => this.ink.setOpacity(share),
    };
    this.changes = Object.entries(take).map(([name, set]) => {
      const changed = () => {
        set(model.get(name));
        if (this.ready) this._show();
      };
      set(model.get(name));
      model.on(`change:${name}`, changed);
      return [`change:${name}`, changed];
    });
    const said = (content) => this._heard(content);
    model.on("msg:custom", said);
    this.changes.push(["msg:custom", said]);
  }

  // What the hand chose holds until the kernel has answered it: what it says before that is older.
  _takeChoices() {
    if (this.link.choices > 0) return;
    this.classIndex = this.model.get("class_index");
    this.tool = this.model.get("tool");
    this.brushWidth = this.model.get("brush_width");
  }

  _heard(content) {
    if (content.kind === "drawn") {
      const painted = this.link.drawn();
      this.order = this.order.then(() => painted).then(() => this._painted(content));
    } else if (content.kind === "refused") {
      this.ink.remove(this.link.answered(content.edits), this.view);
    } else if (content.kind === "chosen") {
      if (content.client !== this.link.client) return;
      this.link.choices -= 1;
      this._takeChoices();
      this._show();
    } else if (content.kind === "hovered") {
      this.link.hoverAnswered();
    } else if (content.kind === "say") {
      this.furniture.say(content.text);
    } else if (content.kind === "help") {
      this.furniture.toggleHelp();
      this.root.focus({ preventScroll: true });
    }
  }

  // The kernel's drawing is on the screen from this frame on: its strokes and its view replace ours.
  _painted({ edits, view: [x, y, zoom], client, number }) {
    const mine = this.link.answered(edits);
    this.drawn = { x, y, zoom };
    this.link.viewAnswered(client, number);
    const free = !this.link.viewPending && this.gesture?.kind !== "pan" && this.gesture?.kind !== "pinch";
    if (free) this.view = this.drawn;
    this.ink.remove(mine, this.view);
    this._show();
  }

  // -- showing --------------------------------------------------------------------------------

  _setStage(width, height) {
    this.stage = { width, height };
    if (this.ready) this._resize();
  }

  _resize() {
    this.ready = true;
    this.root.style.width = `${this.stage.width}px`;
    this.root.style.height = `${this.stage.height}px`;
    this.ink.resize(this.stage, Math.min(window.devicePixelRatio || 1, MOST_SCALE));
    this.ink.repaint(this.view);
    this._show();
  }

  _show() {
    const picture = this.el.parentElement?.querySelector(":scope > canvas.hw-picture");
    if (picture) picture.style.transform = viewTransform(this.drawn, this.view, this.stage);
    this.furniture.place(this.view, this.stage, this.pixelSize);
    this.root.dataset.mode = this._mode();
    this._showRing();
  }

  _showRing() {
    const mode = this._mode();
    if (!this.at || (mode !== "brush" && mode !== "eraser")) return this.furniture.hideRing();
    this.furniture.showRing(this.at, this.brushWidth * this.view.zoom, this._color(mode));
  }

  _mode() {
    if (this.gesture) return this.gesture.kind === "stroke" ? this.gesture.tool : "panning";
    return this.spaceHeld ? "pan" : this.tool;
  }

  _color(tool) {
    return tool === "eraser" ? ERASER_COLOR : (this.classes[this.classIndex]?.color ?? "#ffffff");
  }

  _look(view) {
    const wanted = clampView(view, this.image, this.stage);
    if (sameView(wanted, this.view)) return;
    this.view = wanted;
    this.ink.repaint(wanted);
    this._show();
    this.link.view(wanted);
  }

  // The kernel draws as many pixels as the screen has; it learns of a change when the window moves or zooms.
  _watchScale() {
    const scale = window.devicePixelRatio || 1;
    this.link.send({ kind: "ready", scale: Math.min(scale, MOST_SCALE) });
    this.scaleQuery = window.matchMedia(`(resolution: ${scale}dppx)`);
    this.scaleChanged = () => {
      this._resize();
      this._watchScale();
    };
    this.scaleQuery.addEventListener("change", this.scaleChanged, { once: true });
  }

  // -- the hand -------------------------------------------------------------------------------

  _listen() {
    const on = (name, handle, options) => this.root.addEventListener(name, handle, options);
    on("pointerdown", (event) => this._down(event));
    on("pointermove", (event) => this._move(event));
    on("pointerup", (event) => this._up(event));
    on("pointercancel", (event) => this._up(event));
    on("pointerleave", () => this._left());
    on("wheel", (event) => this._wheel(event), { passive: false });
    on("keydown", (event) => this._key(event));
    on("keyup", (event) => event.key === " " && this._hold(false));
    on("blur", () => this._hold(false));
    on("contextmenu", (event) => event.preventDefault());
    // The notebook would move its focus to the cell, away from the canvas.
    for (const name of ["mousedown", "mouseup", "click", "dblclick", "contextmenu"]) {
      on(name, (event) => event.stopPropagation());
    }
  }

  _point(event) {
    const box = this.root.getBoundingClientRect();
    // The page may be scaled by a transform of its own.
    const k = this.stage.width / box.width || 1;
    return [(event.clientX - box.left) * k, (event.clientY - box.top) * k];
  }

  _down(event) {
    event.preventDefault();
    event.stopPropagation();
    this.root.focus({ preventScroll: true });
    this.root.setPointerCapture(event.pointerId);
    this.at = this._point(event);
    if (event.pointerType === "touch") {
      this.fingers.set(event.pointerId, this.at);
      if (this.fingers.size === 2) return this._startPinch();
    }
    if (this.gesture) return;
    const pan = event.button === 1 || this.spaceHeld || this.tool === "pan";
    if (pan) this.gesture = { kind: "pan", pointer: event.pointerId, at: this.at };
    else this._startStroke(event.pointerId, event.button === 2 ? "eraser" : this.tool, this.at);
    this._show();
  }

  _startStroke(pointer, tool, at) {
    const stroke = {
      points: toImage(this.view, this.stage, at),
      width: this.brushWidth,
      color: this._color(tool),
    };
    this.gesture = { kind: "stroke", pointer, tool, stroke, last: at, className: this.classes[this.classIndex]?.name };
    this.ink.add(0, stroke); // 0: the one under the pen; it gets its number when it is sent
    this.ink.extend(stroke, 0, this.view);
  }

  _move(event) {
    this.at = this._point(event);
    if (this.fingers.has(event.pointerId)) this.fingers.set(event.pointerId, this.at);
    const { gesture } = this;
    if (gesture?.kind === "pinch") this._pinch();
    else if (gesture?.pointer === event.pointerId) {
      if (gesture.kind === "pan") this._drag(gesture);
      else this._extendStroke(gesture, event);
    }
    this._showRing();
    if (!gesture) this.link.hover(toImage(this.view, this.stage, this.at));
  }

  _drag(gesture) {
    const [x, y] = gesture.at;
    gesture.at = this.at;
    const { zoom } = this.view;
    this._look({ x: this.view.x - (this.at[0] - x) / zoom, y: this.view.y - (this.at[1] - y) / zoom, zoom });
  }

  _extendStroke(gesture, event) {
    const { stroke } = gesture;
    const from = stroke.points.length / 2;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) {
      const at = this._point(each);
      if (Math.hypot(at[0] - gesture.last[0], at[1] - gesture.last[1]) < LEAST_STEP) continue;
      gesture.last = at;
      stroke.points.push(...toImage(this.view, this.stage, at));
    }
    this.ink.extend(stroke, from, this.view);
    if (stroke.points.length / 2 >= MOST_POINTS) {
      this._finishStroke(gesture);
      this._startStroke(gesture.pointer, gesture.tool, gesture.last);
    }
  }

  _up(event) {
    this.fingers.delete(event.pointerId);
    const { gesture } = this;
    if (!gesture) return;
    if (gesture.kind === "pinch") {
      if (this.fingers.size < 2) this.gesture = null;
    } else if (gesture.pointer === event.pointerId) {
      this.gesture = null;
      if (gesture.kind === "stroke") this._finishStroke(gesture);
    }
    this._show();
  }

  _finishStroke({ stroke, tool, className }) {
    const content = { kind: "stroke", tool, class_name: className ?? "", width: stroke.width };
    const number = this.link.edit(content, [new Float32Array(stroke.points).buffer]);
    this.ink.strokes.delete(0);
    this.ink.add(number, stroke);
  }

  _dropStroke() {
    if (this.gesture?.kind !== "stroke") return;
    this.gesture = null;
    this.ink.remove([0], this.view);
  }

  _left() {
    if (this.gesture) return;
    this.at = null;
    this.furniture.hideRing();
    this.link.hover(false);
  }

  // -- zoom -----------------------------------------------------------------------------------

  _startPinch() {
    this._dropStroke();
    this.gesture = { kind: "pinch", fingers: [...this.fingers.values()] };
  }

  _pinch() {
    const { gesture } = this;
    const [a, b] = gesture.fingers;
    const [c, d] = [...this.fingers.values()];
    gesture.fingers = [c, d];
    const middle = (p, q) => [(p[0] + q[0]) / 2, (p[1] + q[1]) / 2];
    const apart = (p, q) => Math.max(1, Math.hypot(p[0] - q[0], p[1] - q[1]));
    const [from, to] = [middle(a, b), middle(c, d)];
    const zoomed = zoomAt(this.view, this.image, this.stage, from, apart(c, d) / apart(a, b));
    this._look({ ...zoomed, x: zoomed.x - (to[0] - from[0]) / zoomed.zoom, y: zoomed.y - (to[1] - from[1]) / zoomed.zoom });
  }

  // Until the canvas has the focus the wheel scrolls the page, as people expect of a long notebook.
  _wheel(event) {
    const chosen = event.ctrlKey || event.metaKey || document.activeElement === this.root;
    if (!chosen) return this.furniture.showHint("Click the picture, or hold Ctrl, to zoom with the wheel");
    event.preventDefault();
    event.stopPropagation();
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? this.stage.height : 1;
    const turn = Math.max(-240, Math.min(240, event.deltaY * unit));
    this._look(zoomAt(this.view, this.image, this.stage, this._point(event), Math.exp(-turn * 0.002)));
    if (this.gesture) return;
    this.at = this._point(event);
    this._showRing();
  }

  // -- keys -----------------------------------------------------------------------------------

  _key(event) {
    const action = actionOf(event);
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (action || (plain && event.key !== "Tab")) event.stopPropagation();
    if (!action) return;
    event.preventDefault();
    const [name, ...values] = action;
    this[`_do_${name}`](...values);
    this._show();
  }

  _do_tool(tool) {
    this.tool = tool;
    this.link.choose({ kind: "tool", tool });
  }

  _do_class(index) {
    if (index >= this.classes.length) return;
    this.classIndex = index;
    this.link.choose({ kind: "class", class_name: this.classes[index].name });
    if (this.tool !== "brush") this._do_tool("brush");
  }

  _do_thicker(factor = 1.2) {
    const step = factor > 1 ? Math.ceil : Math.floor;
    this.brushWidth = Math.min(200, Math.max(1, step(this.brushWidth * factor)));
    this.link.choose({ kind: "width", width: this.brushWidth });
  }

  _do_thinner() {
    this._do_thicker(1 / 1.2);
  }

  _do_undo() {
    this.link.edit({ kind: "undo" });
  }

  _do_redo() {
    this.link.edit({ kind: "redo" });
  }

  _do_overlay() {
    this.link.choose({ kind: "overlay" });
  }

  _do_fit() {
    this._look(fitView(this.image, this.stage));
  }

  _do_zoom(factor) {
    const middle = [this.stage.width / 2, this.stage.height / 2];
    this._look(zoomAt(this.view, this.image, this.stage, middle, factor));
  }

  _do_move(x, y) {
    const step = 60 / this.view.zoom;
    this._look({ ...this.view, x: this.view.x + x * step, y: this.view.y + y * step });
  }

  _do_help() {
    this.furniture.toggleHelp();
  }

  _do_escape() {
    this.furniture.toggleHelp(false);
    this._dropStroke();
  }

  _do_hold() {
    this._hold(true);
  }

  _hold(held) {
    this.spaceHeld = held;
    this._show();
  }

  close() {
    for (const [name, handle] of this.changes) this.model.off(name, handle);
    this.scaleQuery.removeEventListener("change", this.scaleChanged);
    this.link.close();
    this.furniture.close();
    this.root.remove();
  }
}

export default {
  render({ model, el }) {
    const layer = new PointerLayer(model, el);
    return () => layer.close();
  },
};

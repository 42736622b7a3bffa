import { clampView, pinchedView, sameView, toImage, viewTransform, zoomAt } from "./canvas_geometry.js";
import { Brush } from "./canvas_brush.js";
import { COMMANDS, endBlink } from "./canvas_commands.js";
import { Furniture } from "./canvas_furniture.js";
import { Ink } from "./canvas_ink.js";
import { actionOf } from "./canvas_keys.js";
import { Link } from "./canvas_link.js";
import { SHAPE_TOOLS, ShapeTools, rectangleCorners } from "./canvas_shapes.js";

// The pointer layer: lies over the kernel's picture, takes pointer, wheel and keys, shows at once what the hand
// does, and tells the kernel. `drawn` is the view of the kernel's pixels, `view` the one the person wants to see.
const MOST_SCALE = 2; // device pixels a CSS pixel that the kernel is asked to draw
const ERASER_COLOR = "rgb(225, 228, 232)";

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
    this.brush = new Brush(this);
    this.shapes = new ShapeTools(this);
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
      image_name: () => this.shapes.cancel(),
      image_size: ([width, height]) => (this.image = { width, height }),
      pixel_size: (size) => (this.pixelSize = size),
      classes: (classes) => (this.classes = classes),
      class_index: () => this._takeChoices(),
      tool: () => this._takeChoices(),
      brush_width: () => this._takeChoices(),
      caption: (text) => this.furniture.setCaption(text),
      held_out: (rectangles) => this.furniture.setBoxes(rectangles),
      overlay_on: () => this._takeChoices(),
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
    this.brushWidth = this.model.get("brush_width");
    this.overlayOn = this.model.get("overlay_on");
    this.useTool(this.model.get("tool"));
  }

  // A shape that is not finished ends with its tool.
  useTool(tool) {
    if (this.shapes.tool && this.shapes.tool !== tool) {
      if (this.gesture?.kind === "shape") this.gesture = null;
      this.shapes.cancel();
    }
    this.tool = tool;
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
    this._showPen();
  }

  // The ring of the brush, and the shape that is open, which reaches to the pen.
  _showPen() {
    this.shapes.show(this.at);
    const mode = this._mode();
    if (!this.at || !["brush", "eraser", "line"].includes(mode)) return this.furniture.hideRing();
    this.furniture.showRing(this.at, this.brushWidth * this.view.zoom, this.colorOf(mode));
  }

  _mode() {
    if (this.gesture) return this.gesture.tool ?? "panning";
    return this.spaceHeld ? "pan" : this.tool;
  }

  colorOf(tool) {
    return tool === "eraser" ? ERASER_COLOR : (this.classes[this.classIndex]?.color ?? "#ffffff");
  }

  get className() {
    return this.classes[this.classIndex]?.name ?? "";
  }

  hint(text) {
    this.furniture.showHint(text);
    this.furniture.say(text);
  }

  tellShort(points) {
    this.link.send({ kind: "short", points });
  }

  look(view) {
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
    on("keyup", (event) => this._keyUp(event));
    on("blur", (event) => {
      this.hold(false);
      endBlink(this, event.timeStamp);
    });
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
    else if (event.button !== 2 && SHAPE_TOOLS.includes(this.tool)) this._startShape(event);
    else this.gesture = this.brush.start(event.pointerId, event.button === 2 ? "eraser" : this.tool, this.at);
    this._show();
  }

  _startShape(event) {
    if (!this.shapes.down(this.tool, this.at, event.timeStamp)) return;
    this.gesture = { kind: "shape", pointer: event.pointerId, tool: this.tool };
  }

  // The kernel's annotation takes the place of this ink.
  finishShape(tool, points) {
    const content = { kind: "shape", tool, class_name: this.className, width: this.brushWidth };
    const number = this.link.edit(content, [new Float32Array(points.flat()).buffer]);
    const shown = tool === "rectangle" ? rectangleCorners(...points) : points;
    const shape = { points: shown.flat(), width: this.brushWidth, color: this.colorOf(tool), area: tool !== "line" };
    this.ink.add(number, shape);
    this.ink.extend(shape, 0, this.view);
  }

  _move(event) {
    this.at = this._point(event);
    if (this.fingers.has(event.pointerId)) this.fingers.set(event.pointerId, this.at);
    const { gesture } = this;
    if (gesture?.kind === "pinch") this._pinch();
    else if (gesture?.pointer === event.pointerId) {
      if (gesture.kind === "pan") this._drag(gesture);
      else if (gesture.kind === "shape") this._dragShape(event);
      else this.gesture = this.brush.extend(gesture, this._places(event));
    }
    this._showPen();
    if (!gesture) this.link.hover(toImage(this.view, this.stage, this.at));
  }

  _drag(gesture) {
    const [x, y] = gesture.at;
    gesture.at = this.at;
    const { zoom } = this.view;
    this.look({ x: this.view.x - (this.at[0] - x) / zoom, y: this.view.y - (this.at[1] - y) / zoom, zoom });
  }

  // All stage points that one event stands for.
  _places(event) {
    const events = event.getCoalescedEvents?.() ?? [];
    return (events.length ? events : [event]).map((each) => this._point(each));
  }

  _dragShape(event) {
    for (const at of this._places(event)) this.shapes.drag(at, event.shiftKey);
  }

  _up(event) {
    this.fingers.delete(event.pointerId);
    const { gesture } = this;
    if (!gesture) return;
    if (gesture.kind === "pinch") {
      if (this.fingers.size < 2) this.gesture = null;
    } else if (gesture.pointer === event.pointerId) {
      this.gesture = null;
      if (gesture.kind === "stroke") this.brush.finish(gesture);
      else if (gesture.kind === "shape" && event.type === "pointerup") this.shapes.up();
      else if (gesture.kind === "shape") this.shapes.drop();
    }
    this._show();
  }

  dropDrawing() {
    if (this.gesture?.kind === "shape") this.shapes.drop();
    else if (this.gesture?.kind === "stroke") this.brush.drop();
    else return;
    this.gesture = null;
  }

  _left() {
    if (this.gesture) return;
    this.at = null;
    this._showPen();
    this.link.hover(false);
  }

  // -- zoom -----------------------------------------------------------------------------------

  _startPinch() {
    this.dropDrawing();
    this.gesture = { kind: "pinch", fingers: [...this.fingers.values()] };
  }

  _pinch() {
    const { gesture } = this;
    const now = [...this.fingers.values()];
    this.look(pinchedView(this.view, this.image, this.stage, gesture.fingers, now));
    gesture.fingers = now;
  }

  // Until the canvas has the focus the wheel scrolls the page, as people expect of a long notebook.
  _wheel(event) {
    const chosen = event.ctrlKey || event.metaKey || document.activeElement === this.root;
    if (!chosen) return this.furniture.showHint("Click the picture, or hold Ctrl, to zoom with the wheel");
    event.preventDefault();
    event.stopPropagation();
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? this.stage.height : 1;
    const turn = Math.max(-240, Math.min(240, event.deltaY * unit));
    this.look(zoomAt(this.view, this.image, this.stage, this._point(event), Math.exp(-turn * 0.002)));
    if (this.gesture) return;
    this.at = this._point(event);
    this._showPen();
  }

  // -- keys -----------------------------------------------------------------------------------

  _key(event) {
    if (event.key === "Shift") this._straighten(event);
    const action = actionOf(event);
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (action || (plain && event.key !== "Tab")) event.stopPropagation();
    if (!action) return;
    event.preventDefault();
    const [name, ...values] = action;
    COMMANDS[name](this, ...values);
    this._show();
  }

  _keyUp(event) {
    if (event.key === " ") this.hold(false);
    else if (event.key.toLowerCase() === "o") endBlink(this, event.timeStamp);
    else if (event.key === "Shift") this._straighten(event);
  }

  // A line snaps when Shift goes down, not only when the pen moves next.
  _straighten(event) {
    if (this.gesture?.tool !== "line" || !this.at) return;
    this.shapes.drag(this.at, event.shiftKey);
    this._show();
  }

  hold(held) {
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

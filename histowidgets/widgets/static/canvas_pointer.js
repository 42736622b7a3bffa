import { clampView, pairsOf, sameView, viewTransform } from "./canvas_geometry.js";
import { Brush } from "./canvas_brush.js";
import { COMMANDS, endBlink, showLayer } from "./canvas_commands.js";
import { Cursor } from "./canvas_cursor.js";
import { Furniture } from "./canvas_furniture.js";
import { Gestures, Pan } from "./canvas_gestures.js";
import { Ink } from "./canvas_ink.js";
import { BLINKED, actionOf } from "./canvas_keys.js";
import { Link } from "./canvas_link.js";
import { keepSlidersNamed } from "./canvas_names.js";
import { SelectTool, Selection } from "./canvas_selection.js";
import { SelectionBar } from "./canvas_selection_bar.js";
import { WandTool } from "./canvas_wand.js";
import { ShapeTools, rectangleCorners } from "./canvas_shapes.js";

// The pointer layer: lies over the kernel's picture, takes pointer, wheel and keys, shows at once what the hand
// does, and tells the kernel. `drawn` is the view of the kernel's pixels, `view` the one the person wants to see.
const MOST_SCALE = 2; // device pixels a CSS pixel that the kernel is asked to draw
const ERASER_COLOR = "rgb(225, 228, 232)";

// What begins a gesture, by the name of the tool.
function toolsOf(layer) {
  const brush = new Brush(layer);
  const { shapes } = layer;
  return {
    pan: new Pan(layer),
    select: new SelectTool(layer),
    brush,
    eraser: brush,
    line: shapes,
    rectangle: shapes,
    polygon: shapes,
    wand: new WandTool(layer),
  };
}

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
    this.link = new Link(model, (edits, seconds) => this.furniture.setKept(edits, seconds));
    this.ink = new Ink(this.root);
    this.shapes = new ShapeTools(this);
    this.selection = new Selection(this);
    this.tools = toolsOf(this);
    this.hand = new Gestures(this);
    this.furniture = new Furniture(this.root);
    this.cursor = new Cursor(this);
    this.selectionBar = new SelectionBar(this);
    this.order = Promise.resolve();
    this.at = null; // stage point of the pen
    this.drafts = 0; // how many open polygons the kernel was told of
    const [x, y, zoom] = model.get("view");
    this.view = this.drawn = { x, y, zoom };
    this._takeTraits();
    el.append(this.root);
    el.classList.add("hw-live");
    this.endNames = keepSlidersNamed(el);
    this._listen();
    this._resize();
    this._watchScale();
  }

  // -- what the kernel says -------------------------------------------------------------------

  _takeTraits() {
    const { model } = this;
    const take = {
      stage: ([width, height]) => this._setStage(width, height),
      image_name: (name) => this._setImage(name),
      image_size: ([width, height]) => (this.image = { width, height }),
      pixel_size: (size) => (this.pixelSize = size),
      classes: (classes) => (this.classes = classes),
      class_index: () => this._takeChoices(),
      tool: () => this._takeChoices(),
      brush_width: () => this._takeChoices(),
      wand_tolerance: () => this._takeChoices(),
      pen_pressure: (on) => (this.penPressure = on),
      caption: (text) => this.furniture.setCaption(text),
      held_out: (rectangles) => this.furniture.setBoxes(rectangles),
      overlay_on: () => this._takeChoices(),
      annotations_on: () => this._takeChoices(),
      selected: () => this.selection.take(),
      copied: () => {},
      annotation_opacity: (share) => this.ink.setOpacity(share),
      draft: (draft) => this._takeDraft(draft),
    };
    this.changes = Object.entries(take).map(([name, set]) => {
      const changed = () => {
        set(model.get(name));
        if (this.ready) this.show();
      };
      set(model.get(name));
      model.on(`change:${name}`, changed);
      return [`change:${name}`, changed];
    });
    const said = (content) => this._heard(content);
    model.on("msg:custom", said);
    this.changes.push(["msg:custom", said]);
  }

  // What is not finished ends with its image; a stroke is kept as far as it went.
  _setImage(name) {
    const { now } = this.hand;
    if (now?.kind === "stroke") now.up();
    else this.hand.drop();
    if (now?.kind !== "pan" && now?.kind !== "pinch") this.hand.now = null;
    this.selection.settle();
    this.shapes.end();
    this.imageName = name;
  }

  // A polygon that is open on another page, or was on this one; what the hand does here and now goes before it.
  _takeDraft({ client, image_name, points, corners }) {
    if (!client || client === this.link.client || this.hand.now?.kind === "shape") return;
    if (image_name === this.imageName && this.tool === "polygon") this.shapes.take(pairsOf(points), corners);
  }

  keepDraft(points, corners) {
    const content = { kind: "draft", number: ++this.drafts, image_name: this.imageName, corners };
    this.link.send(content, points.length ? [new Float32Array(points.flat()).buffer] : []);
  }

  // What the hand chose holds until the kernel has answered it: what it says before that is older.
  _takeChoices() {
    if (this.link.choices > 0) return;
    this.classIndex = this.model.get("class_index");
    this.brushWidth = this.model.get("brush_width");
    this.wandTolerance = this.model.get("wand_tolerance");
    this.shown = { overlay: this.model.get("overlay_on"), annotations: this.model.get("annotations_on") };
    this.useTool(this.model.get("tool"));
  }

  // A shape that is not finished ends with its tool.
  useTool(tool) {
    if (this.shapes.tool && this.shapes.tool !== tool) {
      if (this.hand.now?.kind === "shape") this.hand.now = null;
      this.shapes.end();
    }
    if (tool !== "select") this.selection.clear();
    this.tool = tool;
  }

  _heard(content) {
    if (content.kind === "drawn") {
      const painted = this.link.drawn();
      this.order = this.order.then(() => painted).then(() => this._painted(content));
    } else if (content.kind === "refused") {
      this._answered(content.edits);
    } else if (content.kind === "chosen") {
      if (content.client !== this.link.client) return;
      this.link.choices -= 1;
      this._takeChoices();
      this.show();
    } else if (content.kind === "picked") {
      if (content.client === this.link.client) this.tools.select.picked(content);
    } else if (content.kind === "wand") {
      if (content.client === this.link.client) this.tools.wand.found(content);
    } else if (content.kind === "hovered") {
      this.link.hoverAnswered();
      this.cursor.heard(content.text);
    } else if (content.kind === "say") {
      this.furniture.say(content.text);
    } else if (content.kind === "help") {
      this.furniture.toggleHelp();
      this.root.focus({ preventScroll: true });
    }
  }

  // The kernel's drawing is on the screen from this frame on: its strokes and its view replace ours.
  _painted({ edits, view: [x, y, zoom], client, number }) {
    this.drawn = { x, y, zoom };
    this.link.viewAnswered(client, number);
    if (!this.link.viewPending && !this.hand.movesView) this.view = this.drawn;
    this._answered(edits);
    this.show();
  }

  _answered(edits) {
    const mine = this.link.answered(edits);
    this.ink.remove(mine, this.view);
    this.selection.answered(mine);
    this.tools.wand.answered(mine);
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
    this.show();
  }

  show() {
    const picture = this.el.parentElement?.querySelector(":scope > canvas.hw-picture");
    if (picture) picture.style.transform = viewTransform(this.drawn, this.view, this.stage);
    this.furniture.place(this.view, this.stage, this.pixelSize);
    this.selection.place();
    this.tools.wand.place();
    this.selectionBar.show();
    this.root.dataset.mode = this._mode();
    this.showPen();
  }

  // The ring of the brush, and the shape that is open, which reaches to the pen.
  showPen() {
    this.shapes.show(this.at);
    const mode = this._mode();
    this.root.dataset.over = mode === "select" && this.selection.holds(this.at) ? "selection" : "";
    if (!this.at || !["brush", "eraser", "line"].includes(mode)) return this.furniture.hideRing();
    this.furniture.showRing(this.at, this.brushWidth * this.view.zoom, this.colorOf(mode));
  }

  _mode() {
    if (this.hand.now) return this.hand.now.tool ?? "panning";
    return this.spaceHeld ? "pan" : this.tool;
  }

  colorOf(tool) {
    return tool === "eraser" ? ERASER_COLOR : (this.classes[this.classIndex]?.color ?? "#ffffff");
  }

  hatchOf(tool) {
    return tool === "eraser" ? null : this.classes[this.classIndex]?.hatch;
  }

  get className() {
    return this.classes[this.classIndex]?.name ?? "";
  }

  hint(text) {
    this.furniture.showHint(text);
    this.furniture.say(text);
  }

  showAnnotations() {
    showLayer(this, "annotations", true);
  }

  setTolerance(tolerance) {
    this.wandTolerance = Math.min(100, Math.max(1, tolerance));
    this.link.choose({ kind: "tolerance", tolerance: this.wandTolerance });
  }

  // Once: the kernel offers what only a pen has use for.
  tellPen() {
    if (!this.penTold) this.link.send({ kind: "pen" });
    this.penTold = true;
  }

  tellShort(points) {
    this.link.send({ kind: "short", points });
  }

  look(view) {
    const wanted = clampView(view, this.image, this.stage);
    if (sameView(wanted, this.view)) return;
    this.view = wanted;
    this.ink.repaint(wanted);
    this.show();
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
    on("pointerdown", (event) => this.hand.down(event));
    on("pointermove", (event) => this.hand.move(event));
    on("pointerup", (event) => this.hand.up(event));
    on("pointercancel", (event) => this.hand.up(event));
    on("pointerleave", () => this.hand.left());
    on("wheel", (event) => this.hand.wheel(event), { passive: false });
    on("keydown", (event) => this._key(event));
    on("keyup", (event) => this._keyUp(event));
    on("blur", (event) => {
      this.hold(false);
      this.cursor.hide();
      endBlink(this, event.timeStamp);
    });
    on("contextmenu", (event) => event.preventDefault());
    // The notebook would move its focus to the cell, away from the canvas.
    for (const name of ["mousedown", "mouseup", "click", "dblclick", "contextmenu"]) {
      on(name, (event) => event.stopPropagation());
    }
  }

  // Send an edit of the image that is shown, after the move of the selection that is going on.
  edit(content, buffers) {
    this.selection.settle();
    return this.link.edit({ image_name: this.imageName, ...content }, buffers);
  }

  // The kernel's annotation takes the place of this ink.
  finishShape(tool, points) {
    const content = { kind: "shape", tool, class_name: this.className, width: this.brushWidth };
    const number = this.edit(content, [new Float32Array(points.flat()).buffer]);
    const shown = tool === "rectangle" ? rectangleCorners(...points) : points;
    const [color, hatch] = [this.colorOf(tool), this.hatchOf(tool)];
    const shape = { points: shown.flat(), width: this.brushWidth, color, hatch, area: tool !== "line" };
    this.ink.add(number, shape);
    this.ink.extend(shape, 0, this.view);
  }

  // -- keys -----------------------------------------------------------------------------------

  _key(event) {
    if (event.target !== this.root && event.key !== "Escape") return event.stopPropagation();
    if (event.key === "Shift") this._straighten(event);
    const action = actionOf(event);
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (action || (plain && event.key !== "Tab")) event.stopPropagation();
    if (!action) return;
    event.preventDefault();
    const [name, ...values] = action;
    COMMANDS[name](this, ...values);
    this.show();
  }

  _keyUp(event) {
    if (event.key === " ") this.hold(false);
    else if (this.blink && BLINKED[event.key.toLowerCase()] === this.blink.what) endBlink(this, event.timeStamp);
    else if (event.key === "Shift") this._straighten(event);
  }

  // A line snaps when Shift goes down, not only when the pen moves next.
  _straighten(event) {
    if (this.hand.now?.tool !== "line" || !this.at) return;
    this.shapes.drag(this.at, event.shiftKey);
    this.show();
  }

  hold(held) {
    this.spaceHeld = held;
    this.show();
  }

  close() {
    for (const [name, handle] of this.changes) this.model.off(name, handle);
    this.scaleQuery.removeEventListener("change", this.scaleChanged);
    this.selection.settle();
    this.endNames();
    this.cursor.close();
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

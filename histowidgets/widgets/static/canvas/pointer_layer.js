import { ClassChoice } from "../common/class_choice.js";
import { element } from "../common/dom.js";
import { Brush } from "./brush.js";
import { followButtons } from "./button_choices.js";
import { DraftOutline } from "./draft_outline.js";
import { rectangleCorners } from "./geometry.js";
import { Gestures } from "./gestures.js";
import { ImageOutline } from "./image_outline.js";
import { Ink } from "./ink.js";
import { KernelDrawing } from "./kernel_drawing.js";
import { onKernelMessage } from "./kernel_messages.js";
import { followTraits } from "./kernel_state.js";
import { Keyboard } from "./keyboard.js";
import { KeyboardCursor } from "./keyboard_cursor.js";
import { Link } from "./link.js";
import * as messages from "./messages.js";
import { Overlays } from "./overlays.js";
import { Pan } from "./pan.js";
import { PointerEvents } from "./pointer_events.js";
import { packPoints } from "./points_buffer.js";
import { SelectTool } from "./select_tool.js";
import { Selection } from "./selection.js";
import { SelectionBar } from "./selection_bar.js";
import { ShapeTools } from "./shapes.js";
import { keepSlidersNamed } from "./slider_names.js";
import { clampView, sameView, viewTransform } from "./view.js";
import { clampTolerance, WandTool } from "./wand.js";

const MOST_SCALE = 2; // most device pixels per CSS pixel that the kernel is asked to draw
const ERASER_COLOR = "rgb(225, 228, 232)";
const NO_CLASS_COLOR = "#ffffff";
const RINGED_TOOLS = ["brush", "eraser", "line"]; // with these, the pointer is a ring of the painted width

const deviceScale = () => window.devicePixelRatio || 1;

// Lies over the kernel's picture, handles pointer, wheel and keys, shows their effect immediately, and tells the
// kernel. `drawn` is the view of the kernel's pixels, `view` the one that the user wants to see.
export class PointerLayer {
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.root = element("div", "hw-pointer");
    this.root.tabIndex = 0;
    this.root.setAttribute("role", "application");
    this.root.setAttribute("aria-label", "Annotation canvas. Press question mark for the list of keys, Tab to leave.");
    this.root.dataset.jpSuppressContextMenu = "true";
    this.at = null; // stage point of the pen
    this.drafts = 0; // number of the last draft that was sent
    this.spaceHeld = false;
    this.classChoice = new ClassChoice(el, (name) => this.useClass(name));
    this.view = this.drawn = { x: 0, y: 0, zoom: 1 }; // until the kernel tells what it has drawn
    this._makeParts();
    this.endTraits = followTraits(this, model);
    this.onMessage = (content) => onKernelMessage(this, content);
    model.on("msg:custom", this.onMessage);
    el.append(this.root);
    el.classList.add("hw-live");
    // The style sheet then shows the picture that was stored, instead of the canvas, which is empty.
    this.drawing.connected.then(() => el.classList.toggle("hw-dead", this.drawing.isDead && !this.isPainted));
    this.endNames = keepSlidersNamed(el);
    this.endButtons = followButtons(this, el);
    new PointerEvents(this);
    this.keyboard = new Keyboard(this);
    this._resize();
    this._watchScale();
  }

  // The parts, those on the screen from the back to the front.
  _makeParts() {
    const { model, root } = this;
    this.link = new Link(model, (edits, seconds) => this.overlays.setUnanswered(edits, seconds));
    this.drawing = new KernelDrawing(model, (content) => this.link.send(content));
    this.gestures = new Gestures(this);
    this.ink = new Ink(root);
    this.draft = new DraftOutline(root);
    this.shapes = new ShapeTools(this);
    this.selection = new Selection(this, new ImageOutline(root, "hw-selection"));
    const brush = new Brush(this);
    this.tools = {
      pan: new Pan(this),
      select: new SelectTool(this),
      brush,
      eraser: brush,
      line: this.shapes,
      rectangle: this.shapes,
      polygon: this.shapes,
      wand: new WandTool(this, new ImageOutline(root, "hw-wand")),
    };
    this.overlays = new Overlays(root);
    this.cursor = new KeyboardCursor(this);
    this.selectionBar = new SelectionBar(this);
  }

  // -- from the kernel ------------------------------------------------------------------------

  setStage(stage) {
    this.stage = stage;
    if (this.ready) this._resize();
  }

  // Whether the image has been drawn; until then, there is nothing to point at.
  setOpen(on) {
    this.isOpen = on;
    this.overlays.showOpening(on ? "" : this.imageName);
  }

  // When the image changes, a drawing in progress ends; a stroke is kept as far as it went.
  setImage(name) {
    const { gestures } = this;
    if (gestures.now?.kind === "stroke") gestures.now.up();
    else gestures.drop();
    if (!gestures.movesView) gestures.now = null;
    this.selection.settle();
    this.shapes.end();
    this.imageName = name;
  }

  // The view that the kernel has drawn, of which a page that was too late for the drawing hears otherwise not.
  setView([x, y, zoom]) {
    if (this.knowsView || zoom === undefined) return;
    this.knowsView = true;
    this.view = this.drawn = { x, y, zoom };
  }

  // A polygon that is open on another page, or was on this one; what is being drawn here takes precedence.
  takeDraft(client, imageName, points, corners) {
    if (client === this.link.client || this.gestures.now?.kind === "shape") return;
    if (imageName === this.imageName && this.tool === "polygon") this.shapes.take(points, corners);
  }

  // A choice of the user holds until the kernel has answered it; earlier messages of the kernel are outdated.
  takeChoices() {
    if (this.link.openChoices > 0) return;
    const { model } = this;
    this.classIndex = this.classChoice.indexOr(model.get("class_index"), this.classes);
    this.brushWidth = model.get("brush_width");
    this.wandTolerance = model.get("wand_tolerance");
    this.shown = { overlay: model.get("overlay_on"), annotations: model.get("annotations_on") };
    this.useTool(model.get("tool"));
  }

  choiceAnswered() {
    this.link.choiceAnswered();
    this.takeChoices();
    this.show();
  }

  // The kernel's drawing is on the screen and replaces the strokes and the view of the page.
  painted({ edits, view: [x, y, zoom], client, number }) {
    this.knowsView = this.isPainted = true;
    this.el.classList.remove("hw-dead");
    this.drawn = { x, y, zoom };
    this.link.viewAnswered(client, number);
    if (!this.link.views.pending && !this.gestures.movesView) this.view = this.drawn;
    this.editsAnswered(edits);
    this.show();
  }

  editsAnswered(edits) {
    const mine = this.link.editsAnswered(edits);
    this.ink.remove(mine, this.view);
    this.selection.answered(mine);
    this.tools.wand.answered(mine);
  }

  // -- showing --------------------------------------------------------------------------------

  _resize() {
    this.ready = true;
    this.root.style.width = `${this.stage.width}px`;
    this.root.style.height = `${this.stage.height}px`;
    this.ink.resize(this.stage, Math.min(deviceScale(), MOST_SCALE));
    this.ink.repaint(this.view);
    this.show();
  }

  show() {
    const picture = this.el.parentElement?.querySelector(":scope > canvas.hw-picture");
    if (picture) picture.style.transform = viewTransform(this.drawn, this.view, this.stage);
    this.overlays.place(this.view, this.stage, this.pixelSize);
    this.selection.place();
    this.tools.wand.place();
    this.selectionBar.show();
    this.root.dataset.mode = this._mode();
    this.showPen();
  }

  // The brush ring, and the open shape, which extends to the pen.
  showPen() {
    this.draft.show(this.shapes.outline(this.at), this.colorOf(this.shapes.tool));
    const mode = this._mode();
    this.root.dataset.over = mode === "select" && this.selection.holds(this.at) ? "selection" : "";
    if (!this.at || !RINGED_TOOLS.includes(mode)) this.overlays.hideRing();
    else this.overlays.showRing(this.at, this.brushWidth * this.view.zoom, this.colorOf(mode));
  }

  _mode() {
    const { now } = this.gestures;
    if (now) return now.tool ?? "panning";
    return this.spaceHeld ? "pan" : this.tool;
  }

  colorOf(tool) {
    return tool === "eraser" ? ERASER_COLOR : (this.classes[this.classIndex]?.color ?? NO_CLASS_COLOR);
  }

  hatchOf(tool) {
    return tool === "eraser" ? null : this.classes[this.classIndex]?.hatch;
  }

  get className() {
    return this.classes[this.classIndex]?.name ?? "";
  }

  hint(text) {
    this.overlays.showHint(text);
    this.overlays.say(text);
  }

  look(view) {
    const wanted = clampView(view, this.image, this.stage);
    if (sameView(wanted, this.view)) return;
    this.view = wanted;
    this.ink.repaint(wanted);
    this.show();
    this.link.requestView(wanted);
  }

  // The kernel draws at the resolution of the screen, which changes when the window is zoomed or moved to another
  // screen.
  _watchScale() {
    this.link.send(messages.ready(Math.min(deviceScale(), MOST_SCALE)));
    this.scaleQuery = window.matchMedia(`(resolution: ${deviceScale()}dppx)`);
    this.scaleChanged = () => {
      this._resize();
      this._watchScale();
    };
    this.scaleQuery.addEventListener("change", this.scaleChanged, { once: true });
  }

  // -- from the user --------------------------------------------------------------------------

  // Changing the tool ends an unfinished shape.
  useTool(tool) {
    if (this.shapes.tool && this.shapes.tool !== tool) {
      if (this.gestures.now?.kind === "shape") this.gestures.now = null;
      this.shapes.end();
    }
    if (tool !== "select") this.selection.clear();
    this.tool = tool;
  }

  // Paint with a class that was chosen beside the canvas, from where the kernel is told.
  useClass(name) {
    const index = this.classes.findIndex((each) => each.name === name);
    if (index >= 0) this.classIndex = index;
    this.showPen();
  }

  setTolerance(tolerance) {
    this.wandTolerance = clampTolerance(tolerance);
    this.link.choose(messages.tolerance(this.wandTolerance));
  }

  showLayer(name, on) {
    this.shown[name] = on;
    this.link.choose(messages.layer(name, on));
  }

  showAnnotations() {
    this.showLayer("annotations", true);
  }

  // While Space is held, the pointer and the arrow keys move the image.
  hold(held) {
    this.spaceHeld = held;
    this.show();
  }

  // Tell the kernel that a pen is used, so that it offers the pen's controls.
  tellPen() {
    if (!this.penTold) this.link.send(messages.pen());
    this.penTold = true;
  }

  tellShort(points) {
    this.link.send(messages.short(points));
  }

  keepDraft(points, corners) {
    this.drafts += 1;
    const content = messages.draft(this.drafts, this.imageName, corners);
    this.link.send(content, points.length ? [packPoints(points)] : []);
  }

  // Send an edit of the image shown, after any pending move of the selection.
  edit(content, buffers) {
    this.selection.settle();
    return this.link.edit({ image_name: this.imageName, ...content }, buffers);
  }

  // Show a finished shape as ink until the kernel has drawn its annotation.
  finishShape(tool, points) {
    const number = this.edit(messages.shape(tool, this.className, this.brushWidth), [packPoints(points)]);
    const outline = tool === "rectangle" ? rectangleCorners(...points) : points;
    const [color, hatch] = [this.colorOf(tool), this.hatchOf(tool)];
    const shape = { points: outline.flat(), width: this.brushWidth, color, hatch, area: tool !== "line" };
    this.ink.add(number, shape);
    this.ink.extend(shape, 0, this.view);
  }

  close() {
    this.endTraits();
    this.model.off("msg:custom", this.onMessage);
    this.scaleQuery.removeEventListener("change", this.scaleChanged);
    this.selection.settle();
    this.endNames();
    this.endButtons();
    this.cursor.close();
    this.keyboard.close();
    this.classChoice.close();
    this.link.close();
    this.overlays.close();
    this.root.remove();
  }
}

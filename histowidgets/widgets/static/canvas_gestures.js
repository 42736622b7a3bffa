import { pinchedView, toImage, zoomAt } from "./canvas_geometry.js";

// The picture under the hand, moved by it.
export class Pan {
  constructor(layer) {
    this.layer = layer;
  }

  start(_, at) {
    let last = at;
    const move = (places) => {
      const { view } = this.layer;
      const to = places[places.length - 1];
      this.layer.look({ ...view, x: view.x - (to[0] - last[0]) / view.zoom, y: view.y - (to[1] - last[1]) / view.zoom });
      last = to;
    };
    return { kind: "pan", move, up() {} };
  }
}

// What pointer and wheel do. `now` is the gesture that a tool of `layer.tools` has begun, if any: its `move(places,
// how)` takes stage points, `up(how)` ends it, `drop()` ends it as if it had not been (a gesture without one cannot
// be dropped), `tool` is what it draws with.
export class Gestures {
  constructor(layer) {
    this.layer = layer;
    this.fingers = new Map(); // pointerId -> stage point, for pinching
    this.now = null;
  }

  get movesView() {
    return this.now?.kind === "pan" || this.now?.kind === "pinch";
  }

  _point(event) {
    const { root, stage } = this.layer;
    const box = root.getBoundingClientRect();
    // The page may be scaled by a transform of its own.
    const k = stage.width / box.width || 1;
    return [(event.clientX - box.left) * k, (event.clientY - box.top) * k];
  }

  // All stage points that one event stands for, each with how hard the pen was pressed.
  _places(event) {
    const events = event.getCoalescedEvents?.() ?? [];
    return (events.length ? events : [event]).map((each) => [...this._point(each), each.pressure]);
  }

  down(event) {
    const { layer } = this;
    event.preventDefault();
    event.stopPropagation();
    layer.root.focus({ preventScroll: true });
    layer.root.setPointerCapture(event.pointerId);
    layer.cursor.hide();
    layer.at = this._point(event);
    if (event.pointerType === "pen") layer.tellPen();
    if (event.pointerType === "touch") {
      this.fingers.set(event.pointerId, layer.at);
      if (this.fingers.size === 2) return this._startPinch();
    }
    if (this.now) return;
    const pan = event.button === 1 || layer.spaceHeld || layer.tool === "pan";
    this.begin(pan ? "pan" : event.button === 2 ? "eraser" : layer.tool, event.pointerId, event);
    layer.show();
  }

  // Begin with a tool at the pen's place; `how` is the event, or what a key does in its stead.
  begin(tool, pointer, how) {
    // Nobody works on what is hidden.
    if (tool !== "pan" && !this.layer.shown.annotations) this.layer.showAnnotations();
    const gesture = this.layer.tools[tool].start(tool, this.layer.at, how);
    if (gesture) this.now = Object.assign(gesture, { pointer });
  }

  move(event) {
    const { layer, now } = this;
    // The browser makes such a move of its own when something changes under a pointer that rests.
    if (layer.cursor.active && !event.movementX && !event.movementY) return;
    if (layer.cursor.draws) return;
    layer.cursor.hide();
    layer.at = this._point(event);
    if (this.fingers.has(event.pointerId)) this.fingers.set(event.pointerId, layer.at);
    if (now?.kind === "pinch") this._pinch();
    else if (now?.pointer === event.pointerId) now.move(this._places(event), event);
    layer.showPen();
    if (!now) layer.link.hover(toImage(layer.view, layer.stage, layer.at));
  }

  up(event) {
    const { now } = this;
    this.fingers.delete(event.pointerId);
    if (!now) return;
    if (now.kind === "pinch") {
      if (this.fingers.size < 2) this.now = null;
    } else if (now.pointer === event.pointerId) {
      this.now = null;
      if (event.type === "pointercancel") (now.cancel ?? now.up).call(now, event);
      else now.up(event);
    }
    this.layer.show();
  }

  drop() {
    if (!this.now?.drop) return;
    this.now.drop();
    this.now = null;
  }

  left() {
    if (this.now || this.layer.cursor.active) return;
    this.layer.at = null;
    this.layer.showPen();
    this.layer.link.hover(false);
  }

  _startPinch() {
    this.drop();
    this.now = { kind: "pinch", fingers: [...this.fingers.values()] };
  }

  _pinch() {
    const { layer, now } = this;
    const places = [...this.fingers.values()];
    layer.look(pinchedView(layer.view, layer.image, layer.stage, now.fingers, places));
    now.fingers = places;
  }

  // Until the canvas has the focus the wheel scrolls the page, as people expect of a long notebook.
  wheel(event) {
    const { layer } = this;
    const chosen = event.ctrlKey || event.metaKey || document.activeElement === layer.root;
    if (!chosen) return layer.furniture.showHint("Click the picture, or hold Ctrl, to zoom with the wheel");
    event.preventDefault();
    event.stopPropagation();
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? layer.stage.height : 1;
    const turn = Math.max(-240, Math.min(240, event.deltaY * unit));
    const at = this._point(event);
    layer.look(zoomAt(layer.view, layer.image, layer.stage, at, Math.exp(-turn * 0.002)));
    if (this.now) return;
    layer.at = at;
    layer.showPen();
  }
}

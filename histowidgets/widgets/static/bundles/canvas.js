// Made by `npm run build` from the sources beside this folder; do not edit.

// common/studio_root.js
function whenInStudio(element2, begin) {
  let frame = 0;
  const find = () => {
    const root = element2.closest(".hw-studio") ?? element2.closest(".hw-canvas");
    if (root?.isConnected) begin(root);
    else frame = requestAnimationFrame(find);
  };
  frame = requestAnimationFrame(find);
  return () => cancelAnimationFrame(frame);
}

// common/class_choice.js
var EVENT = "hw-class-chosen";
var KEPT_MS = 5e3;
function announceClass(element2, name) {
  element2.dispatchEvent(new CustomEvent(EVENT, { bubbles: true, detail: name }));
}
var ClassChoice = class {
  constructor(element2, onChoice) {
    this.name = null;
    this.listen = ({ detail }) => {
      this.name = detail;
      this.made = performance.now();
      onChoice(detail);
    };
    this.stop = whenInStudio(element2, (root) => {
      this.root = root;
      root.addEventListener(EVENT, this.listen);
    });
  }
  // The index of the class to paint, given the kernel's index `known`.
  indexOr(known, classes) {
    const index = classes.findIndex(({ name }) => name === this.name);
    if (index >= 0 && index !== known && performance.now() - this.made < KEPT_MS) return index;
    this.forget();
    return known;
  }
  forget() {
    this.name = null;
  }
  close() {
    this.stop();
    this.root?.removeEventListener(EVENT, this.listen);
  }
};

// common/dom.js
function element(tag, className2 = "", text = "") {
  const made = document.createElement(tag);
  if (className2) made.className = className2;
  if (text !== "") made.textContent = text;
  if (tag === "button") made.type = "button";
  return made;
}
function button(className2, text, title, click) {
  const made = element("button", className2, text);
  made.title = title;
  made.addEventListener("click", click);
  return made;
}

// canvas/messages.js
var ready = (scale) => ({ kind: "ready", scale });
var loaded = (pictures) => ({ kind: "loaded", pictures });
var redraw = () => ({ kind: "redraw" });
var pen = () => ({ kind: "pen" });
var view = (number, { x, y, zoom }) => ({ kind: "view", number, x, y, zoom });
var hover = ([x, y]) => ({ kind: "hover", x, y });
var leave = () => ({ kind: "leave" });
var tool = (name) => ({ kind: "tool", tool: name });
var className = (name) => ({ kind: "class", class_name: name });
var width = (pixels) => ({ kind: "width", width: pixels });
var tolerance = (value) => ({ kind: "tolerance", tolerance: value });
var layer = (name, on) => ({ kind: name, on });
var stroke = (toolName, nameOfClass, brushWidth) => ({
  kind: "stroke",
  tool: toolName,
  class_name: nameOfClass,
  width: brushWidth
});
var shape = (toolName, nameOfClass, brushWidth) => ({
  kind: "shape",
  tool: toolName,
  class_name: nameOfClass,
  width: brushWidth
});
var wand = (nameOfClass, region) => ({ kind: "wand", class_name: nameOfClass, ...region });
var pick = ([x, y], near, add) => ({ kind: "pick", x, y, tolerance: near, add });
var marquee = ([x, y, across, down], add) => ({ kind: "marquee", x, y, width: across, height: down, add });
var move = ([dx, dy]) => ({ kind: "move", dx, dy });
var reclassify = (name) => ({ kind: "reclassify", class_name: name });
var step = (name) => ({ kind: name });
var wandPreview = (request, region) => ({ kind: "wand-preview", request, ...region });
var draft = (number, imageName, corners) => ({ kind: "draft", number, image_name: imageName, corners });
var short = (points) => ({ kind: "short", points });

// canvas/points_buffer.js
function packPoints(points) {
  return new Float32Array(points.flat()).buffer;
}
function unpackPoints(bytes) {
  const numbers = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  return Array.from({ length: numbers.length / 2 }, (_, i) => [numbers[2 * i], numbers[2 * i + 1]]);
}

// common/numbers.js
function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}

// canvas/geometry.js
function distance(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
function midpoint(a, b) {
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}
function rectangleCorners([x0, y0], [x1, y1]) {
  return [
    [x0, y0],
    [x1, y0],
    [x1, y1],
    [x0, y1]
  ];
}
function boxBetween([x0, y0], [x1, y1]) {
  return [Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0)];
}
function snapTo45([x, y], to) {
  const [dx, dy] = [to[0] - x, to[1] - y];
  const angle = Math.round(Math.atan2(dy, dx) / (Math.PI / 4)) * Math.PI / 4;
  const length = dx * Math.cos(angle) + dy * Math.sin(angle);
  return [x + length * Math.cos(angle), y + length * Math.sin(angle)];
}
function distanceToSegment([x, y], [ax, ay], [bx, by]) {
  const squared = (bx - ax) ** 2 + (by - ay) ** 2;
  const share = squared ? clamp(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / squared, 0, 1) : 0;
  return Math.hypot(x - ax - share * (bx - ax), y - ay - share * (by - ay));
}
function isInside(rings, point, near) {
  const [x, y] = point;
  let inside = false;
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
      const [ax, ay, bx, by] = [ring[i], ring[i + 1], ring[j], ring[j + 1]];
      if (distanceToSegment(point, [ax, ay], [bx, by]) <= near) return true;
      if (ay > y !== by > y && x < ax + (bx - ax) * (y - ay) / (by - ay)) inside = !inside;
    }
  }
  return inside;
}
function tangents([ax, ay], a, [bx, by], b) {
  const apart = Math.hypot(bx - ax, by - ay);
  if (apart <= Math.abs(a - b)) return null;
  const direction = Math.atan2(by - ay, bx - ax);
  const turn = Math.acos((a - b) / apart);
  const onCircle = (x, y, radius, angle) => [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
  const [left, right] = [direction + turn, direction - turn];
  return [onCircle(ax, ay, a, left), onCircle(bx, by, b, left), onCircle(bx, by, b, right), onCircle(ax, ay, a, right)];
}

// canvas/stroke_points.js
var MOST_POINTS = 1e4;
var LEAST_STEP = 0.75;
var LIGHTEST = 0.3;
var NO_SENSOR = 0.5;
var StrokePoints = class {
  constructor(width2, usesPressure, feelsPressure = false) {
    this.width = width2;
    this.points = [];
    this.widths = usesPressure ? [] : null;
    this.feelsPressure = feelsPressure;
    this.last = null;
  }
  get count() {
    return this.points.length / 2;
  }
  get isFull() {
    return this.count >= MOST_POINTS;
  }
  // Add a stage point [x, y, pressure] that is `point` in the image; of points too close to the last, only the pressure
  // is used.
  add(place, point) {
    const isNear = this.last !== null && distance(place, this.last) < LEAST_STEP;
    if (this.widths) {
      const width2 = this._widthAt(place[2]);
      if (isNear) this.widths.push(Math.max(this.widths.pop(), width2));
      else this.widths.push(width2);
    }
    if (isNear) return;
    this.last = place;
    this.points.push(...point);
  }
  _widthAt(pressure) {
    this.feelsPressure ||= pressure !== NO_SENSOR;
    const share = this.feelsPressure && pressure > 0 ? LIGHTEST + (1 - LIGHTEST) * Math.min(1, pressure) : 1;
    return this.width * share;
  }
};

// canvas/view.js
var MOST_ZOOM = 40;
var LEAST_SHARE_OF_FIT = 0.25;
function fitZoom(image, stage) {
  return Math.min(stage.width / image.width, stage.height / image.height);
}
function clampView(view2, image, stage) {
  const least = Math.min(1, fitZoom(image, stage)) * LEAST_SHARE_OF_FIT;
  return {
    x: clamp(view2.x, 0, image.width),
    y: clamp(view2.y, 0, image.height),
    zoom: clamp(view2.zoom, least, MOST_ZOOM)
  };
}
function fitView(image, stage) {
  return { x: image.width / 2, y: image.height / 2, zoom: Math.min(fitZoom(image, stage), MOST_ZOOM) };
}
function toImage(view2, stage, [x, y]) {
  return [(x - stage.width / 2) / view2.zoom + view2.x, (y - stage.height / 2) / view2.zoom + view2.y];
}
function toStage(view2, stage, [x, y]) {
  return [(x - view2.x) * view2.zoom + stage.width / 2, (y - view2.y) * view2.zoom + stage.height / 2];
}
function pannedView(view2, from, to) {
  return { ...view2, x: view2.x - (to[0] - from[0]) / view2.zoom, y: view2.y - (to[1] - from[1]) / view2.zoom };
}
function zoomAt(view2, image, stage, at, factor) {
  const [x, y] = toImage(view2, stage, at);
  const { zoom } = clampView({ ...view2, zoom: view2.zoom * factor }, image, stage);
  const moved = { x: x - (at[0] - stage.width / 2) / zoom, y: y - (at[1] - stage.height / 2) / zoom, zoom };
  return clampView(moved, image, stage);
}
function pinchedView(view2, image, stage, [a, b], [c, d]) {
  const apart = (p, q) => Math.max(1, distance(p, q));
  const from = midpoint(a, b);
  return pannedView(zoomAt(view2, image, stage, from, apart(c, d) / apart(a, b)), from, midpoint(c, d));
}
function sameView(a, b) {
  return Math.abs(a.zoom / b.zoom - 1) < 1e-6 && Math.hypot(a.x - b.x, a.y - b.y) * b.zoom < 0.01;
}
function viewTransform(drawn, wanted, stage) {
  if (sameView(drawn, wanted)) return "";
  const scale = wanted.zoom / drawn.zoom;
  const x = stage.width / 2 * (1 - scale) + (drawn.x - wanted.x) * wanted.zoom;
  const y = stage.height / 2 * (1 - scale) + (drawn.y - wanted.y) * wanted.zoom;
  return `translate(${x}px, ${y}px) scale(${scale})`;
}

// canvas/brush.js
var UNDER_PEN = 0;
var Brush = class {
  constructor(layer2) {
    this.layer = layer2;
  }
  start(tool2, at, { type, pressure }) {
    return new Stroke(this.layer, tool2, [...at, pressure], type === "pen" && this.layer.penPressure);
  }
};
var Stroke = class {
  constructor(layer2, tool2, place, usesPressure) {
    this.kind = "stroke";
    this.layer = layer2;
    this.tool = tool2;
    this.usesPressure = usesPressure;
    this.className = layer2.className;
    this.imageName = layer2.imageName;
    this.look = { color: layer2.colorOf(tool2), hatch: layer2.hatchOf(tool2) };
    this._begin(place);
  }
  _begin(place) {
    const { layer: layer2 } = this;
    this.path = new StrokePoints(layer2.brushWidth, this.usesPressure, this.path?.feelsPressure);
    const { points, width: width2, widths } = this.path;
    this.ink = { points, width: width2, widths, ...this.look };
    layer2.ink.add(UNDER_PEN, this.ink);
    this.move([place]);
  }
  move(places) {
    const { layer: layer2, path } = this;
    const { count } = path;
    for (const place of places) path.add(place, toImage(layer2.view, layer2.stage, place));
    layer2.ink.extend(this.ink, count, layer2.view);
    if (!path.isFull) return;
    this.up();
    this._begin(path.last);
  }
  up() {
    const { layer: layer2, tool: tool2, className: className2, imageName } = this;
    const { points, width: width2, widths } = this.path;
    const content = { ...stroke(tool2, className2, width2), image_name: imageName };
    const number = layer2.edit(content, widths ? [packPoints(points), packPoints(widths)] : [packPoints(points)]);
    layer2.ink.renumber(UNDER_PEN, number);
  }
  drop() {
    this.layer.ink.remove([UNDER_PEN], this.layer.view);
  }
};

// canvas/gestures.js
var LEAST_DRAG = 3;
var BUTTONS = { middle: 1, right: 2 };
var WHEEL = { line: 16, most: 240, rate: 2e-3, step: 48 };
function pressedTool(button2, { tool: tool2, spaceHeld }) {
  if (button2 === BUTTONS.middle || spaceHeld || tool2 === "pan") return "pan";
  return button2 === BUTTONS.right ? "eraser" : tool2;
}
function wheelFactor(event, pageHeight) {
  return Math.exp(-wheelPixels(event, pageHeight) * WHEEL.rate);
}
var WheelSteps = class {
  constructor() {
    this.turned = 0;
  }
  // Number of whole steps of a turn, above 0 for larger.
  take(event, pageHeight) {
    const pixels = wheelPixels(event, pageHeight);
    if (pixels * this.turned < 0) this.turned = 0;
    this.turned += pixels;
    const steps = Math.trunc(this.turned / WHEEL.step);
    this.turned -= steps * WHEEL.step;
    return -steps;
  }
};
function wheelPixels({ deltaX, deltaY, deltaMode }, pageHeight) {
  const unit = { 1: WHEEL.line, 2: pageHeight }[deltaMode] ?? 1;
  return clamp((deltaY || deltaX || 0) * unit, -WHEEL.most, WHEEL.most);
}
var Gestures = class {
  constructor(layer2) {
    this.layer = layer2;
    this.fingers = /* @__PURE__ */ new Map();
    this.now = null;
  }
  get movesView() {
    return this.now?.kind === "pan" || this.now?.kind === "pinch";
  }
  down(pointer) {
    const { layer: layer2 } = this;
    layer2.cursor.hide();
    layer2.at = pointer.at;
    if (pointer.type === "pen") layer2.tellPen();
    if (pointer.type === "touch") {
      this.fingers.set(pointer.id, pointer.at);
      if (this.fingers.size === 2) {
        this._startPinch();
        return;
      }
    }
    if (this.now) return;
    this.begin(pressedTool(pointer.button, layer2), pointer);
    layer2.show();
  }
  // Start a tool at the position of the pen.
  begin(tool2, pointer) {
    const { layer: layer2 } = this;
    if (tool2 !== "pan" && !layer2.shown.annotations) layer2.showAnnotations();
    const gesture = layer2.tools[tool2].start(tool2, layer2.at, pointer);
    if (gesture) this.now = Object.assign(gesture, { pointer: pointer.id });
  }
  move(pointer) {
    const { layer: layer2, now } = this;
    if (layer2.cursor.draws) return;
    layer2.cursor.hide();
    layer2.at = pointer.at;
    if (this.fingers.has(pointer.id)) this.fingers.set(pointer.id, pointer.at);
    if (now?.kind === "pinch") this._pinch();
    else if (now?.pointer === pointer.id) now.move(pointer.places(), pointer);
    layer2.showPen();
    if (!now) layer2.link.hover(toImage(layer2.view, layer2.stage, layer2.at));
  }
  up({ id, cancelled = false }) {
    const { now } = this;
    this.fingers.delete(id);
    if (!now) return;
    if (now.kind === "pinch") {
      if (this.fingers.size < 2) this.now = null;
    } else if (now.pointer === id) {
      this.now = null;
      if (cancelled && now.cancel) now.cancel();
      else now.up();
    }
    this.layer.show();
  }
  drop() {
    if (!this.now?.drop) return;
    this.now.drop();
    this.now = null;
  }
  // The pointer has left the canvas.
  leave() {
    if (this.now || this.layer.cursor.active) return;
    this.layer.at = null;
    this.layer.showPen();
    this.layer.link.hover(null);
  }
  zoom(at, factor) {
    const { layer: layer2 } = this;
    layer2.look(zoomAt(layer2.view, layer2.image, layer2.stage, at, factor));
    if (this.now) return;
    layer2.at = at;
    layer2.showPen();
  }
  _startPinch() {
    this.drop();
    this.now = { kind: "pinch", fingers: [...this.fingers.values()] };
  }
  _pinch() {
    const { layer: layer2, now } = this;
    const places = [...this.fingers.values()];
    layer2.look(pinchedView(layer2.view, layer2.image, layer2.stage, now.fingers, places));
    now.fingers = places;
  }
};

// canvas/outline.js
var HANDLE_RADIUS = 4;
var LEAST_THICKNESS = 2;
var openPath = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("");
var closedPath = (points) => `${openPath(points)}Z`;
function circlePath([x, y], r) {
  return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
}
function lineOutline(ends, thickness) {
  return { line: openPath(ends), thickness: Math.max(LEAST_THICKNESS, thickness) };
}
function areaOutline(corners) {
  const path = closedPath(corners);
  return { area: path, line: path, thickness: LEAST_THICKNESS };
}
function polygonOutline(points, corners, at, closing) {
  const end = closing ? points[0] : at;
  const ends = at ? [points.at(-1), end] : [];
  const back = at && !closing && points.length > 1 ? `L${points[0].join(" ")}` : "";
  return {
    area: closedPath(closing || !at ? points : [...points, at]),
    line: openPath(points),
    rubber: openPath(ends) + back,
    handles: corners.map((index) => circlePath(points[index], HANDLE_RADIUS)).join(""),
    first: circlePath(points[0], closing ? HANDLE_RADIUS + 4 : HANDLE_RADIUS + 1),
    thickness: LEAST_THICKNESS
  };
}
function ringsPath(rings) {
  return rings.map((ring) => {
    const parts = [];
    for (let i = 0; i < ring.length; i += 2) parts.push(`${i ? "L" : "M"}${ring[i]} ${ring[i + 1]}`);
    return `${parts.join("")}Z`;
  }).join("");
}

// canvas/shapes.js
var SHAPE_TOOLS = ["line", "rectangle", "polygon"];
var MOST_POINTS2 = 1e4;
var NEAR = 10;
var DOUBLE_CLICK = { ms: 500, pixels: 5 };
var FREEHAND = { start: 6, step: 3 };
var ShapeTools = class {
  constructor(layer2) {
    this.layer = layer2;
    this.tool = null;
    this.points = [];
    this.corners = [];
    this.lastPress = null;
    this.kernelHasDraft = false;
  }
  _stagePoint(index) {
    return toStage(this.layer.view, this.layer.stage, this.points[index]);
  }
  _imagePoint(at) {
    return toImage(this.layer.view, this.layer.stage, at);
  }
  // The gesture that a press of the pen starts; null if it only closes a polygon.
  start(tool2, at, { timeStamp }) {
    if (!this._press(tool2, at, timeStamp)) return null;
    const move2 = (places, { shiftKey }) => {
      for (const place of places) this.drag(place, shiftKey);
    };
    const drop = () => this.drop();
    return { kind: "shape", tool: tool2, move: move2, up: () => this.up(), drop, cancel: drop };
  }
  _press(tool2, at, time) {
    const last = this.lastPress;
    this.lastPress = { at, time, tool: tool2 };
    if (tool2 !== "polygon") {
      this._begin(tool2, [this._imagePoint(at), this._imagePoint(at)]);
      return true;
    }
    const isDouble = last?.tool === tool2 && time - last.time < DOUBLE_CLICK.ms && distance(at, last.at) < DOUBLE_CLICK.pixels;
    if (isDouble || this.tool && distance(at, this._stagePoint(0)) < NEAR) {
      this.close();
      return false;
    }
    if (!this.tool) this._begin(tool2, []);
    this.pressed = { count: this.points.length, freehand: false };
    this.corners.push(this.points.length);
    this._add(at);
    return true;
  }
  _begin(tool2, points) {
    this.tool = tool2;
    this.points = points;
    this.corners = [];
  }
  _add(at) {
    if (this.points.length < MOST_POINTS2) this.points.push(this._imagePoint(at));
    else this.layer.hint(`A polygon can have at most ${MOST_POINTS2} points: press Enter to close it`);
  }
  // The pen is dragged; `straight` (Shift) snaps a line to multiples of 45 degrees.
  drag(at, straight) {
    if (!this.tool) return;
    if (this.tool === "polygon") {
      const least = this.pressed.freehand ? FREEHAND.step : FREEHAND.start;
      if (distance(at, this._stagePoint(this.points.length - 1)) < least) return;
      this.pressed.freehand = true;
      this._add(at);
    } else {
      const to = this._imagePoint(at);
      this.points[1] = this.tool === "line" && straight ? snapTo45(this.points[0], to) : to;
    }
  }
  up() {
    if (!this.tool) return;
    if (this.tool === "polygon") this._endPiece();
    else this._endDrag();
  }
  // A freehand piece that comes back to the first point closes the polygon.
  _endPiece() {
    const first = this._stagePoint(0);
    const hasLeft = this.pressed.freehand && this.points.some((_, i) => distance(this._stagePoint(i), first) > 2 * NEAR);
    if (hasLeft && distance(this._stagePoint(this.points.length - 1), first) < NEAR) this.close();
    else this._keep();
  }
  _endDrag() {
    const isLine = this.tool === "line";
    const [from, to] = [this._stagePoint(0), this._stagePoint(1)];
    const sides = [Math.abs(from[0] - to[0]), Math.abs(from[1] - to[1])];
    const extent = isLine ? Math.hypot(...sides) : Math.min(...sides);
    if (extent >= LEAST_DRAG) {
      this._finish();
      return;
    }
    this.layer.hint(isLine ? "Drag from one end to the other" : "Drag from one corner to the other");
    this.cancel();
  }
  // Undo everything since the pen went down, as when a second finger shows that it was not a drawing.
  drop() {
    if (this.tool === "polygon" && this.pressed.count > 0) {
      this.points.length = Math.min(this.points.length, this.pressed.count);
      this._dropLostCorners();
      this._keep();
    } else this.cancel();
  }
  close() {
    if (this.tool !== "polygon") return;
    if (this.points.length < 3) this.layer.tellShort(this.points.length);
    else this._finish();
  }
  removeLastPoint() {
    if (this.tool !== "polygon") return;
    this.points.pop();
    this._dropLostCorners();
    this.lastPress = null;
    if (this.points.length) this._keep();
    else this.cancel();
  }
  _dropLostCorners() {
    this.corners = this.corners.filter((index) => index < this.points.length);
  }
  cancel() {
    this._clear();
    this._keep();
  }
  // Another tool or image was chosen, which the kernel already knows.
  end() {
    this._clear();
    this.kernelHasDraft = false;
  }
  _clear() {
    this._begin(null, []);
  }
  // The kernel stores the open polygon so that it survives a reload. Tell it of none only if it has one.
  _keep() {
    const isOpen = this.tool === "polygon";
    if (isOpen || this.kernelHasDraft) this.layer.keepDraft(this.points, this.corners);
    this.kernelHasDraft = isOpen;
  }
  // Show the polygon that is open on another page, or was open on this one before it was reloaded.
  take(points, corners) {
    this._clear();
    this.kernelHasDraft = points.length > 0;
    if (!this.kernelHasDraft) return;
    this._begin("polygon", points);
    this.corners = [...corners];
    this.lastPress = null;
  }
  _finish() {
    const { tool: tool2, points } = this;
    this._clear();
    this.layer.finishShape(tool2, points);
    this._keep();
  }
  // The outline of the open shape in the current view, or null; `at` is the position of the pen, or null.
  outline(at) {
    if (!this.tool) return null;
    const { layer: layer2 } = this;
    const places = this.points.map((_, i) => this._stagePoint(i));
    if (this.tool === "line") return lineOutline(places, layer2.brushWidth * layer2.view.zoom);
    if (this.tool === "rectangle") return areaOutline(rectangleCorners(...places));
    const closing = places.length > 2 && at !== null && distance(at, places[0]) < NEAR;
    return polygonOutline(places, this.corners, at, closing);
  }
};

// canvas/commands.js
var WIDTHS = [1, 200];
var WIDTH_STEP = 1.2;
var PAN_STEP = 60;
var NUDGE = { near: 1, far: 10 };
var TAP_MS = 300;
function setWidth(layer2, width2) {
  layer2.brushWidth = clamp(width2, ...WIDTHS);
  layer2.link.choose(width(layer2.brushWidth));
}
function scaleTool(layer2, scaled) {
  if (layer2.tool === "wand") layer2.setTolerance(scaled(layer2.wandTolerance));
  else setWidth(layer2, scaled(layer2.brushWidth));
}
var COMMANDS = {
  tool(layer2, tool2) {
    layer2.useTool(tool2);
    layer2.link.choose(tool(tool2));
  },
  class(layer2, index) {
    if (index >= layer2.classes.length) return;
    const { name } = layer2.classes[index];
    if (layer2.selection.count) {
      layer2.edit(reclassify(name));
      return;
    }
    layer2.classChoice.forget();
    layer2.classIndex = index;
    layer2.link.choose(className(name));
    if (!["brush", "wand", ...SHAPE_TOOLS].includes(layer2.tool)) COMMANDS.tool(layer2, "brush");
  },
  thicker: (layer2) => scaleTool(layer2, (size) => Math.ceil(size * WIDTH_STEP)),
  thinner: (layer2) => scaleTool(layer2, (size) => Math.floor(size / WIDTH_STEP)),
  step: (layer2, name) => layer2.edit(step(name)),
  fit: (layer2) => layer2.look(fitView(layer2.image, layer2.stage)),
  zoom(layer2, factor) {
    const middle = [layer2.stage.width / 2, layer2.stage.height / 2];
    const at = layer2.cursor.active ? layer2.at : middle;
    layer2.look(zoomAt(layer2.view, layer2.image, layer2.stage, at, factor));
  },
  // An arrow key scrolls the list of keys, or moves the selection, the image or the crosshair.
  move(layer2, x, y, far) {
    const { zoom } = layer2.view;
    if (layer2.overlays.scrollHelp(y)) return;
    if (layer2.selection.count && !layer2.gestures.now) {
      const step2 = (far ? NUDGE.far : NUDGE.near) / zoom;
      layer2.selection.nudge(x * step2, y * step2);
    } else if (layer2.tool === "pan" || layer2.spaceHeld) {
      const step2 = PAN_STEP / zoom;
      layer2.look({ ...layer2.view, x: layer2.view.x + x * step2, y: layer2.view.y + y * step2 });
    } else layer2.cursor.move(x, y, far);
  },
  help: (layer2) => layer2.overlays.toggleHelp(),
  // Cancel one thing at a time, the latest first.
  escape(layer2) {
    if (layer2.overlays.helpShown) layer2.overlays.toggleHelp(false);
    else if (layer2.gestures.now || layer2.shapes.tool) {
      layer2.gestures.drop();
      layer2.shapes.cancel();
    } else if (layer2.selection.count) layer2.edit(step("deselect"));
  },
  close: (layer2) => layer2.shapes.close(),
  // Enter closes the polygon for pointer users, and clicks for users of the keyboard alone.
  press(layer2, key, ...how) {
    if (key === "Enter" && !layer2.cursor.active && layer2.shapes.tool) layer2.shapes.close();
    else layer2.cursor.press(key === "Enter", ...how);
  },
  // Backspace and Delete.
  back(layer2) {
    if (layer2.selection.count) layer2.edit(step("delete"));
    else layer2.shapes.removeLastPoint();
  },
  hold: (layer2) => layer2.hold(true),
  blink(layer2, what, time) {
    if (layer2.blink) return;
    layer2.blink = { what, time, on: layer2.shown[what] };
    layer2.showLayer(what, !layer2.shown[what]);
  }
};
function endBlink(layer2, time) {
  const { blink } = layer2;
  layer2.blink = null;
  if (blink && time - blink.time > TAP_MS) layer2.showLayer(blink.what, blink.on);
}

// canvas/button_choices.js
function suffix(button2, prefix) {
  const found = [...button2?.classList ?? []].find((name) => name.startsWith(prefix));
  return found?.slice(prefix.length) ?? "";
}
function useClicked(layer2, target) {
  const tool2 = suffix(target.closest(".hw-tool"), "hw-tool-");
  if (tool2 in layer2.tools) COMMANDS.tool(layer2, tool2);
  const chip = target.closest(".hw-chip");
  const chosen = layer2.classes[suffix(chip, "hw-chip-")];
  if (chosen) announceClass(chip, chosen.name);
}
function followButtons(layer2, el) {
  const clicked = ({ target }) => useClicked(layer2, target);
  let root = null;
  const stop = whenInStudio(el, (found) => {
    root = found;
    root.addEventListener("click", clicked);
  });
  return () => {
    stop();
    root?.removeEventListener("click", clicked);
  };
}

// canvas/svg.js
var SVG = "http://www.w3.org/2000/svg";
function svgElement(tag, className2 = "") {
  const made = document.createElementNS(SVG, tag);
  if (className2) made.setAttribute("class", className2);
  return made;
}
function svgOverlay(parent, className2) {
  const svg = svgElement("svg", className2);
  svg.setAttribute("aria-hidden", "true");
  parent.append(svg);
  return svg;
}

// canvas/draft_outline.js
var PARTS = {
  area: "area",
  dark: "line",
  light: "line",
  rubberDark: "rubber",
  rubber: "rubber",
  handles: "handles",
  first: "first"
};
var RIM = 4;
var DraftOutline = class {
  constructor(parent) {
    this.svg = svgOverlay(parent, "hw-draft");
    this.paths = Object.entries(PARTS).map(([name, part2]) => [svgElement("path", `hw-draft-${name}`), part2]);
    this.svg.append(...this.paths.map(([path]) => path));
    this.show(null);
  }
  // Show the outline of the open shape in the colour of its class; null hides it.
  show(outline, color) {
    this.svg.style.display = outline ? "" : "none";
    if (!outline) return;
    for (const [path, part2] of this.paths) path.setAttribute("d", outline[part2] ?? "");
    this.svg.style.setProperty("--hw-class", color);
    this.svg.style.setProperty("--hw-thick", `${outline.thickness}px`);
    this.svg.style.setProperty("--hw-rim", `${outline.thickness + RIM}px`);
  }
};

// canvas/image_outline.js
function pathElement({ className: className2, path, color }) {
  const made = svgElement("path", className2);
  made.setAttribute("d", path);
  if (color) made.style.fill = color;
  return made;
}
var ImageOutline = class {
  constructor(parent, className2) {
    this.svg = svgOverlay(parent, `hw-on-image ${className2}`);
    this.group = svgElement("g");
    this.svg.append(this.group);
    this.draw([]);
  }
  // `areas` are {className, path, color}.
  draw(areas) {
    const path = areas.map((area) => area.path).join("");
    const outlines = ["hw-outline-dark", "hw-outline-light"].map((className2) => ({ className: className2, path }));
    this.group.replaceChildren(...[...areas, ...outlines].map(pathElement));
    this.svg.style.display = path ? "" : "none";
  }
  // Put the areas where they belong in the view, moved by some image pixels.
  place(view2, stage, [dx, dy] = [0, 0]) {
    const left = stage.width / 2 + (dx - view2.x) * view2.zoom;
    const top = stage.height / 2 + (dy - view2.y) * view2.zoom;
    this.group.setAttribute("transform", `translate(${left} ${top}) scale(${view2.zoom})`);
    this.svg.dataset.moved = String(Boolean(dx || dy));
  }
};

// canvas/ink.js
var LAYERS = [
  { rim: 2, paint: () => "rgb(0, 0, 0)", alpha: 0.55 },
  { rim: 1, paint: () => "rgb(255, 255, 255)", alpha: 0.9 },
  { rim: 0, paint: classPaint, alpha: 0.9 }
];
function classPaint(stroke2, context, scale) {
  const { color, hatch } = stroke2;
  if (!hatch) return color;
  if (stroke2.paintScale === scale) return stroke2.paint;
  const { side, bits, ink } = hatch;
  const tile = document.createElement("canvas");
  tile.width = tile.height = side;
  const brush = tile.getContext("2d");
  brush.fillStyle = color;
  brush.fillRect(0, 0, side, side);
  brush.fillStyle = ink;
  for (let i = 0; i < bits.length; i += 1) if (bits[i] === "1") brush.fillRect(i % side, Math.floor(i / side), 1, 1);
  const pattern = context.createPattern(tile, "repeat");
  pattern.setTransform(new DOMMatrix([1 / scale, 0, 0, 1 / scale, 0, 0]));
  [stroke2.paint, stroke2.paintScale] = [pattern, scale];
  return pattern;
}
var Ink = class {
  constructor(parent) {
    this.strokes = /* @__PURE__ */ new Map();
    this.canvases = LAYERS.map(({ alpha }) => {
      const canvas = document.createElement("canvas");
      canvas.className = "hw-ink";
      canvas.style.opacity = alpha;
      parent.append(canvas);
      return canvas;
    });
  }
  // `scale` is the number of device pixels per CSS pixel.
  resize(stage, scale) {
    this.stage = stage;
    this.scale = scale;
    for (const canvas of this.canvases) {
      canvas.width = Math.round(stage.width * scale);
      canvas.height = Math.round(stage.height * scale);
    }
  }
  setOpacity(share) {
    LAYERS.forEach(({ alpha }, i) => {
      this.canvases[i].style.opacity = alpha * share;
    });
  }
  add(number, stroke2) {
    this.strokes.set(number, stroke2);
  }
  renumber(number, to) {
    const stroke2 = this.strokes.get(number);
    this.strokes.delete(number);
    this.strokes.set(to, stroke2);
  }
  // Paint the points of a stroke after its first `count`.
  extend(stroke2, count, view2) {
    this._paint(stroke2, Math.max(0, count - 1), view2);
  }
  remove(numbers, view2) {
    for (const number of numbers) this.strokes.delete(number);
    this.repaint(view2);
  }
  repaint(view2) {
    for (const canvas of this.canvases) canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    for (const stroke2 of this.strokes.values()) this._paint(stroke2, 0, view2);
  }
  _paint(stroke2, from, view2) {
    const points = [];
    for (let i = 2 * from; i < stroke2.points.length; i += 2) {
      points.push(toStage(view2, this.stage, [stroke2.points[i], stroke2.points[i + 1]]));
    }
    const radii = stroke2.widths?.slice(from).map((width2) => Math.max(0.5, width2 * view2.zoom / 2));
    LAYERS.forEach(({ rim, paint }, i) => {
      const context = this.canvases[i].getContext("2d");
      context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
      context.fillStyle = context.strokeStyle = paint(stroke2, context, this.scale);
      if (radii) paintTapered(context, points, radii, rim);
      else if (stroke2.area) paintArea(context, points, rim);
      else paintLine(context, points, Math.max(1, stroke2.width * view2.zoom) + 2 * rim);
      context.setTransform(1, 0, 0, 1, 0, 0);
    });
  }
};
function paintTapered(context, points, radii, rim) {
  points.forEach(([x, y], at) => {
    const radius = radii[at] + rim;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
    const sides = at ? tangents(points[at - 1], radii[at - 1] + rim, [x, y], radius) : null;
    if (!sides) return;
    context.beginPath();
    for (const corner of sides) context.lineTo(...corner);
    context.fill();
  });
}
function paintArea(context, points, rim) {
  trace(context, points);
  context.closePath();
  context.fill("evenodd");
  if (!rim) return;
  context.lineWidth = 2 * rim;
  context.stroke();
}
function paintLine(context, points, width2) {
  trace(context, points.length === 1 ? [points[0], [points[0][0] + 0.01, points[0][1]]] : points);
  context.lineWidth = width2;
  context.stroke();
}
function trace(context, points) {
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  points.forEach(([x, y], at) => {
    if (at) context.lineTo(x, y);
    else context.moveTo(x, y);
  });
}

// canvas/picture_decoding.js
var isFunction = (value) => typeof value === "function";
async function decodeWithoutUrls(manager, canvasIds, pictureIds) {
  const modelsOf = (ids) => Promise.all(ids.map((id) => manager.get_model(id)));
  const [canvases, pictures] = await Promise.all([modelsOf(canvasIds), modelsOf(pictureIds)]);
  for (const canvas of canvases) {
    const isKnown = [canvas._drawImage, canvas.drawImage, canvas.putImageData].every(isFunction);
    if (canvas.hwWithoutUrls || !isKnown) continue;
    const drawImage = canvas.drawImage;
    canvas.drawImage = async ([what, ...place], buffers) => {
      const picture = pictures.find(({ model_id }) => what === `IPY_MODEL_${model_id}`);
      if (picture) await draw(canvas, picture.get("value"), `image/${picture.get("format")}`, place);
      else await drawImage.call(canvas, [what, ...place], buffers);
    };
    canvas.putImageData = ([x, y], [bytes]) => draw(canvas, bytes, "image/png", [x, y]);
    canvas.hwWithoutUrls = true;
  }
}
async function draw(canvas, bytes, type, place) {
  const bitmap = await createImageBitmap(new Blob([bytes], { type }));
  try {
    canvas._drawImage(bitmap, ...place);
  } finally {
    bitmap.close();
  }
}

// canvas/kernel_drawing.js
var FRAME_MS = 250;
var STUCK_MS = 1e4;
var KernelDrawing = class {
  constructor(model, send) {
    this.model = model;
    this.send = send;
    this.manager = null;
    this.layer = null;
    this.order = Promise.resolve();
    this.isDead = false;
    this.connected = this._connect();
    this.connected.then(() => this._tellLoaded());
  }
  async _connect() {
    const { model } = this;
    try {
      const widgets = model.widget_manager;
      await decodeWithoutUrls(widgets, model.get("canvas_ids"), model.get("picture_ids"));
      this.manager = await widgets.get_model(model.get("manager_id"));
      this.layer = await widgets.get_model(model.get("layer_id"));
      this.isDead = this.manager.comm_live === false;
    } catch {
      this.manager = null;
    }
  }
  // A reloaded page asks the kernel for all widgets; messages to a widget that the page has not created yet are lost.
  // The lengths of the pictures tell the kernel whether they are the latest.
  async _tellLoaded() {
    const { model } = this;
    try {
      const pictures = await Promise.all(model.get("picture_ids").map((id) => model.widget_manager.get_model(id)));
      this.send(loaded(pictures.map((picture) => picture.get("value").byteLength)));
    } catch (error) {
      console.warn("the pictures cannot be read:", error.message);
    }
  }
  // Calls `act` once ipycanvas has painted everything that the kernel has sent so far, in the order of the calls.
  afterPainting(act) {
    const painted = this._painted();
    this.order = this.order.then(() => painted).then(act).catch((error) => console.error("a drawing of the kernel could not be followed:", error));
  }
  // ipycanvas runs its commands as one chain of promises. One that fails or never ends, as when a picture cannot be
  // decoded, would block all later drawing, so the chain is replaced once, and the kernel redraws.
  async _painted() {
    const { manager } = this;
    const work = manager?.currentProcessing;
    if (!work) {
      await this._nextFrame();
      return;
    }
    const { hwChains = 0 } = manager;
    try {
      await within(STUCK_MS, work);
    } catch {
      if ((manager.hwChains ?? 0) === hwChains) {
        manager.hwChains = hwChains + 1;
        manager.currentProcessing = Promise.resolve();
        this.send(redraw());
      }
    }
    await Promise.resolve();
  }
  _nextFrame() {
    return new Promise((resolve) => {
      this.layer?.once("new-frame", () => queueMicrotask(resolve));
      setTimeout(resolve, FRAME_MS);
    });
  }
};
function within(milliseconds, promise) {
  let timer = 0;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// canvas/kernel_messages.js
var HANDLERS = {
  // The drawing sent by the kernel shows this view and includes these edits.
  drawn: (layer2, content) => layer2.drawing.afterPainting(() => layer2.painted(content)),
  refused: (layer2, { edits }) => layer2.editsAnswered(edits),
  hovered(layer2, { text }) {
    layer2.link.hoverAnswered();
    layer2.cursor.describe(text);
  },
  say: (layer2, { text }) => layer2.overlays.say(text),
  help(layer2) {
    layer2.overlays.toggleHelp();
    layer2.root.focus({ preventScroll: true });
  }
};
var ANSWERS = {
  chosen: (layer2) => layer2.choiceAnswered(),
  picked: (layer2, content) => layer2.tools.select.picked(content),
  wand: (layer2, content) => layer2.tools.wand.found(content)
};
function onKernelMessage(layer2, content) {
  HANDLERS[content.kind]?.(layer2, content);
  if (content.client === layer2.link.client) ANSWERS[content.kind]?.(layer2, content);
}

// canvas/kernel_state.js
var TRAITS = {
  stage: (layer2, [width2, height]) => layer2.setStage({ width: width2, height }),
  view: (layer2, view2) => layer2.setView(view2),
  image_name: (layer2, name) => layer2.setImage(name),
  is_drawn: (layer2, on) => layer2.setOpen(on),
  image_size: (layer2, [width2, height]) => {
    layer2.image = { width: width2, height };
  },
  pixel_size: (layer2, size) => {
    layer2.pixelSize = size;
  },
  classes: (layer2, classes) => {
    layer2.classes = classes;
  },
  class_index: (layer2) => layer2.takeChoices(),
  tool: (layer2) => layer2.takeChoices(),
  brush_width: (layer2) => layer2.takeChoices(),
  wand_tolerance: (layer2) => layer2.takeChoices(),
  pen_pressure: (layer2, on) => {
    layer2.penPressure = on;
  },
  caption: (layer2, text) => layer2.overlays.setCaption(text),
  held_out: (layer2, rectangles) => layer2.overlays.setHeldOut(rectangles),
  marked: (layer2, place) => layer2.overlays.setMarked(place),
  cross: (layer2, pixel) => layer2.overlays.setCross(pixel),
  overlay_on: (layer2) => layer2.takeChoices(),
  annotations_on: (layer2) => layer2.takeChoices(),
  selected: (layer2, shapes) => layer2.selection.take(shapes),
  copied: (layer2, count) => {
    layer2.copied = count;
  },
  annotation_opacity: (layer2, share) => layer2.ink.setOpacity(share),
  draft: (layer2, { client, image_name, points, corners }) => {
    if (client) layer2.takeDraft(client, image_name, unpackPoints(points), corners);
  }
};
function followTraits(layer2, model) {
  const changes = Object.entries(TRAITS).map(([name, take]) => {
    take(layer2, model.get(name));
    const changed = () => {
      take(layer2, model.get(name));
      if (layer2.ready) layer2.show();
    };
    model.on(`change:${name}`, changed);
    return [`change:${name}`, changed];
  });
  return () => {
    for (const [event, changed] of changes) model.off(event, changed);
  };
}

// canvas/key_bindings.js
var ZOOM_IN = 1.25;
var PLAIN = {
  b: ["tool", "brush"],
  e: ["tool", "eraser"],
  h: ["tool", "pan"],
  v: ["tool", "select"],
  l: ["tool", "line"],
  r: ["tool", "rectangle"],
  p: ["tool", "polygon"],
  w: ["tool", "wand"],
  "[": ["thinner"],
  "]": ["thicker"],
  f: ["fit"],
  i: ["step", "fill"],
  "+": ["zoom", ZOOM_IN],
  "=": ["zoom", ZOOM_IN],
  "-": ["zoom", 1 / ZOOM_IN],
  _: ["zoom", 1 / ZOOM_IN],
  "?": ["help"],
  " ": ["hold"],
  Escape: ["escape"],
  c: ["close"],
  Backspace: ["back"],
  Delete: ["back"],
  ArrowLeft: ["move", -1, 0],
  ArrowRight: ["move", 1, 0],
  ArrowUp: ["move", 0, -1],
  ArrowDown: ["move", 0, 1]
};
var WITH_CONTROL = {
  y: ["step", "redo"],
  a: ["step", "select-all"],
  c: ["step", "copy"],
  x: ["step", "cut"],
  v: ["step", "paste"],
  d: ["step", "duplicate"]
};
var BLINKED = { o: "overlay", a: "annotations" };
function isForControl({ key }) {
  return ["Enter", " ", "Tab", "Home", "End", "PageUp", "PageDown"].includes(key) || key.startsWith("Arrow");
}
function actionOf(event) {
  if (event.altKey) return null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === "z") return ["step", event.shiftKey ? "redo" : "undo"];
  if (event.ctrlKey || event.metaKey) return WITH_CONTROL[key] ?? null;
  return plainAction(key, event);
}
function plainAction(key, { repeat, shiftKey, timeStamp }) {
  if (BLINKED[key]) return ["blink", BLINKED[key], timeStamp];
  if (/^[1-9]$/.test(key)) return ["class", Number(key) - 1];
  if (key === "Enter" || key === "d") return repeat ? null : ["press", key, timeStamp, shiftKey];
  if (key.startsWith("Arrow")) return [...PLAIN[key], shiftKey];
  return PLAIN[key] ?? null;
}

// common/text_fields.js
var INPUTS_WITHOUT_TEXT = ["button", "checkbox", "color", "file", "radio", "range", "reset", "submit"];
function takesText(element2) {
  if (element2.isContentEditable || ["TEXTAREA", "SELECT"].includes(element2.tagName)) return true;
  return element2.tagName === "INPUT" && !INPUTS_WITHOUT_TEXT.includes(element2.type);
}

// canvas/key_scope.js
function canGive(element2) {
  if (!element2 || element2 === document.body) return true;
  if (element2.closest(".cm-editor")) return !element2.textContent.trim();
  return !takesText(element2) && !element2.closest(".hw-studio");
}
function isForNotebook({ key, target, ctrlKey, metaKey, altKey }) {
  if (!ctrlKey && !metaKey && !altKey) return false;
  return key.toLowerCase() === "s" || !takesText(target);
}
var KeyScope = class {
  // `down` is called with each key that is not text, and returns whether it handled it; `up` with each released key.
  constructor(element2, { down, up }) {
    this.down = down;
    this.up = up;
    this.onDown = (event) => this._down(event);
    this.onUp = (event) => this.up(event);
    this.onCapture = (event) => this._suppress(!isForNotebook(event));
    this.root = null;
    this.stop = whenInStudio(element2, (root) => this._begin(root));
  }
  _begin(root) {
    this.root = root;
    root.addEventListener("keydown", this.onCapture, true);
    root.addEventListener("keydown", this.onDown);
    root.addEventListener("keyup", this.onUp);
    this._suppress(true);
    if (!root.matches(".hw-studio")) return;
    root.tabIndex = -1;
    if (canGive(document.activeElement)) root.focus({ preventScroll: true });
  }
  // JupyterLab and Notebook 7 look for their shortcuts only outside of elements with this attribute.
  _suppress(on) {
    this.root.toggleAttribute("data-lm-suppress-shortcuts", on);
  }
  _down(event) {
    setTimeout(() => this._suppress(true));
    const done = !event.defaultPrevented && !takesText(event.target) && this.down(event);
    if (done) event.preventDefault();
    if (done || !isForNotebook(event) && event.key !== "Tab") event.stopPropagation();
  }
  close() {
    this.stop();
    if (!this.root) return;
    this.root.removeEventListener("keydown", this.onCapture, true);
    this.root.removeEventListener("keydown", this.onDown);
    this.root.removeEventListener("keyup", this.onUp);
  }
};

// canvas/keyboard.js
var Keyboard = class {
  constructor(layer2) {
    this.layer = layer2;
    this.scope = new KeyScope(layer2.root, {
      down: (event) => this._down(event),
      up: (event) => this._up(event)
    });
    layer2.root.addEventListener("blur", (event) => {
      layer2.hold(false);
      layer2.cursor.hide();
      endBlink(layer2, event.timeStamp);
    });
  }
  // Returns whether the key was handled and must have no other effect.
  _down(event) {
    const { layer: layer2 } = this;
    if (!layer2.isOpen) return false;
    if (event.key === "Shift") this._straighten(event);
    const ofCanvas = event.target === layer2.root || event.target === this.scope.root;
    if (!ofCanvas && isForControl(event)) return false;
    const action = actionOf(event);
    if (!action) return false;
    const [name, ...values] = action;
    COMMANDS[name](layer2, ...values);
    layer2.show();
    return true;
  }
  _up(event) {
    const { layer: layer2 } = this;
    if (event.key === " ") layer2.hold(false);
    else if (event.key === "Shift") this._straighten(event);
    else if (layer2.blink && BLINKED[event.key.toLowerCase()] === layer2.blink.what) endBlink(layer2, event.timeStamp);
  }
  // A line snaps as soon as Shift is pressed, not only when the pen moves next.
  _straighten(event) {
    const { layer: layer2 } = this;
    if (layer2.gestures.now?.tool !== "line" || !layer2.at) return;
    layer2.shapes.drag(layer2.at, event.shiftKey);
    layer2.show();
  }
  close() {
    this.scope.close();
  }
};

// canvas/keyboard_cursor.js
var STEPS = { near: 4, far: 40 };
var MARGIN = 32;
var READ_AFTER_MS = 350;
var CLICKING_TOOLS = ["select", "wand", "polygon"];
var KEYBOARD = "keys";
var KeyboardCursor = class {
  constructor(layer2) {
    this.layer = layer2;
    this.element = element("div", "hw-cursor");
    this.element.hidden = true;
    layer2.root.append(this.element);
  }
  get active() {
    return !this.element.hidden;
  }
  get draws() {
    return this.layer.gestures.now?.pointer === KEYBOARD;
  }
  // Hide it when a pointer is used or the canvas loses the focus.
  hide() {
    if (this.draws) this._up();
    this.element.hidden = true;
  }
  _show() {
    const { layer: layer2 } = this;
    layer2.at ??= [layer2.stage.width / 2, layer2.stage.height / 2];
    this.element.hidden = false;
    this.element.style.transform = `translate(${layer2.at[0]}px, ${layer2.at[1]}px)`;
    layer2.link.hover(toImage(layer2.view, layer2.stage, layer2.at));
  }
  move(x, y, far) {
    const { layer: layer2 } = this;
    if (this.active || layer2.at) {
      const step2 = far ? STEPS.far : STEPS.near;
      const wanted = [layer2.at[0] + x * step2, layer2.at[1] + y * step2];
      const [dx, dy] = this._panAtEdge(wanted);
      layer2.at = [clamp(wanted[0] - dx, 0, layer2.stage.width), clamp(wanted[1] - dy, 0, layer2.stage.height)];
      if (this.draws) layer2.gestures.now.move([layer2.at], {});
    }
    this._show();
  }
  // Move the image if the crosshair reaches the edge; returns the offset in CSS pixels.
  _panAtEdge([x, y]) {
    const { layer: layer2 } = this;
    const { width: width2, height } = layer2.stage;
    const { view: view2 } = layer2;
    const over = (value, most) => value - clamp(value, MARGIN, most - MARGIN);
    const [dx, dy] = [over(x, width2) / view2.zoom, over(y, height) / view2.zoom];
    if (!dx && !dy) return [0, 0];
    layer2.look({ ...view2, x: view2.x + dx, y: view2.y + dy });
    return [(layer2.view.x - view2.x) * view2.zoom, (layer2.view.y - view2.y) * view2.zoom];
  }
  // Enter or D puts the pen down or lifts it; with `clicks`, tools that click lift it at once.
  press(clicks, timeStamp, shiftKey) {
    const { layer: layer2 } = this;
    if (this.draws) {
      this._up();
      return;
    }
    if (layer2.gestures.now || layer2.tool === "pan") return;
    this._show();
    layer2.gestures.begin(layer2.tool, { id: KEYBOARD, timeStamp, shiftKey });
    if (!this.draws) return;
    if (layer2.tool === "polygon" || clicks && CLICKING_TOOLS.includes(layer2.tool)) this._up();
    else layer2.overlays.say("Pen down");
  }
  _up() {
    const { layer: layer2 } = this;
    layer2.gestures.up({ id: KEYBOARD });
    if (!CLICKING_TOOLS.includes(layer2.tool)) layer2.overlays.say("Pen up");
  }
  // The kernel has described what is under the crosshair.
  describe(text) {
    if (!this.active || !text) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.layer.overlays.say(text), READ_AFTER_MS);
  }
  close() {
    clearTimeout(this.timer);
  }
};

// canvas/latest_request.js
var LatestRequest = class {
  // `send` is called with the content of a request and its number.
  constructor(send) {
    this.send = send;
    this.sent = 0;
    this.unanswered = 0;
    this.waiting = null;
  }
  get pending() {
    return this.unanswered > 0 || this.waiting !== null;
  }
  make(content) {
    this.waiting = content;
    this._sendNext();
  }
  dropWaiting() {
    this.waiting = null;
  }
  // Handle the answer to the request of this number; answers to earlier requests are ignored.
  answered(number) {
    if (number < this.unanswered) return;
    this.unanswered = 0;
    this._sendNext();
  }
  _sendNext() {
    if (this.unanswered || this.waiting === null) return;
    const content = this.waiting;
    this.waiting = null;
    this.sent += 1;
    this.unanswered = this.sent;
    this.send(content, this.sent);
  }
};

// canvas/link.js
var RESEND_MS = 1e4;
var WATCH_MS = 1e3;
var SILENCE_MS = 4e3;
var Link = class {
  // `onSilence` is called with the number of edits whose answer is overdue and the seconds since the oldest was made,
  // and with 0 edits once the answers have come. `now` returns milliseconds.
  constructor(model, onSilence, now = () => performance.now()) {
    this.model = model;
    this.onSilence = onSilence;
    this.now = now;
    this.client = Math.random().toString(36).slice(2, 10);
    this.edits = 0;
    this.unanswered = /* @__PURE__ */ new Map();
    this.openChoices = 0;
    this.isSilent = false;
    this.views = new LatestRequest((view2, number) => this.send(view(number, view2)));
    this.hovers = new LatestRequest((content) => this.send(content));
    this.resend = setInterval(() => this._resendOldest(), RESEND_MS);
    this.watch = setInterval(() => this._watchSilence(), WATCH_MS);
  }
  send(content, buffers = []) {
    try {
      this.model.send({ ...content, client: this.client }, void 0, buffers);
    } catch (error) {
      console.warn("not sent:", error.message);
    }
  }
  choose(content) {
    this.openChoices += 1;
    this.send(content);
  }
  choiceAnswered() {
    this.openChoices -= 1;
  }
  edit(content, buffers = []) {
    this.edits += 1;
    const number = this.edits;
    const numbered = { ...content, number };
    this.unanswered.set(number, { content: numbered, buffers, made: this.now() });
    this.send(numbered, buffers);
    return number;
  }
  // Records answered edits, as [client, number]; returns the numbers of those that this page sent.
  editsAnswered(edits) {
    const mine = edits.filter(([client]) => client === this.client).map(([, number]) => number);
    for (const number of mine) this.unanswered.delete(number);
    if (mine.length && this.isSilent) this._watchSilence();
    return mine;
  }
  requestView(view2) {
    this.views.make(view2);
  }
  viewAnswered(client, number) {
    if (client === this.client) this.views.answered(number);
  }
  // Tell the kernel what image point the pen is over, or null when it has left.
  hover(point) {
    this.hovers.make(point ? hover(point) : leave());
  }
  hoverAnswered() {
    this.hovers.answered(this.hovers.unanswered);
  }
  get _oldest() {
    const [oldest] = this.unanswered.values();
    return oldest;
  }
  _resendOldest() {
    const oldest = this._oldest;
    if (oldest) this.send(oldest.content, oldest.buffers);
  }
  _watchSilence() {
    const oldest = this._oldest;
    const waited = oldest ? this.now() - oldest.made : 0;
    const wasSilent = this.isSilent;
    this.isSilent = waited > SILENCE_MS;
    if (this.isSilent || wasSilent) this.onSilence(this.isSilent ? this.unanswered.size : 0, waited / 1e3);
  }
  close() {
    clearInterval(this.resend);
    clearInterval(this.watch);
  }
};

// common/words.js
function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

// canvas/help_panel.js
var KEYS = [
  ["1 … 9", "choose a class, or assign it to the selection"],
  ["B   E   H", "brush, eraser, hand"],
  ["L   R   P", "line (Shift: 45° steps), rectangle, polygon"],
  ["V   W", "select, wand (drag: larger or smaller region)"],
  ["[   ]   Alt + wheel", "decrease, increase brush width or tolerance"],
  ["I", "fill the inside of the ring that was drawn last"],
  ["Right button", "erase"],
  ["Escape", "cancel the drawing, or clear the selection"],
  ["Z   Shift+Z", "undo, redo (Ctrl+Z and Ctrl+Y too)"],
  ["O   A", "hide or show prediction, annotations (hold: only while held)"],
  ["+   −   wheel", "zoom (wheel: hold Ctrl)"],
  ["F", "fit the image"],
  ["Space + drag", "move the image (middle button too)"],
  ["Space + ← ↑ → ↓", "move the image (Hand tool: arrows alone)"],
  ["← ↑ → ↓", "move the crosshair (Shift: large steps)"],
  ["Enter   D", "pen down and up at the crosshair; click"],
  ["Enter   C", "close the polygon (at the crosshair: Enter twice)"],
  ["Backspace", "remove the polygon's last point"],
  ["Shift + click", "add to the selection, or remove from it"],
  ["← ↑ → ↓", "nudge the selection (Shift: 10 px)"],
  ["Delete", "delete the selection"],
  ["Ctrl + A C X V D", "select all, copy, cut, paste, duplicate"],
  ["Tab", "leave the canvas"],
  ["?", "show or hide this list"]
];
function helpPanel() {
  const panel = element("div", "hw-help");
  panel.hidden = true;
  panel.setAttribute("role", "dialog");
  panel.setAttribute("aria-label", "Keys of the canvas");
  const list = element("dl");
  list.append(...KEYS.flatMap(([keys, meaning]) => [element("dt", "", keys), element("dd", "", meaning)]));
  panel.append(list);
  for (const name of ["pointerdown", "wheel"]) panel.addEventListener(name, (event) => event.stopPropagation());
  return panel;
}

// canvas/scale_bar.js
var MOST_PIXELS = 120;
function scaleBar(zoom, pixelSize, most = MOST_PIXELS) {
  const unit = pixelSize ? zoom / pixelSize : zoom;
  const longest = most / unit;
  const power = 10 ** Math.floor(Math.log10(longest));
  const length = [5, 2, 1].find((step2) => step2 * power <= longest) * power;
  const digits = Math.max(0, -Math.floor(Math.log10(length)));
  const isLong = pixelSize && length >= 1e3;
  const text = isLong ? `${length / 1e3} mm` : `${length.toFixed(digits)} ${pixelSize ? "µm" : "px"}`;
  return { pixels: length * unit, text };
}

// canvas/overlays.js
var HINT_MS = 1800;
var LEAST_RING = 3;
var TAG_OFFSET = [14, -30];
var SCROLL_STEP = 40;
function part(parent, className2) {
  const made = element("div", className2);
  parent.append(made);
  return made;
}
function moveTo(part2, [x, y]) {
  part2.style.transform = `translate(${x}px, ${y}px)`;
}
function resize(part2, width2, height) {
  part2.style.width = `${width2}px`;
  part2.style.height = `${height}px`;
}
var Overlays = class {
  constructor(root) {
    this.boxes = part(root, "hw-boxes");
    this.mark = part(root, "hw-mark");
    this.crossPart = part(root, "hw-cross");
    this.caption = part(root, "hw-caption");
    this.scale = part(root, "hw-scale");
    this.opening = part(root, "hw-opening");
    this.hint = part(root, "hw-hint");
    this.unanswered = part(root, "hw-kept");
    this.ring = part(root, "hw-ring");
    this.marquee = part(root, "hw-marquee");
    this.tag = part(root, "hw-tag");
    this.live = part(root, "hw-sr");
    this.live.setAttribute("role", "status");
    this.live.setAttribute("aria-live", "polite");
    this.help = helpPanel();
    root.append(this.help);
    this.heldOut = [];
    this.marked = [];
    this.cross = [];
    const { caption, opening, hint, unanswered, ring, marquee: marquee2, tag } = this;
    for (const each of [caption, opening, hint, unanswered, ring, marquee2, tag]) each.hidden = true;
  }
  setCaption(text) {
    this.caption.textContent = text;
    this.caption.hidden = !text;
  }
  // The image that is being opened, or "" once it is shown.
  showOpening(name) {
    this.opening.textContent = name ? `Opening ${name}…` : "";
    this.opening.hidden = !name;
    this.scale.hidden = Boolean(name);
  }
  // The number of edits that the kernel has not answered, and for how long: it is busy, or the connection is lost.
  setUnanswered(edits, seconds) {
    const { unanswered } = this;
    if (edits && unanswered.hidden) this.say("No answer from the kernel. Your edits are kept and will be sent again.");
    unanswered.hidden = !edits;
    const what = `${counted(edits, "edit")} ${edits === 1 ? "is" : "are"}`;
    unanswered.textContent = `No answer from the kernel for ${Math.round(seconds)} s · ${what} kept and will be sent again`;
  }
  // Held-out rectangles [x, y, width, height] in image pixels.
  setHeldOut(rectangles) {
    this.heldOut = rectangles;
    this.boxes.replaceChildren(
      ...rectangles.map(() => {
        const box = element("div", "hw-box");
        box.append(element("span", "hw-box-name", "test area"));
        return box;
      })
    );
  }
  // The marked rectangle [x, y, width, height] in image pixels, or [] for none.
  setMarked(rectangle) {
    this.marked = rectangle;
    this.mark.hidden = !rectangle.length;
  }
  // The pixel [x, y] under the cross, or [] for none.
  setCross(pixel) {
    this.cross = pixel;
    this.crossPart.hidden = !pixel.length;
  }
  // Position everything for the view.
  place(view2, stage, pixelSize) {
    this.heldOut.forEach(([x, y, width2, height], i) => {
      const box = this.boxes.children[i];
      const [left, top] = toStage(view2, stage, [x, y]);
      moveTo(box, [left, top]);
      resize(box, width2 * view2.zoom, height * view2.zoom);
      moveTo(box.firstChild, [Math.max(0, -left), Math.max(0, -top)]);
    });
    if (this.marked.length) {
      const [x, y, width2, height] = this.marked;
      moveTo(this.mark, toStage(view2, stage, [x, y]));
      resize(this.mark, width2 * view2.zoom, height * view2.zoom);
    }
    if (this.cross.length) {
      const [x, y] = this.cross;
      moveTo(this.crossPart, toStage(view2, stage, [x + 0.5, y + 0.5]));
    }
    const bar = scaleBar(view2.zoom, pixelSize);
    this.scale.textContent = bar.text;
    this.scale.style.setProperty("--hw-bar", `${bar.pixels}px`);
  }
  showRing([x, y], diameter, color) {
    const size = Math.max(LEAST_RING, diameter);
    this.ring.hidden = false;
    resize(this.ring, size, size);
    moveTo(this.ring, [x - size / 2, y - size / 2]);
    this.ring.style.setProperty("--hw-ring", color);
  }
  hideRing() {
    this.ring.hidden = true;
  }
  // A box [left, top, width, height] on the stage, or null for none.
  showMarquee(box) {
    this.marquee.hidden = !box;
    if (!box) return;
    const [left, top, width2, height] = box;
    moveTo(this.marquee, [left, top]);
    resize(this.marquee, width2, height);
  }
  // A short text beside the pen; hidden if `at` is null.
  showTag(at, text = "") {
    this.tag.hidden = !at;
    this.tag.textContent = text;
    if (at) moveTo(this.tag, [at[0] + TAG_OFFSET[0], at[1] + TAG_OFFSET[1]]);
  }
  // Announce a text to screen readers.
  say(text) {
    this.live.textContent = text;
  }
  showHint(text) {
    this.hint.textContent = text;
    this.hint.hidden = false;
    clearTimeout(this.hintTimer);
    this.hintTimer = setTimeout(() => {
      this.hint.hidden = true;
    }, HINT_MS);
  }
  get helpShown() {
    return !this.help.hidden;
  }
  toggleHelp(shown = !this.helpShown) {
    this.help.hidden = !shown;
  }
  // Scroll the list of keys; returns whether it is shown and can scroll further.
  scrollHelp(by) {
    const { help } = this;
    if (help.hidden || help.scrollHeight <= help.clientHeight) return false;
    help.scrollBy(0, SCROLL_STEP * by);
    return true;
  }
  close() {
    clearTimeout(this.hintTimer);
  }
};

// canvas/pan.js
var Pan = class {
  constructor(layer2) {
    this.layer = layer2;
  }
  start(_, at) {
    let last = at;
    const move2 = (places) => {
      const to = places.at(-1);
      this.layer.look(pannedView(this.layer.view, last, to));
      last = to;
    };
    return { kind: "pan", move: move2, up() {
    } };
  }
};

// canvas/pointer_events.js
var PointerEvents = class {
  constructor(layer2) {
    this.layer = layer2;
    this.wheelSteps = new WheelSteps();
    const { root, gestures } = layer2;
    const on = (name, handle, options) => root.addEventListener(name, handle, options);
    on("pointerdown", (event) => this._down(event));
    on("pointermove", (event) => this._move(event));
    on("pointerup", (event) => gestures.up({ id: event.pointerId }));
    on("pointercancel", (event) => gestures.up({ id: event.pointerId, cancelled: true }));
    on("pointerleave", () => gestures.leave());
    on("wheel", (event) => this._wheel(event), { passive: false });
    on("contextmenu", (event) => event.preventDefault());
    for (const name of ["mousedown", "mouseup", "click", "dblclick", "contextmenu"]) {
      on(name, (event) => event.stopPropagation());
    }
  }
  _stagePoint(event) {
    const { root, stage } = this.layer;
    const box = root.getBoundingClientRect();
    const scale = stage.width / box.width || 1;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  }
  _pointer(event) {
    const { pointerId: id, pointerType: type, button: button2, pressure, shiftKey, timeStamp } = event;
    return { id, type, button: button2, pressure, shiftKey, timeStamp, at: this._stagePoint(event) };
  }
  // All stage points of an event, each with the pen's pressure.
  _places(event) {
    const events = event.getCoalescedEvents?.() ?? [];
    return (events.length ? events : [event]).map((each) => [...this._stagePoint(each), each.pressure]);
  }
  _down(event) {
    const { root, gestures } = this.layer;
    event.preventDefault();
    event.stopPropagation();
    root.focus({ preventScroll: true });
    if (!this.layer.isOpen) return;
    root.setPointerCapture(event.pointerId);
    gestures.down(this._pointer(event));
  }
  _move(event) {
    const { cursor, gestures, isOpen } = this.layer;
    if (!isOpen) return;
    if (cursor.active && !event.movementX && !event.movementY) return;
    gestures.move({ ...this._pointer(event), places: () => this._places(event) });
  }
  // Until the canvas has the focus, the wheel scrolls the page, as expected in a long notebook.
  _wheel(event) {
    const { root, gestures, overlays, stage, isOpen } = this.layer;
    const isMeant = event.ctrlKey || event.metaKey || event.altKey || document.activeElement === root;
    if (!isMeant) {
      overlays.showHint("Hold Ctrl to zoom with the wheel");
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    if (!isOpen) return;
    if (event.altKey) {
      const steps = this.wheelSteps.take(event, stage.height);
      for (let i = 0; i < Math.abs(steps); i++) COMMANDS[steps > 0 ? "thicker" : "thinner"](this.layer);
      this.layer.show();
      return;
    }
    gestures.zoom(this._stagePoint(event), wheelFactor(event, stage.height));
  }
};

// canvas/selection.js
var NEAR2 = 4;
var NUDGE_PAUSE_MS = 600;
var Selection = class {
  constructor(layer2, drawing) {
    this.layer = layer2;
    this.drawing = drawing;
    this.shapes = [];
    this.latest = [];
    this.sent = /* @__PURE__ */ new Map();
    this.moving = [0, 0];
  }
  get count() {
    return this.shapes.length;
  }
  // The kernel's selection, which is outdated while a move is unanswered.
  take(shapes) {
    this.latest = shapes;
    if (this.sent.size) return;
    this.shapes = shapes;
    const paths = /* @__PURE__ */ new Map();
    for (const { rings, color } of shapes) paths.set(color, (paths.get(color) ?? "") + ringsPath(rings));
    this.drawing.draw([...paths].map(([color, path]) => ({ className: "hw-ghost", path, color })));
    this.place();
  }
  // Another tool was chosen.
  clear() {
    this.settle();
    this.shapes = [];
    this.drawing.draw([]);
  }
  // The offset, in image pixels, of the shown selection from the kernel's.
  get offset() {
    return [...this.sent.values()].reduce(([x, y], [dx, dy]) => [x + dx, y + dy], this.moving);
  }
  place() {
    this.drawing.place(this.layer.view, this.layer.stage, this.offset);
  }
  // Whether a stage point is on or close to the selection.
  holds(at) {
    if (!this.count || !at) return false;
    const { view: view2, stage } = this.layer;
    const [dx, dy] = this.offset;
    const [x, y] = toImage(view2, stage, at);
    return this.shapes.some(({ rings }) => isInside(rings, [x - dx, y - dy], NEAR2 / view2.zoom));
  }
  // Show the selection at an offset from its place after the last move.
  drag(dx, dy) {
    this.moving = [dx, dy];
    this.place();
  }
  nudge(dx, dy) {
    this.drag(this.moving[0] + dx, this.moving[1] + dy);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.settle(), NUDGE_PAUSE_MS);
  }
  // Send the move that is shown.
  settle() {
    clearTimeout(this.timer);
    const { moving, layer: layer2 } = this;
    if (!moving[0] && !moving[1]) return;
    this.moving = [0, 0];
    const number = layer2.link.edit({ ...move(moving), image_name: layer2.imageName });
    this.sent.set(number, moving);
    this.place();
  }
  // The kernel has drawn, or refused, these edits.
  answered(numbers) {
    const moves = numbers.filter((number) => this.sent.delete(number));
    if (moves.length) this.take(this.latest);
  }
};

// canvas/select_tool.js
var SelectTool = class {
  constructor(layer2) {
    this.layer = layer2;
  }
  start(_, at, { shiftKey }) {
    const { layer: layer2 } = this;
    layer2.selection.settle();
    if (!shiftKey && layer2.selection.holds(at)) return this._mover(at, () => this._pick(at, false));
    return this._marquee(at, Boolean(shiftKey));
  }
  _pick(at, add) {
    const { layer: layer2 } = this;
    return layer2.edit(pick(toImage(layer2.view, layer2.stage, at), NEAR2 / layer2.view.zoom, add));
  }
  _mover(from, clicked) {
    const { selection, view: view2 } = this.layer;
    let moved = false;
    const move2 = (places) => {
      const at = places.at(-1);
      moved ||= distance(at, from) >= LEAST_DRAG;
      if (moved) selection.drag((at[0] - from[0]) / view2.zoom, (at[1] - from[1]) / view2.zoom);
    };
    const up = () => {
      if (moved) selection.settle();
      else clicked();
    };
    return { kind: "move", tool: "select", move: move2, up, drop: () => selection.drag(0, 0) };
  }
  // The kernel picks what is under the pen immediately; if it finds something, the drag moves that.
  _marquee(from, add) {
    const { overlays } = this.layer;
    const number = this._pick(from, add);
    let box = null;
    const move2 = (places) => {
      const [left, top, width2, height] = boxBetween(from, places.at(-1));
      box = Math.max(width2, height) < LEAST_DRAG ? null : [left, top, width2, height];
      overlays.showMarquee(box);
    };
    const up = () => {
      overlays.showMarquee(null);
      if (box) this._selectIn(box, add);
    };
    const drop = () => overlays.showMarquee(null);
    return { kind: "marquee", tool: "select", number, from, move: move2, up, drop };
  }
  _selectIn([left, top, width2, height], add) {
    const { layer: layer2 } = this;
    const { zoom } = layer2.view;
    const [x, y] = toImage(layer2.view, layer2.stage, [left, top]);
    layer2.edit(marquee([x, y, Math.max(width2, 1) / zoom, Math.max(height, 1) / zoom], add));
  }
  // The kernel's answer to a pick.
  picked({ number, hit }) {
    const { gestures, overlays, at } = this.layer;
    if (!hit || gestures.now?.number !== number) return;
    const { from, pointer } = gestures.now;
    overlays.showMarquee(null);
    gestures.now = Object.assign(
      this._mover(from, () => {
      }),
      { pointer }
    );
    gestures.now.move([at]);
  }
};

// canvas/selection_bar.js
var BUTTONS2 = [
  ["copy", "Copy", "Copy (Ctrl+C)"],
  ["paste", "Paste", "Paste (Ctrl+V)"],
  ["duplicate", "Duplicate", "Duplicate (Ctrl+D)"],
  ["delete", "Delete", "Delete (Delete key)"]
];
var SelectionBar = class {
  constructor(layer2) {
    this.layer = layer2;
    this.bar = element("div", "hw-selection-bar");
    this.bar.setAttribute("role", "toolbar");
    this.bar.setAttribute("aria-label", "Selection");
    this.text = element("span");
    this.choice = element("select");
    this.choice.title = "Change the class (1 to 9)";
    this.choice.setAttribute("aria-label", "Class of the selection");
    this.choice.addEventListener("change", () => this._reclassify());
    const act = (kind) => (event) => this._act(kind, event);
    this.buttons = Object.fromEntries(BUTTONS2.map(([kind, text, title]) => [kind, button("", text, title, act(kind))]));
    this.bar.append(this.text, this.choice, ...Object.values(this.buttons));
    for (const name of ["pointerdown", "pointermove", "pointerup"]) {
      this.bar.addEventListener(name, (event) => event.stopPropagation());
    }
    layer2.root.append(this.bar);
  }
  // After a click the focus returns to the canvas and its keys; after Enter (`detail` is 0) it stays.
  _act(kind, { detail }) {
    this.layer.edit(step(kind));
    if (detail > 0) this._focusCanvas();
  }
  _focusCanvas() {
    this.layer.root.focus({ preventScroll: true });
  }
  _reclassify() {
    const chosen = this.layer.classes[Number(this.choice.value)];
    if (chosen) this.layer.edit(reclassify(chosen.name));
    this.choice.selectedIndex = 0;
  }
  show() {
    const { layer: layer2, bar, choice, buttons } = this;
    const { count } = layer2.selection;
    const hadFocus = !bar.hidden && bar.contains(document.activeElement);
    bar.hidden = layer2.tool !== "select" || !(count || layer2.copied) || layer2.gestures.now !== null && !count;
    this.text.textContent = count ? `${count} selected` : "Nothing selected";
    choice.hidden = buttons.copy.hidden = buttons.duplicate.hidden = buttons.delete.hidden = !count;
    buttons.paste.hidden = !layer2.copied;
    this._setClasses(layer2.classes.map(({ name }) => name));
    if (hadFocus && (bar.hidden || document.activeElement?.hidden)) this._focusCanvas();
  }
  _setClasses(names) {
    if (this.names === names.join("\n")) return;
    this.names = names.join("\n");
    const options = ["Class …", ...names].map((text, i) => new Option(text, String(i - 1)));
    this.choice.replaceChildren(...options);
  }
};

// canvas/slider_names.js
function nameSliders(root) {
  for (const handle of root.querySelectorAll(".noUi-handle:not([aria-label])")) {
    const box = handle.closest(".jupyter-widgets");
    const name = box?.querySelector(".widget-label")?.textContent.trim();
    if (!name) continue;
    handle.setAttribute("aria-label", name);
    const readout = box.querySelector(".widget-readout");
    readout?.setAttribute("role", "textbox");
    readout?.setAttribute("aria-label", `${name}, as a number`);
  }
}
function keepSlidersNamed(el) {
  let observer = null;
  let frame = 0;
  const stop = whenInStudio(el, (root) => {
    nameSliders(root);
    observer = new MutationObserver(() => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        nameSliders(root);
      });
    });
    observer.observe(root, { childList: true, subtree: true });
  });
  return () => {
    stop();
    cancelAnimationFrame(frame);
    observer?.disconnect();
  };
}

// canvas/wand.js
var TOLERANCES = [1, 100];
var PIXELS_PER_STEP = 3;
var clampTolerance = (tolerance2) => clamp(tolerance2, ...TOLERANCES);
function draggedTolerance(tolerance2, from, to) {
  const steps = Math.round((to[0] - from[0] - (to[1] - from[1])) / PIXELS_PER_STEP);
  return clampTolerance(Math.round(tolerance2) + steps);
}
var WandTool = class {
  constructor(layer2, drawing) {
    this.layer = layer2;
    this.drawing = drawing;
    this.previews = new LatestRequest((region, number) => layer2.link.send(wandPreview(number, region)));
    this.kept = /* @__PURE__ */ new Set();
  }
  start(tool2, at) {
    const { layer: layer2 } = this;
    const { x, y, zoom } = layer2.view;
    const [px, py] = toImage(layer2.view, layer2.stage, at);
    const before = layer2.wandTolerance;
    let region = { x: px, y: py, tolerance: before, view: [x, y, zoom] };
    this.kept.clear();
    this.drawing.draw([]);
    this.previews.make(region);
    const move2 = (places) => {
      const to = places.at(-1);
      const tolerance2 = draggedTolerance(before, at, to);
      if (tolerance2 !== region.tolerance) {
        region = { ...region, tolerance: tolerance2 };
        this.previews.make(region);
      }
      layer2.overlays.showTag(to, `tolerance ${tolerance2}`);
    };
    const up = () => {
      layer2.overlays.showTag(null);
      if (region.tolerance !== before) layer2.setTolerance(region.tolerance);
      this.kept.add(layer2.edit(wand(layer2.className, region)));
    };
    const drop = () => this._hide();
    return { kind: "wand", tool: tool2, move: move2, up, drop, cancel: drop };
  }
  _hide() {
    this.layer.overlays.showTag(null);
    this.previews.dropWaiting();
    this.drawing.draw([]);
  }
  get _isDown() {
    return this.layer.gestures.now?.kind === "wand";
  }
  // The kernel's answer to a preview. While the pen is down, it is shown even if a later preview is already wanted.
  found({ request, rings }) {
    const { previews, layer: layer2, drawing } = this;
    if (request !== previews.unanswered) return;
    if (this._isDown || this.kept.size) {
      drawing.draw([{ className: "hw-wand-area", path: ringsPath(rings), color: layer2.colorOf("wand") }]);
      this.place();
    }
    previews.answered(request);
  }
  place() {
    this.drawing.place(this.layer.view, this.layer.stage);
  }
  answered(numbers) {
    const done = numbers.filter((number) => this.kept.delete(number));
    if (done.length && !this.kept.size && !this._isDown) this._hide();
  }
};

// canvas/pointer_layer.js
var MOST_SCALE = 2;
var ERASER_COLOR = "rgb(225, 228, 232)";
var NO_CLASS_COLOR = "#ffffff";
var RINGED_TOOLS = ["brush", "eraser", "line"];
var deviceScale = () => window.devicePixelRatio || 1;
var PointerLayer = class {
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.root = element("div", "hw-pointer");
    this.root.tabIndex = 0;
    this.root.setAttribute("role", "application");
    this.root.setAttribute("aria-label", "Annotation canvas. Press question mark for the list of keys, Tab to leave.");
    this.root.dataset.jpSuppressContextMenu = "true";
    this.at = null;
    this.drafts = 0;
    this.spaceHeld = false;
    this.classChoice = new ClassChoice(el, (name) => this.useClass(name));
    this.view = this.drawn = { x: 0, y: 0, zoom: 1 };
    this._makeParts();
    this.endTraits = followTraits(this, model);
    this.onMessage = (content) => onKernelMessage(this, content);
    model.on("msg:custom", this.onMessage);
    el.append(this.root);
    el.classList.add("hw-live");
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
      wand: new WandTool(this, new ImageOutline(root, "hw-wand"))
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
    if (this.knowsView || zoom === void 0) return;
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
  colorOf(tool2) {
    return tool2 === "eraser" ? ERASER_COLOR : this.classes[this.classIndex]?.color ?? NO_CLASS_COLOR;
  }
  hatchOf(tool2) {
    return tool2 === "eraser" ? null : this.classes[this.classIndex]?.hatch;
  }
  get className() {
    return this.classes[this.classIndex]?.name ?? "";
  }
  hint(text) {
    this.overlays.showHint(text);
    this.overlays.say(text);
  }
  look(view2) {
    const wanted = clampView(view2, this.image, this.stage);
    if (sameView(wanted, this.view)) return;
    this.view = wanted;
    this.ink.repaint(wanted);
    this.show();
    this.link.requestView(wanted);
  }
  // The kernel draws at the resolution of the screen, which changes when the window is zoomed or moved to another
  // screen.
  _watchScale() {
    this.link.send(ready(Math.min(deviceScale(), MOST_SCALE)));
    this.scaleQuery = window.matchMedia(`(resolution: ${deviceScale()}dppx)`);
    this.scaleChanged = () => {
      this._resize();
      this._watchScale();
    };
    this.scaleQuery.addEventListener("change", this.scaleChanged, { once: true });
  }
  // -- from the user --------------------------------------------------------------------------
  // Changing the tool ends an unfinished shape.
  useTool(tool2) {
    if (this.shapes.tool && this.shapes.tool !== tool2) {
      if (this.gestures.now?.kind === "shape") this.gestures.now = null;
      this.shapes.end();
    }
    if (tool2 !== "select") this.selection.clear();
    this.tool = tool2;
  }
  // Paint with a class that was chosen beside the canvas, from where the kernel is told.
  useClass(name) {
    const index = this.classes.findIndex((each) => each.name === name);
    if (index >= 0) this.classIndex = index;
    this.showPen();
  }
  setTolerance(tolerance2) {
    this.wandTolerance = clampTolerance(tolerance2);
    this.link.choose(tolerance(this.wandTolerance));
  }
  showLayer(name, on) {
    this.shown[name] = on;
    this.link.choose(layer(name, on));
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
    if (!this.penTold) this.link.send(pen());
    this.penTold = true;
  }
  tellShort(points) {
    this.link.send(short(points));
  }
  keepDraft(points, corners) {
    this.drafts += 1;
    const content = draft(this.drafts, this.imageName, corners);
    this.link.send(content, points.length ? [packPoints(points)] : []);
  }
  // Send an edit of the image shown, after any pending move of the selection.
  edit(content, buffers) {
    this.selection.settle();
    return this.link.edit({ image_name: this.imageName, ...content }, buffers);
  }
  // Show a finished shape as ink until the kernel has drawn its annotation.
  finishShape(tool2, points) {
    const number = this.edit(shape(tool2, this.className, this.brushWidth), [packPoints(points)]);
    const outline = tool2 === "rectangle" ? rectangleCorners(...points) : points;
    const [color, hatch] = [this.colorOf(tool2), this.hatchOf(tool2)];
    const shape2 = { points: outline.flat(), width: this.brushWidth, color, hatch, area: tool2 !== "line" };
    this.ink.add(number, shape2);
    this.ink.extend(shape2, 0, this.view);
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
};

// canvas/widget.js
function render({ model, el }) {
  const layer2 = new PointerLayer(model, el);
  return () => layer2.close();
}
var widget_default = { render };
export {
  widget_default as default
};

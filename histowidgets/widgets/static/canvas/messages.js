// The messages of the pointer layer to the kernel. The link adds the sending page and, for an edit, its number. The
// kernel validates each message against its schema, and refuses unknown fields.

// -- the page itself

export const ready = (scale) => ({ kind: "ready", scale });
export const loaded = (pictures) => ({ kind: "loaded", pictures });
export const redraw = () => ({ kind: "redraw" });
export const pen = () => ({ kind: "pen" });
export const view = (number, { x, y, zoom }) => ({ kind: "view", number, x, y, zoom });
export const hover = ([x, y]) => ({ kind: "hover", x, y });
export const leave = () => ({ kind: "leave" });

// -- choices, which the kernel answers with "chosen"

export const tool = (name) => ({ kind: "tool", tool: name });
export const className = (name) => ({ kind: "class", class_name: name });
export const width = (pixels) => ({ kind: "width", width: pixels });
export const tolerance = (value) => ({ kind: "tolerance", tolerance: value });

// Show or hide one of the LAYERS.
export const LAYERS = ["overlay", "annotations"];
export const layer = (name, on) => ({ kind: name, on });

// -- edits of an image, which the kernel does once and in order

// `points` and, for a stroke of varying width, `widths` are sent as buffers.
export const stroke = (toolName, nameOfClass, brushWidth) => ({
  kind: "stroke",
  tool: toolName,
  class_name: nameOfClass,
  width: brushWidth,
});
export const shape = (toolName, nameOfClass, brushWidth) => ({
  kind: "shape",
  tool: toolName,
  class_name: nameOfClass,
  width: brushWidth,
});
export const wand = (nameOfClass, region) => ({ kind: "wand", class_name: nameOfClass, ...region });
export const pick = ([x, y], near, add) => ({ kind: "pick", x, y, tolerance: near, add });
export const marquee = ([x, y, across, down], add) => ({ kind: "marquee", x, y, width: across, height: down, add });
export const move = ([dx, dy]) => ({ kind: "move", dx, dy });
export const reclassify = (name) => ({ kind: "reclassify", class_name: name });

// One of the STEPS, which have no parameters.
export const STEPS = ["undo", "redo", "fill", "delete", "copy", "cut", "paste", "duplicate", "select-all", "deselect"];
export const step = (name) => ({ kind: name });

// -- unfinished drawings

// A region for the wand is {x, y, tolerance, view}.
export const wandPreview = (request, region) => ({ kind: "wand-preview", request, ...region });
export const draft = (number, imageName, corners) => ({ kind: "draft", number, image_name: imageName, corners });
export const short = (points) => ({ kind: "short", points });

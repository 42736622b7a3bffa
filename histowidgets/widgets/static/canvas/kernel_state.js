import { unpackPoints } from "./points_buffer.js";

// How a pointer layer handles each trait of its model.
const TRAITS = {
  stage: (layer, [width, height]) => layer.setStage({ width, height }),
  view: (layer, view) => layer.setView(view),
  image_name: (layer, name) => layer.setImage(name),
  is_drawn: (layer, on) => layer.setOpen(on),
  image_size: (layer, [width, height]) => {
    layer.image = { width, height };
  },
  pixel_size: (layer, size) => {
    layer.pixelSize = size;
  },
  classes: (layer, classes) => {
    layer.classes = classes;
  },
  class_index: (layer) => layer.takeChoices(),
  tool: (layer) => layer.takeChoices(),
  brush_width: (layer) => layer.takeChoices(),
  wand_tolerance: (layer) => layer.takeChoices(),
  pen_pressure: (layer, on) => {
    layer.penPressure = on;
  },
  caption: (layer, text) => layer.overlays.setCaption(text),
  held_out: (layer, rectangles) => layer.overlays.setHeldOut(rectangles),
  marked: (layer, place) => layer.overlays.setMarked(place),
  cross: (layer, pixel) => layer.overlays.setCross(pixel),
  overlay_on: (layer) => layer.takeChoices(),
  annotations_on: (layer) => layer.takeChoices(),
  selected: (layer, shapes) => layer.selection.take(shapes),
  copied: (layer, count) => {
    layer.copied = count;
  },
  annotation_opacity: (layer, share) => layer.ink.setOpacity(share),
  draft: (layer, { client, image_name, points, corners }) => {
    if (client) layer.takeDraft(client, image_name, unpackPoints(points), corners);
  },
};

// Passes the traits of its model to a pointer layer, now and on each change. Returns a function to stop.
export function followTraits(layer, model) {
  const changes = Object.entries(TRAITS).map(([name, take]) => {
    take(layer, model.get(name));
    const changed = () => {
      take(layer, model.get(name));
      if (layer.ready) layer.show();
    };
    model.on(`change:${name}`, changed);
    return [`change:${name}`, changed];
  });
  return () => {
    for (const [event, changed] of changes) model.off(event, changed);
  };
}

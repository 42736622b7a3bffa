// How a pointer layer handles each kind of message from the kernel.
const HANDLERS = {
  // The drawing sent by the kernel shows this view and includes these edits.
  drawn: (layer, content) => layer.drawing.afterPainting(() => layer.painted(content)),
  refused: (layer, { edits }) => layer.editsAnswered(edits),
  hovered(layer, { text }) {
    layer.link.hoverAnswered();
    layer.cursor.describe(text);
  },
  say: (layer, { text }) => layer.overlays.say(text),
  help(layer) {
    layer.overlays.toggleHelp();
    layer.root.focus({ preventScroll: true });
  },
};

// Answers to one page, which other pages ignore.
const ANSWERS = {
  chosen: (layer) => layer.choiceAnswered(),
  picked: (layer, content) => layer.tools.select.picked(content),
  wand: (layer, content) => layer.tools.wand.found(content),
};

export function onKernelMessage(layer, content) {
  HANDLERS[content.kind]?.(layer, content);
  if (content.client === layer.link.client) ANSWERS[content.kind]?.(layer, content);
}

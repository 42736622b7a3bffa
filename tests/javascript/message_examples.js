// Prints, as JSON, each message that the pointer layer can send, as the kernel gets it; tests/widgets holds them against
// the kernel's schema.
import { Link } from "../../histowidgets/widgets/static/canvas/link.js";
import * as messages from "../../histowidgets/widgets/static/canvas/messages.js";

const REGION = { x: 10.5, y: 20, tolerance: 18, view: [500, 400, 2] };

const { LAYERS, STEPS, ...makers } = messages;
const edits = {
  stroke: () => [messages.stroke("brush", "Stroma", 12)],
  shape: () => [messages.shape("polygon", "Stroma", 12)],
  wand: () => [messages.wand("Stroma", REGION)],
  pick: () => [messages.pick([10.5, 20], 4, false)],
  marquee: () => [messages.marquee([10.5, 20, 30, 40], true)],
  move: () => [messages.move([-3, 0.5])],
  reclassify: () => [messages.reclassify("Stroma")],
  step: () => STEPS.map(messages.step),
};
const choices = {
  tool: () => [messages.tool("wand")],
  className: () => [messages.className("Stroma")],
  width: () => [messages.width(12)],
  tolerance: () => [messages.tolerance(18)],
  layer: () => LAYERS.map((name) => messages.layer(name, false)),
};
const others = {
  ready: () => [messages.ready(1.5)],
  loaded: () => [messages.loaded([1024, 2048])],
  redraw: () => [messages.redraw()],
  pen: () => [messages.pen()],
  view: () => [messages.view(1, { x: 500, y: 400, zoom: 2 })],
  hover: () => [messages.hover([10.5, 20])],
  leave: () => [messages.leave()],
  wandPreview: () => [messages.wandPreview(1, REGION)],
  draft: () => [messages.draft(1, "colon", [0, 2])],
  short: () => [messages.short(2)],
};

const shown = new Set([edits, choices, others].flatMap(Object.keys));
const missing = Object.keys(makers).filter((name) => !shown.has(name));
if (missing.length) throw new Error(`no example of ${missing}`);

const sent = [];
const link = new Link({ send: (content) => sent.push(content) }, () => {});
const make = (examples) => Object.values(examples).flatMap((example) => example());
for (const content of make(edits)) link.edit({ image_name: "colon", ...content });
for (const content of make(choices)) link.choose(content);
for (const content of make(others)) link.send(content);
link.close();
process.stdout.write(JSON.stringify(sent));

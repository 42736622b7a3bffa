import { element } from "../common/dom.js";
import { follow } from "../common/model.js";
import { ClassWeights } from "./class_weights.js";
import { Field } from "./field.js";
import { FreezeGroups } from "./freeze.js";
import { helpLine } from "./help_line.js";
import { Preset } from "./preset.js";
import { SampleTiles } from "./sample_tiles.js";
import { Section } from "./section.js";
import { Summary } from "./summary.js";
import { TextExport } from "./text_export.js";

// The form never validates: it sends entries, and shows the answer of the kernel.
function render({ model, el }) {
  // Labels need unique ids. They are random, since each form loads this module separately and cannot count the others.
  const prefix = `hw-form-${Math.random().toString(36).slice(2)}`;
  const send = (message) => model.send(message);
  const fields = model
    .get("_fields")
    .map((spec) => new Field(spec, prefix, (entry) => send({ kind: "enter", name: spec.name, entry })));
  const preset = new Preset(model.get("_presets"), prefix, send);
  const summary = new Summary(send);
  const freeze = new FreezeGroups(prefix, send);
  const weights = new ClassWeights(prefix, send);
  const tiles = new SampleTiles(send);

  const short = element("div", "hw-fields");
  short.append(...fields.filter(({ spec }) => !spec.section).map(({ root }) => root));
  const extras = { Network: [freeze.root], Augmentation: [tiles.root], Training: [weights.root] };
  const titles = [...new Set(fields.map(({ spec }) => spec.section).filter(Boolean))];
  const sections = titles.map((title) => {
    const inside = fields.filter(({ spec }) => spec.section === title);
    return new Section(title, inside, extras[title] ?? []);
  });
  tiles.watch(sections[titles.indexOf("Augmentation")].root);
  const code = new TextExport("code", "Copy as Python", "Python code that makes these settings");
  const json = new TextExport(
    "json",
    "Copy as JSON",
    "All settings as JSON, for the command line and TrainingSettings.from_json",
  );

  const form = element("div", "hw-form");
  form.setAttribute("role", "group");
  form.setAttribute("aria-label", "Training settings");
  form.dataset.lmSuppressShortcuts = "true"; // JupyterLab would take letters and arrows as shortcuts
  form.append(preset.root, summary.root, short, ...sections.map(({ root }) => root), code.root, json.root);
  form.append(helpLine(form, fields));
  el.append(form);

  const parts = [preset, summary, freeze, weights, tiles, ...fields, ...sections, code, json];
  const end = follow(model, ["_state", "_facts"], () => {
    for (const part of parts) part.show(model.get("_state"), model.get("_facts"));
  });
  // The kernel computes facts about the settings only while the form is visible.
  const watcher = new IntersectionObserver((entries) => send({ kind: "seen", seen: entries.at(-1).isIntersecting }));
  watcher.observe(form);
  return () => {
    watcher.disconnect();
    end();
  };
}

export default { render };

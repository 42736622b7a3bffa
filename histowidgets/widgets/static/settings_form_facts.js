// What follows from the settings: the summary line, the groups that can be frozen, and a weight for each class.
export function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text; // textContent: HTML in a name is shown as text
  return node;
}

export function button(className, words, title, click) {
  const node = make("button", className, words);
  node.type = "button";
  node.title = title;
  node.addEventListener("click", click);
  return node;
}

export function makeSummary(send) {
  const line = make("div", "hw-summary");
  const words = make("span", "hw-summary-words");
  words.setAttribute("role", "status");
  const undo = button("hw-text-button", "Undo", "Take back the last change that a preset or an advice made", () => send({ kind: "undo" }));
  line.append(words, undo);
  const show = (state, facts) => {
    const text = facts.summary ?? "Working out what is trained…";
    if (words.textContent !== text) words.textContent = text;
    line.dataset.level = facts.level ?? "info";
    undo.style.visibility = state.canUndo ? "" : "hidden";
    undo.disabled = state.disabled;
  };
  return { line, show };
}

// One checkbox a group of the encoder, in step with the setting "freeze".
export function makeFreeze(prefix, send) {
  const box = make("fieldset", "hw-groups");
  const title = make("legend", "", "Frozen layers");
  title.title = "A layer that is frozen keeps its pretrained weights. From the picture (stem) to the deepest block.";
  const list = make("div", "hw-group-list");
  const trained = make("div", "hw-muted");
  trained.setAttribute("role", "status");
  box.append(title, list, trained);
  let shown = "";
  const checks = () => [...list.querySelectorAll("input")];
  const changed = () =>
    send({ kind: "freeze", groups: Object.fromEntries(checks().map((one) => [one.dataset.group, one.checked])) });
  const rebuild = (groups) => {
    list.replaceChildren(
      ...groups.map((group) => {
        const label = make("label");
        const check = make("input");
        check.type = "checkbox";
        check.dataset.group = group.name;
        check.id = `${prefix}-group-${group.name}`;
        check.title = `Freeze ${group.name}: ${group.count} parameters`;
        check.addEventListener("change", changed);
        label.append(check, make("span", "", group.name), make("span", "hw-muted", group.count));
        return label;
      }),
    );
  };
  const show = (state, facts) => {
    const groups = facts.groups ?? [];
    box.hidden = groups.length === 0;
    const names = JSON.stringify(groups.map((group) => [group.name, group.count]));
    if (names !== shown) {
      shown = names;
      rebuild(groups);
    }
    const frozen = new Map(groups.map((group) => [group.name, group.frozen]));
    for (const check of checks()) {
      check.checked = frozen.get(check.dataset.group);
      check.disabled = state.disabled;
    }
    if (trained.textContent !== (facts.trained ?? "")) trained.textContent = facts.trained ?? "";
  };
  return { box, show };
}

const quoted = (name) => `"${name.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

// A weight for each class of the project; without a project the text field alone is there.
export function makeWeights(prefix, send) {
  const box = make("fieldset", "hw-weights");
  const title = make("legend", "", "Weight of each class");
  const list = make("div", "hw-weight-list");
  const balance = button(
    "hw-text-button",
    "Balance once",
    "Weigh each class by the median labelled area over its own, from 0.1 to 10; twice is as good as once",
    () => send({ kind: "balance" }),
  );
  box.append(title, list, balance);
  let shown = "";
  const inputs = () => [...list.querySelectorAll("input")];
  const changed = () => {
    const given = inputs().filter((one) => one.value.trim() !== "" && one.value.trim() !== "1");
    const entry = given.map((one) => `${quoted(one.dataset.className)}=${one.value.trim().replace(",", ".")}`).join(", ");
    send({ kind: "enter", name: "class_weights", entry });
  };
  const rebuild = (classes) => {
    list.replaceChildren(
      ...classes.flatMap((name, index) => {
        const label = make("label", "", name);
        const input = make("input");
        input.type = "text";
        input.inputMode = "decimal";
        input.id = label.htmlFor = `${prefix}-weight-${index}`;
        input.dataset.className = name;
        input.title = `Weight of ${name} in the loss, 0.1 to 10; 1 leaves it as it is`;
        input.addEventListener("change", changed);
        return [label, input];
      }),
    );
  };
  const show = (state, facts) => {
    const classes = facts.classes ?? [];
    box.hidden = classes.length === 0;
    if (JSON.stringify(classes) !== shown) {
      shown = JSON.stringify(classes);
      rebuild(classes);
    }
    const wrong = "class_weights" in state.errors;
    for (const input of inputs()) {
      const value = String(state.weights[input.dataset.className] ?? 1);
      // What is wrong stays where it is, to be corrected there.
      if (input !== document.activeElement && !wrong && input.value !== value) input.value = value;
      input.disabled = state.disabled;
      input.setAttribute("aria-invalid", String(wrong));
    }
    const balanced = facts.balanced ?? {};
    const names = Object.keys(balanced);
    const done = names.every((name) => (state.weights[name] ?? 1) === balanced[name]);
    balance.disabled = state.disabled || names.length === 0 || done;
    balance.textContent = names.length > 0 && done ? "Balanced" : "Balance once";
  };
  return { box, show };
}

// A real tile and what augmentation makes of it, while its section is open.
export function makeTiles(send) {
  const box = make("fieldset", "hw-tiles");
  const title = make("legend", "", "A tile, and what training sees of it");
  const list = make("div", "hw-tile-list");
  const words = make("div", "hw-muted");
  let seed = 0;
  const other = button("hw-text-button", "Another tile", "Show another tile, varied in other ways", () => send({ kind: "tiles", seed: ++seed }));
  box.append(title, list, words, other);
  const watch = (fold) => fold.addEventListener("toggle", () => send({ kind: "tiles", seed: fold.open ? seed : null }));
  let shown = "";
  const show = (state, facts) => {
    const tiles = facts.tiles ?? [];
    box.hidden = tiles.length === 0 && !facts.tilesSay;
    words.textContent = facts.tilesSay ?? "";
    if (tiles.join() === shown) return;
    shown = tiles.join();
    list.replaceChildren(
      ...tiles.map((source, index) => {
        const image = make("img");
        image.src = source;
        image.alt = index === 0 ? "The tile as it is" : `Variation ${index}`;
        image.title = image.alt;
        return image;
      }),
    );
  };
  return { box, show, watch };
}

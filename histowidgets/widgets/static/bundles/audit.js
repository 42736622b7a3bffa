// Made by `npm run build` from the sources beside this folder; do not edit.

// common/dom.js
function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== "") made.textContent = text;
  if (tag === "button") made.type = "button";
  return made;
}
function button(className, text, title, click) {
  const made = element("button", className, text);
  made.title = title;
  made.addEventListener("click", click);
  return made;
}

// common/model.js
function follow(model, names, draw, onMessage = null) {
  const changes = names.map((name) => `change:${name}`);
  for (const change of changes) model.on(change, draw);
  if (onMessage) model.on("msg:custom", onMessage);
  draw();
  return () => {
    for (const change of changes) model.off(change, draw);
    if (onMessage) model.off("msg:custom", onMessage);
  };
}

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

// common/text_fields.js
var INPUTS_WITHOUT_TEXT = ["button", "checkbox", "color", "file", "radio", "range", "reset", "submit"];
function takesText(element2) {
  if (element2.isContentEditable || ["TEXTAREA", "SELECT"].includes(element2.tagName)) return true;
  return element2.tagName === "INPUT" && !INPUTS_WITHOUT_TEXT.includes(element2.type);
}

// common/words.js
function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

// audit/keys.js
var NUMBERED = 9;
var VIEW_KEYS = ["+", "=", "-", "_", "f", "?", "h"];
var EDIT_KEYS = ["a", "c", "x", "v", "d"];
function answerOf(event, classes) {
  const { key, repeat, altKey, ctrlKey, metaKey } = event;
  const plain = key.length === 1 ? key.toLowerCase() : key;
  if (altKey) return null;
  if (ctrlKey || metaKey) return EDIT_KEYS.includes(plain) ? "nothing" : null;
  const answer = plainAnswer(plain, classes);
  return answer && repeat ? "nothing" : answer;
}
function plainAnswer(key, classes) {
  if (key === "0" || key === " ") return { kind: "judge", class: null };
  if (/^[1-9]$/.test(key)) {
    const index = Number(key) - 1;
    return index < Math.min(classes, NUMBERED) ? { kind: "judge", class: index } : "nothing";
  }
  if (key === "Backspace") return { kind: "back" };
  if (key === "Escape") return { kind: "pause" };
  if (VIEW_KEYS.includes(key)) return null;
  return key.length === 1 || key === "Enter" || key === "Delete" ? "nothing" : null;
}
function isForButton({ key, target }) {
  return target.tagName === "BUTTON" && (key === " " || key === "Enter");
}

// audit/widget.js
var INTRO = "How good is the prediction, and how large are the areas? Say what you see at points drawn at random; the numbers that follow have intervals.";
var AuditPanel = class {
  constructor(model, el) {
    this.model = model;
    this.root = element("div", "hw-audit");
    el.append(this.root);
    this.status = element("p", "hw-audit-status");
    this.status.setAttribute("role", "status");
    this.body = element("div");
    this.root.append(element("h4", "hw-title", "Audit"), this.body, this.status);
    this.onKey = (event) => this._key(event);
    this.stop = whenInStudio(this.root, (studio) => {
      this.studio = studio;
      studio.addEventListener("keydown", this.onKey, true);
      this._cover();
    });
    this.drawn = "";
  }
  get view() {
    return this.model.get("_view");
  }
  send(content) {
    this.model.send({ point: this.view.point, ...content });
  }
  _answer(content) {
    this.send(content);
    this.studio?.focus({ preventScroll: true });
  }
  _key(event) {
    if (this.view.mode !== "judging" || takesText(event.target) || isForButton(event)) return;
    const answer = answerOf(event, this.view.classes.length);
    if (!answer) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (answer !== "nothing") this._answer(answer);
  }
  // While a point is judged, the controls that would show the prediction or paint are out of reach.
  _cover() {
    this.studio?.toggleAttribute("data-auditing", this.view.mode === "judging");
  }
  draw() {
    const { view } = this;
    this.status.textContent = view.status ?? "";
    this.status.dataset.level = view.level ?? "info";
    this._cover();
    const parts = { idle: "_idle", asking: "_asking", busy: "_busy", judging: "_judging", results: "_results" };
    const wasHere = this.body.contains(document.activeElement);
    const [before, mode] = [this.drawn, view.mode];
    this.drawn = mode;
    if (mode === "judging" && before === "judging" && this.sameClasses(view)) {
      this.progress.textContent = view.progress;
      this.bar.value = view.done;
      this.back.disabled = !view.done;
      return;
    }
    if (mode === "asking" && before === "asking") return;
    this.body.replaceChildren(...parts[mode] ? this[parts[mode]](view) : []);
    if (before && before !== mode) {
      if (mode === "judging") this.studio?.scrollIntoView({ block: "nearest" });
      this.root.scrollIntoView({ block: "nearest" });
    }
    if (wasHere || mode === "judging" && !takesText(document.activeElement)) this._focus(mode);
  }
  _focus(mode) {
    const first = this.body.querySelector("input, select, button");
    if (mode === "judging") this.studio?.focus({ preventScroll: true });
    else first?.focus({ preventScroll: true });
  }
  sameClasses(view) {
    return this.classes === JSON.stringify(view.classes);
  }
  _start(text = "Audit…") {
    return button(
      "hw-audit-main",
      text,
      "Draw points at random, and say which class each has",
      () => this.send({ kind: "ask" })
    );
  }
  _idle() {
    return [element("p", "hw-quiet", INTRO), this._start()];
  }
  _asking(view) {
    const images = element("select");
    const offered = [["all", `all images (${view.images})`]];
    if (view.validation) offered.push(["validation", `images for validation (${view.validation})`]);
    if (view.images > 1) offered.push(["shown", "the image that is shown"]);
    for (const [value2, text] of offered) images.append(Object.assign(element("option", "", text), { value: value2 }));
    const [min, value, max] = view.points;
    const number = Object.assign(element("input"), { type: "number", min, max, value });
    const form = element("form", "hw-audit-form");
    const draw = element("button", "hw-audit-main", "Draw points");
    draw.type = "submit";
    form.append(
      labelled("Images", images),
      labelled("Points", number),
      element("p", "hw-quiet", "About three seconds a point. The prediction and your strokes are hidden meanwhile."),
      row([draw, button("", "Cancel", "Back, without an audit", () => this.send({ kind: "cancel" }))])
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send({ kind: "start", images: images.value, n: Math.round(Number(number.value)) });
    });
    return [form];
  }
  _busy() {
    return [row([button("", "Cancel", "Stop, without an audit", () => this.send({ kind: "cancel" }))])];
  }
  _judging(view) {
    this.classes = JSON.stringify(view.classes);
    this.progress = element("p", "hw-audit-progress", view.progress);
    this.bar = Object.assign(element("progress"), { max: view.total, value: view.done });
    this.bar.setAttribute("aria-label", "Points judged");
    const ask = element("p", "hw-quiet", "Which class is in the middle of the cross?");
    const list = element("div", "hw-audit-classes");
    view.classes.forEach(({ name, color }, index) => {
      const digit = index < NUMBERED ? String(index + 1) : "";
      list.append(this._choice(digit, color, name, { kind: "judge", class: index }));
    });
    list.append(this._choice("0", "", "Can’t tell", { kind: "judge", class: null }));
    this.back = button("", "Back", "Judge the point before again (Backspace)", () => this._answer({ kind: "back" }));
    this.back.disabled = !view.done;
    const pause = button(
      "",
      "Pause",
      "Continue later; your judgements are kept (Escape)",
      () => this.send({ kind: "pause" })
    );
    return [this.progress, this.bar, ask, list, row([this.back, pause])];
  }
  _choice(digit, color, name, answer) {
    const made = button("hw-audit-choice", "", digit ? `${name} (${digit})` : name, () => this._answer(answer));
    const swatch = element("span", "hw-audit-swatch");
    swatch.style.backgroundColor = color;
    made.append(element("kbd", "", digit), swatch, element("span", "", name));
    return made;
  }
  _results(view) {
    const parts = [element("p", "hw-audit-progress", `${counted(view.total, "point")}, ${view.done} judged`)];
    if (view.cells) {
      const list = element("ul", "hw-audit-said");
      list.append(...view.sentences.map((text) => element("li", "", text)));
      list.append(...view.notes.map((text) => element("li", "hw-audit-note", text)));
      parts.push(list, table(view.cells));
    }
    const buttons = [];
    if (view.open) {
      const resume = button(
        "hw-audit-main",
        "Resume",
        "Continue with the next point",
        () => this.send({ kind: "resume" })
      );
      buttons.push(resume);
    }
    buttons.push(this._start(view.open ? "New audit…" : "Audit again…"));
    if (view.canAnnotate) {
      const tip = "Paint a dot at each point, to train on; the points then no longer count as an audit. Can be undone.";
      buttons.push(button("", "Use for training", tip, () => this.send({ kind: "annotate" })));
    }
    return [...parts, row(buttons)];
  }
  close() {
    this.stop();
    this.studio?.removeEventListener("keydown", this.onKey, true);
    this.studio?.removeAttribute("data-auditing");
  }
};
function labelled(text, field) {
  const label = element("label");
  label.append(element("span", "", text), field);
  return label;
}
function row(children) {
  const made = element("div", "hw-audit-row");
  made.append(...children);
  return made;
}
function table([titles, ...rows]) {
  const box = element("div", "hw-audit-box");
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", "Numbers of the audit");
  const made = element("table");
  const head = element("tr");
  head.append(...titles.map((text) => Object.assign(element("th", "", text), { scope: "col" })));
  made.append(head);
  for (const [name, ...cells] of rows) {
    const line = element("tr");
    line.append(Object.assign(element("th", "", name), { scope: "row" }), ...cells.map(cell));
    made.append(line);
  }
  box.append(made);
  return box;
}
function cell(text) {
  const [value, interval] = text.split(" (");
  const made = element("td", "", value);
  if (interval) made.append(element("small", "", interval.replace(" to ", "–").replace(" %)", "")));
  return made;
}
function render({ model, el }) {
  const panel = new AuditPanel(model, el);
  const end = follow(model, ["_view"], () => panel.draw());
  return () => {
    end();
    panel.close();
  };
}
var widget_default = { render };
export {
  widget_default as default
};

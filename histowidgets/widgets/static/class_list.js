// One radio group: arrows move between the classes, a click or a digit on the canvas selects one.
const WORDS = { none: "", red: "too few", amber: "enough to start", green: "recommended number reached" };

function row(model, entry, index) {
  const item = document.createElement("button");
  item.type = "button";
  item.className = "hw-class";
  item.setAttribute("role", "radio");
  const chosen = entry.name === model.get("selected");
  item.setAttribute("aria-checked", String(chosen));
  item.tabIndex = chosen ? 0 : -1;
  item.dataset.level = entry.level;

  const key = document.createElement("kbd");
  key.textContent = index < 9 ? String(index + 1) : "";
  const swatch = document.createElement("span");
  swatch.className = "hw-class-swatch";
  swatch.style.background = entry.color;
  const name = document.createElement("span");
  name.className = "hw-class-name";
  name.textContent = entry.name; // textContent: a name with HTML in it is shown as text
  name.title = entry.name;
  const bar = document.createElement("span");
  bar.className = "hw-class-bar";
  const fill = document.createElement("span");
  const share = entry.recommended ? Math.min(1, entry.count / entry.recommended) : 0;
  fill.style.width = `${Math.round(100 * share)}%`;
  bar.append(fill);
  const count = document.createElement("span");
  count.className = "hw-class-count";
  count.textContent = entry.recommended ? `${entry.count} / ${entry.recommended}` : String(entry.count);

  const words = WORDS[entry.level] || "";
  item.title = `Paint ${entry.name}` + (words ? ` (${entry.count} annotations: ${words})` : "");
  item.setAttribute("aria-label", `${entry.name}, ${entry.count} annotations${words ? ", " + words : ""}`);
  item.append(key, swatch, name, bar, count);
  item.addEventListener("click", () => select(model, entry.name));
  return item;
}

function select(model, name) {
  model.set("selected", name);
  model.save_changes();
}

function render({ model, el }) {
  const list = document.createElement("div");
  list.className = "hw-class-list";
  list.setAttribute("role", "radiogroup");
  list.setAttribute("aria-label", "Class to paint");
  el.append(list);

  const draw = () => {
    const focused = list.contains(document.activeElement);
    list.replaceChildren(...model.get("rows").map((entry, index) => row(model, entry, index)));
    if (focused) list.querySelector('[aria-checked="true"]')?.focus();
  };
  const step = (event) => {
    const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const names = model.get("rows").map((entry) => entry.name);
    const at = names.indexOf(model.get("selected"));
    select(model, names[(at + by + names.length) % names.length]);
  };
  list.addEventListener("keydown", step);
  model.on("change:rows", draw);
  model.on("change:selected", draw);
  draw();
  return () => {
    model.off("change:rows", draw);
    model.off("change:selected", draw);
  };
}

export default { render };

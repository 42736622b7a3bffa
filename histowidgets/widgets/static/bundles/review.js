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

// review/ranking.js
var percent = (share) => `${(100 * share).toFixed(0)} %`;
var COLUMNS = [
  {
    key: "loss",
    heading: "loss",
    meaning: "Mean cross-entropy over the labelled pixels; high where a region was not learned or is labelled wrongly",
    format: (value) => value.toFixed(2)
  },
  {
    key: "disagreement",
    heading: "wrong",
    meaning: "Share of the labelled pixels that are predicted as another class",
    format: percent
  },
  {
    key: "iou",
    heading: "IoU",
    meaning: "Mean IoU of the classes, over labelled pixels only",
    format: (value) => value.toFixed(2)
  }
];
var sameCell = (a, b) => a?.[0] === b?.[0] && a?.[1] === b?.[1];
function rankTiles(rows, { cell, key, descending }) {
  const chosen = rows.filter((row) => !cell || row.cells.some((other) => sameCell(other, cell)));
  const sign = descending ? -1 : 1;
  return chosen.sort((a, b) => a.right - b.right || sign * (a[key] - b[key]));
}
function nextOrder(order, key) {
  return { key, descending: order.key === key ? !order.descending : key !== "iou" };
}

// review/matrix.js
var MOST_TINT = 55;
var Matrix = class {
  constructor(choose) {
    this.choose = choose;
    this.root = element("div");
    this.table = element("table", "hw-review-matrix");
    this.root.append(element("h4", "", "Labelled pixels: painted as (rows), predicted as (columns)"), this.table);
  }
  show({ rows, classes, confusion }, chosen) {
    this.root.hidden = rows.length === 0;
    const headings = element("tr");
    headings.append(element("td"), ...classes.map((name) => heading(name, "col")));
    const head = element("thead");
    head.append(headings);
    const body = element("tbody");
    body.append(...confusion.map((counts, t) => this._row(classes, t, counts, chosen)));
    this.table.replaceChildren(head, body);
  }
  _row(classes, t, counts, chosen) {
    const row = element("tr");
    const total = counts.reduce((sum, count) => sum + count, 0) || 1;
    const cells = counts.map((count, p) => {
      const words = `${classes[t]} predicted as ${classes[p]}: ${count} pixels`;
      const cell = button("", count.toLocaleString("en"), `${words}. List their tiles.`, () => this.choose([t, p]));
      cell.setAttribute("aria-label", words);
      cell.setAttribute("aria-pressed", String(sameCell(chosen, [t, p])));
      cell.disabled = count === 0;
      cell.toggleAttribute("data-agrees", t === p);
      cell.style.setProperty("--hw-share", `${Math.round(MOST_TINT * count / total)}%`);
      const place = element("td");
      place.append(cell);
      return place;
    });
    row.append(heading(classes[t], "row"), ...cells);
    return row;
  }
};
function heading(name, scope) {
  return Object.assign(element("th", "", name), { scope, title: name });
}

// review/stroke_list.js
var StrokeList = class {
  constructor(send, fallback) {
    this.send = send;
    this.fallback = fallback;
    this.root = element("section", "hw-review-strokes");
    this.title = element("h4", "", "Contradicted strokes");
    this.list = element("ul");
    this.root.append(this.title, this.list);
  }
  show(strokes) {
    const index = [...this.list.querySelectorAll("button")].indexOf(document.activeElement);
    this.root.hidden = strokes.length === 0;
    this.list.replaceChildren(...strokes.map((stroke) => this._row(stroke)));
    const buttons = this.list.querySelectorAll("button");
    if (index >= 0) (buttons[Math.min(index, buttons.length - 1)] ?? this.fallback).focus({ preventScroll: true });
  }
  _row({ id, image, class: name, predicted, share }) {
    const percent2 = Math.round(100 * share);
    const row = element("li");
    row.dataset.stroke = id;
    const place = button(
      "hw-review-stroke",
      `${name}: ${percent2} % ${predicted}`,
      `Show this stroke of ${image}`,
      () => this.send({ kind: "show-stroke", id })
    );
    const title = `Change the class of this stroke from ${name} to ${predicted}; undo takes it back`;
    const relabel = button("", `Relabel as ${predicted}`, title, () => this.send({ kind: "relabel-stroke", id }));
    row.append(place, relabel);
    return row;
  }
};

// review/tile_row.js
function tileRow(row, send) {
  const { tile, right, heldOut } = row;
  const line = element("tr", right ? "hw-right" : "");
  line.dataset.tile = tile;
  const show = button(
    "hw-review-place",
    "",
    `Show this tile of ${row.image} (${row.place}) on the canvas`,
    () => send({ kind: "show", tile })
  );
  show.setAttribute("aria-label", show.title);
  if (row.picture) show.append(Object.assign(element("img"), { src: row.picture, alt: "" }));
  else show.append(element("span", "hw-review-none", "show"));
  const held = element("span", "hw-review-held", heldOut ? "test area" : "trained on");
  held.title = heldOut ? "In the test area: training did not see it" : "Training saw these labels";
  const picture = element("td");
  picture.append(show, held);
  const numbers = COLUMNS.map(({ key, format }) => element("td", "hw-review-number", format(row[key])));
  const relabel = button(
    "",
    "Correct",
    `Go there and paint ${row.brush} over what is wrong`,
    () => send({ kind: "relabel", tile })
  );
  const confirm = button(
    "",
    right ? "Kept ✓" : "Keep",
    "The label is right: keep it and list it last",
    () => send({ kind: "right", tile, right: !right })
  );
  confirm.setAttribute("aria-pressed", String(right));
  const actions = element("td");
  actions.append(relabel, confirm);
  line.append(picture, ...numbers, actions);
  return line;
}

// review/widget.js
var PAGE_ROWS = 50;
var ReviewPanel = class {
  constructor(model, el) {
    this.model = model;
    this.order = { key: "loss", descending: true };
    this.cell = null;
    this.most = PAGE_ROWS;
    this.send = (message) => model.send(message);
    this.root = element("div", "hw-review");
    this.root.dataset.lmSuppressShortcuts = "true";
    this.ask = button(
      "",
      "Review",
      "Compare what the classifier predicts with your labels, tile by tile",
      () => this.send({ kind: "review" })
    );
    this.status = element("span");
    this.status.setAttribute("role", "status");
    const head = element("div", "hw-review-head");
    head.append(this.ask, this.status);
    this.matrix = new Matrix((cell) => this._filterBy(sameCell(this.cell, cell) ? null : cell));
    this.strokes = new StrokeList(this.send, this.ask);
    this.overlay = button(
      "hw-review-overlay",
      "Show on the image",
      "Colour the strokes by how far the prediction contradicts them: pale where it agrees, red where it does not",
      () => this.send({ kind: "overlay", on: !model.get("_view").overlay })
    );
    this.filter = element("div", "hw-review-filter");
    this.box = element("div", "hw-review-box");
    this.box.tabIndex = 0;
    this.box.setAttribute("role", "region");
    this.box.setAttribute("aria-label", "Tiles of the review");
    this.table = element("table", "hw-review-tiles");
    this.box.append(this.table);
    this.more = button("", "More tiles", "Show more tiles", () => {
      this.most += PAGE_ROWS;
      this.draw();
    });
    this.root.append(head, this.matrix.root, this.strokes.root, this.filter, this.box, this.more);
    el.append(this.root);
  }
  _filterBy(cell) {
    this.cell = cell;
    this.most = PAGE_ROWS;
    this.draw();
  }
  _sortBy(key) {
    this.order = nextOrder(this.order, key);
    this.draw();
  }
  draw() {
    const view = this.model.get("_view");
    this.status.textContent = view.status;
    this.ask.disabled = view.busy;
    this.matrix.show(view, this.cell);
    const tiles = rankTiles(view.rows, { cell: this.cell, ...this.order });
    this.box.hidden = this.filter.hidden = view.rows.length === 0;
    this.overlay.setAttribute("aria-pressed", String(Boolean(view.overlay)));
    this.filter.replaceChildren(...this._filterParts(view.classes, tiles.length), this.overlay);
    this._drawTable(tiles);
    this.more.hidden = tiles.length <= this.most;
  }
  _filterParts(classes, count) {
    if (!this.cell) return [element("span", "", `${count} tiles`)];
    const [t, p] = this.cell.map((index) => classes[index]);
    const showAll = button("", "all tiles", "Show all tiles again", () => this._filterBy(null));
    return [element("span", "", `${count} tiles with ${t} predicted as ${p}`), showAll];
  }
  // Keep the focus on the same button of the same tile.
  _drawTable(tiles) {
    const focused = this.root.contains(document.activeElement) ? document.activeElement : null;
    const row = focused?.closest("tr[data-tile]");
    const index = row ? [...row.querySelectorAll("button")].indexOf(focused) : -1;
    const body = element("tbody");
    body.append(...tiles.slice(0, this.most).map((tile) => tileRow(tile, this.send)));
    this.table.replaceChildren(this._head(), body);
    if (index < 0) return;
    body.querySelectorAll(`tr[data-tile="${row.dataset.tile}"] button`)[index]?.focus({ preventScroll: true });
  }
  _head() {
    const line = element("tr");
    const cells = COLUMNS.map(({ key, heading: heading2, meaning }) => {
      const cell = Object.assign(element("th"), { scope: "col" });
      cell.append(button("", heading2, `${meaning}. Sort by it.`, () => this._sortBy(key)));
      if (this.order.key === key) cell.setAttribute("aria-sort", this.order.descending ? "descending" : "ascending");
      return cell;
    });
    line.append(element("td"), ...cells, element("td"));
    const head = element("thead");
    head.append(line);
    return head;
  }
};
function render({ model, el }) {
  const panel = new ReviewPanel(model, el);
  const stops = [
    follow(model, ["_view"], () => panel.draw()),
    follow(model, ["_strokes"], () => panel.strokes.show(model.get("_strokes")))
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
var widget_default = { render };
export {
  widget_default as default
};

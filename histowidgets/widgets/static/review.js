// Draws the review: a confusion matrix whose cells filter, and a table of tiles that sorts. Names are text, never HTML.
function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function button(words, title, click) {
  const node = make("button", "", words);
  node.type = "button";
  node.title = title;
  node.addEventListener("click", click);
  return node;
}

const COLUMNS = [
  ["loss", "loss", "Mean cross-entropy over the labelled pixels; high where a place was not learned, or is painted wrong"],
  ["disagreement", "wrong", "Share of the labelled pixels that are predicted as another class"],
  ["iou", "IoU", "Mean IoU of the classes, over labelled pixels only"],
];
const percent = (share) => `${(100 * share).toFixed(0)} %`;
const SHOWN = { loss: (row) => row.loss.toFixed(2), disagreement: (row) => percent(row.disagreement), iou: (row) => row.iou.toFixed(2) };
// As many rows as are made at once; the rest comes with "more".
const PAGE = 50;

function makeMatrix(choose) {
  const box = make("div");
  const title = make("h4", "", "Labelled pixels: painted as (rows), predicted as (columns)");
  const table = make("table", "hw-review-matrix");
  box.append(title, table);
  const draw = (view, chosen) => {
    box.hidden = view.rows.length === 0;
    const head = make("tr");
    head.append(make("td"), ...view.classes.map((name) => Object.assign(make("th", "", name), { scope: "col", title: name })));
    const body = make("tbody");
    view.confusion.forEach((counts, t) => {
      const row = make("tr");
      row.append(Object.assign(make("th", "", view.classes[t]), { scope: "row", title: view.classes[t] }));
      const total = counts.reduce((sum, count) => sum + count, 0) || 1;
      counts.forEach((count, p) => {
        const words = `${view.classes[t]} predicted as ${view.classes[p]}: ${count} pixels`;
        const cell = button(count.toLocaleString("en"), `${words}. List their tiles.`, () => choose(t, p));
        cell.setAttribute("aria-label", words);
        cell.setAttribute("aria-pressed", String(chosen?.[0] === t && chosen?.[1] === p));
        cell.disabled = count === 0;
        cell.style.setProperty("--hw-cell", t === p ? "#2e9e5b" : "#e60026");
        cell.style.setProperty("--hw-share", `${Math.round((55 * count) / total)}%`);
        const place = make("td");
        place.append(cell);
        row.append(place);
      });
      body.append(row);
    });
    table.replaceChildren(Object.assign(make("thead"), {}), body);
    table.firstChild.append(head);
  };
  return { box, draw };
}

function makeRow(row, send) {
  const line = make("tr", row.right ? "hw-right" : "");
  line.dataset.tile = row.tile;
  const show = button("", `Show this tile of ${row.image} (${row.place}) on the picture`, () => send({ kind: "show", tile: row.tile }));
  show.className = "hw-review-place";
  show.setAttribute("aria-label", show.title);
  if (row.picture) show.append(Object.assign(make("img"), { src: row.picture, alt: "" }));
  else show.append(make("span", "hw-review-none", "show"));
  const held = make("span", "hw-review-held", row.heldOut ? "held out" : "trained on");
  held.title = row.heldOut ? "Held out: training did not see it" : "Training saw these labels";
  const picture = make("td");
  picture.append(show, held);
  const numbers = COLUMNS.map(([key]) => make("td", "hw-review-number", SHOWN[key](row)));
  const relabel = button("Relabel", `Go there with the brush of ${row.brush}`, () => send({ kind: "relabel", tile: row.tile }));
  const right = button(row.right ? "Right ✓" : "Is right", "This label is right: remember it", () =>
    send({ kind: "right", tile: row.tile, right: !row.right }),
  );
  right.setAttribute("aria-pressed", String(row.right));
  const acts = make("td");
  acts.append(relabel, right);
  line.append(picture, ...numbers, acts);
  return line;
}

function render({ model, el }) {
  const send = (message) => model.send(message);
  const local = { sort: "loss", descending: true, cell: null, most: PAGE };
  const root = make("div", "hw-review");
  root.dataset.lmSuppressShortcuts = "true";
  const head = make("div", "hw-review-head");
  const ask = button("Review", "Compare what the classifier predicts with your labels, tile by tile", () => send({ kind: "review" }));
  const status = make("span");
  status.setAttribute("role", "status");
  head.append(ask, status);
  const matrix = makeMatrix((t, p) => {
    const same = local.cell?.[0] === t && local.cell?.[1] === p;
    local.cell = same ? null : [t, p];
    local.most = PAGE;
    draw();
  });
  const overlay = button("Show on the picture", "Colour the strokes by how far the prediction contradicts them: pale where it agrees, red where it does not", () =>
    send({ kind: "overlay", on: !model.get("_view").overlay }),
  );
  overlay.className = "hw-review-overlay";
  const filter = make("div", "hw-review-filter");
  const box = make("div", "hw-review-box");
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", "Tiles of the review");
  const table = make("table", "hw-review-tiles");
  box.append(table);
  const more = button("More tiles", "Show more tiles", () => {
    local.most += PAGE;
    draw();
  });
  root.append(head, matrix.box, filter, box, more);
  el.append(root);

  const sortBy = (key) => {
    local.descending = local.sort === key ? !local.descending : key !== "iou";
    local.sort = key;
    draw();
  };
  const heading = () => {
    const line = make("tr");
    line.append(make("th"));
    for (const [key, words, title] of COLUMNS) {
      const cell = Object.assign(make("th"), { scope: "col" });
      cell.append(button(words, `${title}. Sort by it.`, () => sortBy(key)));
      if (local.sort === key) cell.setAttribute("aria-sort", local.descending ? "descending" : "ascending");
      line.append(cell);
    }
    line.append(make("th"));
    const node = make("thead");
    node.append(line);
    return node;
  };
  const draw = () => {
    const view = model.get("_view");
    status.textContent = view.status;
    ask.disabled = view.busy;
    matrix.draw(view, local.cell);
    const chosen = view.rows.filter((row) => !local.cell || row.cells.some(([t, p]) => t === local.cell[0] && p === local.cell[1]));
    const sign = local.descending ? -1 : 1;
    // What was found right goes to the end: it is done.
    chosen.sort((a, b) => a.right - b.right || sign * (a[local.sort] - b[local.sort]));
    box.hidden = filter.hidden = view.rows.length === 0;
    filter.replaceChildren();
    if (local.cell) {
      const [t, p] = local.cell.map((index) => view.classes[index]);
      const all = button("all tiles", "Show all tiles again", () => {
        local.cell = null;
        draw();
      });
      filter.append(make("span", "", `${chosen.length} tiles with ${t} predicted as ${p}`), all);
    } else filter.append(make("span", "", `${chosen.length} tiles`));
    overlay.setAttribute("aria-pressed", String(Boolean(view.overlay)));
    filter.append(overlay);
    const body = make("tbody");
    body.append(...chosen.slice(0, local.most).map((row) => makeRow(row, send)));
    // The focus stays where it was, on the same button of the same tile.
    const focused = root.contains(document.activeElement) ? document.activeElement : null;
    const tile = focused?.closest("tr[data-tile]")?.dataset.tile;
    const place = tile === undefined ? -1 : [...focused.closest("tr").querySelectorAll("button")].indexOf(focused);
    table.replaceChildren(heading(), body);
    if (place >= 0) body.querySelectorAll(`tr[data-tile="${tile}"] button`)[place]?.focus({ preventScroll: true });
    more.hidden = chosen.length <= local.most;
  };
  model.on("change:_view", draw);
  draw();
  return () => model.off("change:_view", draw);
}

export default { render };

import { button, element } from "../common/dom.js";
import { follow } from "../common/model.js";
import { Matrix } from "./matrix.js";
import { COLUMNS, nextOrder, rankTiles, sameCell } from "./ranking.js";
import { StrokeList } from "./stroke_list.js";
import { tileRow } from "./tile_row.js";

const PAGE_ROWS = 50; // number of rows made at a time; "More tiles" adds as many

// A confusion matrix whose cells filter a sortable table of tiles.
class ReviewPanel {
  constructor(model, el) {
    this.model = model;
    this.order = { key: "loss", descending: true };
    this.cell = null; // [true class, predicted class] that filters the tiles
    this.most = PAGE_ROWS;
    this.send = (message) => model.send(message);
    this.root = element("div", "hw-review");
    this.root.dataset.lmSuppressShortcuts = "true";
    this.ask = button("", "Review", "Compare what the classifier predicts with your labels, tile by tile", () =>
      this.send({ kind: "review" }),
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
      () => this.send({ kind: "overlay", on: !model.get("_view").overlay }),
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
    const cells = COLUMNS.map(({ key, heading, meaning }) => {
      const cell = Object.assign(element("th"), { scope: "col" });
      cell.append(button("", heading, `${meaning}. Sort by it.`, () => this._sortBy(key)));
      if (this.order.key === key) cell.setAttribute("aria-sort", this.order.descending ? "descending" : "ascending");
      return cell;
    });
    line.append(element("td"), ...cells, element("td"));
    const head = element("thead");
    head.append(line);
    return head;
  }
}

function render({ model, el }) {
  const panel = new ReviewPanel(model, el);
  const stops = [
    follow(model, ["_view"], () => panel.draw()),
    follow(model, ["_strokes"], () => panel.strokes.show(model.get("_strokes"))),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

export default { render };

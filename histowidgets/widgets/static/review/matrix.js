import { button, element } from "../common/dom.js";
import { sameCell } from "./ranking.js";

const MOST_TINT = 55; // percent of colour in a cell with all pixels of its row

// The confusion matrix, whose cells filter the tiles. `choose` is called with the true and predicted class of a cell.
export class Matrix {
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
      cell.style.setProperty("--hw-share", `${Math.round((MOST_TINT * count) / total)}%`);
      const place = element("td");
      place.append(cell);
      return place;
    });
    row.append(heading(classes[t], "row"), ...cells);
    return row;
  }
}

function heading(name, scope) {
  return Object.assign(element("th", "", name), { scope, title: name });
}

import { button, element } from "../common/dom.js";
import { COLUMNS } from "./ranking.js";

// A tile of the review: picture, numbers and actions.
export function tileRow(row, send) {
  const { tile, right, heldOut } = row;
  const line = element("tr", right ? "hw-right" : "");
  line.dataset.tile = tile;
  const show = button("hw-review-place", "", `Show this tile of ${row.image} (${row.place}) on the canvas`, () =>
    send({ kind: "show", tile }),
  );
  show.setAttribute("aria-label", show.title);
  if (row.picture) show.append(Object.assign(element("img"), { src: row.picture, alt: "" }));
  else show.append(element("span", "hw-review-none", "show"));
  const held = element("span", "hw-review-held", heldOut ? "test area" : "trained on");
  held.title = heldOut ? "In the test area: training did not see it" : "Training saw these labels";
  const picture = element("td");
  picture.append(show, held);
  const numbers = COLUMNS.map(({ key, format }) => element("td", "hw-review-number", format(row[key])));
  const relabel = button("", "Correct", `Go there and paint ${row.brush} over what is wrong`, () =>
    send({ kind: "relabel", tile }),
  );
  const confirm = button("", right ? "Kept ✓" : "Keep", "The label is right: keep it and list it last", () =>
    send({ kind: "right", tile, right: !right }),
  );
  confirm.setAttribute("aria-pressed", String(right));
  const actions = element("td");
  actions.append(relabel, confirm);
  line.append(picture, ...numbers, actions);
  return line;
}

import { button, element } from "../common/dom.js";
import { COLUMNS } from "./ranking.js";

// One tile of the review: its picture, its numbers, and what can be done about it.
export function tileRow(row, send) {
  const { tile, right, heldOut } = row;
  const line = element("tr", right ? "hw-right" : "");
  line.dataset.tile = tile;
  const show = button("hw-review-place", "", `Show this tile of ${row.image} (${row.place}) on the picture`, () =>
    send({ kind: "show", tile }),
  );
  show.setAttribute("aria-label", show.title);
  if (row.picture) show.append(Object.assign(element("img"), { src: row.picture, alt: "" }));
  else show.append(element("span", "hw-review-none", "show"));
  const held = element("span", "hw-review-held", heldOut ? "held out" : "trained on");
  held.title = heldOut ? "Held out: training did not see it" : "Training saw these labels";
  const picture = element("td");
  picture.append(show, held);
  const numbers = COLUMNS.map(({ key, format }) => element("td", "hw-review-number", format(row[key])));
  const relabel = button("", "Relabel", `Go there with the brush set to ${row.brush}`, () =>
    send({ kind: "relabel", tile }),
  );
  const confirm = button("", right ? "Right ✓" : "Is right", "Mark this label as right", () =>
    send({ kind: "right", tile, right: !right }),
  );
  confirm.setAttribute("aria-pressed", String(right));
  const actions = element("td");
  actions.append(relabel, confirm);
  line.append(picture, ...numbers, actions);
  return line;
}

import { button, element } from "../common/dom.js";

// A real tile and its augmented variations, shown while the section is open.
export class SampleTiles {
  constructor(send) {
    this.send = send;
    this.seed = 0;
    this.drawn = "";
    this.root = element("fieldset", "hw-tiles");
    this.list = element("div", "hw-tile-list");
    this.words = element("div", "hw-muted");
    const another = button("hw-text-button", "Another tile", "Show another tile, with other variations", () => {
      this.seed += 1;
      send({ kind: "tiles", seed: this.seed });
    });
    this.root.append(element("legend", "", "A tile as training sees it"), this.list, this.words, another);
  }

  // Request tiles when this section is opened, and stop when it is closed.
  watch(section) {
    section.addEventListener("toggle", () => this.send({ kind: "tiles", seed: section.open ? this.seed : null }));
  }

  show(_, { tiles = [], tilesSay = "" }) {
    this.root.hidden = tiles.length === 0 && !tilesSay;
    this.words.textContent = tilesSay;
    if (tiles.join() === this.drawn) return;
    this.drawn = tiles.join();
    this.list.replaceChildren(
      ...tiles.map((src, index) => {
        const alt = index === 0 ? "The unchanged tile" : `Variation ${index}`;
        return Object.assign(element("img"), { src, alt, title: alt });
      }),
    );
  }
}

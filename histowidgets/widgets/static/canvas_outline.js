// A shape that is being drawn, as SVG over the picture: a light line in a dark one, so that it is seen on any
// image, a breath of the class colour inside, and a handle at each point that was clicked. Points are CSS pixels.
const SVG = "http://www.w3.org/2000/svg";
const HANDLE = 4;

const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("");

export class Outline {
  constructor(parent) {
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("class", "hw-draft");
    this.svg.setAttribute("aria-hidden", "true");
    for (const name of ["area", "dark", "light", "rubberDark", "rubber", "handles", "first"]) {
      this[name] = document.createElementNS(SVG, "path");
      this[name].setAttribute("class", `hw-draft-${name}`);
      this.svg.append(this[name]);
    }
    parent.append(this.svg);
    this.hide();
  }

  hide() {
    this.svg.style.display = "none";
  }

  _set(color, parts) {
    this.svg.style.display = "";
    this.svg.style.setProperty("--hw-class", color);
    for (const name of ["area", "dark", "light", "rubberDark", "rubber", "handles", "first"]) {
      this[name].setAttribute("d", parts[name] ?? "");
    }
    this.svg.style.setProperty("--hw-thick", `${parts.thick ?? 2}px`);
    this.svg.style.setProperty("--hw-rim", `${(parts.thick ?? 2) + 4}px`);
  }

  showLine(ends, color, width) {
    this._set(color, { dark: path(ends), light: path(ends), thick: Math.max(2, width) });
  }

  showArea(corners, color) {
    const closed = `${path(corners)}Z`;
    this._set(color, { area: closed, dark: closed, light: closed });
  }

  // `corners` are the indices of the points with a handle; `closing` says that a click would close it.
  showPolygon(points, corners, at, color, closing) {
    const ends = at ? [points[points.length - 1], closing ? points[0] : at] : [];
    const rubber = path(ends) + (ends.length && !closing && points.length > 1 ? `L${points[0].join(" ")}` : "");
    this._set(color, {
      area: `${path(closing || !at ? points : [...points, at])}Z`,
      dark: path(points),
      light: path(points),
      rubberDark: rubber,
      rubber,
      handles: corners.map((index) => circle(points[index], HANDLE)).join(""),
      first: circle(points[0], closing ? HANDLE + 4 : HANDLE + 1),
    });
  }
}

export function ringPath(ring) {
  const parts = [];
  for (let i = 0; i < ring.length; i += 2) parts.push(`${i ? "L" : "M"}${ring[i]} ${ring[i + 1]}`);
  return `${parts.join("")}Z`;
}

// Paths in image coordinates that move and zoom with the picture, each twice outlined: dark, and light in it.
export class ImageSvg {
  constructor(parent, name) {
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("class", `hw-on-image ${name}`);
    this.svg.setAttribute("aria-hidden", "true");
    this.group = document.createElementNS(SVG, "g");
    this.svg.append(this.group);
    parent.append(this.svg);
    this.draw([]);
  }

  // `areas` are [class name of the element, path, colour].
  draw(areas) {
    const outline = areas.map(([, d]) => d).join("");
    const outlines = ["hw-outline-dark", "hw-outline-light"].map((name) => this._path(name, outline));
    this.group.replaceChildren(...areas.map((area) => this._path(...area)), ...outlines);
    this.svg.style.display = outline ? "" : "none";
  }

  _path(name, d, color) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    path.setAttribute("d", d);
    if (color) path.style.fill = color;
    return path;
  }

  place(view, stage, [dx, dy] = [0, 0]) {
    const left = stage.width / 2 + (dx - view.x) * view.zoom;
    const top = stage.height / 2 + (dy - view.y) * view.zoom;
    this.group.setAttribute("transform", `translate(${left} ${top}) scale(${view.zoom})`);
  }
}

function circle([x, y], r) {
  return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
}

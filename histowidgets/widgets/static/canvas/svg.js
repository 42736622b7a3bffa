const SVG = "http://www.w3.org/2000/svg";

export function svgElement(tag, className = "") {
  const made = document.createElementNS(SVG, tag);
  if (className) made.setAttribute("class", className);
  return made;
}

// A drawing over the picture that screen readers skip.
export function svgOverlay(parent, className) {
  const svg = svgElement("svg", className);
  svg.setAttribute("aria-hidden", "true");
  parent.append(svg);
  return svg;
}

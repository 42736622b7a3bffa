"""What is wrong with the layout of a studio: overlaps, cut text, columns that moved, a picture that changed its size.

Used after each step of a test: `problems` is empty as long as all is well.
"""

# The parts whose places must stay, relative to the studio.
_FIXED = ["hw-main", "hw-side", "hw-stage", "hw-bar", "hw-classes", "hw-tabs"]

_CHECK = """
(fixed) => {
  const studio = document.querySelector(".hw-studio");
  const frame = studio.getBoundingClientRect();
  const found = [];
  // Menus and what lies over the picture are meant to cover something.
  const over = ".hw-stage, .hw-popup, .hw-eye-panel, .hw-sr-only, .hw-sr, .hw-annotation-list > .widget-label, " +
    "style, script, .hw-still, svg";
  const name = (node) => node.className?.baseVal ?? (node.className || node.tagName);
  const visible = (node) => {
    for (let up = node; up && up !== studio.parentElement; up = up.parentElement) {
      const style = getComputedStyle(up);
      if (style.display === "none" || style.visibility === "hidden" || style.opacity === "0") return false;
    }
    return true;
  };
  // The part of a box that its scrolling or cutting ancestors let through.
  const shown = (box, node) => {
    let { left, top, right, bottom } = box;
    for (let up = node.parentElement; up && up !== studio.parentElement; up = up.parentElement) {
      const style = getComputedStyle(up);
      if (style.overflowX === "visible" && style.overflowY === "visible") continue;
      const edge = up.getBoundingClientRect();
      [left, top] = [Math.max(left, edge.left), Math.max(top, edge.top)];
      [right, bottom] = [Math.min(right, edge.right), Math.min(bottom, edge.bottom)];
    }
    return right - left > 1 && bottom - top > 1 ? { left, top, right, bottom } : null;
  };
  const leaves = [];
  for (const node of studio.querySelectorAll("*")) {
    if (node.closest(over) || !visible(node)) continue;
    const texts = [...node.childNodes].filter((one) => one.nodeType === 3 && one.textContent.trim());
    const isControl = node.matches("button, input, select, textarea");
    if (!texts.length && !isControl) continue;
    let box = node.getBoundingClientRect();
    if (!isControl) {
      const range = document.createRange();
      range.setStart(texts[0], 0);
      range.setEnd(texts.at(-1), texts.at(-1).textContent.length);
      box = range.getBoundingClientRect();
    }
    const seen = shown(box, node);
    const text = node.textContent.trim().slice(0, 50);
    if (seen) leaves.push({ node, seen, what: `${name(node)} "${text}"` });
    // A text that is cut has a tooltip with all of it, or scrolls.
    const style = getComputedStyle(node);
    const cuts = style.overflowX === "hidden" && node.scrollWidth > node.clientWidth + 1;
    if (seen && texts.length && cuts && !node.closest("[title]:not([title=''])")) {
      found.push(`cut without a tooltip: ${name(node)} "${text}"`);
    }
  }
  const common = (a, b, low, high) => Math.min(a[high], b[high]) - Math.max(a[low], b[low]);
  const overlap = (a, b) => common(a, b, "left", "right") > 2 && common(a, b, "top", "bottom") > 2;
  leaves.forEach((one, i) => {
    for (const other of leaves.slice(i + 1)) {
      if (one.node.contains(other.node) || other.node.contains(one.node)) continue;
      if (overlap(one.seen, other.seen)) found.push(`overlap: ${one.what} and ${other.what}`);
    }
  });
  // How far the user has scrolled what a part lies in: that moves nothing in it.
  const scrolled = (node) => {
    let sum = 0;
    for (let up = node.parentElement; up && up !== studio.parentElement; up = up.parentElement) sum += up.scrollTop;
    return sum;
  };
  const boxes = {};
  for (const part of fixed) {
    const node = document.querySelector("." + part);
    const box = node?.getBoundingClientRect();
    if (!box) continue;
    boxes[part] = [box.left - frame.left, box.top - frame.top + scrolled(node), box.width].map(Math.round);
    if (part === "hw-stage") boxes[part].push(Math.round(box.height));
    if (box.right > frame.right + 1) found.push(`${part} reaches out of the studio`);
  }
  return { found, boxes, width: Math.round(frame.width) };
}
"""


class LayoutCheck:
    """Compares the studio of a page with how it was at first."""

    def __init__(self, page):
        self.page = page
        self._first = None

    def problems(self):
        """Return what overlaps, what is cut, and what has moved since the first call at this size of the window."""
        result = self.page.evaluate(_CHECK, _FIXED)
        found = list(result["found"])
        first, self._first = self._first, self._first or result
        if first is not None and first["width"] == result["width"]:
            for part, box in result["boxes"].items():
                if first["boxes"].get(part) != box:
                    found.append(f"{part} moved from {first['boxes'].get(part)} to {box} (x, y, width)")
        return found

    def start_again(self):
        """Compare with how the studio is next, as after the window was resized."""
        self._first = None

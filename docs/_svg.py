"""Small drawings as SVG text, for the guide."""

import math

import numpy as np
from scipy import ndimage

WIDTH, HEIGHT = 480, 240
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#7A5FA8")
KINDS = ("strokes of Stroma", "strokes of Gland")
INK = "#444"


def frame(body, width=WIDTH):
    """Put a drawing on a white background, so that it is readable on a dark page too."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}" '
        f'font-family="sans-serif" font-size="13"><rect width="{width}" height="{HEIGHT}" rx="6" fill="#fff"/>'
        f"{body}</svg>\n"
    )


def note(x, y, words, color=INK, anchor="middle"):
    """Write words."""
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="{color}" text-anchor="{anchor}">{words}</text>'


def box(x, y, width, height, words=""):
    """Draw a dashed rectangle with words in its middle."""
    return (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{width}" height="{height}" fill="none" stroke="{INK}" '
        f'stroke-dasharray="6 4" stroke-width="2"/>{note(x + width / 2, y + height / 2 + 5, words)}'
    )


def chart(lines, what, top=None, mark=None):
    """Draw curves over epochs; values that are not finite leave a gap."""
    left, right, low, high = 44, 310, 205, 20
    known = [v for _, values in lines for v in values if v is not None and math.isfinite(v)]
    top = top or float(np.quantile(known, 0.995)) * 1.08
    n = max(len(values) for _, values in lines)
    body = f'<path d="M{left} {high}V{low}H{right}" fill="none" stroke="{INK}"/>'
    body += note(left, 14, what, anchor="middle") + note(right, low + 18, f"epoch {n}", anchor="end")
    for i, (name, values) in enumerate(lines):
        color, path, pen, ends = COLORS[i % len(COLORS)], "", "M", None
        for k, v in enumerate(values):
            if v is None or not math.isfinite(v):
                pen = "M"
                continue
            x = left + (right - left) * k / max(n - 1, 1)
            y = low - (low - high) * min(max(v, 0) / top, 1)
            path, pen, ends = f"{path}{pen}{x:.1f} {y:.1f}", "L", (x, y)
        body += f'<path d="{path}" fill="none" stroke="{color}" stroke-width="2"/>'
        body += f'<path d="M322 {40 + 24 * i}h16" stroke="{color}" stroke-width="3"/>'
        body += note(344, 44 + 24 * i, name if ends else f"{name} (none)", anchor="start")
    if mark is not None:
        x = left + (right - left) * mark / max(n - 1, 1)
        body += f'<path d="M{x:.0f} {high}V{low}" stroke="{INK}" stroke-dasharray="4 4"/>' + note(x, 16, "best epoch")
    return frame(body)


def bars(values, marks):
    """Draw bars with names and numbers, and dashed lines at marks."""
    top = max([v for _, v in values] + [m for m, _ in marks]) * 1.15
    step = 300 / len(values)
    body = f'<path d="M40 205H350" stroke="{INK}"/>'
    for i, (name, v) in enumerate(values):
        height, x = 180 * v / top, 50 + step * i
        body += f'<rect x="{x:.0f}" y="{205 - height:.0f}" width="{step * 0.65:.0f}" height="{height:.0f}" '
        body += f'fill="{COLORS[i % len(COLORS)]}"/>'
        middle = x + step * 0.325
        body += note(middle, 222, name) + note(middle, 200 - height, f"{v}")
    for value, words in marks:
        y = 205 - 180 * value / top
        body += f'<path d="M40 {y:.0f}H360" stroke="{INK}" stroke-dasharray="5 4"/>'
        body += note(366, y + 4, words, anchor="start")
    return frame(body)


def histogram(parts, cuts=(), text=""):
    """Draw filled histograms of pixel values, dark to bright, with cuts."""
    body = f'<path d="M40 205H360" stroke="{INK}"/>'
    body += note(40, 224, "dark", anchor="start") + note(360, 224, "bright", anchor="end")
    body += note(200, 224, "pixel value") + note(42, 16, "pixels", anchor="end")
    for i, (name, values) in enumerate(parts):
        points = " ".join(f"{40 + 320 * k / (len(values) - 1):.0f},{205 - 160 * v:.0f}" for k, v in enumerate(values))
        body += f'<polygon points="40,205 {points} 360,205" fill="{COLORS[i]}" fill-opacity="0.55"/>'
        body += f'<rect x="374" y="{32 + 24 * i}" width="14" height="14" fill="{COLORS[i]}" fill-opacity="0.55"/>'
        body += note(394, 44 + 24 * i, name, anchor="start")
    for cut, words in zip(cuts, ("1 %", "99 %"), strict=False):
        body += f'<path d="M{40 + 320 * cut:.0f} 25V205" stroke="{INK}" stroke-dasharray="5 4"/>'
        body += note(40 + 320 * cut, 18, words)
    return frame(body + note(200, 40, text))


def nested(names):
    """Draw squares in squares, from the inside out, each with its name."""
    body = ""
    for name, half in zip(names, (18, 54, 102), strict=True):
        body += box(150 - half, 120 - half, 2 * half, 2 * half)
        y = 120 - half + (0 if half > 18 else half)
        body += f'<path d="M{150 + half} {y + 12}H292" stroke="{INK}"/>' + note(298, y + 16, name, anchor="start")
    return frame(f'<circle cx="150" cy="120" r="9" fill="#8a5c96"/>{body}')


def grids():
    """Draw a straight grid and a deformed one."""
    body = ""
    for shift, bend in ((40, 0), (270, 9)):
        for k in range(6):
            along = np.linspace(0, 170, 18)
            off = 34 * k + bend * np.sin(along / 28 + k)
            for x, y in ((along, off), (off, along)):
                points = " ".join(f"{shift + a:.0f},{35 + b:.0f}" for a, b in zip(x, y, strict=True))
                body += f'<polyline points="{points}" fill="none" stroke="{COLORS[0]}"/>'
    return body


def twins():
    """Draw two patches that look alike under strokes of two colours."""
    rng = np.random.default_rng(5)
    spots = rng.uniform(15, 145, (14, 2))
    body = ""
    for shift, color, name in ((60, COLORS[0], "Stroma"), (260, COLORS[1], "Gland")):
        body += f'<rect x="{shift}" y="30" width="160" height="160" fill="#f3dce6"/>'
        for x, y in spots:
            body += f'<circle cx="{shift + x:.0f}" cy="{30 + y:.0f}" r="7" fill="#8a5c96"/>'
        body += f'<path d="M{shift + 20} 150l120 -70" stroke="{color}" stroke-width="10" stroke-opacity="0.8"/>'
        body += note(shift + 80, 214, name, color)
    return body


def pair(one, other):
    """Put two full-size drawings side by side, scaled down."""
    small = "scale(0.48 0.76) translate(8 24)"
    body = f'<g transform="{small}">{one}</g><g transform="translate(240 0) {small}">{other}</g>'
    return frame(body + note(120, 14, "image 1") + note(360, 14, "image 2") + Tissue.legend("", None))


class Tissue:
    """Two kinds of tissue, as a (rows, columns) bool array in cells of four units, with strokes on them."""

    def __init__(self, mask):
        self.mask = mask
        self.distance = np.where(mask, ndimage.distance_transform_edt(mask), ndimage.distance_transform_edt(~mask))

    def strokes(self, n, seed):
        """Return the places of n strokes and the tissue under them: (x, y, class)."""
        rng = np.random.default_rng(seed)
        rows, cols = rng.integers(6, self.mask.shape[0] - 6, n), rng.integers(8, self.mask.shape[1] - 8, n)
        return [(4 * int(c), 4 * int(r), int(self.mask[r, c])) for r, c in zip(rows, cols, strict=True)]

    def to_boundary(self, stroke):
        """Return the distance of a stroke from the other tissue."""
        return 4 * float(self.distance[stroke[1] // 4, stroke[0] // 4])

    def draw(self, strokes, boxes=(), crossing=False, shade=None, whole=True, what=""):
        """Draw the tissue, a short line for each stroke, and boxes (x, y, side), with a legend; `what` is in a box."""
        body = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#f6e3ec"/>'
        for row, line in enumerate(self.mask):
            edges = np.flatnonzero(np.diff(np.concatenate([[0], line.astype(int), [0]])))
            for begin, end in zip(edges[::2], edges[1::2], strict=True):
                body += f'<path d="M{4 * begin} {4 * row + 2}h{4 * (end - begin)}"/>'
        body = body.replace("<path", '<path stroke="#cfb3d6" stroke-width="4.2"')
        if shade:
            x, y, width, height = shade
            body += f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="#3a1d4d" fill-opacity="0.45"/>'
        for i, (x, y, k) in enumerate(strokes):
            turn = 2.4 * i
            dx, dy = 13 * math.cos(turn), 13 * math.sin(turn)
            body += f'<path d="M{x - dx:.0f} {y - dy:.0f}L{x + dx:.0f} {y + dy:.0f}" stroke="{COLORS[k]}" '
            body += 'stroke-width="7" stroke-linecap="round"/>'
        if crossing:
            for color, path in ((COLORS[0], "M150 160L330 80"), (COLORS[1], "M170 80L320 165")):
                body += f'<path d="{path}" stroke="{color}" stroke-width="9" stroke-linecap="round"/>'
            body += box(215, 92, 60, 60)
        for x, y, side in boxes:
            body += box(x, y, side, side)
        return frame(body + self.legend(what, shade)) if whole else body

    @staticmethod
    def legend(what, shade):
        """Say below what the colours and, if any, the boxes and the dark half are."""
        items = [(f'stroke="{color}" stroke-width="7"', name) for color, name in zip(COLORS, KINDS, strict=False)]
        if what:
            items.append((f'stroke="{INK}" stroke-width="2" stroke-dasharray="6 4"', what))
        if shade:
            items.append(('stroke="#3a1d4d" stroke-opacity="0.45" stroke-width="12"', "darker tissue"))
        body = f'<rect y="{HEIGHT - 26}" width="{WIDTH}" height="26" fill="#fff" fill-opacity="0.9"/>'
        x = 14
        for style, name in items:
            body += f'<path d="M{x} {HEIGHT - 13}h20" {style}/>' + note(x + 27, HEIGHT - 8, name, anchor="start")
            x += 50 + 7 * len(name)
        return body

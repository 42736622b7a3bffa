"""Draw the packages: `python docs/make_packages_picture.py` writes `docs/pictures/packages.svg`."""

from pathlib import Path

#: Package, what lives there, what it builds on, and its sub-packages, the lowest layer first. Sub-packages
#: of one layer stand together; those of `widgets/canvas` are listed under `CANVAS`.
PACKAGES = [
    ("cli", "the same from a shell", "", []),
    (
        "widgets",
        "what is shown on the page",
        "the page",
        [["colab"], ["common"], ["audit", "canvas", "monitor", "settings"], ["live_prediction"], ["studio"]],
    ),
    ("reporting", "what happened, as one file", "", []),
    (
        "advice",
        "about annotations, settings and curves",
        "NumPy",
        [["coaching", "diagnosis", "suggestions"], ["recommendation"]],
    ),
    (
        "training",
        "from settings to runs",
        "torch",
        [
            ["settings"],
            ["checkpoint"],
            ["data"],
            ["storage"],
            ["loop"],
            ["estimation", "quick"],
            ["runs"],
            ["evaluation"],
        ],
    ),
    (
        "prediction",
        "classifiers and their results",
        "torch",
        [
            ["tiling"],
            ["results", "pixel_models"],
            ["inference", "onnx", "storage"],
            ["bioimage"],
            ["auditing", "reliability", "batch"],
        ],
    ),
    ("models", "networks, backbones and their weights", "torch", []),
    (
        "annotations",
        "the project and what is drawn in it",
        "NumPy",
        [["shapes"], ["raster"], ["io"], ["project"], ["split"], ["agreement"]],
    ),
    ("images", "opening, reading in parts, normalization", "NumPy", [["readers"]]),
]
CANVAS = [["state"], ["drawing"], ["editing"], ["pointer"], ["controls"]]
COLORS = {"torch": "#E69F00", "the page": "#56B4E9", "NumPy": "#009E73", "": "#8c959f"}
FONT = 'font-family="system-ui, sans-serif"'
INK, PALE, LINE = "#1f2328", "#57606a", "#d0d7de"
WIDTH, HEAD, CHIP = 840, 34, 30


def picture():
    """Return the SVG; each package stands on those that it may import."""
    rows = [(name, what, knows, _lines(name, layers)) for name, what, knows, layers in PACKAGES]
    height = sum(_height(lines) for *_, lines in rows) + 74
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'role="img" aria-label="The packages; each imports only those below it">',
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff"/>',
    ]
    y = 10
    for name, what, knows, lines in rows:
        tall = _height(lines) - 6
        parts.append(f'<rect x="10" y="{y}" width="780" height="{tall}" rx="6" fill="#f6f8fa" stroke="{LINE}"/>')
        parts.append(f'<rect x="10" y="{y}" width="8" height="{tall}" rx="3" fill="{COLORS[knows]}"/>')
        parts.append(_text(30, y + 22, name, INK, 15, "600"))
        parts.append(_text(140, y + 22, what, "#424a53", 14))
        if knows:
            parts.append(_text(780, y + 22, knows, PALE, 12, anchor="end"))
        for number, (label, layers) in enumerate(lines):
            parts += _chips(label, layers, y + HEAD + number * CHIP)
        y += tall + 6
    arrow = f"M812 16 V{y - 12} m-5 -8 l5 8 l5 -8"
    parts.append(f'<path d="{arrow}" fill="none" stroke="{PALE}" stroke-width="1.5"/>')
    for number, text in enumerate(
        (
            "Each package imports only those below it, by public names; a sub-package imports only those to its left,",
            "and those in one frame do not import each other. At the right: what the package builds on.",
        )
    ):
        parts.append(_text(10, y + 16 + 20 * number, text, PALE, 13))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _lines(name, layers):
    """Return the rows of sub-packages to draw under a package: (label, layers)."""
    lines = [("", layers)] if layers else []
    return [*lines, ("canvas:", CANVAS)] if name == "widgets" else lines


def _height(lines):
    return HEAD + CHIP * len(lines) + 6


def _chips(label, layers, y):
    """Draw sub-packages from left to right, those of one layer in one frame."""
    parts, x = [], 30
    if label:
        parts.append(_text(x, y + 16, label, PALE, 12))
        x += 52
    for number, layer in enumerate(layers):
        if number:
            parts.append(_text(x + 7, y + 16, "‹", PALE, 14, anchor="middle"))
            x += 14
        widths = [round(7.0 * len(name)) + 14 for name in layer]
        parts.append(f'<rect x="{x}" y="{y}" width="{sum(widths)}" height="23" rx="5" fill="#ffffff" stroke="{LINE}"/>')
        for name, width in zip(layer, widths, strict=True):
            parts.append(_text(x + width // 2, y + 16, name, INK, 12, anchor="middle"))
            x += width
    return parts


def _text(x, y, words, color, size, weight="400", anchor="start"):
    style = f'font-size="{size}" font-weight="{weight}" fill="{color}" text-anchor="{anchor}"'
    return f'<text x="{x}" y="{y}" {FONT} {style}>{words}</text>'


if __name__ == "__main__":
    (Path(__file__).resolve().parent / "pictures" / "packages.svg").write_text(picture(), encoding="utf-8")

"""Draw the picture of the rooms: `python docs/make_rooms_picture.py` writes `docs/pictures/rooms.svg`."""

from pathlib import Path

ROOMS = [
    ("cli", "the same from a shell", ""),
    ("widgets", "canvas, form, chart, studio, the bridge to the page", "the page"),
    ("advice", "before, on the strokes, while training, after", "NumPy"),
    ("training", "settings, tiles, the loop and its thread", "torch"),
    ("prediction", "classifiers, tiled prediction, objects, exports", "torch"),
    ("models", "networks, backbones and their weights", "torch"),
    ("annotations", "the project, undo, the journal, held-out rectangles", "NumPy"),
    ("images", "opening, reading in parts, normalization", "NumPy"),
]
COLORS = {"torch": "#E69F00", "the page": "#56B4E9", "NumPy": "#009E73", "": "#8c959f"}
FONT = 'font-family="system-ui, sans-serif"'
WIDTH, ROW = 640, 44


def picture():
    """Return the SVG; a room stands on those that it may import."""
    height = ROW * len(ROOMS) + 48
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'role="img" aria-label="The rooms; each imports only those below it">',
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff"/>',
    ]
    for i, (name, what, knows) in enumerate(ROOMS):
        y = 10 + i * ROW
        parts.append(f'<rect x="10" y="{y}" width="580" height="{ROW - 6}" rx="6" fill="#f6f8fa" stroke="#d0d7de"/>')
        parts.append(f'<rect x="10" y="{y}" width="8" height="{ROW - 6}" rx="3" fill="{COLORS[knows]}"/>')
        parts.append(f'<text x="30" y="{y + 24}" {FONT} font-size="15" font-weight="600" fill="#1f2328">{name}</text>')
        parts.append(f'<text x="140" y="{y + 24}" {FONT} font-size="14" fill="#424a53">{what}</text>')
        if knows:
            parts.append(
                f'<text x="580" y="{y + 24}" {FONT} font-size="12" fill="#57606a" text-anchor="end">{knows}</text>'
            )
    bottom = 10 + len(ROOMS) * ROW
    arrow = f"M614 16 V{bottom - 14} m-5 -8 l5 8 l5 -8"
    parts.append(f'<path d="{arrow}" fill="none" stroke="#57606a" stroke-width="1.5"/>')
    text = "Each imports only those below it, by public names. At the right: what it knows of the world outside."
    parts.append(f'<text x="10" y="{bottom + 18}" {FONT} font-size="13" fill="#57606a">{text}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    (Path(__file__).resolve().parent / "pictures" / "rooms.svg").write_text(picture(), encoding="utf-8")

"""A picture that stays in a notebook when there is no kernel to draw the widget."""

import base64
import html
import io

import PIL.Image

# Longest side in pixels, and the most bytes before base64, which adds a third.
LONGEST_SIDE = 640
MOST_BYTES = 150_000
QUALITIES = (80, 60, 40, 20)


def static_html(picture: PIL.Image.Image, name: str) -> str:
    """Return an RGB picture as an HTML image that carries its own data, of about 200 KB at most.

    Parameters
    ----------
    picture
        Shown no larger than `LONGEST_SIDE`.
    name
        Of the image, for the text that stands in for it.
    """
    small = picture.copy()
    small.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    for quality in QUALITIES:
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= MOST_BYTES:
            break
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    text = html.escape(f"{name} with its annotations; run the cell to paint", quote=True)
    return f'<img alt="{text}" src="data:image/jpeg;base64,{data}">'

"""The picture that a notebook shows if there is no kernel to draw the widget."""

import html
import io

import PIL.Image

from histowidgets.widgets.common._picture_url import data_url

# Longest side in pixels, and most bytes before base64, which adds a third.
LONGEST_SIDE = 640
MOST_BYTES = 150_000
QUALITIES = (80, 60, 40, 20)


def static_html(picture: PIL.Image.Image, text: str) -> str:
    """Return an RGB picture as a self-contained HTML image of about 200 KB at most.

    Parameters
    ----------
    picture
        Reduced to `LONGEST_SIDE` if larger.
    text
        The alternative text.
    """
    small = picture.copy()
    small.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    for quality in QUALITIES:
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= MOST_BYTES:
            break
    address = data_url(buffer.getvalue(), "jpeg")
    return f'<img alt="{html.escape(text, quote=True)}" src="{address}">'

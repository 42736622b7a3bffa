"""Colours as text and as numbers."""


def hex_to_rgb(color: str) -> tuple[int, int, int]:
    """Convert a colour such as ``"#1f77b4"`` to red, green and blue, 0 to 255.

    Raises
    ------
    ValueError
        If `color` does not have this form.
    """
    if len(color) != 7 or color[0] != "#":
        raise ValueError(f"{color!r} is not a colour such as '#1f77b4'")
    red, green, blue = bytes.fromhex(color[1:])
    return red, green, blue

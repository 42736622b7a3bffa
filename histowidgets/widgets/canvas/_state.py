"""What is chosen on the canvas: the tools and the ranges of their settings."""

#: Every tool, in the order of the toolbar.
TOOLS = ("pan", "select", "brush", "eraser", "line", "rectangle", "polygon", "wand")

#: In pixels of the image.
MOST_BRUSH_WIDTH = 200

#: In steps of colour, see `_wand`.
MOST_TOLERANCE = 100

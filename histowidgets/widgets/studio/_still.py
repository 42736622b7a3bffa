"""What a notebook shows of a studio when there is no kernel."""

import html

from histowidgets.widgets.canvas import AnnotationCanvas
from histowidgets.widgets.monitor import LossMonitor


def studio_html(canvas: AnnotationCanvas, monitor: LossMonitor) -> str:
    """Return the view, the annotation counts and the numbers of the run as HTML."""
    counts = ", ".join(f"{name} {count}" for name, count in canvas.project.count().items())
    lines = [f"Annotations: {counts}.", canvas.caption, "Run the cell to continue."]
    words = "".join(f"<p>{html.escape(line)}</p>" for line in lines if line)
    return f"{canvas.still_html()}{words}{monitor.still_html()}"

"""What the annotation canvas shows, and how: predictions, opacities, hatching, and the display of channels."""

import dataclasses
import math
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets
import traitlets

from histowidgets.annotations import Project
from histowidgets.errors import ImageError
from histowidgets.images import ChannelDisplay, Region
from histowidgets.widgets.canvas.controls import CanvasFrame
from histowidgets.widgets.canvas.drawing import Drawing, Layers, legend_html
from histowidgets.widgets.canvas.pointer import PointerLayer
from histowidgets.widgets.common import SerialQueue, close_tree, listen

if TYPE_CHECKING:  # prediction imports torch
    from histowidgets.prediction import PredictionResults

# What a cell that is run again takes over from the canvas before.
_KEPT_TRAITS = (
    "prediction_opacity",
    "annotation_opacity",
    "uncertainty_opacity",
    "patterns",
    "prediction_patterns",
    "overlay_on",
    "annotations_on",
    "brush_width",
    "pen_pressure",
    "wand_tolerance",
    "class_name",
    "tool",
)


class CanvasDisplay(traitlets.HasTraits):
    """The part of the canvas that chooses what is shown. It never touches what is trained on."""

    project: Project
    image_name: str
    _queue: SerialQueue
    _layers: Layers
    _drawing: Drawing
    _frame: CanvasFrame
    _pointer: PointerLayer
    _display_callbacks: list[Callable[[str], None]]
    _legend: ipywidgets.HTML | None = None

    prediction_opacity = traitlets.Float(0.4, min=0.0, max=1.0)
    uncertainty_opacity = traitlets.Float(0.0, min=0.0, max=1.0)
    annotation_opacity = traitlets.Float(1.0, min=0.0, max=1.0)
    overlay_on = traitlets.Bool(True)
    annotations_on = traitlets.Bool(True)
    patterns = traitlets.Bool(True)
    prediction_patterns = traitlets.Bool(False)
    disagreement = traitlets.Bool(False)

    def _draw(self, draw: Callable[[], None]) -> None:
        """Draw, within the queue; the canvas does."""
        raise NotImplementedError

    def show_image(self, name: str) -> None:
        """Show another image of the project; the canvas does."""
        raise NotImplementedError

    # -- what lies over the image ---------------------------------------------------------------------

    def show_prediction(self, prediction: "PredictionResults | None", caption: str = "") -> None:
        """Lay a prediction over its image, with a caption at the top left; None takes it away. From any thread.

        Parameters
        ----------
        prediction
            Kept for its image, and shown whenever that is.
        caption
            Such as ``"Prediction: quick learner · mIoU 0.81 on held-out strokes"``.
        """

        def job() -> None:
            if self._drawing.keep_prediction(prediction, caption):
                self._show_caption()
                self._draw(self._drawing.only_prediction)

        self._queue.submit(job)

    def show_held_out(self, regions: Sequence[Region]) -> None:
        """Outline the rectangles of this image that only validation sees; none by default."""
        self._pointer.held_out = [[int(edge) for edge in region] for region in regions]

    def _show_caption(self) -> None:
        self._pointer.caption = self._drawing.caption if self.overlay_on else ""
        self._show_legend()

    @traitlets.observe(
        "prediction_opacity", "annotation_opacity", "uncertainty_opacity", "overlay_on", "annotations_on"
    )
    def _set_opacity(self, _: Any = None) -> None:
        def job() -> None:
            self._pointer.annotation_opacity = self.annotation_opacity
            self._pointer.overlay_on, self._pointer.annotations_on = self.overlay_on, self.annotations_on
            prediction, uncertainty = (
                (self.prediction_opacity, self.uncertainty_opacity) if self.overlay_on else (0.0, 0.0)
            )
            annotations = self.annotation_opacity if self.annotations_on else 0.0
            self._layers.set_opacity(prediction, annotations, uncertainty)
            if (self.uncertainty_opacity > 0) != self._drawing.uncertain:  # it is made only for those who look
                self._drawing.uncertain = self.uncertainty_opacity > 0
                self._draw(self._drawing.only_prediction)
            self._show_caption()

        self._queue.submit(job)

    def _show_project(self) -> None:
        """Bring classes, counts and buttons up to date; the canvas does."""
        raise NotImplementedError

    @traitlets.observe("patterns", "prediction_patterns")
    def _set_patterns(self, _: Any) -> None:
        def job() -> None:
            self._drawing.patterns, self._drawing.prediction_patterns = self.patterns, self.prediction_patterns
            self._show_project()
            self._draw(self._drawing.everything)

        self._queue.submit(job)

    @traitlets.observe("disagreement")
    def _set_disagreement(self, _: Any) -> None:
        """Colour the strokes by how far the prediction contradicts them, instead of by their class (row N6)."""

        def job() -> None:
            self._drawing.disagreement = self.disagreement
            self._draw(self._drawing.everything)

        self._queue.submit(job)

    def _show_legend(self) -> None:
        """Say which colours are sure and unsure, while they are shown."""
        wanted = self.overlay_on and self.uncertainty_opacity > 0 and self._drawing.prediction is not None
        if self._legend is None:
            if not wanted:
                return
            self._legend = ipywidgets.HTML(legend_html())
            self._legend.add_class("hw-legend-box")
            self._frame.stage.children = [*self._frame.stage.children, self._legend]
        self._legend.layout.display = None if wanted else "none"

    # -- how the image is shown -----------------------------------------------------------------------

    @property
    def display(self) -> tuple[ChannelDisplay, ...]:
        """How each channel of the image shown is shown; `set_display` changes it."""
        return self._drawing.display(self.image_name)

    def set_display(self, displays: Sequence[ChannelDisplay] | None, image_name: str | None = None) -> None:
        """Show the channels of an image otherwise. What is trained on stays as it is.

        Parameters
        ----------
        displays
            One a channel, in the image's own units; None goes back to what is chosen from the pixels.
        image_name
            The image that is shown by default. Each image keeps its own.

        Raises
        ------
        ImageNameError
            If there is no image of that name.
        ImageError
            If they are not one a channel, a colour is none, or a number is not finite.
        """
        name = self.image_name if image_name is None else image_name
        image = self.project.image(name)
        checked = None if displays is None else _checked(displays, image.channel_names)

        def job() -> None:
            self._drawing.set_display(name, checked)
            if name == self._drawing.image_name:
                self._draw(self._drawing.only_image)
            for callback in list(self._display_callbacks):
                callback(name)

        self._queue.submit(job)

    def copy_display(self) -> list[str]:
        """Show all images with as many channels as the one shown like that one; return their names."""
        displays, channels = self.display, len(self.project.image(self.image_name).channel_names)
        names = [name for name in self.project.image_names if name != self.image_name]
        alike = [name for name in names if len(self.project.image(name).channel_names) == channels]
        for name in alike:
            self.set_display(displays, name)
        return alike

    def on_display(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Call `callback` with the name of an image whenever it is shown otherwise. Returns what ends that."""
        return listen(self._display_callbacks, callback)

    # -- coming and going -------------------------------------------------------------------------------

    def take_display(self, earlier: "CanvasDisplay") -> None:
        """Show images, predictions and annotations as an earlier canvas of the same project did, with its tool."""
        self._queue.submit(lambda: self._drawing.resume(earlier._drawing))
        for name in _KEPT_TRAITS:
            setattr(self, name, getattr(earlier, name))

    def _leave_removed_image(self) -> bool:
        """Show another image where the one that is drawn was removed; return whether it was."""
        names = self.project.image_names
        if self._drawing.image_name in names:
            return False
        if names and self.image_name not in names:
            self.show_image(names[0])
        return True

    def _close_legend(self) -> None:
        if self._legend is not None:
            close_tree(self._legend)


def _checked(displays: Sequence[ChannelDisplay], channels: Sequence[str]) -> tuple[ChannelDisplay, ...]:
    if len(displays) != len(channels):
        raise ImageError(
            f"The display is of {len(displays)} channel(s), the image has {len(channels)} ({', '.join(channels)})."
        )
    for one, channel in zip(displays, channels, strict=True):
        if not isinstance(one, ChannelDisplay):
            raise ImageError(f"Channel {channel} got a {type(one).__name__}; a ChannelDisplay is wanted.")
        if not re.fullmatch(r"#[0-9A-Fa-f]{6}", one.color):
            raise ImageError(f"Channel {channel} got the colour {one.color!r}; write it as #RRGGBB.")
        if not (math.isfinite(one.low) and math.isfinite(one.high) and one.low <= one.high):
            raise ImageError(f"Channel {channel} got {one.low:g} to {one.high:g}; a finite range, lower end first.")
        if not (math.isfinite(one.gamma) and one.gamma > 0):
            raise ImageError(f"Channel {channel} got gamma {one.gamma:g}; a number above 0 is wanted.")
    return tuple(dataclasses.replace(one, color=one.color.upper()) for one in displays)

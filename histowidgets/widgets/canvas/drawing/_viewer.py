"""Keep the drawing in step with the state of the canvas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from histowidgets.annotations import Change
from histowidgets.errors import HistowidgetsError
from histowidgets.images import ChannelDisplay, Image
from histowidgets.widgets.canvas.drawing._channel_display import checked_display
from histowidgets.widgets.canvas.drawing._layers import Layers
from histowidgets.widgets.canvas.drawing._outlines import OutlinedObject
from histowidgets.widgets.canvas.drawing._renderer import Renderer
from histowidgets.widgets.canvas.state import CanvasState, View
from histowidgets.widgets.common import SerialQueue, listen

if TYPE_CHECKING:  # prediction imports torch
    from histowidgets.prediction import PredictionResults


class CanvasViewer:
    """Draws the state; each change is a job of the canvas' queue.

    Methods may be called from any thread. Those that `AnnotationCanvas` also has are documented in full there.

    Parameters
    ----------
    state
        The state to draw.
    renderer, layers
        The renderer, and the layers that it draws on; used inside the queue only.
    queue
        The queue of the canvas.
    say
        Called with a message for the user and its level, "info" or "error".
    """

    def __init__(
        self,
        state: CanvasState,
        renderer: Renderer,
        layers: Layers,
        queue: SerialQueue,
        say: Callable[[str, str], None],
    ) -> None:
        self._state, self._renderer, self._layers, self._queue, self._say = state, renderer, layers, queue, say
        self._image_callbacks: list[Callable[[str, Image], None]] = []
        self._stage_callbacks: list[Callable[[], None]] = []
        self._drawn_callbacks: list[Callable[[View], None]] = []
        self._view_callbacks: list[Callable[[], None]] = []
        self._display_callbacks: list[Callable[[str], None]] = []
        self._drawn_place: tuple[float, float, float] | None = None
        self._closed = False
        opacities = ["prediction_opacity", "annotation_opacity", "uncertainty_opacity", "overlay_on", "annotations_on"]
        state.observe(lambda _: self._queue.submit(self.show_opacities), names=opacities)
        choices = ["patterns", "prediction_patterns", "disagreement", "others_hidden"]
        state.observe(lambda _: self.redraw(), names=choices)
        layers.canvas.on_client_ready(self.redraw)

    # -- what is drawn, which lags behind the state until its job has run -----------------------------

    @property
    def drawn_image_name(self) -> str:
        """The image that was drawn last."""
        return self._renderer.image_name

    @property
    def drawn_view(self) -> View:
        """The view that was drawn last."""
        return self._renderer.view

    @property
    def scale(self) -> float:
        """Drawn pixels per CSS pixel."""
        return self._renderer.scale

    # -- image, view and stage --------------------------------------------------------------------

    def show_image(self, name: str) -> None:
        """Show all of another image of the project (ImageNameError if unknown)."""
        view, image = self._state.show_image(name), self._state.project.image(name)

        def job() -> None:
            self._renderer.image_name, self._renderer.view = name, view
            self._state.draft = {}
            for callback in list(self._image_callbacks):
                callback(name, image)
            self._show_caption()
            self._draw(self._renderer.draw_all)

        self._queue.submit(job)

    def look(self, view: View, before_drawing: Callable[[], None] | None = None) -> None:
        """Show another view of the image; `before_drawing` is called inside the queue, just before drawing."""
        name, looked = self._state.look(view)

        def job() -> None:
            if before_drawing is not None:
                before_drawing()
            if name == self._renderer.image_name:
                self._renderer.view = looked
            self._draw(self._renderer.draw_all)

        self._queue.submit(job)

    def fit(self) -> None:
        """Show the whole image."""
        self.look(self._state.view.fitted())

    def zoom(self, factor: float) -> None:
        """Zoom by a factor around the middle of the view."""
        self.look(self._state.view.zoomed(factor))

    def resize(self, width: int, height: int) -> None:
        """Change the size of the stage, in CSS pixels."""
        self._reshape(width, height, self._renderer.scale)

    def use_scale(self, scale: float) -> None:
        """Draw `scale` pixels per CSS pixel, to match the screen."""
        if abs(scale - self._renderer.scale) > 1e-6:
            self._reshape(self._state.view.stage_width, self._state.view.stage_height, scale)

    def _reshape(self, width: int, height: int, scale: float) -> None:
        self._state.resize(width, height)

        def job() -> None:
            self._renderer.scale = scale
            self._renderer.view = self._renderer.view.on_stage(width, height)
            for callback in list(self._stage_callbacks):
                callback()
            self._layers.resize(width, height, scale)
            self._draw(self._renderer.draw_all)

        self._queue.submit(job)

    # -- drawing ----------------------------------------------------------------------------------

    def redraw(self) -> None:
        """Redraw everything, as after a reload of the page."""
        self._queue.submit(lambda: self._draw(self._renderer.draw_all))

    def check_pictures(self, lengths: list[int]) -> None:
        """Redraw if the pictures on a page, with these lengths in bytes, are not those drawn last."""

        def job() -> None:
            if lengths != list(self._layers.pictures.values()):
                self._draw(self._renderer.draw_all)

        self._queue.submit(job)

    def show_change(self, change: Change) -> None:
        """Redraw what an edit of the project changed; called inside the queue."""
        if change.kind == "classes":
            self._draw(self._renderer.draw_all)
        elif change.kind == "annotations" and change.image_name in (None, self._renderer.image_name):
            self._draw(lambda: self._renderer.draw_annotations(change.region))

    def sketch(self, points: np.ndarray, width: float, color: str) -> None:
        """Draw a line that lasts until the annotations are redrawn; points and width are in drawn pixels."""
        self._queue.submit(lambda: self._layers.sketch(points, width, color))

    def describe(self, x: float, y: float) -> str:
        """Describe an image point: coordinates, painted class, and likeliest predicted class."""
        return self._renderer.describe(x, y)

    def _draw(self, draw: Callable[[], bool | None]) -> None:
        """Draw inside the queue and, unless `draw` returns False, call the listeners; report errors."""
        if self._closed:
            return
        try:
            if draw() is False:
                return
        except (HistowidgetsError, OSError) as error:
            self._say(str(error), "error")
        view = self._renderer.view
        for callback in list(self._drawn_callbacks):
            callback(view)
        place = view.x, view.y, view.zoom
        if place != self._drawn_place:
            self._drawn_place = place
            for moved in list(self._view_callbacks):
                moved()

    # -- predictions and opacities ----------------------------------------------------------------

    def show_prediction(self, prediction: PredictionResults | None, caption: str) -> None:
        """Show a prediction with a caption over its image; None removes the prediction of the image shown."""

        def job() -> None:
            self._draw(partial(self._renderer.show_prediction, prediction, caption))
            self._show_caption()

        self._queue.submit(job)

    def show_outlines(self, image_name: str, objects: Sequence[OutlinedObject] | None) -> None:
        """Outline objects of an image; None removes all outlines."""
        self._queue.submit(lambda: self._draw(partial(self._renderer.show_outlines, image_name, objects)))

    def show_opacities(self) -> None:
        """Apply the opacities of the state to the layers; called inside the queue."""
        state, renderer = self._state, self._renderer
        prediction, uncertainty = state.prediction_opacity, state.uncertainty_opacity
        self._layers.set_opacity(
            prediction if state.overlay_on else 0.0,
            state.annotation_opacity if state.annotations_on else 0.0,
            uncertainty if state.overlay_on else 0.0,
            outlines=state.overlay_on,
        )
        if (uncertainty > 0) != renderer.draws_uncertainty:  # the uncertainty is drawn only while it is shown
            renderer.draws_uncertainty = uncertainty > 0
            self._draw(renderer.draw_prediction)
        self._show_caption()

    def _show_caption(self) -> None:
        state, renderer = self._state, self._renderer
        state.set_trait("caption", renderer.caption if state.overlay_on else "")
        shows_uncertainty = state.overlay_on and state.uncertainty_opacity > 0 and renderer.prediction is not None
        state.set_trait("shows_uncertainty", shows_uncertainty)

    # -- display of channels ----------------------------------------------------------------------

    @property
    def display(self) -> tuple[ChannelDisplay, ...]:
        """How each channel of the image is shown."""
        return self._renderer.display(self._state.image_name)

    def set_display(self, displays: Sequence[ChannelDisplay] | None, image_name: str | None) -> None:
        """Set the display of an image, by default the current one; None restores the default display."""
        name = self._state.image_name if image_name is None else image_name
        image = self._state.project.image(name)
        checked = None if displays is None else checked_display(displays, image.channel_names)

        def job() -> None:
            self._renderer.set_display(name, checked)
            if name == self._renderer.image_name:
                self._draw(self._renderer.draw_image)
            for callback in list(self._display_callbacks):
                callback(name)

        self._queue.submit(job)

    def copy_display(self) -> list[str]:
        """Apply the current display to all images with as many channels; return their names."""
        project, current, displays = self._state.project, self._state.image_name, self.display
        alike = [
            name
            for name in project.image_names
            if name != current and len(project.image(name).channel_names) == len(displays)
        ]
        for name in alike:
            self.set_display(displays, name)
        return alike

    # -- listening --------------------------------------------------------------------------------

    def on_image(self, callback: Callable[[str, Image], None]) -> Callable[[], None]:
        """Call `callback` inside the queue with each image before it is drawn; return a function to unsubscribe."""
        return listen(self._image_callbacks, callback)

    def on_stage(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` inside the queue before the stage is drawn at a new size or scale."""
        return listen(self._stage_callbacks, callback)

    def on_drawn(self, callback: Callable[[View], None]) -> Callable[[], None]:
        """Call `callback` inside the queue with the view after each drawing."""
        return listen(self._drawn_callbacks, callback)

    def on_view(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` inside the queue after a new view was drawn."""
        return listen(self._view_callbacks, callback)

    def on_display(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Call `callback` inside the queue with the name of each image whose display changes."""
        return listen(self._display_callbacks, callback)

    # -- start and end ----------------------------------------------------------------------------

    def resume(self, earlier: CanvasViewer) -> None:
        """Take over the image, the view and the displays of an earlier viewer of the same project."""
        self._queue.submit(lambda: self._renderer.restore_displays(earlier._renderer))
        name, view = earlier._state.image_name, earlier._state.view
        if name in self._state.project.image_names:
            self.resize(view.stage_width, view.stage_height)
            self.show_image(name)
            self.look(view)

    def leave_removed_image(self) -> bool:
        """Show another image if the drawn image was removed from the project; return whether it was."""
        names = self._state.project.image_names
        if self._renderer.image_name in names:
            return False
        if names and self._state.image_name not in names:
            self.show_image(names[0])
        return True

    def close(self) -> None:
        """Stop drawing, and close the layers."""
        self._closed = True
        self._layers.canvas.on_client_ready(self.redraw, remove=True)
        self._layers.close()

"""Go through the tiles that several annotators label, and compare what they labelled."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets

from histowidgets.annotations import Change, agreement_tiles, compare_annotators, tiles_done
from histowidgets.images import Region
from histowidgets.widgets.common import LatestWorker, TaskQueue, full_width, observe
from histowidgets.widgets.studio._state import StudioState

_INTRO = "Tiles at random that each of you labels without seeing the other's labels, to measure how well you agree."


class TilesPanel(ipywidgets.VBox):
    """Draws tiles, steps through them, says which are done, and compares annotators on them.

    Parameters
    ----------
    state
        Has the project and the view.
    show
        Called with the tile that is shown, to mark it on the picture; None if there is none.
    """

    def __init__(self, state: StudioState, show: Callable[[Region | None], object] = lambda region: None) -> None:
        self._state, self._project, self._show = state, state.project, show
        self._place: int | None = None
        self.tasks = TaskQueue("tiles", self._say)
        self.worker: LatestWorker[tuple[Any, str], list[bool]] = LatestWorker(
            "tiles", lambda payload, _: tiles_done(*payload), self._deliver, rest=0.2
        )
        self.done: list[bool] = []
        self.count = full_width(
            ipywidgets.BoundedIntText(value=20, min=1, max=1000, description="Tiles", tooltip="Number of tiles")
        )
        self.size = full_width(
            ipywidgets.BoundedFloatText(
                value=100.0,
                min=1.0,
                max=1e6,
                description="Side (µm)",
                tooltip="Side of a tile; in pixels on an image without a pixel size",
            )
        )
        self.seed = full_width(
            ipywidgets.BoundedIntText(
                value=0, min=0, max=2**31 - 1, description="Seed", tooltip="The same seed draws the same tiles"
            )
        )
        self.draw_button = _button("Draw tiles", "random", "Draw tiles at random, in place of earlier ones", self._draw)
        self.previous_button = _button("Previous", "arrow-left", "The tile before", lambda: self.step(-1))
        self.next_button = _button("Next", "arrow-right", "The next tile that you have not labelled", self.next)
        self.compare_button = _button(
            "Compare", "users", "How well the two annotators with the most labels agree", self._compare_labels
        )
        self._where, self._said = ipywidgets.HTML(), ipywidgets.HTML(f"<p class='hw-quiet'>{escape(_INTRO)}</p>")
        self._steps = ipywidgets.HBox([self.previous_button, self.next_button, self.compare_button])
        self._steps.add_class("hw-run-buttons")
        title = ipywidgets.HTML("<h4 class='hw-title'>Compare annotators</h4>")
        draw_row = ipywidgets.HBox([self.draw_button])
        draw_row.add_class("hw-run-buttons")
        super().__init__([title, self.count, self.size, self.seed, draw_row, self._where, self._steps, self._said])
        self.add_class("hw-section")
        self.add_class("hw-agreement")
        self._stops = [
            self._project.subscribe(self._changed),
            observe(state, "image_name", lambda _: self._mark()),
        ]
        self.refresh()

    # -- what is shown ----------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Count again which tiles are done, as after the annotator changed."""
        tiles = self._project.agreement_tiles
        self._steps.layout.display = None if tiles else "none"
        if tiles is None:
            self._place, self.done = None, []
            self._where.value = ""
            return
        if self._place is not None and self._place >= len(tiles):
            self._place = None
        self.worker.request((self._project.snapshot(), self._project.annotator))

    def _deliver(self, payload: Any, answer: list[bool] | None, error: BaseException | None) -> None:
        if error is not None:
            raise error
        self.done = answer or []
        self._write()

    def _write(self) -> None:
        tiles = self._project.agreement_tiles
        if tiles is None:
            return
        who = self._project.annotator or "someone without a name"
        words = f"{sum(self.done)} of {len(tiles)} tiles labelled by {who}."
        if self._place is not None:
            state = "labelled" if self._place < len(self.done) and self.done[self._place] else "not labelled yet"
            name = tiles.tiles[self._place].image_name
            words += f" Tile {self._place + 1} of {len(tiles)}, on {name}: {state}."
        self._where.value = f"<p class='hw-quiet hw-said-here' role='status'>{escape(words)}</p>"

    def _changed(self, change: Change) -> None:
        if change.kind in ("annotations", "images", "tiles"):
            self.refresh()
            self._mark()

    @property
    def shown(self) -> Region | None:
        """The tile that is shown; None if there is none, or another image is shown."""
        tiles = self._project.agreement_tiles
        if tiles is None or self._place is None or self._place >= len(tiles):
            return None
        tile = tiles.tiles[self._place]
        return tile.region if tile.image_name == self._state.image_name else None

    def _mark(self) -> None:
        shown = self.shown
        if shown is not None:
            self._show(shown)

    # -- actions ----------------------------------------------------------------------------------------

    def step(self, by: int) -> None:
        """Show the tile that many places further, around the end."""
        tiles = self._project.agreement_tiles
        if tiles is not None:
            start = (-1 if by > 0 else 0) if self._place is None else self._place
            self.go_to((start + by) % len(tiles))

    def next(self) -> None:
        """Show the next tile that the annotator has not labelled, or the next one if all are."""
        tiles = self._project.agreement_tiles
        if tiles is None:
            return
        start = -1 if self._place is None else self._place
        order = [(start + k) % len(tiles) for k in range(1, len(tiles) + 1)]
        done = {k for k, is_done in enumerate(self.done) if is_done}
        self.go_to(next((k for k in order if k not in done and k != start), order[0]))

    def go_to(self, place: int) -> None:
        """Show a tile."""
        tiles = self._project.agreement_tiles
        if tiles is None:
            return
        tile = tiles.tiles[place]
        self._place = place
        if tile.image_name not in self._project.image_names:
            self._say(f"Image {tile.image_name!r} of this tile was removed.", "error")
        else:
            self._state.go_to(tile)
        self._write()

    def _draw(self) -> None:
        n, size, seed = self.count.value, self.size.value, self.seed.value

        def draw() -> str:
            found = agreement_tiles(self._project, n, size_um=size, seed=seed)
            self._place = None
            return f"Drew {found}. Let each person switch on “Hide others' annotations”, and label every tile."

        self.tasks.submit("Drawing tiles…", draw)

    def _compare_labels(self) -> None:
        def compare() -> str:
            return str(compare_annotators(self._project, tiles=self._project.agreement_tiles))

        self.tasks.submit("Comparing…", compare)

    def _say(self, text: str, level: str) -> None:
        self._state.answered(text, level)
        lines = "<br>".join(escape(line) for line in text.splitlines())
        self._said.value = f"<p class='hw-quiet hw-said-here' role='status' data-level='{level}'>{lines}</p>"

    def close(self) -> None:
        """End the threads, and close the widgets."""
        for stop in self._stops:
            stop()
        self.tasks.close()
        self.worker.close()
        super().close()


def _button(text: str, icon: str, tip: str, action: Callable[[], object]) -> ipywidgets.Button:
    button = ipywidgets.Button(description=text, icon=icon, tooltip=tip)
    button.on_click(lambda _: action())
    return button

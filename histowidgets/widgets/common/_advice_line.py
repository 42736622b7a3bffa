"""One piece of advice in a line of fixed size, with a button that shows the place it is about."""

from collections.abc import Callable
from html import escape

import ipywidgets

from histowidgets.advice import Advice


def evidence_text(advice: Advice) -> str:
    """Return the numbers that a piece of advice rests on, such as ``"count 7 · minimum 15"`` or ``"rise 12 %"``."""
    parts = []
    for name, value in advice.evidence.items():
        number = f"{value:.3g}".replace("-", "−") if isinstance(value, float) else str(value)
        words, percent, rest = str(name).replace("_", " ").partition(" percent")
        parts.append(f"{words} {number} %{rest}" if percent else f"{words} {number}")
    return " · ".join(parts)


class AdviceLine(ipywidgets.VBox):
    """Two coloured lines with a piece of advice; "more" shows all of it, with its numbers and the page of the guide.

    Parameters
    ----------
    idle
        The text while there is no advice, so that nothing moves when one comes.
    on_show
        Called with the advice when the user asks where on the image it is.
    """

    def __init__(self, idle: str = "", on_show: Callable[[Advice], None] | None = None) -> None:
        self._idle, self._on_show = idle, on_show
        self._advice: Advice | None = None
        self._text = ipywidgets.HTML()
        self._show = ipywidgets.Button(description="Show me", tooltip="Move the picture to the place this is about")
        self._show.add_class("hw-link")
        self._show.layout.display = "none"
        self._show.on_click(lambda _: self._go())
        self._more = ipywidgets.ToggleButton(
            description="more", tooltip="The whole advice, the numbers that it rests on, and the page of the guide"
        )
        self._more.add_class("hw-link")
        self._more.observe(lambda change: self._show_text(), names="value")
        buttons = ipywidgets.VBox([self._show, self._more])
        buttons.add_class("hw-advice-buttons")
        super().__init__([self._text, buttons])
        self.add_class("hw-advice")
        self._show_text()

    @property
    def advice(self) -> Advice | None:
        """The advice that is shown."""
        return self._advice

    def show(self, advice: Advice | None) -> None:
        """Show `advice`, or the idle text for None."""
        if advice == self._advice:
            return
        self._advice = advice
        self._show_text()
        placed = advice is not None and advice.region is not None and self._on_show is not None
        self._show.layout.display = None if placed else "none"

    def _show_text(self) -> None:
        advice, opened = self._advice, bool(self._more.value)
        self._more.layout.display = "none" if advice is None else None
        (self.add_class if opened else self.remove_class)("hw-opened")
        if advice is None:
            self._text.value = f'<div class="hw-advice-line" data-level="info"><div>{escape(self._idle)}</div></div>'
            return
        tip = escape(f"{advice.detail} {evidence_text(advice)} (guide: {advice.guide_title})", quote=True)
        words = f"<b>{escape(advice.title)}.</b> {escape(advice.detail)}"
        if opened:
            link = f'<a href="{escape(advice.guide)}" target="_blank" rel="noopener">{escape(advice.guide_title)}</a>'
            words += f" {escape(evidence_text(advice))} (guide: {link})"
        self._text.value = (
            f'<div class="hw-advice-line" data-level="{escape(advice.severity)}" role="status" title="{tip}">'
            f"<div>{words}</div></div>"
        )

    def _go(self) -> None:
        if self._advice is not None and self._on_show is not None:
            self._on_show(self._advice)

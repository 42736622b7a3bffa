"""The class palette: a row of chips, each with digit key, colour and name."""

from collections.abc import Callable

import ipywidgets

from histowidgets.widgets.canvas.drawing import swatch_url
from histowidgets.widgets.common import close_tree

# An ipywidgets button takes no markup, so a style sheet draws the swatch of each chip by its CSS class.
_CHIP_STYLE = ".hw-palette-{palette} > .hw-chip-{index}::before {{ background: {color}{picture}; }}"


class ClassPalette(ipywidgets.HBox):
    """A row of buttons, one per class, with the selected class marked.

    Parameters
    ----------
    on_select
        Called with the name of a class when its chip is clicked.
    """

    def __init__(self, on_select: Callable[[str], None]) -> None:
        self._on_select = on_select
        self._names: tuple[str, ...] = ()
        self._chips: list[ipywidgets.Button] = []
        self._colors: tuple[str, ...] = ()
        self._hatched = False
        self._style = ipywidgets.HTML(layout=ipywidgets.Layout(display="none"))
        super().__init__([self._style])
        self.add_class("hw-palette")
        self.add_class(f"hw-palette-{self.model_id}")

    def show(self, colors: dict[str, str], selected: str, hatched: bool = False) -> None:
        """Show classes (name to ``"#rrggbb"``) with one selected; `hatched` adds their hatching."""
        names, values = tuple(colors), tuple(colors.values())
        if names != self._names:
            self._replace_chips(names)
        if (names, values, hatched) != (self._names, self._colors, self._hatched):
            self._style.value = f"<style>{self._style_text(values, hatched)}</style>"
        self._names, self._colors, self._hatched = names, values, hatched
        for chip, name in zip(self._chips, names, strict=True):
            (chip.add_class if name == selected else chip.remove_class)("hw-on")

    def _replace_chips(self, names: tuple[str, ...]) -> None:
        old, self._chips = self._chips, [self._chip(index, name) for index, name in enumerate(names)]
        self.children = [self._style, *self._chips]
        for chip in old:
            close_tree(chip)

    def _chip(self, index: int, name: str) -> ipywidgets.Button:
        key = str(index + 1) if index < 9 else ""
        chip = ipywidgets.Button(
            description=f"{name}  {key}".strip(),
            tooltip=f"Paint {name}" + (f" (key {key})" if key else ""),
            layout=ipywidgets.Layout(width="auto", flex="0 0 auto"),
        )
        chip.add_class("hw-chip")
        chip.add_class(f"hw-chip-{index}")
        chip.on_click(lambda _: self._on_select(name))
        return chip

    def _style_text(self, colors: tuple[str, ...], hatched: bool) -> str:
        pictures = [f" url({swatch_url(index, color)})" if hatched else "" for index, color in enumerate(colors)]
        return "".join(
            _CHIP_STYLE.format(palette=self.model_id, index=index, color=color, picture=picture)
            for index, (color, picture) in enumerate(zip(colors, pictures, strict=True))
        )

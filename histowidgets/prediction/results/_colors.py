"""The classes of a prediction and their colours."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from PIL import ImageColor

from histowidgets._colors import hex_to_rgb
from histowidgets.annotations import UNLABELLED
from histowidgets.errors import HistowidgetsError, PredictionError


def overlay_rgba(
    labels: np.ndarray, colors: Mapping[str, str] | Sequence[str], alpha: int | Sequence[int] = 255
) -> np.ndarray:
    """Colour a label map, for drawing it over the image.

    Parameters
    ----------
    labels : ndarray of uint8
        Class indices, of any shape; an index without a colour (255, unlabelled) becomes transparent.
    colors : mapping of class name to colour, or sequence of colours
        In the order of the classes; such as ``"#1f77b4"``.
    alpha : int or sequence of int, default 255
        Opacity from 0 to 255, for all classes or for each.

    Returns
    -------
    ndarray of uint8, shape of `labels` + (4,)
        Red, green, blue, opacity.

    Raises
    ------
    PredictionError
        If a colour is not valid.
    """
    wanted = list(colors.values()) if isinstance(colors, Mapping) else list(colors)
    table = np.zeros((256, 4), np.uint8)
    for index, color in enumerate(wanted[:255]):
        table[index, :3] = hex_to_rgb(as_hex(color))
    table[: len(wanted), 3] = alpha
    # One 32-bit look-up for each pixel, instead of four 8-bit ones.
    packed = table.view(np.uint32)[:, 0]
    return packed[labels].view(np.uint8).reshape(*labels.shape, 4)


def listed_names(given: object, what: str, error: type[HistowidgetsError]) -> list[str]:
    """Return names as a list of text.

    Raises
    ------
    HistowidgetsError
        Of the type `error`, if `given` is not a list.
    """
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise error(f"{what} is {given!r}; expected a list of names.")
    return [str(name) for name in given]


def checked_classes(
    classes: Sequence[str], colors: Mapping[str, str] | Sequence[str], n_classes: int
) -> tuple[list[str], dict[str, str]]:
    """Check class names and colours, and return them in order.

    Raises
    ------
    PredictionError
        If they are not `n_classes` different names, each with a colour.
    """
    names = listed_names(classes, "classes", PredictionError)
    if len(names) != n_classes or len(set(names)) != n_classes or not 1 <= n_classes < UNLABELLED:
        raise PredictionError(
            f"{len(names)} class name(s) were given ({', '.join(names)}) for {n_classes} class(es) of "
            "probabilities. Give a unique name for each class."
        )
    if not isinstance(colors, Mapping | Sequence) or isinstance(colors, str):
        raise PredictionError(f"The colours are {colors!r}; expected a dict of class to colour, or a list.")
    if isinstance(colors, Mapping):
        missing = [name for name in names if name not in colors]
        if missing:
            raise PredictionError(f"The class {missing[0]!r} has no colour; give one, like '#1f77b4'.")
        found = {name: colors[name] for name in names}
    else:
        if len(colors) != n_classes:
            raise PredictionError(
                f"{len(colors)} colour(s) were given for {n_classes} classes; give one for each class."
            )
        found = dict(zip(names, colors, strict=True))
    return names, {name: as_hex(str(color)) for name, color in found.items()}


def as_hex(color: str) -> str:
    """Return a colour as "#rrggbb"; CSS names such as "red" are converted.

    Raises
    ------
    PredictionError
        If `color` is not a colour.
    """
    try:
        hex_to_rgb(color)
    except (ValueError, TypeError):
        try:
            return "#{:02x}{:02x}{:02x}".format(*ImageColor.getrgb(color)[:3])
        except (ValueError, AttributeError, TypeError):
            raise PredictionError(f"{color!r} is not a colour; write it like '#1f77b4'.") from None
    return color

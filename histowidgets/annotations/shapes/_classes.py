"""Class names and their colours."""

import colorsys
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from histowidgets.errors import ClassNameError

#: Label maps are uint8 and 255 means unlabelled.
MAX_CLASSES = 254

#: Okabe and Ito's colours, which colour-blind people can distinguish (https://jfly.uni-koeln.de/color/), without black,
#: which is invisible on dark images; then those of Paul Tol's "muted" scheme.
PALETTE = (
    "#E69F00",
    "#56B4E9",
    "#F0E442",
    "#009E73",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
    "#332288",
    "#88CCEE",
    "#44AA99",
    "#117733",
    "#999933",
    "#CC6677",
    "#882255",
    "#AA4499",
)

#: Step of the hue for classes beyond the palette: the golden ratio spreads any number of hues evenly.
_HUE_STEP = 0.61803398875


def checked_name(name: object, taken: Iterable[str] = ()) -> str:
    """Return a class name, stripped of surrounding blanks.

    Raises
    ------
    ClassNameError
        If it is not text, cannot be encoded as UTF-8, is blank, or is taken.
    """
    if not isinstance(name, str) or not name.strip():
        raise ClassNameError(f"A class name is {name!r}; it must be text that is not blank.")
    name = name.strip()
    if any("\ud800" <= letter <= "\udfff" for letter in name):
        raise ClassNameError(f"The class name {name!r} has an incomplete character, which cannot be written to a file.")
    if name in taken:
        raise ClassNameError(f"There are two classes named {name!r}; names must be unique.")
    return name


def is_ignored_class(name: str) -> bool:
    """Return whether a class marks areas that are not measured, as in QuPath: its name ends in "*", like "Ignore*"."""
    return name.rstrip().endswith("*")


def match_class(name: str, classes: Iterable[str]) -> str | None:
    """Return the class that matches a name in a file; None if there is none.

    That is the class of the same name, or else the only one that differs just in Unicode form, case or blanks.
    """
    known = list(classes)
    if name in known:
        return name
    for plain in (_composed, _folded):
        found = [one for one in known if plain(one) == plain(name)]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def require_different(name: str, others: Iterable[str]) -> None:
    """Raise ClassNameError for a class that looks like another one but differs in Unicode form."""
    for other in others if isinstance(name, str) else ():
        if other != name.strip() and _composed(other) == _composed(name):
            raise ClassNameError(
                f"The class {name!r} looks like {other!r}, which is written with different characters. Use that class, "
                "or another name."
            )


def _composed(name: str) -> str:
    """Return a name with each accented letter as one character."""
    return unicodedata.normalize("NFC", name).strip()


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def checked_names(names: Sequence[str]) -> list[str]:
    """Return a validated list of class names.

    Raises
    ------
    ClassNameError
        If there are none or too many, or a name is blank or given twice.
    """
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise ClassNameError(f"The classes are {names!r}; pass a list of names.")
    checked: list[str] = []
    for name in names:
        checked.append(checked_name(name, checked))
    if not checked:
        raise ClassNameError("The list of classes is empty. Pass at least one name.")
    if len(checked) > MAX_CLASSES:
        raise ClassNameError(f"There are {len(checked)} classes; at most {MAX_CLASSES} are possible.")
    return checked


def checked_color(color: object) -> str:
    """Return a colour as "#RRGGBB".

    Raises
    ------
    ClassNameError
        If it is not a valid colour.
    """
    if not isinstance(color, str) or not re.fullmatch(r"#[0-9A-Fa-f]{6}", color):
        raise ClassNameError(f"{color!r} is not a colour; write it as #RRGGBB, e.g. #E69F00.")
    return color.upper()


def colors_for(names: Sequence[str], given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a colour for each class: the given one, else the next free one of the palette.

    Raises
    ------
    ClassNameError
        If a colour is invalid, or is given for an unknown class.
    """
    if given is not None and not isinstance(given, Mapping):
        raise ClassNameError(f'The colours are {given!r}; pass a dict, such as {{"{names[0]}": "#E69F00"}}.')
    given = dict(given or {})
    unknown = [name for name in given if name not in names]
    if unknown:
        raise ClassNameError(f"Colours are given for {unknown}, which are not classes; the classes are {list(names)}.")
    chosen = {name: checked_color(color) for name, color in given.items()}
    for name in names:
        if name not in chosen:
            chosen[name] = free_color(chosen.values())
    return {name: chosen[name] for name in names}


def free_color(taken: Iterable[str]) -> str:
    """Return the first colour of the palette that is not taken; beyond it, a new one."""
    used = set(taken)
    for color in PALETTE:
        if color not in used:
            return color
    step = 0
    while True:
        light = (0.55, 0.75, 0.4)[step % 3]
        red, green, blue = colorsys.hls_to_rgb((step * _HUE_STEP) % 1, light, 0.7)
        color = f"#{round(red * 255):02X}{round(green * 255):02X}{round(blue * 255):02X}"
        if color not in used:
            return color
        step += 1

"""Adding an image to a project."""

import os
from itertools import count

import numpy as np

from histowidgets._interrupts import delayed_interrupt
from histowidgets.annotations.project._edit import checked_role
from histowidgets.annotations.project._edit_log import EditLog
from histowidgets.annotations.project._state import Change, ImageState, State
from histowidgets.errors import ImageNameError
from histowidgets.images import Image, open_image


def add_image(log: EditLog, image: "Image | str | os.PathLike[str] | np.ndarray", name: str | None, role: str) -> str:
    """Add an image, save it in the folder if it is not a file, and return its name. See `Project.add_image`."""
    opened = open_image(image)
    automatic = name is None
    name = _checked_name(opened.name if name is None else name)
    role = checked_role(role)
    with log.adding:
        with log.lock:
            log.require_writable()
            name = _free_name(name, log.state) if automatic else name
            _require_free(name, log.state)
        # The lock is free while the image is written, so that painting can continue; `adding` keeps others from
        # adding an image or closing the folder.
        source = None if log.folder is None else log.folder.save(opened, name)
        with log.lock, delayed_interrupt():  # the image is in the folder and here, or in neither
            if log.folder is not None and source is not None:
                log.folder.add_image(opened, name, role, source)
            log.state.images[name] = ImageState(opened, role)
    log.announce(Change("images", name))
    return name


def numbered_name(name: str, number: int) -> str:
    """Return what the first, second, third image of a name is called: "image", "image 2", "image 3"."""
    return name if number == 1 else f"{name} {number}"


def _free_name(name: str, state: State) -> str:
    """Return the first of "image", "image 2", … that no image has, nor one that undo can bring back."""
    names = (numbered_name(name, n) for n in count(1))
    return next(one for one in names if one not in state.images and one not in state.removed)


def _require_free(name: str, state: State) -> None:
    if name in state.images:
        raise ImageNameError(f"The project has an image named {name!r} already. Give another with name=.")
    if name in state.removed:
        raise ImageNameError(
            f"An image named {name!r} was removed, and undo can bring it back with its annotations. Undo that, "
            "or give another name with name=."
        )


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        raise ImageNameError(f"An image is named {name!r}; give a name that is not blank, without NUL.")
    return name.strip()

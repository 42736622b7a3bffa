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
        opened = opened.named(name)  # predictions are matched to images of the project by it
        # The lock is free while the image is written, so that painting can continue; `adding` prevents other threads
        # from adding an image or closing the folder.
        source = None if log.folder is None else log.folder.save_image(opened, name)
        with log.lock, delayed_interrupt():  # the image is both in the folder and here, or in neither
            if log.folder is not None and source is not None:
                log.folder.add_image(opened, name, role, source)
            log.state.images[name] = ImageState(opened, role)
            log.added[name] = opened, role
    log.announce(Change("images", name))
    return name


def numbered_name(name: str, number: int) -> str:
    """Return the name of the n-th image of the same name: "image", "image 2", "image 3"."""
    return name if number == 1 else f"{name} {number}"


def _free_name(name: str, state: State) -> str:
    """Return the first of "image", "image 2", … that is not taken by an image, even one that undo can bring back."""
    names = (numbered_name(name, n) for n in count(1))
    return next(one for one in names if one not in state.images and one not in state.removed)


def _require_free(name: str, state: State) -> None:
    if name in state.images:
        raise ImageNameError(f"The project already has an image named {name!r}. Choose another name with name=.")
    if name in state.removed:
        raise ImageNameError(
            f"The image {name!r} was removed, and undo can bring it back with its annotations. Undo that, "
            "or choose another name with name=."
        )


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        raise ImageNameError(f"The image name is {name!r}; it must not be blank or contain NUL.")
    return name.strip()

"""Edits of images: the role, and removing one."""

from collections.abc import Callable
from dataclasses import dataclass

from histowidgets.annotations.project._edit import Edit, checked_role, image_state
from histowidgets.annotations.project._state import Change, ImageState, Record, State


@dataclass(frozen=True)
class SetRole(Edit):
    """Say what an image is used for."""

    image_name: str
    old: str
    new: str

    def apply(self, state: State) -> None:
        state.images[self.image_name].role = self.new

    def revert(self, state: State) -> None:
        state.images[self.image_name].role = self.old

    def change(self, state: State) -> Change:
        return Change("roles", self.image_name)


@dataclass(frozen=True)
class RemoveImage(Edit):
    """Take an image out of the project; taken back, it returns with its role and annotations."""

    image_name: str
    place: int
    image: ImageState

    def apply(self, state: State) -> None:
        del state.images[self.image_name]
        state.removed.add(self.image_name)

    def revert(self, state: State) -> None:
        images = list(state.images.items())
        images.insert(self.place, (self.image_name, self.image))
        state.images = dict(images)
        state.removed.discard(self.image_name)

    def change(self, state: State) -> Change:
        return Change("images", self.image_name)


def _set_role(record: Record, state: State) -> Edit:
    return SetRole(record["image"], image_state(state, record["image"]).role, checked_role(record["role"]))


def _remove_image(record: Record, state: State) -> Edit:
    image = image_state(state, record["image"])
    return RemoveImage(record["image"], list(state.images).index(record["image"]), image)


MAKERS: dict[str, Callable[[Record, State], Edit]] = {"set-role": _set_role, "remove-image": _remove_image}

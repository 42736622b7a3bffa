"""Edits of images: set the role, remove."""

from dataclasses import dataclass
from typing import ClassVar, Self

from histowidgets.annotations.project._edit import Edit, checked_role, image_state
from histowidgets.annotations.project._state import Change, ImageState, Record, State


@dataclass(frozen=True)
class SetRole(Edit):
    """Set what an image is used for."""

    op: ClassVar[str] = "set-role"
    image_name: str
    old: str
    new: str

    @classmethod
    def make(cls, state: State, image_name: str, role: str) -> Self:
        """Check that the image exists and the role is known."""
        return cls(image_name, image_state(state, image_name).role, checked_role(role))

    def to_record(self) -> Record:
        return {"op": self.op, "image": self.image_name, "role": self.new}

    @classmethod
    def from_record(cls, record: Record, state: State) -> Self:
        return cls.make(state, record["image"], record["role"])

    def apply(self, state: State) -> None:
        state.images[self.image_name].role = self.new

    def revert(self, state: State) -> None:
        state.images[self.image_name].role = self.old

    def change(self, state: State) -> Change:
        return Change("roles", self.image_name)


@dataclass(frozen=True)
class RemoveImage(Edit):
    """Remove an image from the project; undo brings it back with its role and annotations."""

    op: ClassVar[str] = "remove-image"
    image_name: str
    place: int
    image: ImageState

    @classmethod
    def make(cls, state: State, image_name: str) -> Self:
        """Check that the image exists, and record its place."""
        image = image_state(state, image_name)
        return cls(image_name, list(state.images).index(image_name), image)

    def to_record(self) -> Record:
        return {"op": self.op, "image": self.image_name}

    @classmethod
    def from_record(cls, record: Record, state: State) -> Self:
        return cls.make(state, record["image"])

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

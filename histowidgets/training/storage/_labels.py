"""What a run was trained on, in its folder: classes, images by name, and annotations, without pixels. No torch."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, InstanceOf, ValidationError

from histowidgets._checks import first_problem
from histowidgets.annotations import Annotation, ProjectSnapshot
from histowidgets.errors import ImageNameError, ShapeError, TrainingError
from histowidgets.training.data import TrainingRequest

LABELS_FILE = "labels.json"
VERSION = 1


#: Any text: pydantic's own type refuses the surrogates that names of files may have.
_Text = InstanceOf[str]


class _Labels(BaseModel):
    """The content of the file."""

    model_config = ConfigDict(strict=True)

    version: int
    classes: list[_Text]
    colors: dict[_Text, str]
    roles: dict[_Text, str]
    annotations: dict[_Text, list[dict[str, Any]]]


@dataclass(frozen=True)
class RunLabels:
    """The classes and annotations that a run was trained on.

    Attributes
    ----------
    classes : tuple of str
    colors : mapping of class to "#RRGGBB"
    roles : mapping of image name to "both", "train" or "validation"
    annotations : mapping of image name to tuple of Annotation, in drawing order
    """

    classes: tuple[str, ...]
    colors: Mapping[str, str]
    roles: Mapping[str, str]
    annotations: Mapping[str, tuple[Annotation, ...]]

    def on_images_of(self, project: ProjectSnapshot) -> ProjectSnapshot:
        """Return the project as it was when the run started: these annotations on the images of a project.

        Raises
        ------
        ImageNameError
            If an image is no longer in the project.
        """
        gone = [name for name in self.annotations if name not in project.images]
        if gone:
            raise ImageNameError(
                f"The run was trained on {gone[0]!r}, which is no longer in the project. Add the image under this name."
            )
        images = {name: project.images[name] for name in self.annotations}
        return ProjectSnapshot(self.classes, self.colors, images, self.roles, self.annotations)


def labels_of(snapshot: ProjectSnapshot) -> bytes:
    """Return the content of the file for a snapshot."""
    values = {
        "version": VERSION,
        "classes": list(snapshot.classes),
        "colors": {name: snapshot.colors[name] for name in snapshot.classes},
        "roles": dict(snapshot.roles),
        "annotations": {name: [one.to_dict() for one in some] for name, some in snapshot.annotations.items()},
    }
    return json.dumps(values, separators=(",", ":")).encode()


def read_labels(folder: Path) -> RunLabels | None:
    """Read the file in a run's folder; None if there is none, as in runs before version 3.

    Raises
    ------
    TrainingError
        The file is damaged, or of a newer version.
    """
    path = folder / LABELS_FILE
    try:
        values = json.loads(path.read_bytes())
        found = _Labels.model_validate(values)
        if found.version > VERSION:
            raise TrainingError(f"{path} has version {found.version}. Update histowidgets.")
        annotations = {
            name: tuple(Annotation.from_dict(one) for one in some) for name, some in found.annotations.items()
        }
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise _damaged(path, first_problem(error)) from error
    except (OSError, ValueError, RecursionError, ShapeError) as error:
        raise _damaged(path, str(error)) from error
    return RunLabels(tuple(found.classes), found.colors, found.roles, annotations)


def digest_of(tensors: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 of weights, in hexadecimal: of their names, types, shapes and bytes, sorted by name."""
    found = hashlib.sha256()
    for name in sorted(tensors):
        values = np.ascontiguousarray(tensors[name])
        found.update(f"{name} {values.dtype} {values.shape}\n".encode())
        found.update(values.tobytes())
    return found.hexdigest()


def start_of(request: TrainingRequest) -> dict[str, str] | None:
    """Return the run that a run continues from, and the digest of the weights; None if it starts with new weights."""
    if request.resumed is not None:
        known: dict[str, str] | None = request.resumed.plain.get("start")
        return known
    if request.start is None:
        return None
    return {"run": request.start.run_id, "sha256": digest_of(request.start.tensors)}


def _damaged(path: Path, why: str) -> TrainingError:
    return TrainingError(f"{path} is damaged: {why}. Restore it from a backup, or leave out this run.")

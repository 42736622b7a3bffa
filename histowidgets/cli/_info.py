"""The command `histowidgets info`."""

import argparse
import json
import zipfile
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from histowidgets._address import is_address
from histowidgets.cli._inputs import add_choice, choice_of
from histowidgets.cli._progress import EXIT_OK

if TYPE_CHECKING:
    from histowidgets.images import Image


def add_info(commands: Any, epilog: str) -> None:
    """Add the command and its arguments to the parser."""
    parser = commands.add_parser(
        "info",
        help="describe a project, a classifier or an image",
        description="Describe a project, a classifier or an image, without computing anything.",
        epilog=epilog,
    )
    parser.add_argument("path", help="project folder, classifier folder or BioImage.IO package, or image")
    add_choice(parser)
    parser.add_argument("--json", action="store_true", help="print the description as one line of JSON")


def info(arguments: argparse.Namespace) -> int:
    """Print the description; return the exit code."""
    found = _described(arguments.path, choice_of(arguments))
    if arguments.json:
        print(json.dumps(found, ensure_ascii=False))
        return EXIT_OK
    for name, value in found.items():
        text = ", ".join(map(str, value)) if isinstance(value, list) else value
        print(f"{name}: {'unknown' if text is None else text}")
    return EXIT_OK


def _described(given: str, choice: dict[str, Any]) -> dict[str, Any]:
    path = Path(given).expanduser()
    if (path / "project.json").is_file():
        return _project(path)
    if (path / "classifier.json").is_file() or (path.suffix.lower() == ".zip" and _is_package(path)):
        return _classifier(path)
    from histowidgets.images import open_image

    image = open_image(given if is_address(given) else path, **choice)
    return {"what": "image", "name": image.name, **_image(image)}


def _is_package(path: Path) -> bool:
    """Return whether a zip file is a BioImage.IO package, and not a zipped image such as an OME-Zarr."""
    with suppress(OSError, zipfile.BadZipFile), zipfile.ZipFile(path) as archive:
        return "rdf.yaml" in archive.namelist()
    return False


def _image(image: "Image") -> dict[str, Any]:
    return {
        "size (px)": [image.width, image.height],
        "type": str(image.dtype),
        "channels": list(image.channel_names),
        "pixel size (um)": image.pixel_size_um,
        "levels": [float(downsample) for downsample in image.downsamples],
        "notes": list(image.notes),
    }


def _project(path: Path) -> dict[str, Any]:
    from histowidgets.annotations import Project

    with closing(Project.open(path)) as project:
        snapshot = project.snapshot()
        annotations = [one for some in snapshot.annotations.values() for one in some]
        counts = {name: sum(one.class_name == name for one in annotations) for name in snapshot.classes}
        sizes = {name: image.pixel_size_um for name, image in snapshot.images.items()}
        return {
            "what": "project",
            "images": list(snapshot.images),
            "pixel sizes (um)": [f"{name} {'unknown' if um is None else f'{um:.4g}'}" for name, um in sizes.items()],
            "annotations": [f"{name} {n}" for name, n in counts.items()],
            "features of encoders on disk": _features(path),
            "open elsewhere": project.held_by if project.read_only else "no",
        }


def _features(path: Path) -> str:
    """Describe the features that quick learners keep beside the project; they can be deleted."""
    from histowidgets.prediction import FEATURE_FOLDER, FeatureStore

    n_files, n_bytes = FeatureStore(path / FEATURE_FOLDER).content()
    if n_files == 0:
        return "none"
    return f"{n_files} tile{'' if n_files == 1 else 's'}, {n_bytes / 1e6:.1f} MB in {FEATURE_FOLDER}/, safe to delete"


def _classifier(path: Path) -> dict[str, Any]:
    from histowidgets.prediction import Classifier

    classifier = Classifier.load(path)
    score, changed = (classifier.scores.get(name) for name in ("val_miou", "changed_by_shifts"))
    return {
        "what": "classifier",
        "name": classifier.name,
        "kind": classifier.kind,
        **({} if "backbone" not in classifier.settings else {"backbone": classifier.settings["backbone"]}),
        "classes": classifier.classes,
        "channels": list(classifier.channel_names),
        "pixel size (um)": classifier.pixel_size_um,
        "downsample": classifier.downsample,
        "tile size (px)": classifier.tile_size,
        "mIoU on held-out strokes": None if score is None else round(float(score), 3),
        "pixels that change when the image is moved (%)": None if changed is None else round(100 * float(changed), 2),
    }

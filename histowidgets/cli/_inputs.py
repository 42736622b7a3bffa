"""What the commands are given: folders that are checked before anything is loaded, images by pattern, outputs."""

import argparse
import glob
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from histowidgets._address import is_address
from histowidgets.errors import ClassifierError, HistowidgetsError, PredictionError, ProjectFolderError

#: Endings of the images that are taken from a folder.
IMAGE_ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".bmp", ".jp2", ".tif", ".tiff", ".btf", ".qptiff", ".zarr"),
    *(".svs", ".ndpi", ".mrxs", ".scn", ".vms", ".vmu", ".bif", ".svslide"),
)


def require_project(folder: Path) -> Path:
    """Refuse a folder that holds no project, before anything that takes time is loaded (ProjectFolderError)."""
    _require(
        folder, "project.json", "project", ProjectFolderError, "the studio, or Project(classes, folder=...), makes"
    )
    return folder


def require_classifier(folder: Path) -> Path:
    """Refuse a folder that holds no classifier (ClassifierError)."""
    _require(folder, "classifier.json", "classifier", ClassifierError, "histowidgets train, or Classifier.save, makes")
    return folder


def _require(folder: Path, file: str, what: str, error: type[HistowidgetsError], who: str) -> None:
    if (folder / file).is_file():
        return
    if not folder.exists():
        raise error(f"There is no folder {folder}. Give the folder of a {what}, which {who}.")
    if not folder.is_dir():
        raise error(f"{folder} is a file. Give the folder of a {what}, which {who}.")
    inside = sorted(path.parent.name for path in folder.glob(f"*/{file}"))
    hint = f" There is one in {', '.join(inside[:3])} in it." if inside else ""
    raise error(f"{folder} holds no {what} ({file} is missing). Give the folder that {who}.{hint}")


def add_choice(parser: Any) -> None:
    """Add the options that choose an image and a plane of a file: the arguments of `open_image`."""
    parser.add_argument(
        "--series", type=_series, help="which image of a file that holds several: its number from 0, or its name"
    )
    parser.add_argument(
        "--plane", type=_plane, metavar="Z[,T]", help="which plane of a stack, from 0; 2,5 for the sixth point in time"
    )
    parser.add_argument(
        "--whole-slide", action="store_true", help="all of the glass, not only the part that was scanned (.mrxs, .scn)"
    )


def choice_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return these options as arguments of `open_image`."""
    return {"series": arguments.series, "plane": arguments.plane, "bounds": not arguments.whole_slide}


def _series(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() else text


def _plane(text: str) -> int | tuple[int | None, int | None]:
    try:
        numbers = [int(part) if part.strip() else None for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 1 and numbers[0] is not None:
        return numbers[0]
    if len(numbers) != 2:
        raise argparse.ArgumentTypeError(f"{text!r} is no plane: give a number, as in 2, or depth and time, as in 2,5")
    return numbers[0], numbers[1]


def images_of(given: Sequence[str], listed: Sequence[Path] = ()) -> list[str]:
    """Return the images that arguments name: files, addresses, patterns, and folders of images.

    Parameters
    ----------
    given : sequence of str
        A pattern has ``*``, ``?``, ``[...]``, or ``**`` for any folders; it is expanded here, so that it works where
        the shell does not expand it. Of a folder, the images in it are taken; the folder of an OME-Zarr is an image.
        Of both, what `predict_images` wrote is left out.
    listed : sequence of Path
        Text files that have one of these on each line.

    Returns
    -------
    list of str
        Each once, in the order given; those of a pattern or a folder by name. A file that does not exist is among
        them: it is reported beside the others.

    Raises
    ------
    PredictionError
        If a pattern or a folder has no image, a list cannot be read, or there is nothing.
    """
    wanted = [*given, *(line for path in listed for line in _lines(path))]
    found = dict.fromkeys(image for one in wanted for image in _expanded(one))
    if not found:
        raise PredictionError("No image was given. Name files, a folder, a pattern such as 'slides/*.svs', or --list.")
    return list(found)


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise PredictionError(f"The list {path} cannot be read: {error}.") from error
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _expanded(given: str) -> list[str]:
    if is_address(given):
        return [given]
    path = Path(given).expanduser()
    if path.is_dir() and not _is_zarr(path):
        inside = sorted(str(one) for one in path.iterdir() if _is_image(one) and not _is_result(one))
        if not inside:
            raise PredictionError(
                f"The folder {path} holds no image ({', '.join(IMAGE_ENDINGS[:6])}, …). Give another, or a pattern "
                f"such as '{path}/**/*.tif'."
            )
        return inside
    if path.exists() or not glob.has_magic(given):
        return [str(path)]
    matching = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
    if not matching:
        raise PredictionError(f"No file matches {given}; the current folder is {Path.cwd()}.")
    images = [Path(one) for one in matching if not Path(one).is_dir() or _is_zarr(Path(one))]
    return [str(one) for one in images if not _is_result(one)]


def _is_image(path: Path) -> bool:
    return not path.name.startswith(".") and path.suffix.lower() in IMAGE_ENDINGS


def _is_result(path: Path) -> bool:
    """Tell whether this is the prediction of another image, which lies beside it where one folder is for both."""
    from histowidgets.prediction.batch import note_of

    return note_of(path.parent, path.name).exists()


def _is_zarr(path: Path) -> bool:
    markers = ("zarr.json", ".zgroup", ".zattrs", ".zarray")
    return path.suffix.lower() == ".zarr" or any((path / marker).exists() for marker in markers)


def require_new(path: Path, force: bool) -> None:
    """Refuse to overwrite what is there without ``--force`` (PredictionError)."""
    if path.exists() and not force:
        raise PredictionError(f"{path} exists already. Give another --output, or overwrite it with --force.")

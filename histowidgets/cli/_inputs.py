"""Check the inputs and outputs of the commands: folders, images by pattern, and files to write."""

import argparse
import glob
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from histowidgets._address import is_address
from histowidgets.errors import ClassifierError, HistowidgetsError, PredictionError, ProjectFolderError

#: Extensions of the files in a folder that count as images.
IMAGE_ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".bmp", ".jp2", ".tif", ".tiff", ".btf", ".qptiff", ".zarr"),
    *(".svs", ".ndpi", ".mrxs", ".scn", ".vms", ".vmu", ".bif", ".svslide"),
)


def require_project(folder: Path) -> Path:
    """Raise ProjectFolderError if a folder holds no project; called before anything slow is imported."""
    _require(
        folder, "project.json", "project", ProjectFolderError, "the studio or Project(classes, folder=...) creates"
    )
    return folder


def require_classifier(folder: Path) -> Path:
    """Raise ClassifierError if a folder holds no classifier; a BioImage.IO package, a zip file, is one too."""
    if folder.suffix.lower() == ".zip" and folder.is_file():
        return folder
    _require(folder, "classifier.json", "classifier", ClassifierError, "histowidgets train or Classifier.save writes")
    return folder


def _require(folder: Path, file: str, what: str, error: type[HistowidgetsError], who: str) -> None:
    if (folder / file).is_file():
        return
    if not folder.exists():
        raise error(f"There is no folder {folder}. Give the folder of a {what}, which {who}.")
    if not folder.is_dir():
        raise error(f"{folder} is a file. Give the folder of a {what}, which {who}.")
    inside = sorted(path.parent.name for path in folder.glob(f"*/{file}"))
    hint = f" There is one in its subfolder {', '.join(inside[:3])}." if inside else ""
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
    """Return the images that the arguments name: files, addresses, patterns, and folders of images.

    Parameters
    ----------
    given : sequence of str
        A pattern has ``*``, ``?``, ``[...]``, or ``**`` for any folders; it is expanded here, for shells that do not. A
        folder stands for the images in it, unless it is an OME-Zarr, which is itself an image. Results of
        `predict_images` are left out of both.
    listed : sequence of Path
        Text files with one such entry on each line.

    Returns
    -------
    list of str
        Without duplicates, in the order given; those of a pattern or a folder sorted by name. Missing files are
        included: they are reported together with the results of the others.

    Raises
    ------
    PredictionError
        If a pattern matches no file, a folder has no image, a list cannot be read, or no image is given.
    """
    wanted = [*given, *(line for path in listed for line in _lines(path))]
    found = dict.fromkeys(image for one in wanted for image in _expanded(one))
    if not found:
        raise PredictionError("No image was given. Give files, a folder, a pattern such as 'slides/*.svs', or --list.")
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
    """Raise PredictionError if a path exists and ``--force`` was not given."""
    if path.exists() and not force:
        raise PredictionError(f"{path} already exists. Give another --output, or overwrite it with --force.")

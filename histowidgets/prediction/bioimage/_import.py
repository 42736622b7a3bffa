"""Read a BioImage.IO model package that we wrote: its ONNX file says how to use it."""

import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import TypeVar

from histowidgets.errors import ClassifierError
from histowidgets.prediction._spec import ClassifierSpec
from histowidgets.prediction.onnx import spec_from_onnx

Entry = TypeVar("Entry")

#: Names of the description of a package, the present one first.
DESCRIPTIONS = ("rdf.yaml", "bioimageio.yaml", "model.yaml")
#: Largest ONNX file that is unpacked, in bytes: a small archive can claim any size.
MOST_BYTES = 4 << 30


def is_package(path: Path) -> bool:
    """Return whether a path is a package: a zip file, or a folder with a description."""
    try:
        if path.is_dir():
            return any((path / name).is_file() for name in DESCRIPTIONS)
        return path.is_file() and zipfile.is_zipfile(path)
    except OSError:  # no permission to look, which reading it as a folder will say
        return False


def read_package(path: Path) -> ClassifierSpec:
    """Make a classifier from a package, zipped or unpacked; see `Classifier.load`."""
    try:
        if path.is_dir():
            return _classifier(_the_one([one for one in path.rglob("*.onnx") if one.is_file()], path))
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory(prefix="histowidgets-") as folder:
            entries = [one for one in archive.infolist() if one.filename.lower().endswith(".onnx")]
            entry = _the_one(entries, path)
            if entry.file_size > MOST_BYTES:
                raise ClassifierError(
                    f"The weights in {path} claim {entry.file_size:,} bytes, more than the maximum of {MOST_BYTES:,}. "
                    "If you trust the file, unpack it and give its folder."
                )
            target = Path(folder) / f"{path.stem.removesuffix('.bioimage.io') or 'model'}.onnx"
            with archive.open(entry) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file)
            return _classifier(target)
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        # A zip with a password raises RuntimeError, one with another compression NotImplementedError.
        raise ClassifierError(f"{path} cannot be read: {error}. Copy or export it again.") from error


def _the_one(found: list[Entry], path: Path) -> Entry:
    if len(found) != 1:
        raise ClassifierError(
            f"{path} has {len(found) or 'no'} ONNX file(s); a package that histowidgets can read has one. Other "
            "weights than ONNX cannot be used."
        )
    return found[0]


def _classifier(path: Path) -> ClassifierSpec:
    return spec_from_onnx(
        path,
        classes=None,
        normalization=None,
        colors=None,
        channel_names=None,
        pixel_size_um=None,
        downsample=None,
        tile_size=None,
    )

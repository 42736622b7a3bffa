"""One image of a batch: the task for a worker, and its result."""

import functools
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from histowidgets._file_mark import identifying_marks
from histowidgets._io import atomic_write
from histowidgets.errors import HistowidgetsError, PredictionCancelled, PredictionError
from histowidgets.images import Image, Region, open_image
from histowidgets.prediction import inference  # its names load torch when they are first used
from histowidgets.prediction._spec import ClassifierSpec
from histowidgets.prediction.inference import (
    Job,
    PredictOptions,
    Progress,
    ShouldStop,
    check_image,
    classifier_digest,
    predict_region,
    predict_to_disk,
    prediction_fingerprint,
)
from histowidgets.prediction.results import (
    PredictedObject,
    PredictionResults,
    StoredPrediction,
    numbers_of,
    resampling_in_words,
)
from histowidgets.prediction.storage import read_folder

#: Full-size pixels of an image above which objects, tables and PNGs are made from a prediction on disk.
IN_MEMORY_PIXELS = 16_000_000

KEPT_ON_DISK = ("zarr", "ome-tiff")


class ImageResult(NamedTuple):
    """The result for one image; ``pandas.DataFrame`` accepts a list of these.

    Attributes
    ----------
    source : str
    state : {"done", "already there", "failed"}
    seconds : float
    output : str
        Path of the result; empty if the image failed.
    error : str
        Why it failed; empty otherwise.
    warning : str
        How the image differs from the training images; empty if it does not.
    note : str
        How the image was resampled to the classifier's pixel size, and what share of it has no data; empty if neither
        applies.
    """

    source: str
    state: str
    seconds: float
    output: str
    error: str
    warning: str = ""
    note: str = ""


@dataclass(frozen=True)
class Wanted:
    """The request for each image, as plain values.

    Attributes
    ----------
    format : {"zarr", "ome-tiff", "geojson", "csv", "png"}
    region : (x, y, width, height) or None
        In full-size pixels; None for all of each image.
    probabilities, adapt : bool
    objects : dict
        Arguments of `PredictionResults.objects`.
    options : dict
        Fields of `PredictOptions`.
    overwrite : bool
        Whether to replace an earlier result of the same image.
    opened_with : dict
        Arguments `series`, `plane`, `bounds` and `pixel_size_um` of `open_image`, if they are not the default.
    """

    format: str
    region: tuple[int, int, int, int] | None
    probabilities: bool
    adapt: bool
    objects: Mapping[str, Any]
    options: Mapping[str, Any]
    overwrite: bool = True
    opened_with: Mapping[str, Any] = field(default_factory=dict)


class Task(NamedTuple):
    """One image, as plain values that can be sent to a worker."""

    classifier: str
    digest: str
    source: str
    output: str
    note: str
    wanted: Wanted


def predict_one(task: Task, progress: Progress | None = None, should_stop: ShouldStop | None = None) -> ImageResult:
    """Predict one image; errors are returned as results.

    Raises
    ------
    PredictionCancelled
        If `should_stop` returned True.
    """
    began = time.monotonic()

    def failed(why: str) -> ImageResult:
        return ImageResult(task.source, "failed", time.monotonic() - began, "", why)

    try:
        state, warning, note = _predict(task, progress, should_stop)
    except PredictionCancelled:
        raise
    except (HistowidgetsError, OSError) as error:
        return failed(str(error))
    except Exception as error:  # noqa: BLE001 - an error in one image must not stop the others
        return failed(f"{type(error).__name__}: {error}")
    return ImageResult(task.source, state, time.monotonic() - began, task.output, "", warning, note)


@functools.lru_cache(maxsize=2)
def _loaded(folder: str, digest: str) -> ClassifierSpec:
    spec = read_folder(folder)
    if classifier_digest(spec) != digest:
        raise PredictionError(
            f"The classifier in {folder} was replaced while images were being predicted. Start again."
        )
    return spec


def _predict(task: Task, progress: Progress | None, should_stop: ShouldStop | None) -> tuple[str, str, str]:
    """Predict an image; return the state, the warning and the note of its result."""
    spec, wanted = _loaded(task.classifier, task.digest), task.wanted
    image = open_image(task.source, **wanted.opened_with)
    given = {name: value for name, value in vars(wanted).items() if name not in ("overwrite", "opened_with")}
    what = {name: value for name, value in given.items() if value not in (None, False, {})}
    fingerprint = prediction_fingerprint(spec, image, what)
    note, output = Path(task.note), Path(task.output)
    chosen = PredictOptions.of(wanted.options)
    warning = " ".join(f"{found.title}. {found.detail}" for found in check_image(spec, image, chosen.ignore_pixel_size))
    region = image.region if wanted.region is None else Region(*wanted.region)
    predicted_at = Job.of(spec, image, region, chosen).predicted_at_um
    said = "" if predicted_at is None else resampling_in_words(image.pixel_size_um, predicted_at)
    if output.exists():
        if read_note(note).get("fingerprint") == fingerprint:
            return "already there", warning, said
        if not wanted.overwrite:
            raise PredictionError(
                f"{output} was made from this image with another classifier or other options. Choose another folder, "
                "or allow overwriting."
            )
    if wanted.adapt:
        spec = inference.adapted(spec, [image], wanted.region, seed=0, share=1.0)
    found, objects = _written(spec, image, region, output, wanted, progress, should_stop)
    card = {
        "fingerprint": fingerprint,
        "pixels": found.pixel_counts(),
        "pixel_size_um": found.pixel_size_um,
        "source": identifying_marks(task.source),
    }
    if objects is not None:
        card["objects"] = numbers_of(objects)
    with atomic_write(note, PredictionError) as part:
        part.write_text(json.dumps(card), encoding="utf-8")
    if found.no_data_share:
        said = f"{said}; " if said else ""
        said += f"{100 * found.no_data_share:.1f} % of the pixels have no data, and no label"
    return "done", warning, said


def _written(
    spec: ClassifierSpec,
    image: Image,
    region: Region,
    output: Path,
    wanted: Wanted,
    progress: Progress | None,
    should_stop: ShouldStop | None,
) -> tuple[PredictionResults, list[PredictedObject] | None]:
    """Predict and write the requested format; a large image is always predicted to disk first.

    Returns
    -------
    PredictionResults
    list of PredictedObject, or None
        The objects, if the format has objects.
    """
    chosen = PredictOptions.of(wanted.options)

    def to_disk(path: Path, probabilities: bool) -> StoredPrediction:
        how = probabilities, chosen, progress, should_stop
        return predict_to_disk(spec, image, path, region, *how, announce=False, overwrite=True)

    if wanted.format in KEPT_ON_DISK:
        return to_disk(output, wanted.probabilities), None
    probabilities = wanted.format != "png"
    parts = output.with_name(f".{output.name}.parts.zarr")
    found: PredictionResults
    objects: list[PredictedObject] | None = None
    job = Job.of(spec, image, region, chosen)
    if max(region.area, job.n_seen_pixels) > IN_MEMORY_PIXELS:
        found = to_disk(parts, probabilities)
    else:
        found = predict_region(job, probabilities, progress, should_stop)
    if wanted.format == "geojson":
        objects = found.save_geojson(output, image=image, **wanted.objects)
    elif wanted.format == "csv":
        objects = found.save_csv(output, image=image, **wanted.objects)
    else:
        found.save_png(output)
    found.pixel_counts()
    shutil.rmtree(parts, ignore_errors=True)
    return found, objects


def read_note(path: Path) -> dict[str, Any]:
    """Read the note about an image; empty if it is missing or cannot be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}

"""Predict many images, one after another or on a cluster."""

import csv
import functools
import hashlib
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, Unpack

from histowidgets._address import is_address
from histowidgets._file_mark import identifying_marks
from histowidgets._io import as_path, atomic_write, written
from histowidgets.errors import PredictionCancelled, PredictionError
from histowidgets.images import PixelSize
from histowidgets.prediction._classifier import Classifier
from histowidgets.prediction._spec import ClassifierSpec
from histowidgets.prediction.batch._one_image import ImageResult, Task, Wanted, predict_one, read_note
from histowidgets.prediction.inference import AnyOptions, PredictOptions, Progress, ShouldStop, classifier_digest
from histowidgets.prediction.results import ObjectOptions, counts_of, measured
from histowidgets.prediction.storage import read_folder, write_folder

#: The formats that can be written, and their file name extensions.
ENDINGS = {"zarr": ".zarr", "ome-tiff": ".ome.tif", "geojson": ".geojson", "csv": ".csv", "png": ".png"}
TABLE, MEASURED = "predictions.csv", "measurements.csv"
_NOTES = ".histowidgets"

#: The options for objects, which are parameters of `PredictionResults.objects`, and their help texts.
OBJECT_OPTIONS = {
    "min_area_um2": "leave out objects smaller than this (default 10 um2)",
    "fill_holes_um2": "fill holes up to this area (default 0)",
    "simplify_um": "how far simplified outlines may deviate from pixel edges (default 0)",
    "split": "split touching objects by the distance to their border, or this times the probability",
    "split_depth_um": "how much narrower an object must be where it is split (default 0.75)",
    "split_classes": "a class whose objects are split; may be repeated (default: all)",
}

TileProgress = Callable[[str, int, int, float], None]
"""Called as ``tile_progress(source, done, total, seconds_left)`` while an image is predicted."""


def predict_images(
    classifier: Classifier | str | PathLike[str],
    sources: str | PathLike[str] | Iterable[str | PathLike[str]],
    out: str | PathLike[str],
    client: Any = None,
    *,
    format: str = "zarr",
    region: tuple[int, int, int, int] | None = None,
    probabilities: bool = False,
    adapt: bool = False,
    objects: Mapping[str, Any] | None = None,
    background: Sequence[str] = (),
    overwrite: bool = True,
    series: int | str | None = None,
    plane: int | Sequence[int | None] | None = None,
    bounds: bool = True,
    pixel_size_um: PixelSize | None = None,
    progress: Progress | None = None,
    tile_progress: TileProgress | None = None,
    should_stop: ShouldStop | None = None,
    **options: Unpack[AnyOptions],
) -> list[ImageResult]:
    """Predict many images into a folder; an image that fails is reported and does not stop the others.

    Called again with the same classifier, images and options, it predicts what is missing and resumes an interrupted
    slide. Results of other images in the folder, and their rows in the tables, are kept. If two images have the same
    file name, the name of the later result contains a hash.

    Parameters
    ----------
    classifier : Classifier or path
    sources : path, or iterable of paths
        Images, or addresses of OME-Zarrs.
    out : path
        Folder for the results, ``predictions.csv`` (what is returned) and ``measurements.csv`` (areas of the classes).
    client : None, "local", str or dask.distributed.Client
        None: in this process, one by one. "local": on a Dask cluster on this machine. Otherwise a client, or the
        address of a scheduler such as ``"tcp://host:8786"``; its workers must have histowidgets, and the same files at
        the same paths.
    format : {"zarr", "ome-tiff", "geojson", "csv", "png"}
        In every format a slide takes no more memory than a small image, apart from its objects or label map.
    region : (x, y, width, height), optional
        In full-size pixels, the same for each image; by default the whole image.
    probabilities : bool, default False
        Whether to store the probabilities too, in a Zarr or OME-TIFF.
    adapt : bool, default False
        Whether to recompute the batch-norm statistics on each image (`Classifier.adapted_to`).
    objects : mapping, optional
        Arguments of `PredictionResults.objects`, such as ``{"min_area_um2": 50, "split": "distance"}``. In the formats
        "geojson" and "csv" the objects are also measured on the channels of the image, and counted in
        ``measurements.csv``.
    background : sequence of str
        Classes that are not tissue, for the percentage of tissue in ``measurements.csv``.
    overwrite : bool, default True
        Whether to replace results of the same images that were made with another classifier or other options; otherwise
        such an image counts as failed.
    series, plane, bounds, pixel_size_um
        Which image and plane of each file, which part of a slide, and the pixel size where it differs from that of the
        files or is missing there; see `open_image`.
    progress, tile_progress : callable, optional
        ``progress(done, total, seconds_left)`` is called after each image, and, except on a cluster,
        ``tile_progress(source, done, total, seconds_left)`` after each batch of tiles.
    should_stop : callable, optional
        Called before each batch of tiles, or on a cluster after each image; if it returns True, the work is cancelled.
    **options
        See `PredictOptions`.

    Returns
    -------
    list of ImageResult
        In the order of the sources.

    Raises
    ------
    PredictionError, ClassifierError
        If an option is unknown, the folder cannot be written or holds a ``predictions.csv`` of another program, Dask is
        missing, or the classifier cannot be loaded.
    PredictionCancelled
        If `should_stop` returned True; what is done is kept.
    """
    wanted = _wanted(format, region, probabilities, adapt, objects or {}, options, overwrite)
    whole = None if bounds else False
    chosen = {"series": series, "plane": plane, "bounds": whole, "pixel_size_um": pixel_size_um}
    wanted = replace(wanted, opened_with={name: value for name, value in chosen.items() if value is not None})
    spec = classifier.spec if isinstance(classifier, Classifier) else read_folder(classifier)
    ObjectOptions.of(wanted.objects).splits(spec.classes, has_probabilities=True)
    measured(spec.classes, {}, None, background)  # raises for an unknown background class before any work
    folder = as_path(out, PredictionError).absolute()
    given = [sources] if isinstance(sources, str | PathLike) else list(sources)
    places = [str(one) if is_address(one) else str(as_path(one, PredictionError).absolute()) for one in given]
    _make(folder / _NOTES)
    earlier = EarlierResults(folder)
    tasks = _tasks(spec, places, folder, wanted, earlier)
    tables = _Tables(folder, tasks, spec.classes, background, earlier)
    with _mapper(client, tile_progress, should_stop) as run:
        return _collect(run(tasks), len(tasks), tables, progress, should_stop)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or error
        raise PredictionError(f"{folder.parent} cannot be written: {why}. Choose another folder.") from error


def _tasks(
    spec: ClassifierSpec, sources: Sequence[str], folder: Path, wanted: Wanted, earlier: "EarlierResults"
) -> list[Task]:
    """Make a task for each image, and save the classifier beside the results, where the workers can load it."""
    digest = classifier_digest(spec)
    saved = folder / _NOTES / "classifier"
    write_folder(spec, saved)
    tasks = []
    for source, stem in zip(sources, target_names(sources), strict=True):
        name = stem + ENDINGS[wanted.format]
        if not earlier.is_free(name, source):
            name = numbered_stem(stem, source) + ENDINGS[wanted.format]
        tasks.append(Task(str(saved), digest, source, str(folder / name), str(note_of(folder, name)), wanted))
    return tasks


def _wanted(
    form: str,
    region: Sequence[int] | None,
    probabilities: bool,
    adapt: bool,
    objects: Mapping[str, Any],
    options: Mapping[str, Any],
    overwrite: bool,
) -> Wanted:
    if form not in ENDINGS:
        raise PredictionError(f"format is {form!r}; use {', '.join(ENDINGS)}.")
    ObjectOptions.of(objects)  # raises for values that are not accepted, before any work
    place = None if region is None else tuple(int(value) for value in region)
    if place is not None and len(place) != 4:
        raise PredictionError(f"region is {region!r}; expected four whole numbers: x, y, width, height.")
    chosen = PredictOptions.of(options).to_dict()
    return Wanted(
        format=form,
        region=place,  # type: ignore[arg-type] # it has four
        probabilities=probabilities,
        adapt=adapt,
        objects={name: list(value) if name == "split_classes" and value else value for name, value in objects.items()},
        options=chosen,
        overwrite=overwrite,
    )


def target_names(sources: Sequence[str]) -> list[str]:
    """Name the result of each path or address after its file, without extensions; duplicates get `numbered_stem`.

    The names do not depend on the order of the sources.
    """
    names = [source.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1] for source in sources]
    stems = [name.split(".")[0] or name for name in names]
    # Some file systems take names that differ in these for one.
    same = [unicodedata.normalize("NFC", stem).casefold() for stem in stems]
    counts = Counter(same)
    return [
        stem if counts[one] == 1 else numbered_stem(stem, source)
        for source, stem, one in zip(sources, stems, same, strict=True)
    ]


def numbered_stem(stem: str, source: str) -> str:
    """Return a unique name, with a hash of the source."""
    number = hashlib.sha256(source.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return stem if stem.endswith(f"-{number}") else f"{stem}-{number}"


def note_of(folder: Path, name: str) -> Path:
    """Return the path of the note about a result."""
    return folder / _NOTES / f"{name}.json"


class EarlierResults:
    """Results of earlier calls in a folder: their rows in the tables, and the image of each result.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    PredictionError
        If one of the tables exists, but was not written by `predict_images`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.results = _read_table(folder / TABLE, "source")
        self.measurements = _read_table(folder / MEASURED, "Image")
        self._sources = {Path(row["output"]).name: row["source"] for row in self.results if row.get("output")}

    def is_free(self, name: str, source: str) -> bool:
        """Return whether a name is available: unused, or used by an earlier result of the same image."""
        if not (self._folder / name).exists():
            return True
        known = read_note(note_of(self._folder, name)).get("source")
        if isinstance(known, list):
            return not set(known).isdisjoint(identifying_marks(source))
        return self._sources.get(name) == written(source)  # of an earlier version


def _read_table(path: Path, key: str) -> list[dict[str, str]]:
    """Read the rows of a table; empty if there is no table."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            rows = [{k: v for k, v in row.items() if k is not None and v is not None} for row in table]
            names = table.fieldnames
    except FileNotFoundError:
        return []
    except (OSError, ValueError, csv.Error) as error:
        raise PredictionError(f"{path} cannot be read: {error}. Choose another folder for the results.") from error
    if names is not None and key not in names:
        raise PredictionError(
            f"{path} was not written by predict_images, and is not overwritten. Move it, or choose another folder for "
            "the results."
        )
    return rows


class _Tables:
    """The tables beside the results; the note with the measurements of an image is read only once.

    Rows of other images from earlier calls are kept.
    """

    def __init__(
        self,
        folder: Path,
        tasks: Sequence[Task],
        classes: Sequence[str],
        background: Sequence[str],
        earlier: EarlierResults,
    ) -> None:
        self._folder, self._tasks, self._classes, self._background = folder, tasks, classes, background
        self._measured: dict[int, dict[str, Any]] = {}
        mine = {written(task.source) for task in tasks}
        self._other_results = [row for row in earlier.results if row["source"] not in mine]
        self._other_measurements = [row for row in earlier.measurements if row["Image"] not in mine]

    def write(self, results: Mapping[int, ImageResult]) -> None:
        """Write the results so far, one row for each image."""
        for i in results.keys() - self._measured.keys():
            self._measured[i] = self._measurements(i, results[i])
        rows: list[Mapping[str, Any]] = [*self._other_results]
        rows += [dict(zip(ImageResult._fields, results[i], strict=True)) for i in sorted(results)]
        fields = dict.fromkeys([*ImageResult._fields, *(name for row in self._other_results for name in row)])
        _write_table(self._folder / TABLE, list(fields), rows)
        measurements: list[Mapping[str, Any]] = [*self._other_measurements]
        measurements += [self._measured[i] for i in sorted(results) if self._measured[i]]
        names = dict.fromkeys(name for row in measurements for name in row)
        _write_table(self._folder / MEASURED, list(names or ["Image"]), measurements)

    def _measurements(self, number: int, result: ImageResult) -> dict[str, Any]:
        note = read_note(Path(self._tasks[number].note)) if result.state != "failed" else {}
        if not isinstance(note.get("pixels"), dict):
            return {}
        how = note["pixels"], note.get("pixel_size_um"), self._background
        numbers = measured(self._classes, *how)
        if isinstance(note.get("objects"), dict):
            numbers |= counts_of(self._classes, note["objects"], *how).row()
        return {"Image": result.source, **numbers}


def _write_table(path: Path, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    with atomic_write(path, PredictionError) as part, part.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [written(name) for name in names], restval="")
        table.writeheader()
        table.writerows({written(k): written(v) if isinstance(v, str) else v for k, v in row.items()} for row in rows)


Results = Iterator[tuple[int, ImageResult]]
Run = Callable[[Sequence[Task]], Results]


def _collect(
    results: Results,
    total: int,
    tables: _Tables,
    progress: Progress | None,
    should_stop: ShouldStop | None,
) -> list[ImageResult]:
    """Collect the results, and update the tables after each."""
    began, found = time.monotonic(), dict[int, ImageResult]()
    tables.write(found)
    for number, result in results:
        found[number] = result
        tables.write(found)
        if progress is not None:
            progress(len(found), total, (time.monotonic() - began) / len(found) * (total - len(found)))
        if should_stop is not None and len(found) < total and should_stop():
            raise PredictionCancelled(
                f"Stopped after {len(found)} of {total} images. What is done is kept; the same call resumes from there."
            )
    return [found[i] for i in sorted(found)]


@contextmanager
def _mapper(client: Any, tile_progress: TileProgress | None, should_stop: ShouldStop | None) -> Iterator[Run]:
    """Yield the function that runs the tasks, and afterwards shut down what was started for it."""
    if client is None:
        yield functools.partial(_one_after_the_other, tile_progress, should_stop)
        return
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise PredictionError(
            'A cluster needs the package distributed. Install it with pip install "histowidgets[cluster]", or leave '
            "client out."
        ) from error
    if isinstance(client, Client):
        yield functools.partial(_on_cluster, client)
    elif client == "local":
        # A network uses all cores, so each worker runs one task at a time.
        with LocalCluster(threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as made:
            yield functools.partial(_on_cluster, made)
    elif isinstance(client, str):
        try:
            made = Client(client, timeout=10)
        except (OSError, ValueError) as error:
            raise PredictionError(f"There is no Dask scheduler at {client!r}: {error}.") from error
        with made:
            yield functools.partial(_on_cluster, made)
    else:
        raise PredictionError(f"client is {client!r}; use None, 'local', an address, or a dask.distributed.Client.")


def _one_after_the_other(
    tile_progress: TileProgress | None, should_stop: ShouldStop | None, tasks: Sequence[Task]
) -> Results:
    for number, task in enumerate(tasks):
        report = None if tile_progress is None else functools.partial(tile_progress, task.source)
        yield number, predict_one(task, report, should_stop)


def _on_cluster(client: Any, tasks: Sequence[Task]) -> Results:
    from distributed import as_completed

    # Not pure: the result depends on the content of the file.
    futures = {client.submit(predict_one, task, pure=False): i for i, task in enumerate(tasks)}
    try:
        for future in as_completed(list(futures)):
            number = futures[future]
            error = future.exception()
            if error is None:
                yield number, future.result()
            else:  # the worker was lost
                yield number, ImageResult(tasks[number].source, "failed", 0.0, "", f"{type(error).__name__}: {error}")
    finally:
        client.cancel(list(futures))

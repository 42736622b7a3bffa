"""Predicting many images: here one after the other, or on a cluster."""

import csv
import functools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from histowidgets.errors import HistowidgetsError, PredictionError
from histowidgets.images import open_image
from histowidgets.prediction._classifier import Classifier
from histowidgets.prediction._fingerprint import classifier_digest, prediction_fingerprint
from histowidgets.prediction._options import PredictOptions, Progress
from histowidgets.prediction._out_of_core import predict_to_disk
from histowidgets.prediction._target_names import target_names

ENDINGS = {"zarr": ".zarr", "ome-tiff": ".ome.tif", "geojson": ".geojson", "csv": ".csv", "png": ".png"}
TABLE = "predictions.csv"
_NOTES = ".histowidgets"


class ImageResult(NamedTuple):
    """What became of one image; a list of these makes a data frame.

    Attributes
    ----------
    source : str
    state : {"done", "already there", "failed"}
    seconds : float
    output : str
        Path of what was written; empty if it failed.
    error : str
        Why it failed; empty otherwise.
    warning : str
        How the image differs from those of training (row N9); empty where it does not.
    """

    source: str
    state: str
    seconds: float
    output: str
    error: str
    warning: str = ""


class _Task(NamedTuple):
    """One image, as plain values that travel to a worker."""

    classifier: str
    digest: str
    source: str
    output: str
    note: str
    format: str
    options: dict[str, Any]


def predict_images(
    classifier: Classifier | str | PathLike[str],
    sources: Iterable[str | PathLike[str]],
    out: str | PathLike[str],
    client: Any = None,
    *,
    format: str = "zarr",
    progress: Progress | None = None,
    **options: Any,
) -> list[ImageResult]:
    """Predict many images into a folder; a bad one is reported, and does not stop the others.

    Run again, it does what is missing: what is there of the same classifier, image and options is left as it is, and
    an interrupted Zarr or OME-TIFF goes on.

    Parameters
    ----------
    classifier : Classifier or path
    sources : iterable of path
        Image files.
    out : path
        Folder for the results, which are named after the images, and for ``predictions.csv``.
    client : None, "local", str or dask.distributed.Client
        None: in this process, one after the other. "local": a Dask cluster on this computer, for as long as it takes.
        Otherwise the address of a scheduler, such as ``"tcp://host:8786"``, or a client; its workers need the same
        files at the same paths, and histowidgets.
    format : {"zarr", "ome-tiff", "geojson", "csv", "png"}
        The first two never hold an image whole in memory.
    progress : callable, optional
        ``progress(done, total, seconds_left)`` after each image.
    **options
        See `PredictOptions`.

    Returns
    -------
    list of ImageResult
        In the order of the sources.

    Raises
    ------
    PredictionError
        If the format or an option is unknown, the folder cannot be written, or Dask is needed and missing.
    ClassifierError
        If the classifier cannot be loaded.
    """
    if format not in ENDINGS:
        raise PredictionError(f"format is {format!r}; use {', '.join(ENDINGS)}.")
    chosen = PredictOptions.of(options)
    loaded = classifier if isinstance(classifier, Classifier) else Classifier.load(classifier)
    folder = Path(out).expanduser().absolute()
    paths = [Path(source).expanduser().absolute() for source in sources]
    digest = classifier_digest(loaded)
    try:
        (folder / _NOTES).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PredictionError(f"{folder} cannot be written: {error.strerror or error}. Choose another.") from error
    saved = folder / _NOTES / "classifier"
    loaded.save(saved)
    names = target_names(paths)
    tasks = [_task(path, name, folder, saved, digest, format, chosen) for path, name in zip(paths, names, strict=True)]
    with _mapper(client) as run:
        return _collect(run(tasks), len(tasks), folder / TABLE, progress)


def _task(path: Path, name: str, folder: Path, saved: Path, digest: str, form: str, options: PredictOptions) -> _Task:
    name += ENDINGS[form]
    note = folder / _NOTES / f"{name}.json"
    return _Task(str(saved), digest, str(path), str(folder / name), str(note), form, options.to_dict())


Run = Callable[[Sequence[_Task]], Iterator[tuple[int, ImageResult]]]


def _collect(
    results: Iterator[tuple[int, ImageResult]], total: int, table: Path, progress: Progress | None
) -> list[ImageResult]:
    """Note each result as it comes."""
    began, found = time.monotonic(), dict[int, ImageResult]()
    _write_table(table, [])
    for number, result in results:
        found[number] = result
        _write_table(table, [found[i] for i in sorted(found)])
        if progress is not None:
            progress(len(found), total, (time.monotonic() - began) / len(found) * (total - len(found)))
    return [found[i] for i in sorted(found)]


def _write_table(path: Path, results: Sequence[ImageResult]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(ImageResult._fields)
        rows.writerows(results)


@contextmanager
def _mapper(client: Any) -> Iterator[Run]:
    """Give what runs the tasks; what was started for it is ended."""
    if client is None:
        yield _one_after_the_other
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
        # A network computes with all cores, so that one task at a time a worker is enough.
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


def _one_after_the_other(tasks: Sequence[_Task]) -> Iterator[tuple[int, ImageResult]]:
    for number, task in enumerate(tasks):
        yield number, predict_one(task)


def _on_cluster(client: Any, tasks: Sequence[_Task]) -> Iterator[tuple[int, ImageResult]]:
    from distributed import as_completed

    # Not pure: what a task says may change when a file does.
    futures = {client.submit(predict_one, task, pure=False): i for i, task in enumerate(tasks)}
    try:
        for future in as_completed(list(futures)):
            number = futures[future]
            error = future.exception()
            if error is None:
                yield number, future.result()
            else:  # the worker itself was lost
                yield number, ImageResult(tasks[number].source, "failed", 0.0, "", f"{type(error).__name__}: {error}")
    finally:
        client.cancel(list(futures))


def predict_one(task: _Task) -> ImageResult:
    """Predict one image; every error becomes a result."""
    began = time.monotonic()
    try:
        state, warning = _predict(task)
    except (HistowidgetsError, OSError) as error:
        return ImageResult(task.source, "failed", time.monotonic() - began, "", str(error))
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one image must not cost the others
        return ImageResult(task.source, "failed", time.monotonic() - began, "", f"{type(error).__name__}: {error}")
    return ImageResult(task.source, state, time.monotonic() - began, task.output, "", warning)


@functools.lru_cache(maxsize=2)
def _loaded(folder: str, digest: str) -> Classifier:
    classifier = Classifier.load(folder)
    if classifier_digest(classifier) != digest:
        raise PredictionError(f"The classifier in {folder} was replaced while images were predicted. Run it again.")
    return classifier


def _predict(task: _Task) -> tuple[str, str]:
    """Predict an image; return the state and the warning of its result."""
    classifier = _loaded(task.classifier, task.digest)
    image = open_image(task.source)
    fingerprint = prediction_fingerprint(classifier, image, {"format": task.format, "options": task.options})
    note, output = Path(task.note), Path(task.output)
    warning = " ".join(f"{found.title}. {found.detail}" for found in classifier.check(image))
    if output.exists() and _noted(note) == fingerprint:
        return "already there", warning
    # With the region, nobody is warned a second time.
    if task.format in ("zarr", "ome-tiff"):
        chosen = PredictOptions.of(task.options)
        predict_to_disk(classifier, image, output, image.region, False, chosen, announce=False)
    else:
        prediction = classifier.predict(image, image.region, **task.options)
        if task.format == "geojson":
            prediction.save_geojson(output)
        elif task.format == "csv":
            prediction.save_csv(output)
        else:
            prediction.save_png(output)
    note.write_text(json.dumps({"fingerprint": fingerprint}), encoding="utf-8")
    return "done", warning


def _noted(path: Path) -> str | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found.get("fingerprint") if isinstance(found, dict) else None

"""The command `histowidgets predict`."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from histowidgets._durations import clock
from histowidgets._io import written
from histowidgets.cli._inputs import add_choice, choice_of, images_of, require_classifier
from histowidgets.cli._log import Log, add_log_options
from histowidgets.cli._progress import EXIT_FAILED, EXIT_OK, terminate_like_interrupt

if TYPE_CHECKING:
    from histowidgets.prediction.inference import Option


def add_predict(commands: Any, epilog: str) -> None:
    """Add the command and its arguments to the parser."""
    from histowidgets.prediction.batch import ENDINGS

    parser = commands.add_parser(
        "predict",
        help="write the labels of images",
        description="Predict images of any size. An image that fails is reported, and the others continue. Run the "
        "command again to predict what is missing and to resume an interrupted slide (Ctrl+C). Images are resampled to "
        "the pixel size of the classifier.",
        epilog=epilog,
    )
    parser.add_argument("classifier", type=Path, help="classifier folder")
    parser.add_argument(
        "images",
        nargs="*",
        help="image files, folders of images, patterns such as 'slides/**/*.svs', or addresses of OME-Zarrs",
    )
    parser.add_argument(
        "--list", type=Path, action="append", default=[], metavar="FILE", help="text file with one image on each line"
    )
    parser.add_argument("--output", "--out", "-o", type=Path, required=True, help="folder for the results")
    parser.add_argument(
        "--format",
        choices=list(ENDINGS),
        default="png",
        help="format to write (default png); for slides use ome-tiff or zarr, which have resolution levels",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="replace results of the same images from another classifier or other options",
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="Dask scheduler, such as tcp://host:8786, or 'local' to start one on this machine",
    )
    add_log_options(parser)
    _add_options(parser.add_argument_group("how to predict"))
    _add_objects(parser.add_argument_group("objects (geojson, csv) and measurements.csv"))


def _add_options(group: Any) -> None:
    """Add the fields of `PredictOptions`, and the other options of `predict_images`."""
    from histowidgets.prediction.inference import OPTIONS

    group.add_argument(
        "--region",
        type=int,
        nargs=4,
        metavar=("X", "Y", "WIDTH", "HEIGHT"),
        help="predict only this region, in full-size pixels",
    )
    for name, option in OPTIONS.items():
        group.add_argument(_flag(name), **_argument(option))
    add_choice(group)
    group.add_argument(
        "--pixel-size-um", type=float, metavar="UM", help="side of a pixel, instead of that in the files"
    )
    group.add_argument("--probabilities", action="store_true", help="keep the probabilities too, in ome-tiff and zarr")
    group.add_argument("--adapt", action="store_true", help="recompute the batch-norm statistics on each image (AdaBN)")


def _argument(option: "Option") -> dict[str, Any]:
    if option.kind is bool:
        return {"action": "store_true", "help": option.help}
    words = f"{option.help} ({option.wanted})" if option.choices == () else option.help
    common = {"type": option.kind, "help": words}
    return common | ({"choices": option.choices} if option.choices else {"metavar": (option.unit or "number").upper()})


def _add_objects(group: Any) -> None:
    from histowidgets.prediction.batch import OBJECT_OPTIONS
    from histowidgets.prediction.results import SPLITS

    for name, words in OBJECT_OPTIONS.items():
        if name == "split":
            group.add_argument(_flag(name), choices=SPLITS, help=words)
        elif name == "split_classes":
            group.add_argument(_flag(name), action="append", metavar="CLASS", help=words)
        else:
            group.add_argument(_flag(name), type=float, metavar=name.rsplit("_", 1)[-1].upper(), help=words)
    group.add_argument(
        "--background", action="append", default=[], metavar="CLASS", help="a class that is not tissue; may be repeated"
    )


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _given(arguments: argparse.Namespace, names: Iterable[str]) -> dict[str, Any]:
    """Return the arguments that were given, by name."""
    found = {name: getattr(arguments, name) for name in names}
    return {name: value for name, value in found.items() if value is not None and value is not False}  # 0 was given


def predict(arguments: argparse.Namespace) -> int:
    """Predict images, showing the progress of the images and, unless on a cluster, that of the tiles of each."""
    from tqdm import tqdm

    log = Log.of(arguments)
    require_classifier(arguments.classifier)
    sources = images_of(arguments.images, arguments.list)
    from histowidgets.prediction import predict_images
    from histowidgets.prediction.batch import OBJECT_OPTIONS
    from histowidgets.prediction.inference import OPTIONS

    total = len(sources)
    with (
        terminate_like_interrupt(),
        tqdm(total=total, unit="image", disable=log.disable, position=0) as images,
        tqdm(total=1, unit="tile", disable=log.disable, position=1, leave=False) as tiles,
    ):
        shown = ""

        def show_tiles(source: str, done: int, total: int, seconds_left: float) -> None:
            nonlocal shown
            if source != shown:
                shown = source
                tiles.reset(total)
                tiles.set_description(Path(source).name)
            tiles.update(done - tiles.n)

        def show_images(done: int, total: int, seconds_left: float) -> None:
            images.update(done - images.n)
            if images.disable:
                left = "" if done == total else f", {clock(seconds_left)} left"
                log.message(
                    f"{done}/{total} images{left}", "progress", done=done, total=total, seconds_left=seconds_left
                )

        results = predict_images(
            arguments.classifier,
            sources,
            arguments.output,
            arguments.scheduler,
            format=arguments.format,
            region=None if arguments.region is None else tuple(arguments.region),
            probabilities=arguments.probabilities,
            adapt=arguments.adapt,
            objects=_given(arguments, OBJECT_OPTIONS),
            background=arguments.background,
            overwrite=arguments.force,
            **choice_of(arguments),
            pixel_size_um=arguments.pixel_size_um,
            progress=show_images,
            tile_progress=show_tiles,
            **_given(arguments, OPTIONS),
        )
    for result in results:
        if result.warning:
            log.warning(f"{result.source}: {result.warning}", source=result.source)
        if result.note:
            log.message(f"{result.source}: {result.note}", source=result.source)
        if result.state == "failed":
            log.error(
                result.error if result.source in result.error else f"{result.source}: {result.error}",
                source=result.source,
            )
    states = [result.state for result in results]
    said = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    log.result(
        written(f"{said}; see {arguments.output}"),
        output=str(arguments.output),
        images=[{"source": result.source, "state": result.state} for result in results],
    )
    return EXIT_FAILED if "failed" in states else EXIT_OK

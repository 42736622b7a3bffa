"""The command `histowidgets predict`."""

import argparse
import sys
from pathlib import Path
from typing import Any

from histowidgets.cli._exit_codes import EXIT_FAILED, EXIT_OK


def add_predict(commands: Any, epilog: str) -> None:
    """Add the command and its arguments to the parser."""
    parser = commands.add_parser(
        "predict",
        help="write the labels of images",
        description="Predict images of any size. A bad image is named, and does not stop the others. Run again, it "
        "does what is missing; a slide that was interrupted (Ctrl+C) goes on where it was.",
        epilog=epilog,
    )
    parser.add_argument("classifier", type=Path, help="classifier folder")
    parser.add_argument("images", type=Path, nargs="+", help="image files")
    parser.add_argument("--output", "--out", "-o", type=Path, required=True, help="folder for the results")
    parser.add_argument(
        "--format",
        choices=["png", "geojson", "ome-tiff", "zarr", "csv"],
        default="png",
        help="what to write (default png); ome-tiff and zarr have levels, for slides",
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="Dask scheduler, such as tcp://host:8786, or 'local' for one made here"
    )
    _add_how(parser.add_argument_group("how to predict"))
    _add_objects(parser.add_argument_group("objects (geojson, csv) and measurements.csv"))


def _add_how(group: Any) -> None:
    group.add_argument(
        "--region", type=int, nargs=4, metavar=("X", "Y", "WIDTH", "HEIGHT"), help="only this, in full-size pixels"
    )
    group.add_argument("--overlap", type=float, help="share that neighbouring tiles have in common (default 0.125)")
    group.add_argument("--blend", choices=["centre-crop", "gaussian", "linear"], help="how tiles are put together")
    group.add_argument("--tta", action="store_true", help="average 8 mirrored and turned views (8 times as long)")
    group.add_argument("--passes", type=int, choices=[1, 2, 4], help="grids of tiles to average over (default 1)")
    group.add_argument("--blur-um", type=float, metavar="UM", help="blur probabilities before classes are decided")
    group.add_argument("--blur-px", type=float, metavar="PX", help="the same in pixels")
    group.add_argument("--downsample", type=int, help="resolution to predict at (default: the classifier's)")
    group.add_argument("--skip-blank", action="store_true", help="do not compute tiles of empty glass")
    group.add_argument("--precision", choices=["auto", "fp32"], help="fp32 is exact everywhere (default auto)")
    group.add_argument("--probabilities", action="store_true", help="keep them too, in ome-tiff and zarr")
    group.add_argument("--adapt", action="store_true", help="measure batch-norm statistics again on each image (AdaBN)")


def _add_objects(group: Any) -> None:
    group.add_argument("--min-area", type=float, metavar="UM2", help="leave smaller objects out (default 10 um2)")
    group.add_argument("--fill-holes", type=float, metavar="UM2", help="fill holes up to this area (default 0)")
    group.add_argument(
        "--simplify-um", type=float, metavar="UM", help="by how much outlines may leave the pixels' edges"
    )
    group.add_argument(
        "--background", action="append", default=[], metavar="CLASS", help="a class that is no tissue; may be repeated"
    )


def _chosen(arguments: argparse.Namespace, names: dict[str, str]) -> dict[str, Any]:
    """Return what was given of some arguments, by the names that Python has for them."""
    found = {ours: getattr(arguments, given) for given, ours in names.items()}
    return {name: value for name, value in found.items() if value not in (None, False)}


_HOW = {
    "overlap": "overlap",
    "blend": "blend",
    "tta": "tta",
    "passes": "grids",
    "blur_um": "smooth_um",
    "blur_px": "smooth_px",
    "downsample": "downsample",
    "skip_blank": "skip_blank",
    "precision": "precision",
}
_OBJECTS = {"min_area": "min_area_um2", "fill_holes": "fill_holes_um2", "simplify_um": "simplify_um"}


def predict(arguments: argparse.Namespace) -> int:
    """Predict images, with a bar of images and, where they are predicted here, one of the tiles of each."""
    from tqdm import tqdm

    from histowidgets.cli._progress import terminated_like_interrupted
    from histowidgets.prediction import predict_images

    total = len(arguments.images)
    with (
        terminated_like_interrupted(),
        tqdm(total=total, unit="image", disable=None, position=0) as images,
        tqdm(total=1, unit="tile", disable=None, position=1, leave=False) as tiles,
    ):
        shown = ""

        def show_tiles(source: str, done: int, total: int, seconds_left: float) -> None:
            nonlocal shown
            if source != shown:
                shown = source
                tiles.reset(total)
                tiles.set_description(Path(source).name)
            tiles.update(done - tiles.n)

        results = predict_images(
            arguments.classifier,
            arguments.images,
            arguments.output,
            arguments.scheduler,
            format=arguments.format,
            region=None if arguments.region is None else tuple(arguments.region),
            probabilities=arguments.probabilities,
            adapt=arguments.adapt,
            objects=_chosen(arguments, _OBJECTS),
            background=arguments.background,
            progress=lambda done, total, seconds_left: images.update(done - images.n),
            tile_progress=show_tiles,
            **_chosen(arguments, _HOW),
        )
    for result in results:
        if result.warning:
            print(f"warning: {result.source}: {result.warning}", file=sys.stderr)
        if result.state == "failed":
            print(f"{result.source}: {result.error}", file=sys.stderr)
    states = [result.state for result in results]
    said = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    print(f"{said}; see {arguments.output}")
    return EXIT_FAILED if "failed" in states else EXIT_OK

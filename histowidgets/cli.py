"""The command line: `histowidgets train`, `predict` and `cross-validate`, on the folders that the studio writes."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from histowidgets.errors import HistowidgetsError

EXIT_OK, EXIT_REFUSED, EXIT_INTERRUPTED = 0, 1, 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="histowidgets", description="Train and use pixel classifiers on the project folders of the studio."
    )
    commands = parser.add_subparsers(dest="command", required=True)

    train = commands.add_parser("train", help="train a network on a project's annotations")
    train.add_argument("project", type=Path, help="project folder")
    train.add_argument("--out", type=Path, required=True, help="folder for the classifier")
    _add_settings(train)

    check = commands.add_parser("cross-validate", help="train and score on folds that share no pixel")
    check.add_argument("project", type=Path, help="project folder")
    check.add_argument("--folds", type=int, default=5, help="number of folds, 2 or more (default 5)")
    _add_settings(check)

    predict = commands.add_parser("predict", help="write the labels of images")
    predict.add_argument("classifier", type=Path, help="classifier folder")
    predict.add_argument("images", type=Path, nargs="+", help="image files")
    predict.add_argument("--out", type=Path, required=True, help="folder for the results")
    predict.add_argument(
        "--format", choices=["png", "geojson", "ome-tiff"], default="png", help="what to write (default png)"
    )
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--settings", type=Path, help="JSON file of settings")
    parser.add_argument("--preset", default="cpu", help="preset where no --settings is given (default cpu)")
    parser.add_argument("--epochs", type=int, help="epochs, instead of those of the settings")
    parser.add_argument("--max-seconds", type=float, help="time limit in seconds, instead of that of the settings")


def _settings(arguments: argparse.Namespace):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the class is loaded late
    from histowidgets.training import TrainingSettings

    if arguments.settings is not None:
        settings = TrainingSettings.from_json(arguments.settings.read_text(encoding="utf-8"))
    else:
        settings = TrainingSettings.preset(arguments.preset)
    changed = {"epochs": arguments.epochs, "max_seconds": arguments.max_seconds}
    update = {name: value for name, value in changed.items() if value is not None}
    return TrainingSettings(**{**settings.model_dump(), **update})


def _train(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from histowidgets.annotations import Project
    from histowidgets.training import EpochEnded, Message, start_training

    settings = _settings(arguments)
    project = Project.open(arguments.project)
    run = start_training(project, settings)
    with tqdm(total=settings.epochs, unit="epoch") as bar:

        def show(event: object) -> None:
            if isinstance(event, EpochEnded):
                bar.update(1)
                miou = event.record["val_miou"]
                bar.set_postfix_str("not scored" if miou is None else f"mIoU {miou:.3f}")
            elif isinstance(event, Message):
                bar.write(event.text, file=sys.stderr)

        unsubscribe = run.subscribe(show)
        try:
            run.wait()
        except KeyboardInterrupt:
            run.stop(keep="best")
            run.wait()
        finally:
            unsubscribe()
    if run.error is not None:
        raise run.error
    if run.classifier is None:
        print("interrupted before the first epoch ended: nothing was saved", file=sys.stderr)
        return EXIT_INTERRUPTED
    run.classifier.save(arguments.out)
    print(f"saved {arguments.out} (epoch {run.best_epoch}, {run.state})")
    return EXIT_OK


def _cross_validate(arguments: argparse.Namespace) -> int:
    from histowidgets.annotations import Project
    from histowidgets.training import cross_validate

    result = cross_validate(Project.open(arguments.project), _settings(arguments), folds=arguments.folds)
    print(result)
    return EXIT_OK


def _predict(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from histowidgets.prediction import Classifier

    classifier = Classifier.load(arguments.classifier)
    arguments.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    for path in tqdm(arguments.images, unit="image"):
        try:
            prediction = classifier.predict(path)
            target = arguments.out / path.name.split(".")[0]
            if arguments.format == "png":
                prediction.save_png(target.with_suffix(".png"))
            elif arguments.format == "geojson":
                prediction.save_geojson(target.with_suffix(".geojson"))
            else:
                prediction.save_ome_tiff(target.with_suffix(".ome.tif"))
        except (HistowidgetsError, OSError) as error:
            # One bad image must not cost the others.
            failed += 1
            print(f"{path}: {error}", file=sys.stderr)
    return EXIT_REFUSED if failed else EXIT_OK


_COMMANDS = {"train": _train, "cross-validate": _cross_validate, "predict": _predict}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns
    -------
    int
        0 when all went well, 1 when something was refused (the reason is on standard error), 130 when
        interrupted before there was anything to keep.
    """
    parsed = _parser().parse_args(arguments)
    try:
        return _COMMANDS[parsed.command](parsed)
    except (HistowidgetsError, OSError) as error:
        print(f"histowidgets: {error}", file=sys.stderr)
        return EXIT_REFUSED


if __name__ == "__main__":
    sys.exit(main())

"""The command `histowidgets audit`."""

import argparse
import csv
import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from histowidgets._io import atomic_write, written
from histowidgets.cli._inputs import require_classifier, require_new, require_project
from histowidgets.cli._progress import EXIT_OK, terminate_like_interrupt
from histowidgets.errors import AuditError

if TYPE_CHECKING:
    from histowidgets.prediction import Audit, AuditResults


def add_audit(commands: Any, epilog: str) -> None:
    """Add the command and its arguments to the parser."""
    parser = commands.add_parser(
        "audit",
        help="accuracy and areas with intervals, from points that a person judged",
        description="Draw points at random on predicted images, list them, take judgements, and print what follows. "
        "Without --classifier and --prediction, the latest audit of the project is used. Points can also be judged in "
        "the studio.",
        epilog=epilog,
    )
    parser.add_argument("project", type=Path, help="project folder")
    parser.add_argument("--classifier", type=Path, metavar="FOLDER", help="draw points on what it predicts")
    parser.add_argument(
        "--prediction",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="draw points on this prediction (.zarr or .ome.tif) of an image of the project; may be repeated",
    )
    parser.add_argument(
        "--image", action="append", metavar="NAME", help="draw points on this image only; may be repeated"
    )
    parser.add_argument("--role", help="draw points on the images with this role, such as validation")
    parser.add_argument("--points", type=int, default=100, metavar="N", help="number of points to draw (default 100)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the draw (default 0)")
    parser.add_argument("--list", type=Path, metavar="CSV", help="write the points to this table, to be filled in")
    parser.add_argument("--judgements", type=Path, metavar="CSV", help="take the classes from this table")
    parser.add_argument(
        "--score", type=Path, metavar="FOLDER", help="print the numbers of this classifier, on the same points"
    )
    parser.add_argument("--json", action="store_true", help="print the result as one line of JSON")
    parser.add_argument("--output", "-o", type=Path, metavar="FILE", help="also write the result: .json or .csv")
    parser.add_argument("--force", action="store_true", help="overwrite the files of --list and --output")


def audit(arguments: argparse.Namespace) -> int:
    """Draw or open an audit, and print its result; return the exit code."""
    require_project(arguments.project)
    for folder in (arguments.classifier, arguments.score):
        if folder is not None:
            require_classifier(folder)
    for path in (arguments.list, arguments.output):
        if path is not None:
            require_new(path, arguments.force)
    if arguments.output is not None and arguments.output.suffix.lower() not in (".json", ".csv"):
        raise AuditError(f"{arguments.output} ends neither in .json nor in .csv. Choose one of these formats.")
    if arguments.classifier is not None and arguments.prediction:
        raise AuditError("Give either --classifier or --prediction: both say what is audited.")
    if arguments.image and arguments.role:
        raise AuditError("Give either --image or --role: both say where points are drawn.")
    if (arguments.image or arguments.role) and arguments.classifier is None and not arguments.prediction:
        raise AuditError("--image and --role need --classifier or --prediction, which the points are drawn on.")
    from histowidgets.annotations import Project

    with terminate_like_interrupt(), closing(Project.open(arguments.project)) as project:
        found = _opened(project, arguments)
        if arguments.judgements is not None:
            found.read_csv(arguments.judgements)
        if arguments.list is not None:
            arguments.list.parent.mkdir(parents=True, exist_ok=True)
            found.save_csv(arguments.list)
        results = None
        if any(one.class_name is not None for one in found.judgements):
            results = found.results() if arguments.score is None else found.score(arguments.score)
        _show(found, results, arguments)
    return EXIT_OK


def _opened(project: Any, arguments: argparse.Namespace) -> "Audit":
    from histowidgets.prediction import audit as draw
    from histowidgets.prediction import open_prediction

    predictions: Any = arguments.classifier
    if arguments.prediction:
        predictions = [open_prediction(path) for path in arguments.prediction]
    return draw(project, predictions, arguments.role or arguments.image, arguments.points, arguments.seed)


def _show(found: "Audit", results: "AuditResults | None", arguments: argparse.Namespace) -> None:
    counted = {"points": len(found.points), "judged": found.n_judged}
    if arguments.json:
        print(json.dumps(counted if results is None else results.to_dict(), ensure_ascii=False))
    elif results is None:
        print(f"{found.n_judged} of {len(found.points)} points judged. Judge them in the studio, or fill in --list.")
    else:
        print(results)
    if arguments.output is None or results is None:
        return
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(arguments.output, AuditError) as part:
        if arguments.output.suffix.lower() == ".json":
            part.write_text(json.dumps(results.to_dict(), indent=2), encoding="utf-8")
            return
        rows = [{**row, "class": written(row["class"])} for row in results.records()]
        with part.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)

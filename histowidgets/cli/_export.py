"""The command `histowidgets export`."""

import argparse
from pathlib import Path
from typing import Any

from histowidgets.cli._inputs import require_classifier, require_new
from histowidgets.cli._progress import EXIT_OK


def add_export(commands: Any, epilog: str) -> None:
    """Add the command and its arguments to the parser."""
    parser = commands.add_parser(
        "export",
        help="export a classifier to another program",
        description="Write the network of a classifier as ONNX, or as the folder that QuPath's extension loads.",
        epilog=epilog,
    )
    parser.add_argument("classifier", type=Path, help="classifier folder")
    parser.add_argument("--output", "-o", type=Path, required=True, help="file (onnx) or folder (qupath) to write")
    parser.add_argument("--format", choices=["onnx", "qupath"], default="onnx", help="format to write (default onnx)")
    parser.add_argument("--force", action="store_true", help="overwrite an existing file or folder")


def export(arguments: argparse.Namespace) -> int:
    """Write the network; return the exit code."""
    require_classifier(arguments.classifier)
    require_new(arguments.output, arguments.force)
    from histowidgets.prediction import Classifier

    classifier = Classifier.load(arguments.classifier)
    if arguments.format == "onnx":
        classifier.export_onnx(arguments.output)
    else:
        classifier.export_qupath(arguments.output)
    print(f"saved {arguments.output}")
    return EXIT_OK

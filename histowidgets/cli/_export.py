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
        description="Write the network of a classifier as ONNX, as the folder that QuPath's extension loads, or as a "
        "BioImage.IO model package for ilastik, deepImageJ and others.",
        epilog=epilog,
    )
    parser.add_argument("classifier", type=Path, help="classifier folder")
    parser.add_argument(
        "--output", "-o", type=Path, required=True, help="file (onnx; bioimage: .zip) or folder (qupath)"
    )
    parser.add_argument(
        "--format", choices=["onnx", "qupath", "bioimage"], default="onnx", help="format to write (default onnx)"
    )
    package = parser.add_argument_group("BioImage.IO package (--format bioimage)")
    package.add_argument("--image", type=Path, help="image whose middle becomes the test input and the cover")
    package.add_argument("--name", default="", help="name of the model; by default from its classes")
    package.add_argument("--author", action="append", default=[], help="an author; may be repeated")
    package.add_argument("--license", help="SPDX identifier of the licence of the weights, such as CC-BY-4.0")

    parser.add_argument("--force", action="store_true", help="overwrite an existing file or folder")


def export(arguments: argparse.Namespace) -> int:
    """Write the network; return the exit code."""
    require_classifier(arguments.classifier)
    require_new(arguments.output, arguments.force)
    from histowidgets.prediction import Classifier

    classifier = Classifier.load(arguments.classifier)
    if arguments.format == "onnx":
        classifier.export_onnx(arguments.output)
    elif arguments.format == "bioimage":
        classifier.export_bioimage(
            arguments.output,
            image=arguments.image,
            name=arguments.name,
            authors=arguments.author,
            license=arguments.license,
        )
    else:
        classifier.export_qupath(arguments.output)
    print(f"saved {arguments.output}")
    return EXIT_OK

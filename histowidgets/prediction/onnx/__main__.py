"""The export process: ``python -m histowidgets.prediction.onnx FOLDER``, started by `export_in_process`."""

import json
import os
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from histowidgets.errors import HistowidgetsError
from histowidgets.prediction.onnx._graph import GraphOptions, write_graph
from histowidgets.prediction.onnx._process import JOB, PROGRESS, WEIGHTS

BUILDING = "building the network"


def main(folder: Path) -> int:
    """Run the export that the folder describes; return the exit status."""
    job = json.loads((folder / JOB).read_text(encoding="utf-8"))
    _end_with_parent(job["max_seconds"])
    if hasattr(os, "nice"):
        os.nice(5)  # painting and training have priority

    def tell(**line: str) -> None:
        with (folder / PROGRESS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    try:
        tell(step=BUILDING)
        options = {**job["options"], "names": tuple(job["options"]["names"])}
        write_graph(_network(job["spec"], folder), Path(job["path"]), GraphOptions(**options), lambda s: tell(step=s))
    except (HistowidgetsError, OSError) as error:
        traceback.print_exc()
        tell(failure=str(error))
        return 1
    except Exception as error:  # noqa: BLE001 - process boundary: the parent reports the error
        traceback.print_exc()
        first = next(iter(str(error).strip().splitlines()), "")
        tell(
            failure=f"The network could not be exported: {type(error).__name__}: {first:.300} "
            "Save it with classifier.save(folder) instead."
        )
        return 1
    return 0


def _network(spec: dict[str, Any], folder: Path) -> Any:
    from safetensors.numpy import load_file

    from histowidgets.prediction.pixel_models import NetworkModel

    return NetworkModel.restore(spec, load_file(folder / WEIGHTS)).network().eval()


def _end_with_parent(max_seconds: float) -> None:
    """Exit when the parent ends, which closes the pipe on our standard input, or after the time limit."""

    def watch() -> None:
        os.read(0, 1)
        os._exit(3)

    def give_up() -> None:
        os._exit(4)

    threading.Thread(target=watch, daemon=True).start()
    timer = threading.Timer(max_seconds + 10, give_up)
    timer.daemon = True
    timer.start()


if __name__ == "__main__":
    status = main(Path(sys.argv[1]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # do not wait for the thread that watches the parent

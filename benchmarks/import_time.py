"""How long `import histowidgets` takes in a fresh interpreter (goal 0.5 s), and what it loads (no torch, no widget)."""

import argparse
import json
import statistics
import subprocess
import sys

HEAVY = ("torch", "torchvision", "segmentation_models_pytorch", "ipywidgets", "ipycanvas", "bqplot", "anywidget")
CODE = (
    "import time; t = time.perf_counter(); import histowidgets; s = time.perf_counter() - t;"
    f"import sys, json; print(json.dumps([s, [m for m in {HEAVY} if m in sys.modules]]))"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    results = [
        json.loads(subprocess.run([sys.executable, "-c", CODE], capture_output=True, check=True).stdout)
        for _ in range(runs)
    ]
    seconds = [result[0] for result in results]
    print(
        f"import histowidgets: median {statistics.median(seconds):.3f} s of {runs} "
        f"(max {max(seconds):.3f} s), goal 0.5 s"
    )
    print(f"torch or widget modules loaded: {results[-1][1] or 'none'}")


if __name__ == "__main__":
    main()

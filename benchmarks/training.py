"""Speed of training against a plain loop, what tiles cost in it, and memory with the preset "workshop".

The plain loop is `fit_unet` of a folder of other people's recipes, given with --bench: smp.Unet with a frozen encoder,
AdamW, fp32, tiles cropped and not varied. Ours trains the same network on tiles of the same size and number, with all
augmentation, averaged weights and scores; once in fp32, and once in the arithmetic that it finds to be quickest.
The three train alternately in one process, and the medians of the ratios round by round are printed.
"""

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from histowidgets.annotations import Project, Stroke
from histowidgets.images import samples
from histowidgets.training import TrainingSettings
from histowidgets.training.data import make_request
from histowidgets.training.loop import (
    TEACH_FROM_STEP,
    RunControl,
    fitted_normalization,
    keep_freed_memory,
    make_trainer,
)

GOALS = {"fp32": 1.0, "best": 1.5, "tiles_share": 0.10, "peak_mb": 1500}
WARM_UP = 4

WORKSHOP = """
import resource, sys
sys.path.insert(0, {here!r})
import histowidgets as hw
from training import project
hw.Studio
run = hw.train(project(), hw.TrainingSettings.preset("workshop").model_copy(update={{"max_seconds": {seconds}}}))
assert run.state == "finished", run.state
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


class _Enough(Exception):
    """The plain loop has taken its steps."""


def project() -> Project:
    painted = Project(["Epithelium", "Stroma"])
    name = painted.add_image(samples.colon_ihc())
    rng = np.random.default_rng(0)
    for i in range(20):
        x, y = rng.uniform(20, 480, 2)
        painted.annotate(name, Stroke([(x, y), (x + 20, y + 10)], width=8), painted.classes[i % 2])
    return painted


def plain_loop(folder: Path) -> ModuleType:
    sys.path.insert(0, str(folder))
    spec = importlib.util.spec_from_file_location("peers", folder / "peers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def step_times(train: Callable[[], None], steps: int) -> list[float]:
    """Seconds between one optimizer step and the next, the first few left out."""
    times: list[float] = []

    def stepped(*arguments: object) -> None:
        times.append(time.perf_counter())
        if len(times) == steps + WARM_UP + 1:
            raise _Enough

    handle = register_optimizer_step_post_hook(stepped)
    try:
        train()
    except _Enough:
        pass
    finally:
        handle.remove()
    return np.diff(times)[WARM_UP:].tolist()


class Ours:
    """Our loop at the plain loop's network, tile and batch."""

    def __init__(self, steps: int, **changes: object) -> None:
        self.settings = TrainingSettings(
            **{
                "decoder": "full",
                "tile_size": 256,
                "downsample": 1,
                "batch_size": 4,
                "epochs": 1,
                # Long enough that what is quickest is worth finding out; it is ended before.
                "steps_per_epoch": 1000,
                "max_seconds": None,
                "consistency": 0.0,
                **changes,
            }
        )
        self.arithmetic = ""
        self.waited = self.cut = 0.0
        self.steps = steps

    def train(self) -> None:
        """Take the first steps of a run, on this thread."""
        request = make_request(project(), self.settings)
        loop = make_trainer(request, fitted_normalization(request), lambda event: None, RunControl())
        self.arithmetic = str(loop.state.compute.compute_format)
        # Unlabelled pixels are learned from after some steps only, which is most of a run.
        loop.step = TEACH_FROM_STEP
        try:
            with keep_freed_memory():  # as a run's thread does
                loop.run()
        finally:
            tiles = loop.state.tiles
            self.waited, self.cut = tiles.waited / (self.steps + WARM_UP), tiles.worked / (self.steps + WARM_UP + 1)


def speed(bench: Path, rounds: int, steps: int) -> dict[str, object]:
    peers = plain_loop(bench)
    painted = project()
    name = painted.image_names[0]
    image = painted.image(name)
    pairs = [(image.read(0, 0, image.width, image.height), painted.label_map(name))]
    ours = {
        "fp32": Ours(steps, precision="fp32"),
        "best": Ours(steps),
        "best_with_consistency": Ours(steps, consistency=1.0),
    }
    ways: dict[str, Callable[[], None]] = {"plain": lambda: peers.fit_unet(pairs, 2, 1e9, 0)}
    ways |= {kind: loop.train for kind, loop in ours.items()}
    seconds: dict[str, list[float]] = {kind: [] for kind in ways}
    shares: dict[str, list[tuple[float, float]]] = {kind: [] for kind in ours}
    for number in range(rounds):
        # In turn, and back again: a machine that slows down slows all.
        for kind in list(ways)[:: -1 if number % 2 else 1]:
            seconds[kind].append(statistics.median(step_times(ways[kind], steps)))
            if kind in ours:
                took = seconds[kind][-1]
                shares[kind].append((ours[kind].waited / took, ours[kind].cut / took))
        last = {kind: round(1000 * some[-1]) for kind, some in seconds.items()}
        print(f"round {number + 1} of {rounds}: {last} ms a step", file=sys.stderr, flush=True)
    result: dict[str, object] = {"plain_ms": round(1000 * statistics.median(seconds["plain"]), 1)}
    for kind, loop in ours.items():
        ratios = [plain / mine for plain, mine in zip(seconds["plain"], seconds[kind], strict=True)]
        result[kind] = {
            "arithmetic": loop.arithmetic,
            "step_ms": round(1000 * statistics.median(seconds[kind]), 1),
            "ratio": round(statistics.median(ratios), 2),
            "ratios": [round(one, 2) for one in ratios],
            "share_waiting_for_tiles": round(statistics.median(wait for wait, _ in shares[kind]), 3),
            "share_if_tiles_were_not_cut_ahead": round(statistics.median(cut for _, cut in shares[kind]), 3),
        }
    return result


def peak_mb(seconds: float) -> float:
    """Peak resident memory of a fresh process that has the widgets loaded and trains with "workshop"."""
    code = WORKSHOP.format(here=str(Path(__file__).parent), seconds=seconds)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(__file__).resolve().parents[2] / "shared" / "bench"
    parser.add_argument("--bench", type=Path, default=default, help="folder with peers.py (default ../shared/bench)")
    parser.add_argument("--rounds", type=int, default=5, help="trainings of each kind")
    parser.add_argument("--steps", type=int, default=20, help="steps measured in each training")
    parser.add_argument("--seconds", type=float, default=20, help="length of the training that memory is measured on")
    parser.add_argument("--only", choices=["speed", "memory"], help="measure only this")
    arguments = parser.parse_args()
    result: dict[str, object] = {"threads": torch.get_num_threads(), "goals": GOALS}
    if arguments.only != "memory":
        result |= speed(arguments.bench, arguments.rounds, arguments.steps)
    if arguments.only != "speed":
        result["peak_mb"] = round(peak_mb(arguments.seconds))
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()

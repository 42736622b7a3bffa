"""What the thread, its events and the bridge to a live monitor cost: steps a second with them against the bare loop.

Both train the same network on the same tiles with the same seed, alternately; the median of the ratios pair by pair is
printed.
"""

import argparse
import json
import statistics
import time

import numpy as np

from histowidgets.annotations import Project, Stroke
from histowidgets.images import samples
from histowidgets.training import BatchEnded, TrainingSettings, start_training
from histowidgets.training.data import make_request
from histowidgets.training.loop import RunControl, fitted_normalization, run_loop
from histowidgets.widgets import LossMonitor

GOAL = 0.95


def project() -> Project:
    painted = Project(["Epithelium", "Stroma"])
    name = painted.add_image(samples.colon_ihc())
    rng = np.random.default_rng(0)
    for i in range(20):
        x, y = rng.uniform(20, 480, 2)
        painted.annotate(name, Stroke([(x, y), (x + 20, y + 10)], width=8), painted.classes[i % 2])
    return painted


def steps_a_second(times: list[float]) -> float:
    # The first steps warm the caches up.
    return (len(times) - 6) / (times[-1] - times[5])


def bare(settings: TrainingSettings) -> float:
    """Run the loop on this thread; its events go nowhere but to a clock."""
    request, times = make_request(project(), settings), []
    normalization = fitted_normalization(request)

    def hear(event: object) -> None:
        if isinstance(event, BatchEnded):
            times.append(time.perf_counter())

    run_loop(request, normalization, hear, RunControl())
    return steps_a_second(times)


def attached(settings: TrainingSettings) -> float:
    """Run the same through `start_training`, with a monitor that draws what the bridge hands over."""
    times: list[float] = []
    run = start_training(project(), settings)

    def hear(event: object) -> None:
        if isinstance(event, BatchEnded):
            times.append(time.perf_counter())

    run.subscribe(hear)
    monitor = LossMonitor(run)
    run.wait()
    monitor.close()
    return steps_a_second(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=60, help="steps of each training")
    parser.add_argument("--rounds", type=int, default=7, help="trainings of each kind")
    arguments = parser.parse_args()
    settings = TrainingSettings(epochs=1, steps_per_epoch=arguments.steps, max_seconds=None)
    plain, with_thread = [], []
    for number in range(arguments.rounds):
        # In turn, so that a machine that slows down slows both.
        for measure, kept in ((bare, plain), (attached, with_thread))[:: 1 if number % 2 else -1]:
            kept.append(measure(settings))
    ratios = [thread / loop for thread, loop in zip(with_thread, plain, strict=True)]
    ratio = statistics.median(ratios)
    print(
        json.dumps(
            {
                "bare_steps_a_second": round(statistics.median(plain), 2),
                "attached_steps_a_second": round(statistics.median(with_thread), 2),
                "ratio": round(ratio, 3),
                "ratios": [round(one, 3) for one in ratios],
                "goal": GOAL,
                "reached": ratio >= GOAL,
            }
        )
    )


if __name__ == "__main__":
    main()

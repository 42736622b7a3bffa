"""What the thread, its events and a subscriber cost: steps a second with them against the bare loop.

Both train the same network on the same tiles with the same seed, alternately; the ratio of the medians is printed.
"""

import argparse
import json
import statistics
import time

import numpy as np

from histowidgets.annotations import Project, Stroke
from histowidgets.images import samples
from histowidgets.training import BatchEnded, TrainingSettings, start_training
from histowidgets.training._control import RunControl
from histowidgets.training._loop import run_loop
from histowidgets.training._prepare import fitted_normalization
from histowidgets.training._request import make_request

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
    """Run the same through `start_training`, with a subscriber that keeps every event."""
    times: list[float] = []
    kept: list[object] = []
    run = start_training(project(), settings)

    def hear(event: object) -> None:
        kept.append(event)
        if isinstance(event, BatchEnded):
            times.append(time.perf_counter())

    run.subscribe(hear)
    run.wait()
    return steps_a_second(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=40, help="steps of each training")
    parser.add_argument("--rounds", type=int, default=5, help="trainings of each kind")
    arguments = parser.parse_args()
    settings = TrainingSettings(epochs=1, steps_per_epoch=arguments.steps, max_seconds=None)
    plain, with_thread = [], []
    for _ in range(arguments.rounds):
        plain.append(bare(settings))
        with_thread.append(attached(settings))
    ratio = statistics.median(with_thread) / statistics.median(plain)
    print(
        json.dumps(
            {
                "bare_steps_a_second": round(statistics.median(plain), 2),
                "attached_steps_a_second": round(statistics.median(with_thread), 2),
                "ratio": round(ratio, 3),
                "goal": GOAL,
                "reached": ratio >= GOAL,
            }
        )
    )


if __name__ == "__main__":
    main()

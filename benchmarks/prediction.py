"""Speed, memory and delay of prediction, each beside what it is compared with in the same run.

--speed   A 4096 x 4096 RGB image, labels out, one network: ours, MONAI's SlidingWindowInferer (512 window,
          0.25 overlap, Gaussian), and the bare network over tiles that do not overlap. Goals: 3 times MONAI's
          pixels a second; 99.5 % of labels as in fp32 with large overlap; 0.9 of the bare network times the share
          of useful pixels.
          MONAI is imported from where --monai says, or as installed; else a plain equivalent is used, and said.
--memory  Extra memory of predict_to for 4096 x 4096 and for 40,000 x 40,000 pixels that are made up as they are read;
          the larger one is stopped after --seconds. Goals: the same within 10 %, and under 400 MB.
--shift   Per cent of pixels whose class changes when the image is moved by half a tile and by odd numbers of pixels,
          and mean IoU, for the quick learner and networks of each architecture, at several overlaps and blends and with
          eight views; on strokes painted by a simulated hand on the sets of --data (see `_protocol.read_case`) or
          --suite. Goal: under 3 % for what the studio shows at last, which is one of those with eight views.
--view    Seconds until a pan of 128 pixels shows its prediction in a 512 x 512 view, quick learner. Goal: 0.5.

Nothing else may run meanwhile. On a machine that is not idle, --processor-time counts the seconds of all cores that
each way takes, instead of those that pass: ratios hold, delays do not.
"""

import argparse
import contextlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import histowidgets as hw  # noqa: E402
from histowidgets.images import Image, Region  # noqa: E402
from histowidgets.prediction.inference import Job  # noqa: E402

SIDE, SLIDE = 4096, 40_000
WINDOW, OVERLAP = 512, 0.25
STROKES = {
    "Epithelium": [[(95, 35), (110, 52), (122, 68)], [(300, 40), (330, 60)]],
    "Stroma": [[(260, 230), (285, 262), (290, 290)], [(490, 250), (482, 300)]],
    "Lumen": [[(10, 330), (20, 356), (14, 390)], [(345, 110), (368, 150), (380, 190)]],
}


class Mosaic(Image):
    """The sample, mirrored again and again, as large as wanted; made up as it is read."""

    def __init__(self, side: int) -> None:
        sample = hw.samples.colon_ihc()
        super().__init__(
            name=f"mosaic {side}",
            width=side,
            height=side,
            dtype=np.dtype(np.uint8),
            channel_names=sample.channel_names,
            pixel_size_um=0.5,
        )
        pixels = sample.read(0, 0, 512, 512)
        right = np.concatenate([pixels, pixels[:, ::-1]], 1)
        self._pixels = np.concatenate([right, right[::-1]], 0)

    def _read_level(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        rows, cols = (np.arange(y, y + height) % 1024), (np.arange(x, x + width) % 1024)
        return self._pixels[rows][:, cols]


def painted() -> hw.Project:
    project = hw.Project(classes=list(STROKES))
    name = project.add_image(hw.samples.colon_ihc())
    for class_name, lines in STROKES.items():
        for points in lines:
            project.annotate(name, hw.Stroke(points, width=8), class_name)
    return project


def trained(seconds: float, downsample: int) -> hw.Classifier:
    settings = hw.TrainingSettings(max_seconds=seconds, epochs=1000, downsample=downsample)
    classifier = hw.train(painted(), settings).classifier
    assert classifier is not None
    return classifier


CLOCKS = {False: time.perf_counter, True: lambda: time.process_time() / (os.cpu_count() or 1)}
clock = CLOCKS[False]


def timed(work: Callable[[], object]) -> tuple[float, object]:
    began = clock()
    found = work()
    return clock() - began, found


# --- speed -----------------------------------------------------------------------------------------------------------


def monai_inferer(where: str | None) -> tuple[Callable, str]:
    """Return what predicts a tensor by a sliding window, and its name."""
    if where:
        sys.path.append(where)
    try:
        import monai
        from monai.inferers import SlidingWindowInferer
    except ImportError:
        return plain_sliding_window, "a plain sliding window in MONAI's manner (MONAI itself is not there)"
    inferer = SlidingWindowInferer((WINDOW, WINDOW), sw_batch_size=1, overlap=OVERLAP, mode="gaussian")
    return inferer, f"MONAI {monai.__version__} SlidingWindowInferer"


def plain_sliding_window(pixels, network):
    """Do what SlidingWindowInferer does: windows at 3/4 of their side, weighted by a Gaussian, summed and divided."""
    import torch

    step = int(WINDOW * (1 - OVERLAP))
    place = torch.arange(WINDOW) - (WINDOW - 1) / 2
    line = torch.exp(-0.5 * (place / (0.125 * WINDOW)) ** 2)
    weight = (line[:, None] * line[None]).clamp_min(1e-3).to(pixels.device)
    height, width = pixels.shape[-2:]
    total, weights = None, torch.zeros(height, width, device=pixels.device)
    for y in (*range(0, height - WINDOW, step), height - WINDOW):
        for x in (*range(0, width - WINDOW, step), width - WINDOW):
            at = (..., slice(y, y + WINDOW), slice(x, x + WINDOW))
            answer = network(pixels[at])
            if total is None:
                total = torch.zeros(1, answer.shape[1], height, width, device=pixels.device)
            total[at] += answer * weight
            weights[at[1:]] += weight
    return total / weights


def speed(arguments: argparse.Namespace) -> None:
    import torch

    classifier = trained(arguments.train_seconds, arguments.downsample)
    side = arguments.side
    image = hw.open_image(Mosaic(side).read(0, 0, side, side), name="mosaic")
    network = classifier.model.network().eval()
    inferer, name = monai_inferer(arguments.monai)

    def normalized() -> torch.Tensor:
        pixels = classifier.normalization.apply(image.read(0, 0, side, side, classifier.downsample))
        return torch.from_numpy(np.ascontiguousarray(np.moveaxis(pixels, -1, 0)))[None]

    def peer() -> np.ndarray:
        with torch.inference_mode():
            return inferer(normalized(), network).argmax(1)[0].to(torch.uint8).numpy()

    def ours() -> np.ndarray:
        return classifier.predict(image, image.region, probabilities=False).labels

    (plan,) = Job.of(classifier.spec, image).plans
    tile_side = max(plan.rows.size, plan.cols.size)
    compute = classifier.model.fastest(tile_side, plan.n_tiles)
    tile = np.ascontiguousarray(normalized()[:, :, : plan.rows.size, : plan.cols.size].numpy())
    n_bare = max(4, plan.n_tiles // 3)

    def bare() -> None:
        for _ in range(n_bare):
            compute(tile, True)

    ours()  # looks for the fastest way, once a process
    times: dict[str, list[float]] = {"ours": [], "peer": [], "bare": []}
    for _ in range(arguments.repeats):
        for key, work in (("ours", ours), ("peer", peer), ("bare", bare)):
            times[key].append(timed(work)[0])
    seconds = {key: statistics.median(values) for key, values in times.items()}
    area = side * side / 1e6
    tile_area = plan.rows.size * plan.cols.size * plan.downsample**2 / 1e6
    rate = {
        "ours": area / seconds["ours"],
        "peer": area / seconds["peer"],
        "bare": n_bare * tile_area / seconds["bare"],
    }
    useful = area / (plan.n_tiles * tile_area)
    exact = classifier.predict(image, image.region, overlap=0.5, precision="fp32").labels
    equal = 100 * float((ours() == exact).mean())
    from histowidgets.prediction import fastest_inference

    way = fastest_inference(network, (classifier.model.batch_size, 3, tile_side, tile_side))
    spread = ", ".join(f"{key} {min(values):.1f} to {max(values):.1f} s" for key, values in times.items())
    print(f"ours ({way}, tiles of {plan.cols.size}): {rate['ours']:.2f} Mpx/s ({spread})")
    print(f"{name}: {rate['peer']:.2f} Mpx/s; ratio {rate['ours'] / rate['peer']:.2f}, goal 3")
    share = rate["ours"] / (rate["bare"] * useful)
    print(f"bare network: {rate['bare']:.2f} Mpx/s x {useful:.2f} useful; share {share:.2f}, goal 0.9")
    print(f"labels as in fp32 with half overlap: {equal:.2f} %, goal 99.5 %")


# --- memory ----------------------------------------------------------------------------------------------------------


def memory(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        trained(arguments.train_seconds, arguments.downsample).save(Path(folder) / "classifier")
        extra = {}
        for side in (SIDE, SLIDE):
            command = [sys.executable, __file__, "--one-slide", str(side), "--folder", folder]
            done = subprocess.run(
                [*command, "--seconds", str(arguments.seconds)], capture_output=True, text=True, check=True
            )
            extra[side], share = (float(value) for value in done.stdout.split())
            print(f"{side} x {side}: {extra[side]:.0f} MB extra at most; {share:.1f} % of it was predicted")
    print(f"ratio {extra[SLIDE] / extra[SIDE]:.2f}, goal 0.9 to 1.1; goal 400 MB")


def one_slide(arguments: argparse.Namespace) -> None:
    """Print the extra memory in MB, and how much was predicted in %; in a process of its own."""
    import psutil

    from histowidgets.errors import PredictionCancelled

    classifier = hw.Classifier.load(Path(arguments.folder) / "classifier")
    image = Mosaic(arguments.one_slide)
    # What is loaded once whatever the size: the network's code, and that of the file format.
    small = Region(0, 0, 64, 64)
    classifier.predict_to(image, Path(arguments.folder) / f"warm{arguments.one_slide}.zarr", small)
    before = psutil.Process().memory_info().rss
    until, shares = time.monotonic() + arguments.seconds, [0.0]
    with contextlib.suppress(PredictionCancelled):
        classifier.predict_to(
            image,
            Path(arguments.folder) / f"labels{arguments.one_slide}.zarr",
            image.region,
            progress=lambda done, total, left: shares.append(100 * done / total),
            should_stop=lambda: time.monotonic() > until,
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(max(0, peak - before) / 1e6, shares[-1])


# --- view ------------------------------------------------------------------------------------------------------------


def view(arguments: argparse.Namespace) -> None:
    from histowidgets.prediction import ViewPredictor

    predictor = ViewPredictor(hw.quick_classifier(painted()).spec)
    image = Mosaic(SLIDE)
    predictor.predict(image, Region(1000, 1000, 512, 512))
    seconds = [
        timed(lambda i=i: predictor.predict(image, Region(1000 + 128 * i, 1000 + 64 * i, 512, 512)))[0]
        for i in range(1, arguments.pans + 1)
    ]
    print(f"a pan: median {statistics.median(seconds):.2f} s, max {max(seconds):.2f} s of {len(seconds)}; goal 0.5 s")
    whole = [
        timed(lambda i=i: predictor.predict(image, Region(3000 + 1024 * i, 9000, 512, 512)))[0]
        for i in range(arguments.pans)
    ]
    print(f"a jump to another place: median {statistics.median(whole):.2f} s, max {max(whole):.2f} s; goal 0.5 s")


# --- shift -----------------------------------------------------------------------------------------------------------

WAYS: dict[str, dict] = {
    "as is": {},
    "overlap 0.25": {"overlap": 0.25},
    "overlap 0.5": {"overlap": 0.5},
    "gaussian": {"overlap": 0.25, "blend": "gaussian"},
    "linear": {"overlap": 0.25, "blend": "linear"},
    "2 grids": {"grids": 2},
    "8 views": {"tta": True},
}


def shift(arguments: argparse.Namespace) -> None:
    from benchmarks._protocol import mean_iou, painted_project, read_case, suite

    warnings.simplefilter("ignore")  # unseen images differ from those that were annotated
    sets = [*arguments.data, *(suite(arguments.suite) if arguments.suite else [])] or ["colon"]
    print("set, learner, way: % changed (half a tile, odd moves), annotated / unseen mIoU, seconds for a prediction")
    for data in sets:
        case = read_case(data, arguments.images)
        project = painted_project(case, 10, 0)
        pictures = [*case.annotated[: arguments.images], *case.unseen[: arguments.images]]
        images = [hw.open_image(picture.pixels, name=picture.name) for picture in pictures]
        for learner in arguments.learners:
            classifier = shift_learner(learner, project, arguments.steps)
            for way in arguments.ways:
                options = {"precision": "fp32", **WAYS[way]}
                found = [hw.shift_sensitivity(classifier, image, **options) for image in images]
                began = clock()
                labels = [classifier.predict(image, image.region, **options).labels for image in images]
                seconds = clock() - began
                ious = [mean_iou(a, p.mask, case.n_classes) for a, p in zip(labels, pictures, strict=True)]
                half, *odd = (100 * np.mean([list(one.by_move.values()) for one in found], 0)).round(2)
                mean = 100 * np.mean([one.changed for one in found])
                seen, unseen = np.mean(ious[: arguments.images]), np.mean(ious[arguments.images :])
                moves = ", ".join(f"{value:.2f}" for value in (half, *odd))
                print(
                    f"{case.name}, {learner}, {way}: {mean:.2f} % ({moves}), {seen:.3f} / {unseen:.3f}, "
                    f"{seconds / len(images):.2f} s",
                    flush=True,
                )


def shift_learner(learner: str, project: hw.Project, steps: int) -> hw.Classifier:
    """Return "quick", a network of an architecture, or "mean": a U-Net and the quick learner."""
    if learner == "quick":
        return hw.quick_classifier(project, 0)
    settings = hw.TrainingSettings.preset("cpu").model_copy(
        update={
            "architecture": "unet" if learner == "mean" else learner,
            "epochs": max(1, steps // 30),
            "steps_per_epoch": 30,
            "early_stopping_patience": 1000,
            "max_seconds": 3600.0,
        }
    )
    run = hw.train(project, settings)
    assert run.classifier is not None
    return hw.ensemble_with_quick(run.classifier, project, run.split) if learner == "mean" else run.classifier


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("speed", "memory", "shift", "view"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--monai", help="folder that holds the package monai")
    parser.add_argument("--downsample", type=int, default=1, help="of the classifier (default 1)")
    parser.add_argument("--train-seconds", type=float, default=40)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--side", type=int, default=SIDE, help="of the image whose speed is measured (default 4096)")
    parser.add_argument("--seconds", type=float, default=120, help="of the larger image (default 120)")
    parser.add_argument("--pans", type=int, default=12)
    parser.add_argument("--data", nargs="+", default=[], help='sets for --shift (default "colon")')
    parser.add_argument("--suite", metavar="FOLDER", help="all sets in this folder, for --shift")
    parser.add_argument("--learners", nargs="+", default=["quick", "unet", "mean"], help="quick, mean, architectures")
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--steps", type=int, default=300, help="of each network, for --shift")
    parser.add_argument("--images", type=int, default=1, help="of each part of a set, for --shift")
    parser.add_argument("--one-slide", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    parser.add_argument("--processor-time", action="store_true", help="for a machine that is not idle")
    arguments = parser.parse_args()
    global clock
    clock = CLOCKS[arguments.processor_time]
    if arguments.one_slide:
        one_slide(arguments)
        return
    chosen = [part for part in (speed, memory, shift, view) if getattr(arguments, part.__name__)]
    for part in chosen or (speed, memory, view):
        part(arguments)


if __name__ == "__main__":
    main()

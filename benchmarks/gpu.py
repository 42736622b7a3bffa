"""What a GPU gives, in at most eight minutes: speed, a score, memory, and what happens when memory runs out.

    python -m benchmarks.gpu --data ../shared/data/glands        all of it, on the GPU
    python -m benchmarks.gpu --only steps predict                parts
    python -m benchmarks.gpu --device cpu --quick                whether the script works; its numbers mean nothing

steps    Optimizer steps a second of our loop, with augmentation, averaged weights and tiles cut ahead, beside a plain
         loop in fp32 and in bf16: the same network on one batch that lies on the device, so that it waits for nothing.
predict  Megapixels a second, beside MONAI's sliding window (--monai), or a plain equivalent, which is said.
first    Seconds to the first prediction: of the quick learner, with its features, and of a network just trained.
score    Mean IoU on the truth of the annotated images of --data after 60 s of training (without --data: none).
memory   Peak memory of the GPU in all parts before.
full     A run whose batch does not fit in a part of the memory: it must go on in micro-batches, and say so.

The result is one JSON object; a part that fails is named in it, and the others go on.
"""

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import histowidgets as hw
from benchmarks._protocol import mean_iou, painted_project, read_case
from benchmarks.prediction import Mosaic, monai_inferer
from benchmarks.training import WARM_UP, project, step_times
from histowidgets.models import NetworkSpec, build_network
from histowidgets.prediction import forget_features
from histowidgets.training.data import make_request
from histowidgets.training.loop import RunControl, fitted_normalization, make_trainer

PARTS = ("steps", "predict", "first", "score", "memory", "full")
#: Share of the GPU's memory that the part "full" may use.
LITTLE_MEMORY = 0.02


class Measure:
    """The parts, with the sizes that they are measured at."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        quick = self.quick = arguments.quick
        self.device, self.data, self.monai = arguments.device, arguments.data, arguments.monai
        self.backbone = "efficientnet-lite0" if quick else arguments.backbone
        self.tile, self.batch, self.steps = (64, 2, 3) if quick else (256, 16, 60)
        self.side, self.train_seconds, self.score_seconds = (512, 2.0, 4.0) if quick else (4096, 20.0, 60.0)
        self._classifier: hw.Classifier | None = None

    def settings(self, **changes: Any) -> hw.TrainingSettings:
        """Return settings of the sizes that are measured."""
        values: dict[str, Any] = {
            "backbone": self.backbone,
            "tile_size": self.tile,
            "batch_size": self.batch,
            "device": self.device,
        }
        if self.quick:  # finding out what is quickest takes longer than all the rest
            values |= {"precision": "fp32", "memory_format": "contiguous"}
        return hw.TrainingSettings(**{**values, "decoder": "full", "downsample": 1, "freeze": "none", **changes})

    def steps_a_second(self) -> dict[str, Any]:
        """Compare our loop with a plain one."""
        ours = statistics.median(step_times(self._our_steps, self.steps))
        formats = ("fp32",) if self.device == "cpu" else ("fp32", "bf16")
        plain = {precision: self._plain_step(precision) for precision in formats}
        return {
            "ours": round(1 / ours, 2),
            **{f"plain loop, {name}": round(1 / seconds, 2) for name, seconds in plain.items()},
            "arithmetic": self._arithmetic,
            "batch": f"{self.batch} x {self.tile} px",
        }

    def _our_steps(self) -> None:
        settings = self.settings(epochs=1, steps_per_epoch=10_000, max_seconds=None, consistency=0.0)
        request = make_request(project(), settings)
        loop = make_trainer(request, fitted_normalization(request), lambda event: None, RunControl())
        self._arithmetic = str(loop.state.compute.compute_format)
        loop.run()

    def _plain_step(self, precision: str) -> float:
        device = torch.device(self.device)
        network = build_network(NetworkSpec(backbone=self.backbone, n_classes=2), pretrained=False, seed=0).to(device)
        network.train()
        optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
        pixels = torch.rand(self.batch, 3, self.tile, self.tile, device=device)
        labels = torch.randint(2, (self.batch, self.tile, self.tile), device=device)
        times = []
        for _ in range(self.steps + WARM_UP):
            began = time.perf_counter()
            with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
                loss = torch.nn.functional.cross_entropy(network(pixels).float(), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()  # waits for the device
            times.append(time.perf_counter() - began)
        return statistics.median(times[WARM_UP:])

    @property
    def classifier(self) -> hw.Classifier:
        """A network trained for some seconds on the device."""
        if self._classifier is None:
            settings = self.settings(epochs=1000, max_seconds=self.train_seconds)
            found = hw.train(project(), settings).classifier
            assert found is not None
            self._classifier = found.network or found
        return self._classifier

    def megapixels(self) -> dict[str, Any]:
        """Compare our prediction with a sliding window."""
        classifier, side = self.classifier, self.side
        image = hw.open_image(Mosaic(side).read(0, 0, side, side), name="mosaic")
        network = classifier.model.network().eval()
        device = next(network.parameters()).device
        inferer, name = monai_inferer(self.monai)
        pixels = np.moveaxis(classifier.normalization.apply(image.read(0, 0, side, side)), -1, 0)
        tensor = torch.from_numpy(np.ascontiguousarray(pixels))[None].to(device)

        def peer() -> None:
            with torch.inference_mode():
                inferer(tensor, network).argmax(1).cpu()

        def ours() -> None:
            classifier.predict(image, probabilities=False)

        ours()  # looks for the fastest way, once a process
        area = side * side / 1e6
        return {
            "ours": round(area / _seconds(ours), 2),
            name: round(area / _seconds(peer), 2),
            "side (px)": side,
            "device of the network": str(device),
        }

    def first_prediction(self) -> dict[str, Any]:
        """Time the first answers."""
        painted = project()
        image = painted.image(painted.image_names[0])
        forget_features()
        quick = _seconds(lambda: hw.quick_classifier(painted).predict(image))
        network = self.classifier
        return {"quick learner (s)": round(quick, 2), "network (s)": round(_seconds(lambda: network.predict(image)), 2)}

    def score(self) -> dict[str, Any]:
        """Train for a minute, and compare with the truth."""
        if self.data is None:
            return {"left out": "give a folder of images with masks as --data"}
        case = read_case(self.data, most_unseen=1)
        painted = painted_project(case, 10, 0)
        settings = self.settings(epochs=5000, max_seconds=self.score_seconds, early_stopping_patience=1000)
        classifier = hw.train(painted, settings).classifier
        assert classifier is not None
        found = [
            mean_iou(classifier.predict(picture.pixels).labels, picture.mask, case.n_classes)
            for picture in case.annotated
        ]
        return {"mean IoU": round(float(np.mean(found)), 3), "seconds": self.score_seconds, "images": len(found)}

    def memory(self) -> dict[str, Any]:
        """Return the peak so far."""
        if self.device != "cuda":
            return {"left out": "measured with CUDA only"}
        total = torch.cuda.mem_get_info()[1]
        return {"peak (GB)": round(torch.cuda.max_memory_allocated() / 1e9, 2), "of (GB)": round(total / 1e9, 1)}

    def full(self) -> dict[str, Any]:
        """Let memory run out."""
        if self.device != "cuda":
            return {"left out": "only a GPU's memory can be limited"}
        self._classifier = None
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction(LITTLE_MEMORY)
        try:
            changes = {"batch_size": 64, "tile_size": 512, "epochs": 1, "steps_per_epoch": 2, "max_seconds": None}
            run = hw.train(project(), self.settings(**changes), ignore_budget=True)
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0)
        said = [message.text for message in run.messages if "Memory ran out" in message.text]
        return {"survived": run.error is None and bool(said), "said": said[:1]}


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "mps", "cpu"), default="cuda")
    parser.add_argument("--quick", action="store_true", help="smallest sizes, to see whether the script works")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS)
    parser.add_argument("--backbone", default="efficientnet-lite0")
    parser.add_argument("--data", type=Path, help="folder of images and masks")
    parser.add_argument("--monai", help="folder that holds the package monai")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    measure, began = Measure(arguments), time.perf_counter()
    ways = {
        "steps": measure.steps_a_second,
        "predict": measure.megapixels,
        "first": measure.first_prediction,
        "score": measure.score,
        "memory": measure.memory,
        "full": measure.full,
    }
    device = torch.cuda.get_device_name() if arguments.device == "cuda" else arguments.device
    result: dict[str, Any] = {"device": device, "torch": torch.__version__}
    for name in arguments.only:
        try:
            result[name] = ways[name]()
        except Exception as error:  # noqa: BLE001 - the other parts are still worth measuring
            result[name] = {"failed": f"{type(error).__name__}: {error}"}
        print(f"{name}: {result[name]}", flush=True)
    result["seconds"] = round(time.perf_counter() - began, 1)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()

"""Make the classifier of a run: from its request while it trains, or from its folder afterwards."""

from collections.abc import Mapping, Sequence
from typing import Any

import safetensors.torch
from safetensors import SafetensorError

from histowidgets.annotations import ProjectSnapshot
from histowidgets.errors import HistowidgetsError, TrainingError
from histowidgets.images import Image, Normalization
from histowidgets.models import NetworkSpec, build_network
from histowidgets.prediction import Classifier, ClassifierSpec, NetworkModel, PixelModel
from histowidgets.training._events import EpochRecord
from histowidgets.training.checkpoint import BEST_FILE
from histowidgets.training.data import TrainingRequest
from histowidgets.training.settings import TrainingSettings
from histowidgets.training.storage import StoredRun


def _classifier_of_run(
    model: PixelModel,
    *,
    run_id: str,
    settings: TrainingSettings,
    image: Image,
    pixel_size_um: float | None,
    classes: Sequence[str],
    colors: Mapping[str, str],
    normalization: Normalization,
    scores: dict[str, Any],
    history: Sequence[EpochRecord],
    trained_on: Mapping[str, Any],
) -> Classifier:
    """Make a self-contained classifier from a trained model; `image` is one of its training images."""
    spec = ClassifierSpec(
        model,
        classes=list(classes),
        colors=dict(colors),
        channel_names=settings.channels or image.channel_names,
        normalization=normalization,
        pixel_size_um=pixel_size_um,
        downsample=settings.downsample,
        tile_size=settings.tile_size,
        settings=settings.model_dump(mode="json"),
        scores=scores,
        history=list(history),
        trained_on={"run": run_id, **trained_on},
        name=run_id,
    )
    return Classifier(spec)


def make_classifier(
    request: TrainingRequest,
    normalization: Normalization,
    model: PixelModel,
    scores: dict[str, Any],
    history: Sequence[EpochRecord],
) -> Classifier:
    """Make a classifier from the network of a run in progress."""
    snapshot = request.snapshot
    return _classifier_of_run(
        model,
        run_id=request.run_id,
        settings=request.settings,
        image=request.image(),
        pixel_size_um=request.working.pixel_size_um,
        classes=snapshot.classes,
        colors=snapshot.colors,
        normalization=normalization,
        scores=scores,
        history=history,
        trained_on={
            "annotations": {name: len(snapshot.annotations[name]) for name in snapshot.annotated_names()},
            "held_out": {name: [list(region) for region in some] for name, some in request.split.held_out.items()},
        },
    )


def read_classifier(run: StoredRun, snapshot: ProjectSnapshot) -> Classifier:
    """Make a classifier from the best weights in the folder of a run, of any version.

    Raises
    ------
    TrainingError
        The weights are missing or damaged, and the message names the file; or the project has no annotations any more.
    """
    path = run.folder / BEST_FILE
    about = run.about
    try:
        network = build_network(NetworkSpec.from_dict(about["network"]), pretrained=False)
        network.load_state_dict(safetensors.torch.load_file(path))
    except FileNotFoundError:
        raise TrainingError(f"{path} is missing: no epoch of the run was complete. Start a new run.") from None
    except (SafetensorError, OSError, RuntimeError, HistowidgetsError) as error:
        raise TrainingError(f"{path} is damaged: {error}. Start a new run.") from error
    network.weights_used = str(about.get("weights", "restored"))
    annotated = snapshot.annotated_names()
    if not annotated:
        raise TrainingError("Nothing is painted in the project any more. Paint a few strokes, then train.")
    return _classifier_of_run(
        NetworkModel(network, owned=True),
        run_id=run.id,
        settings=run.settings,
        image=snapshot.images[annotated[0]],
        # Runs of earlier versions do not have it: they used that of the first annotated image.
        pixel_size_um=about["pixel_size_um"] or snapshot.images[annotated[0]].pixel_size_um,
        classes=about["classes"],
        colors={name: snapshot.colors.get(name, "#808080") for name in about["classes"]},
        normalization=Normalization.from_dict(about["normalization"]),
        scores={} if run.best is None else {**run.best, "confusion": run.confusion},
        history=run.history,
        trained_on={"held_out": about.get("held_out", {})},
    )

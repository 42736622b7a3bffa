"""Capture and check everything that a training needs, before its thread starts."""

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from histowidgets.annotations import Project, ProjectSnapshot, Split, snapshot_of, split_project
from histowidgets.errors import SettingsError, TrainingDataError
from histowidgets.images import SAME_PIXEL_SIZE, Image, Normalization, Region
from histowidgets.models import NetworkSpec, check_network
from histowidgets.training._events import Keep, Message
from histowidgets.training.data._channels import places_of, with_channels
from histowidgets.training.data._normalization import in_words, normalization_of
from histowidgets.training.data._pixel_size import WorkingImages, at_common_pixel_size
from histowidgets.training.data._sampling import SamplingPlan, plan_sampling
from histowidgets.training.settings import TrainingSettings

if TYPE_CHECKING:
    from histowidgets.prediction import Classifier
    from histowidgets.training.checkpoint import Checkpoint

#: Decoder widths that learn best from strokes within seconds on a CPU (measured on glands).
_LIGHT = (64, 48, 32, 16)


@dataclass(frozen=True)
class Start:
    """The weights and normalization of a classifier or of an interrupted run, from which training continues.

    `run_id` is the run that the classifier is from; "" if unknown.
    """

    spec: NetworkSpec
    tensors: Mapping[str, np.ndarray]
    normalization: Normalization
    weights_used: str = "weights of the classifier that training continues from"
    run_id: str = ""


@dataclass(frozen=True)
class EndPoint:
    """Where an earlier run ended, so that a repetition ends there too, whatever the time.

    Attributes
    ----------
    steps, epochs : int
        Number of steps that it took, and of epochs that it finished.
    keep : {"best", "last"} or None
        What it was stopped with; None if it ended by itself.
    """

    steps: int
    epochs: int
    keep: Keep | None = None


@dataclass(frozen=True)
class TrainingRequest:
    """All inputs of a trainer; immutable.

    Attributes
    ----------
    run_id : str
        Name of the run.
    snapshot : ProjectSnapshot
        Images and annotations as they were.
    settings : TrainingSettings
        How to train.
    split : Split
        The held-out regions, which only validation may read, in pixels of the images.
    working : WorkingImages
        Images and annotations at the pixel size for training.
    sampling : SamplingPlan
        Where training tiles may be cut from, in pixels of that size.
    start : Start or None
        Weights to continue from.
    folder : Path or None
        Folder of the run; None to write nothing.
    messages : tuple of Message
        Findings of the checks.
    resumed : Checkpoint or None
        State of the same run when it was interrupted; `start` then has its weights.
    end : EndPoint or None
        Where to end, in the repetition of an earlier run.
    """

    run_id: str
    snapshot: ProjectSnapshot
    settings: TrainingSettings
    split: Split
    working: WorkingImages
    sampling: SamplingPlan
    start: Start | None
    folder: Path | None
    messages: tuple[Message, ...]
    resumed: "Checkpoint | None" = None
    end: EndPoint | None = None

    def spec(self) -> NetworkSpec:
        """Return the spec of the network for the settings."""
        return wanted_spec(self.settings, len(self.image().channel_names), len(self.snapshot.classes))

    def steps_per_epoch(self) -> int:
        """Return the number of steps in an epoch: from the settings, or enough for all tiles."""
        in_a_step = self.settings.batch_size * self.settings.accumulation
        return self.settings.steps_per_epoch or math.ceil(self.sampling.n_tiles / in_a_step)

    def image(self) -> Image:
        """Return one of the annotated images; all have the same number of channels."""
        return self.snapshot.images[self.snapshot.annotated_names()[0]]

    def train_images(self) -> list[Image]:
        """Return the annotated images that training may read at least in part, at its pixel size."""
        images = [(name, self.working.snapshot.images[name]) for name in self.snapshot.annotated_names()]
        split = self.working.training_split(self.split)
        return [image for name, image in images if split.training_regions(name, image)]


def wanted_spec(settings: TrainingSettings, n_channels: int, n_classes: int) -> NetworkSpec:
    """Return the spec of the network for settings."""
    widths: tuple[int, ...] | None = None
    stride = 1
    if settings.decoder == "light" and settings.architecture == "unet":
        widths, stride = _LIGHT, 2
    elif settings.decoder == "light" and settings.architecture in ("unetplusplus", "manet"):
        widths = (*_LIGHT, _LIGHT[-1])
    return NetworkSpec(settings.architecture, settings.backbone, n_channels, n_classes, widths, stride)


def make_request(
    project: Project | ProjectSnapshot,
    settings: TrainingSettings,
    continue_from: "Classifier | None" = None,
    split: Split | None = None,
) -> TrainingRequest:
    """Capture a project and check that it can be trained on.

    Raises
    ------
    TrainingDataError
        Training can see labels of fewer than two classes, or images differ in their channels.
    SettingsError
        A class named in the settings does not exist, or the backbone does not fit.
    BackboneError
        The backbone is unknown.
    """
    snapshot = snapshot_of(project)
    check_kinds(settings, continue_from, split)
    snapshot = with_channels(snapshot, settings.channels)
    folder = None if isinstance(project, ProjectSnapshot) or project.read_only else project.folder
    _check_painted(snapshot)
    _check_channels(snapshot)
    _check_names(snapshot, settings)
    channels = len(snapshot.images[snapshot.annotated_names()[0]].channel_names)
    check_network(wanted_spec(settings, channels, len(snapshot.classes)))
    messages: list[Message] = []
    working = at_common_pixel_size(snapshot, settings.pixel_size_um or _size_of(continue_from))
    if working.warning():
        messages.append(Message("warning", working.warning()))
    if working.note():
        messages.append(Message("info", working.note()))
    start = None if continue_from is None else _start_of(continue_from, snapshot, settings, working, messages)
    chosen = split or _split(snapshot, settings, None if start is None else continue_from)
    chosen, sampling = _plan(snapshot, working, chosen, settings, messages)
    messages += [Message("warning", text) for text in chosen.messages]
    run_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:4]}"
    return TrainingRequest(
        run_id,
        snapshot,
        settings,
        chosen,
        working,
        sampling,
        start,
        None if folder is None else Path(folder) / "runs" / run_id,
        tuple(messages),
    )


def check_kinds(settings: Any, continue_from: Any = None, split: Any = None) -> None:
    """Raise if arguments are not settings, a classifier and a split, with a message on how to get them."""
    if not isinstance(settings, TrainingSettings):
        raise SettingsError(
            f"The settings are {settings!r}; expected TrainingSettings, such as hw.TrainingSettings(epochs=20) or "
            "hw.TrainingSettings.preset('workshop')."
        )
    if continue_from is not None and not hasattr(continue_from, "model"):
        raise TrainingDataError(
            f"continue_from is {continue_from!r}; expected a Classifier. Load one from a folder with "
            "hw.Classifier.load(folder)."
        )
    if split is not None and not isinstance(split, Split):
        raise TrainingDataError(f"The split is {split!r}; expected a Split, such as run.split of an earlier run.")


def _split(snapshot: ProjectSnapshot, settings: TrainingSettings, earlier: "Classifier | None") -> Split:
    """Split the labels; what an earlier training held out stays held out, so that its scores stay valid."""
    held = {} if earlier is None else dict(earlier.trained_on.get("held_out", {}))
    previous = Split({name: tuple(Region(*region) for region in some) for name, some in held.items()})
    known = previous if held else None
    return split_project(snapshot, settings.validation_fraction, settings.seed, known, settings.validation_by)


def _check_painted(snapshot: ProjectSnapshot) -> None:
    painted = {a.class_name for some in snapshot.annotations.values() for a in some if a.class_name is not None}
    if not painted:
        raise TrainingDataError("Nothing is painted yet. Paint a few strokes of at least two classes, then train.")
    if len(painted) == 1:
        missing = next((name for name in snapshot.classes if name not in painted), "another class")
        raise TrainingDataError(
            f"Only {next(iter(painted))!r} is painted. Paint at least one stroke of {missing!r} as well, then train."
        )


def _check_channels(snapshot: ProjectSnapshot) -> None:
    names = snapshot.annotated_names()
    first = snapshot.images[names[0]]
    for name in names[1:]:
        image = snapshot.images[name]
        if len(image.channel_names) != len(first.channel_names):
            raise TrainingDataError(
                f"{name!r} has {len(image.channel_names)} channels, {names[0]!r} has {len(first.channel_names)}. "
                "Train on images with the same channels: remove the others, or erase their annotations."
            )


def _check_names(snapshot: ProjectSnapshot, settings: TrainingSettings) -> None:
    known = ", ".join(snapshot.classes)
    for name in settings.class_weights:
        if name not in snapshot.classes:
            raise SettingsError(
                f"class_weights names {name!r}, which is not a class of the project; its classes are {known}."
            )
    if settings.focus_class is not None and settings.focus_class not in snapshot.classes:
        raise SettingsError(
            f"focus_class is {settings.focus_class!r}, which is not a class of the project; its classes are {known}."
        )


def _size_of(classifier: "Classifier | None") -> float | None:
    """Return the pixel size of the classifier that training continues from, which was trained at that size."""
    return None if classifier is None else classifier.pixel_size_um


def _plan(
    snapshot: ProjectSnapshot,
    working: WorkingImages,
    split: Split,
    settings: TrainingSettings,
    messages: list[Message],
) -> tuple[Split, SamplingPlan]:
    """Plan the tiles; if the split leaves fewer than two classes to train on, hold out less."""

    def plan(chosen: Split) -> SamplingPlan:
        tiles = settings.tile_size, settings.downsample, settings.tile_overlap, settings.seed
        return plan_sampling(working.snapshot, working.training_split(chosen), *tiles)

    sampling = plan(split)
    if len(sampling.classes()) >= 2:
        return split, sampling
    kept = {n: () if snapshot.roles[n] == "both" else regions for n, regions in split.held_out.items()}
    bare = replace(split, held_out=kept, messages=())
    sampling = plan(bare)
    if len(sampling.classes()) < 2:
        raise TrainingDataError(
            "Training can see labels of fewer than two classes: the others are erased, or on images for validation "
            "only. Paint them on an image that is used for training."
        )
    messages.append(
        Message(
            "warning",
            "There are too few strokes to hold some out for validation, so all are used for training. "
            "Paint more of each class.",
        )
    )
    return bare, sampling


def _start_of(
    classifier: "Classifier",
    snapshot: ProjectSnapshot,
    settings: TrainingSettings,
    working: WorkingImages,
    messages: list[Message],
) -> Start | None:
    """Continue from a classifier's weights (an ensemble's network) if they fit; otherwise report why not."""
    classifier = classifier.network or classifier
    why = _why_not(classifier, snapshot, settings, working)
    if why is not None:
        messages.append(Message("warning", f"Training starts from scratch: {why}."))
        return None
    run_id = str(classifier.trained_on.get("run", ""))
    return Start(_spec_of(classifier), classifier.model.tensors(), classifier.normalization, run_id=run_id)


def _spec_of(classifier: "Classifier") -> NetworkSpec:
    description: dict[str, Any] = classifier.model.spec()["network"]
    return NetworkSpec.from_dict(description)


def _why_not(
    classifier: "Classifier", snapshot: ProjectSnapshot, settings: TrainingSettings, working: WorkingImages
) -> str | None:
    if classifier.model.kind != "network":
        return "the classifier is not a network of this package, so its weights cannot be used"
    if list(classifier.classes) != list(snapshot.classes):
        return f"the classifier has the classes {', '.join(classifier.classes)}"
    if classifier.downsample != settings.downsample:
        return f"the classifier works at downsample {classifier.downsample:g}, the settings at {settings.downsample}"
    size, now = classifier.pixel_size_um, working.pixel_size_um
    if size is not None and now is not None and not 1 / SAME_PIXEL_SIZE <= size / now <= SAME_PIXEL_SIZE:
        return f"the classifier works at {size:.3g} µm per pixel, the settings at {now:.3g}"
    image = snapshot.images[snapshot.annotated_names()[0]]
    names = image.channel_names
    if not _same_channels(classifier, image, by_name=bool(settings.channels)):
        there = ", ".join(names)
        return f"the classifier has the channels {', '.join(classifier.channel_names)}, training now has {there}"
    n_channels = len(names)
    # The classifier's statistics are kept, and do not suit another normalization.
    how = in_words(classifier.normalization, n_channels)
    wanted = in_words(normalization_of(settings), n_channels, classifier.normalization.is_brightfield(n_channels))
    if how != wanted:
        return f"the classifier normalizes by {how}, the settings by {wanted}"
    have = _spec_of(classifier)
    want = wanted_spec(settings, n_channels, len(snapshot.classes))
    # The bundled backbone may have replaced one whose weights could not be downloaded.
    if have != want and have != replace(want, backbone=have.backbone):
        return f"the classifier is another network ({have.architecture} with {have.backbone})"
    if have.backbone != want.backbone and classifier.settings.get("backbone") != want.backbone:
        return f"the classifier has the backbone {have.backbone}, the settings {want.backbone}"
    return None


def _same_channels(classifier: "Classifier", image: Image, by_name: bool) -> bool:
    """Return whether training uses a classifier's channels in its order, matched in the same way as for prediction."""
    if by_name or len(image.channel_names) != len(classifier.channel_names):
        return tuple(image.channel_names) == classifier.channel_names
    try:
        return places_of(image, classifier.channel_names) is None
    except TrainingDataError:
        return False

"""The methods paragraph: sentences about what happened, each only if it did."""

from collections import Counter
from typing import TYPE_CHECKING

from histowidgets import __version__
from histowidgets.annotations import ProjectSnapshot
from histowidgets.images import Normalization
from histowidgets.models import find_backbone
from histowidgets.prediction import AuditResults
from histowidgets.reporting._references import Citations
from histowidgets.reporting._run_facts import RunFacts
from histowidgets.training import TrainingSettings
from histowidgets.training.data import is_scan, normalization_of
from histowidgets.training.loop import TEACH_FROM_STEP

if TYPE_CHECKING:
    from histowidgets.prediction import Classifier

ARCHITECTURES = {
    "unet": "U-Net",
    "unetplusplus": "U-Net++",
    "manet": "MA-Net",
    "linknet": "LinkNet",
    "fpn": "feature pyramid network",
    "pan": "pyramid attention network",
    "pspnet": "PSPNet",
    "deeplabv3": "DeepLabV3",
    "deeplabv3plus": "DeepLabV3+",
    "upernet": "UPerNet",
    "segformer": "SegFormer",
    "dpt": "DPT",
}
_LOSSES = {
    "ce_dice": ("the sum of cross-entropy and Dice loss", ("dice",)),
    "ce": ("cross-entropy", ()),
    "focal": ("focal loss", ("focal",)),
    "focal_dice": ("the sum of focal and Dice loss", ("focal", "dice")),
    "lovasz": ("the Lovász-softmax loss", ("lovasz",)),
}
_NORMALIZATIONS = {
    "percentile_99": "so that the 1st percentile of the training images became 0 and the 99th became 1",
    "min_max": "so that the minimum of the training images became 0 and the maximum became 1",
    "z_score": "so that five standard deviations below and above the mean of the training images became 0 and 1",
}
_ENCODERS = ("efficientnet", "mobilenet_v2", "resnet")


def methods(
    project: ProjectSnapshot,
    run: RunFacts | None,
    classifier: "Classifier | None",
    audit: AuditResults | None,
    n_predicted: int,
) -> tuple[str, list[str]]:
    """Write the paragraph.

    Parameters
    ----------
    project : ProjectSnapshot
        As it is now.
    run : RunFacts or None
        The run whose classifier is reported.
    classifier : Classifier or None
        What predicted.
    audit : AuditResults or None
        The latest audit with judgements.
    n_predicted : int
        How many images were predicted.

    Returns
    -------
    str, list of str
        The paragraph, and the references that it cites, in order.
    """
    cite = Citations()
    labels = project if run is None else run.labels
    if run is not None or n_predicted or audit is not None:
        parts = [_software("Pixels were classified", run, cite)]
    else:
        parts = [_software("Images were annotated", run, cite)] if labels.annotated_names() else []
    parts.append(_annotations(labels))
    if run is not None:
        parts += _network(run, cite) + _training(run, cite) + _held_out(run, cite)
    if classifier is not None:
        parts += _learner(classifier, cite)
    if n_predicted:
        was = "was" if n_predicted == 1 else "were"
        parts.append(f"{_count(n_predicted, 'image')} {was} predicted in tiles.")
    if audit is not None:
        parts += _audited(audit, cite)
    return " ".join(part for part in parts if part), cite.listed


def _software(done: str, run: RunFacts | None, cite: Citations) -> str:
    used = {} if run is None else dict(run.about.get("versions", {}))
    version = used.get("histowidgets", __version__)
    torch = used.get("torch", "")
    text = f"{done} with histowidgets {version}{cite('histowidgets')}"
    return f"{text} (PyTorch {torch}{cite('pytorch')})." if torch else f"{text}."


def _annotations(labels: ProjectSnapshot) -> str:
    names = labels.annotated_names()
    if not names:
        return "Nothing was annotated."
    some = [one for name in names for one in labels.annotations[name]]
    counts = Counter(one.class_name for one in some if one.class_name is not None)
    by_class = ", ".join(f"{name} ({counts[name]})" for name in labels.classes if counts[name])
    who = {one.annotator for one in some if one.annotator and one.class_name is not None}
    by = f" by {_count(len(who), 'annotator')}" if who else ""
    drawn = f"{_count(counts.total(), 'annotation')} {'was' if counts.total() == 1 else 'were'} drawn"
    text = f"On {_count(len(names), 'image')}, {drawn}{by}: {by_class}."
    sizes = {labels.images[name].pixel_size_um for name in names}
    if len(sizes) == 1 and (size := next(iter(sizes))) is not None:
        pixels = "Their" if len(names) > 1 else "Its"
        text += f" {pixels} pixels were {size:.3g} µm wide."
    return text


def _network(run: RunFacts, cite: Citations) -> list[str]:
    network, settings = run.network, run.settings
    architecture = str(network.get("architecture", settings.architecture))
    backbone = str(network.get("backbone", settings.backbone))
    kind = ARCHITECTURES.get(architecture, architecture)
    encoder = next((name for name in _ENCODERS if backbone.startswith(name)), "")
    article = "An" if kind[0] in "AEFMaeo" and kind != "feature pyramid network" else "A"
    text = (
        f"{article} {kind}{cite(architecture)} with the encoder {backbone}{cite(encoder) if encoder else ''} "
        f"(segmentation-models-pytorch{cite('smp')}"
    )
    text += f", timm{cite('timm')})" if _of_timm(backbone) else ")"
    weights = run.weights
    if run.continued_from is not None:
        text += " was trained further from the weights of " + (
            f"the run {run.continued_from}" if run.continued_from else "an earlier classifier"
        )
    elif "imagenet" in weights.lower():
        text += f", with weights pretrained on ImageNet{cite('imagenet')}, was trained"
    elif weights == "random":
        text += ", with random initial weights, was trained"
    elif weights:
        text += f", starting from {weights}, was trained"
    else:
        text += " was trained"
    side, size = settings.tile_size, run.about.get("pixel_size_um")
    pixel = "" if size is None else f", each {size * settings.downsample:.3g} µm wide"
    parts = [f"{text} on tiles of {side} × {side} pixels{pixel} (downsample {settings.downsample})."]
    if settings.freeze == "encoder":
        adapted = "; only its batch normalization adapted to the images" if settings.adapt_norm else ""
        parts.append(f"The encoder was frozen{adapted}.")
    elif settings.freeze != "none":
        groups = "the first blocks" if settings.freeze == "early" else ", ".join(settings.freeze)
        parts.append(f"Of the encoder, {groups} were frozen.")
    parts.append(_normalization(run, cite))
    return parts


def _of_timm(backbone: str) -> bool:
    return find_backbone(backbone).encoder.startswith(("tu-", "timm-"))


def _normalization(run: RunFacts, cite: Citations) -> str:
    settings = run.settings
    if settings.normalization == "fixed_range":
        low, high = settings.normalization_low, settings.normalization_high
        text = f"Pixel values were scaled so that {low:g} became 0 and {high:g} became 1"
    else:
        text = f"Pixel values were scaled {_NORMALIZATIONS[settings.normalization]}"
    if settings.normalization_per_channel:
        text += ", separately for each channel"
    if (run.about.get("normalization") or {}).get("stain"):
        text += f", after each image was matched to the stain of the training images{cite('stain')}"
    return text + "."


def _training(run: RunFacts, cite: Citations) -> list[str]:
    settings = run.settings
    words, keys = _LOSSES[settings.loss]
    rate = settings.learning_rate
    if settings.find_learning_rate or run.continued_from is not None:  # it was another
        rate = max((record["learning_rate"] or 0.0 for record in run.history), default=0.0) or rate
    text = f"Training minimized {words}{cite(*keys)} over labelled pixels with AdamW{cite('adamw')} ("
    text += f"learning rate {rate:.3g}"
    if settings.find_learning_rate:
        text += f", chosen by a range test{cite('range-test')}"
    batch = settings.batch_size * settings.accumulation
    text += f", weight decay {settings.weight_decay:g}, {batch} tiles per step{_schedule(settings, cite)})"
    if settings.hardest_share < 1:
        text += f", using the hardest {100 * settings.hardest_share:g} % of them{cite('hard')}"
    parts = [f"{text}."]
    if settings.class_weights:
        weights = ", ".join(f"{name} {weight:g}" for name, weight in settings.class_weights.items())
        parts.append(f"Classes were weighted in the loss ({weights}; others 1).")
    parts.append(_augmentation(run, cite))
    if settings.ema_decay > 0:
        parts.append(
            f"An exponential moving average of the weights (decay {settings.ema_decay:g}) was validated and kept"
            f"{cite('mean-teacher')}."
        )
    steps = run.steps
    if settings.consistency > 0 and steps is not None and steps > TEACH_FROM_STEP:
        teacher = "these averaged weights" if settings.ema_decay > 0 else "its own weights"
        parts.append(
            f"From step {TEACH_FROM_STEP} on, the network also learned the confident predictions of {teacher} on "
            f"unlabelled pixels (weight {settings.consistency:g}){cite('mean-teacher')}."
        )
    parts.append(_duration(run))
    return parts


def _schedule(settings: TrainingSettings, cite: Citations) -> str:
    known = {
        "one-cycle": f", one-cycle schedule{cite('one-cycle')}" if settings.scheduler == "one-cycle" else "",
        "cosine": f", cosine schedule{cite('cosine')}" if settings.scheduler == "cosine" else "",
        "plateau": ", halved after ten epochs without improvement",
        "step": ", lowered to a tenth in each third of the run",
        "none": ", constant",
    }
    return known[settings.scheduler]


def _augmentation(run: RunFacts, cite: Citations) -> str:
    settings = run.settings
    if not settings.augmentation:
        return "Tiles were not augmented."
    channels = next((run.labels.images[n].channel_names for n in run.labels.annotated_names()), ())
    stored = run.about.get("normalization")
    normalization = normalization_of(settings) if stored is None else Normalization.from_dict(stored)
    in_color = is_scan(normalization, settings.channels or channels)
    done = []
    if settings.flip:
        done.append("flipping")
    if settings.rotation:
        done.append(f"rotation by up to {settings.rotation:g}°")
    elif settings.rotate90:
        done.append("rotation by quarter turns")
    if settings.scale > 1:
        done.append(f"scaling by up to {settings.scale:g}")
    if settings.brightness or settings.contrast:
        done.append(f"brightness (±{100 * settings.brightness:g} %) and contrast (±{100 * settings.contrast:g} %)")
    if in_color and settings.color_jitter:
        done.append(
            f"saturation and hue (up to {100 * settings.color_jitter:g} % and {100 * settings.color_jitter / 5:g} %)"
        )
    if in_color and settings.stain_jitter:
        done.append(
            f"the strengths of the stains (±{100 * settings.stain_jitter:g} %){cite('deconvolution', 'stain-jitter')}"
        )
    if not in_color and settings.channel_jitter:
        done.append(f"each channel (±{100 * settings.channel_jitter:g} %)")
    if settings.elastic:
        done.append(f"elastic deformation (strength {settings.elastic:g}){cite('elastic')}")
    if settings.blur:
        done.append(f"blur of up to {settings.blur:g} pixels")
    if settings.noise:
        done.append(f"noise of up to {settings.noise:g}")
    return f"Tiles were varied at random: {', '.join(done)}." if done else "Tiles were not augmented."


def _duration(run: RunFacts) -> str:
    settings, epochs, seconds = run.settings, len(run.history), run.seconds
    took = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"
    device = str(run.about.get("device", ""))
    on = {"cpu": " on a CPU", "cuda": " on a GPU", "mps": " on a GPU"}.get(device, "")
    steps = "" if run.steps is None else f" ({run.steps:,} steps)"
    if run.about.get("stopped"):
        why = "it was stopped by the user"
    elif epochs >= settings.epochs:
        why = "all planned epochs were done"
    elif settings.max_seconds is not None and seconds >= settings.max_seconds:
        why = f"its time limit of {settings.max_seconds:g} s was reached"
    elif settings.early_stopping_metric != "none":
        why = f"the validation score had not improved for {settings.early_stopping_patience} epochs"
    else:
        why = ""
    ended = f", and ended when {why}" if why else ""
    return f"Training took {_count(epochs, 'epoch')}{steps}, {took}{on}{ended} (random seed {settings.seed})."


def _held_out(run: RunFacts, cite: Citations) -> list[str]:
    settings, best = run.settings, run.best
    held = [name for name, regions in run.split.held_out.items() if regions]
    if not held or best is None:
        return ["Nothing was held out for validation."] if best is not None else []
    whole = [
        name
        for name in held
        if name in run.labels.images and run.split.held_out[name] == (run.labels.images[name].region,)
    ]
    if len(whole) == len(held):
        text = f"{_count(len(held), 'image')} {'was' if len(held) == 1 else 'were'} held out"
    elif whole:
        part = len(held) - len(whole)
        text = f"{_count(len(whole), 'whole image')}, and a rectangle of {_count(part, 'other image')}, were held out"
    else:
        text = f"A rectangle of {'the image' if len(held) == 1 else f'each of {len(held)} images'} was held out"
    parts = [
        f"{text} for validation; training read no pixel of it."
        if len(held) == 1
        else f"{text} for validation; training read no pixel of them."
    ]
    scores = run.scores()
    if not scores:
        return [*parts, "No label lay there, so nothing was scored."]
    first, later = "mean intersection over union (IoU)", "mean IoU"
    by_iou = settings.early_stopping_metric == "miou"
    kept = f"The weights of epoch {best['epoch']:g} were kept"
    chosen = settings.early_stopping_metric != "none"
    if run.about.get("stopped") == "last":
        kept, chosen = "The last weights were kept", False
    elif by_iou and settings.focus_class is not None:
        kept += f", which had the highest intersection over union (IoU) of {settings.focus_class} there"
        first = later
    elif by_iou and settings.best_tolerance:
        kept += f", the latest within {settings.best_tolerance:g} of the highest {first} there"
        first = later
    elif by_iou:
        kept += f", which had the highest {first} there"
        first = later
    elif chosen:
        kept += ", which had the lowest loss there"
    mean = scores[0]
    text = f"On the held-out labels, the {first} of the classes was {mean.iou:.2f}"
    if mean.likely is not None:
        text += (
            f" (95 % interval {mean.likely[0]:.2f} to {mean.likely[1]:.2f}, by Wilson's method{cite('wilson')} with "
            "each held-out annotation as one trial)"
        )
    each = ", ".join(f"{row.name} {row.iou:.2f}" for row in scores[1:] if row.iou is not None)
    parts += [f"{kept}.", f"{text}; by class: {each}."]
    if chosen:
        parts.append("Since the same labels served to choose the epoch, this is not an independent test.")
    return parts


def _learner(classifier: "Classifier", cite: Citations) -> list[str]:
    temperature = classifier.scores.get("temperature")
    softened = ""
    if temperature is not None and temperature != 1:
        softened = (
            f"Probabilities were softened by one temperature ({temperature:.2f}), fitted to "
            f"{_count(classifier.scores.get('calibration_pixels', 0), 'held-out labelled pixel')}{cite('calibration')}."
        )
    return [*_kind_of_learner(classifier, cite), softened]


def _kind_of_learner(classifier: "Classifier", cite: Citations) -> list[str]:
    if classifier.kind == "mean":
        return [
            "The probabilities of the network were averaged"
            f"{cite('ensemble')} with those of a quick learner: multilayer perceptrons on filtered pixels and on "
            "features of the pretrained encoder, fitted to the annotations.",
            "The scores above are those of the network alone.",
        ]
    if classifier.kind == "quick":
        return [
            "Predictions are by a quick learner: multilayer perceptrons on filtered pixels and on features of a "
            "pretrained encoder, fitted to the annotations."
        ]
    return []


def _audited(audit: AuditResults, cite: Citations) -> list[str]:
    judged = audit.n_judged + audit.n_cannot_tell
    of = f" of the classifier {audit.classifier}" if audit.classifier else ""
    text = (
        f"The prediction{of} was audited at {_count(judged, 'point')} drawn at random within each predicted class; "
        "a person judged each without seeing the prediction"
    )
    if audit.n_cannot_tell:
        text += f" ({audit.n_cannot_tell} could not be told and were left out)"
    shares = "; ".join(f"{one.name} {one.share.in_percent()}" for one in audit.classes)
    return [
        f"{text}. By stratified estimation{cite('olofsson')}, {audit.accuracy.in_percent()} of the area was predicted "
        f"right (95 % intervals in brackets), and the corrected shares of the area were: {shares}."
    ]


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"

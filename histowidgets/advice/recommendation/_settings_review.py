"""Advice on settings before they are used: what the guide's "quick wins" would change, and steps that are too few."""

from typing import Any

from histowidgets.advice._advice import Action, Advice, with_actions
from histowidgets.advice.diagnosis import Situation, read_history
from histowidgets.advice.diagnosis import _remedies as change


def review_settings(
    settings: Any,
    *,
    n_tiles: int | None = None,
    image_type: str | None = None,
    stain_varies: bool = False,
    distorted: bool = False,
    multi_scale: bool = False,
) -> list[Advice]:
    """Look at settings before a run (rows R33-R35, R53-R55, N10).

    Parameters
    ----------
    settings : TrainingSettings
    n_tiles : int, optional
        Tiles to train on.
    image_type : {"he", "brightfield", "fluorescence"}, optional
    stain_varies, distorted : bool
        What the person chose, or `coach` found, about the images.
    multi_scale : bool
        Whether classes are told apart by what is near and far at once.

    Returns
    -------
    list of Advice
        Empty where nothing would change.
    """
    now = Situation(read_history([]), settings, n_train_tiles=n_tiles)
    found = [
        _augmentation(now),
        _stain(now) if stain_varies else None,
        _distortion(now) if distorted else None,
        _scales(now) if multi_scale else None,
        _early_stopping(now),
        _batch(now, n_tiles),
        _pretrained(now, image_type),
    ]
    return [advice for advice in found if advice is not None]


def _augmentation(now: Situation) -> Advice | None:
    action = change.flips(now)
    if action is None:
        return None
    return Advice(
        id="augmentation-off",
        title="Tiles are not mirrored and turned",
        detail="Tissue has no up and down: mirrored and turned tiles are more examples for nothing.",
        evidence={name: int(bool(now.setting(name))) for name in ("augmentation", "flip", "rotate90")},
        rule="R53",
        **with_actions([action]),
    )


def _stain(now: Situation) -> Advice | None:
    action = change.color_jitter(now)
    if action is None:
        return None
    return Advice(
        id="stain-varies",
        title="The stain differs between images: vary the colours while training",
        detail="Then the classifier relies less on the exact colour.",
        evidence={"color_jitter": float(now.setting("color_jitter") or 0)},
        rule="R34",
        **with_actions([action]),
    )


def _distortion(now: Situation) -> Advice | None:
    action = change.elastic(now)
    if action is None:
        return None
    return Advice(
        id="tissue-distorted",
        title="The tissue is distorted: bend the tiles while training",
        detail="Then the classifier relies less on exact shapes.",
        evidence={"elastic": float(now.setting("elastic") or 0)},
        rule="R35",
        **with_actions([action]),
    )


def _scales(now: Situation) -> Advice | None:
    backbone = str(now.setting("backbone") or "")
    if backbone.startswith("resnet50"):
        return None
    return Advice(
        id="multi-scale",
        title="Features of several scales are needed: take resnet50",
        detail="Its many layers see small things and their surroundings at once. Or train elsewhere, and import the "
        "network as ONNX.",
        evidence={"tile_size": int(now.setting("tile_size") or 0), "downsample": float(now.setting("downsample") or 1)},
        about={"backbone": backbone},
        rule="R33",
        **with_actions([Action("Use the backbone resnet50", {"backbone": "resnet50"})]),
    )


def _early_stopping(now: Situation) -> Advice | None:
    if now.setting("early_stopping_metric") != "none":
        return None
    return Advice(
        id="early-stopping-off",
        title="Early stopping is off",
        detail="With it you can allow more epochs: training ends by itself, and the best epoch is kept.",
        evidence={"epochs": int(now.setting("epochs") or 0)},
        rule="R55, R41",
        **with_actions([Action("Stop early, by mIoU", {"early_stopping_metric": "miou"})]),
    )


def _batch(now: Situation, n_tiles: int | None) -> Advice | None:
    batch = now.setting("batch_size")
    # With a number of steps set, tiles are drawn again and again: a batch may hold them all, but not one twice.
    repeats = bool(now.setting("steps_per_epoch"))
    if n_tiles is None or not batch or n_tiles == 0 or batch < n_tiles + repeats:
        return None
    what = "It would hold some of them twice" if repeats else "An epoch would be a single step"
    return Advice(
        id="batch-exceeds-tiles",
        title=f"A batch of {batch} tiles takes all {n_tiles} there are",
        detail=f"{what}. Make batches smaller, or annotate more.",
        evidence={"batch_size": int(batch), "tiles": n_tiles},
        rule="N10",
        severity="warning",
        **with_actions([change.batch_for_more_steps(now)]),
    )


def _pretrained(now: Situation, image_type: str | None) -> Advice | None:
    if now.setting("pretrained") is not False:
        return None
    return Advice(
        id="not-pretrained",
        title="The backbone starts from nothing",
        detail="Weights learned on other images save most of the training"
        + (", and for H&E those learned on histology, where they can be had." if image_type == "he" else "."),
        evidence={"pretrained": 0},
        rule="R54, R6",
        **with_actions([Action("Start from pretrained weights", {"pretrained": True})]),
    )

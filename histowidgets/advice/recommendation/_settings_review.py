"""Advice on settings before a run: cheap improvements, and epochs with too few steps."""

from typing import Any

from histowidgets.advice._advice import Action, Advice, with_actions
from histowidgets.advice.diagnosis import RunContext, batch_for_more_steps, color_jitter, elastic, flips, read_history


def review_settings(
    settings: Any,
    *,
    n_tiles: int | None = None,
    image_type: str | None = None,
    stain_varies: bool = False,
    distorted: bool = False,
    multi_scale: bool = False,
) -> list[Advice]:
    """Review settings before a run.

    Parameters
    ----------
    settings : TrainingSettings
    n_tiles : int, optional
        Number of tiles to train on.
    image_type : {"he", "brightfield", "fluorescence"}, optional
    stain_varies, distorted : bool
        Whether the stain or the shape of the tissue varies, according to the user or to `stain_varies`.
    multi_scale : bool
        Whether the classes can be distinguished only by small structures and their wider surroundings together.

    Returns
    -------
    list of Advice
        Empty if there is nothing to improve.
    """
    run = RunContext(read_history([]), settings, n_train_tiles=n_tiles)
    found = [
        _augmentation(run),
        _stain(run) if stain_varies else None,
        _distortion(run) if distorted else None,
        _scales(run) if multi_scale else None,
        _early_stopping(run),
        _batch(run, n_tiles),
        _pretrained(run, image_type),
    ]
    return [advice for advice in found if advice is not None]


def _augmentation(run: RunContext) -> Advice | None:
    action = flips(run)
    if action is None:
        return None
    return Advice(
        id="augmentation-off",
        title="Tiles are not flipped and rotated",
        detail="Tissue has no up or down: flipped and rotated tiles are extra examples at no cost.",
        evidence={name: int(bool(run.setting(name))) for name in ("augmentation", "flip", "rotate90")},
        **with_actions([action]),
    )


def _stain(run: RunContext) -> Advice | None:
    action = color_jitter(run)
    if action is None:
        return None
    return Advice(
        id="stain-varies",
        title="The stain differs between images: vary the colours while training",
        detail="This makes the classifier rely less on the exact colour.",
        evidence={"color_jitter": float(run.setting("color_jitter") or 0)},
        **with_actions([action]),
    )


def _distortion(run: RunContext) -> Advice | None:
    action = elastic(run)
    if action is None:
        return None
    return Advice(
        id="tissue-distorted",
        title="The tissue is distorted: deform the tiles while training",
        detail="This makes the classifier rely less on exact shapes.",
        evidence={"elastic": float(run.setting("elastic") or 0)},
        **with_actions([action]),
    )


def _scales(run: RunContext) -> Advice | None:
    backbone = str(run.setting("backbone") or "")
    if backbone.startswith("resnet50"):
        return None
    return Advice(
        id="multi-scale",
        title="Features at several scales are needed: use resnet50",
        detail="Its many layers see small structures and their surroundings together. Or train a network elsewhere, "
        "and import it as ONNX.",
        evidence={"tile_size": int(run.setting("tile_size") or 0), "downsample": float(run.setting("downsample") or 1)},
        about={"backbone": backbone},
        **with_actions([Action("Use the backbone resnet50", {"backbone": "resnet50"})]),
    )


def _early_stopping(run: RunContext) -> Advice | None:
    if run.setting("early_stopping_metric") != "none":
        return None
    return Advice(
        id="early-stopping-off",
        title="Early stopping is off",
        detail="With it you can allow more epochs: training stops when the score no longer improves, and the best "
        "epoch is kept.",
        evidence={"epochs": int(run.setting("epochs") or 0)},
        **with_actions([Action("Stop early, by mIoU", {"early_stopping_metric": "miou"})]),
    )


def _batch(run: RunContext, n_tiles: int | None) -> Advice | None:
    batch = run.setting("batch_size")
    # If the number of steps is set, tiles are drawn repeatedly: a batch may hold them all, but not one of them twice.
    repeats = bool(run.setting("steps_per_epoch"))
    if n_tiles is None or not batch or n_tiles == 0 or batch < n_tiles + repeats:
        return None
    what = "It would hold some of them twice" if repeats else "An epoch would be a single step"
    return Advice(
        id="batch-exceeds-tiles",
        title=f"A batch of {batch} holds all {n_tiles} tiles",
        detail=f"{what}. Make batches smaller, or annotate more.",
        evidence={"batch_size": int(batch), "tiles": n_tiles},
        severity="warning",
        **with_actions([batch_for_more_steps(run)]),
    )


def _pretrained(run: RunContext, image_type: str | None) -> Advice | None:
    if run.setting("pretrained") is not False:
        return None
    return Advice(
        id="not-pretrained",
        title="The backbone starts from random weights",
        detail="Pretrained weights save most of the training."
        + (" For H&E, weights trained on histology are best." if image_type == "he" else ""),
        evidence={"pretrained": 0},
        **with_actions([Action("Start from pretrained weights", {"pretrained": True})]),
    )

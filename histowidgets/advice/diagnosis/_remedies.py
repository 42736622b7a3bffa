"""Changes of settings that advice can offer; each is None if it would change nothing.

The present settings must be known: without them, only the learning rate can be changed, since the history records it.
"""

from collections.abc import Mapping
from typing import Any

from histowidgets.advice import _thresholds as t
from histowidgets.advice._advice import Action
from histowidgets.advice.diagnosis._curves import RunContext

#: The learning rates to lower the rate to, in turn.
LOWER_RATES = (1e-4, 1e-5)
#: The learning rate to raise the rate to, and the highest present rate for which that is worth trying.
USUAL_RATE = 1e-3
LOW_RATE = 5e-4
#: The weight of a class is raised by this factor, within `WEIGHT_RANGE`.
WEIGHT_STEP = 2.0

_LARGER = {
    "mobilenetv3-small": "efficientnet-lite0",
    "mobilenet_v2": "resnet34",
    "efficientnet-lite0": "resnet34",
    "efficientnet-b0": "resnet34",
    "resnet18": "resnet34",
    "resnet34": "resnet50",
}
_SMALLER = {"resnet50": "resnet34", "resnet34": "resnet18"}
_MOST_EPOCHS = 5000
_MOST_SECONDS = 604_800


def lower_rate(run: RunContext) -> Action | None:
    """Lower the rate to 1e-4, then to 1e-5."""
    rate = run.learning_rate
    lower = [value for value in LOWER_RATES if rate is not None and rate > value * 1.01]
    return _change(f"Lower the learning rate to {_power(lower[0])}", learning_rate=lower[0]) if lower else None


def somewhat_lower_rate(run: RunContext) -> Action | None:
    """Lower the rate to the next power of ten, not below 1e-5."""
    rate = run.learning_rate
    lower = [value for value in (USUAL_RATE, *LOWER_RATES) if rate is not None and rate > value * 1.01]
    return _change(f"Lower the learning rate to {_power(lower[0])}", learning_rate=lower[0]) if lower else None


def higher_rate(run: RunContext) -> Action | None:
    """Raise the rate to the usual one, if it is well below that."""
    rate = run.learning_rate
    if rate is None or rate > LOW_RATE:
        return None
    return _change(f"Raise the learning rate to {_power(USUAL_RATE)}", learning_rate=USUAL_RATE)


def one_cycle(run: RunContext) -> Action | None:
    """Use the One Cycle schedule."""
    if run.setting("scheduler") in (None, "one-cycle"):
        return None
    return _change("Use the One Cycle schedule", scheduler="one-cycle")


def smaller_batch(run: RunContext) -> Action | None:
    """Halve the batch, down to 2."""
    batch = run.setting("batch_size")
    if not batch or batch < 4:
        return None
    return _change(f"Use batches of {batch // 2} tiles", batch_size=batch // 2)


def batch_for_more_steps(run: RunContext) -> Action | None:
    """Reduce the batch size so that an epoch has several steps."""
    batch = run.setting("batch_size")
    if not batch:
        return None
    fitting = max(1, (run.n_train_tiles or batch) // t.STEPS_WANTED)
    # Batch norm in an encoder that is trained needs two tiles.
    wanted = min(batch, max(2, fitting))
    return _change(f"Use batches of {wanted} tiles", batch_size=wanted) if wanted < batch else None


def more_epochs(run: RunContext) -> Action | None:
    """Double the epochs, and the time limit if there is one."""
    epochs, seconds = run.setting("epochs"), run.setting("max_seconds")
    if not epochs:
        return None
    patch: dict[str, Any] = {}
    if epochs < _MOST_EPOCHS:
        patch["epochs"] = min(2 * epochs, _MOST_EPOCHS)
    if seconds is not None and seconds < _MOST_SECONDS:
        patch["max_seconds"] = min(2.0 * seconds, float(_MOST_SECONDS))
    return Action("Train twice as long", patch) if patch else None


def larger_backbone(run: RunContext) -> Action | None:
    """Go from resnet34 to resnet50, and from smaller ones to resnet34."""
    name = _LARGER.get(run.setting("backbone"))
    return _change(f"Use the larger backbone {name}", backbone=name) if name else None


def smaller_backbone(run: RunContext) -> Action | None:
    """Go from resnet50 to resnet34."""
    name = _SMALLER.get(run.setting("backbone"))
    return _change(f"Use the smaller backbone {name}", backbone=name) if name else None


def less_overlap(run: RunContext) -> Action | None:
    """Halve the overlap of tiles."""
    overlap = run.setting("tile_overlap")
    if not overlap:
        return None
    wanted = 0.0 if overlap < 0.1 else round(overlap / 2, 3)
    return _change(f"Let tiles overlap by {wanted:.0%}", tile_overlap=wanted)


def unfreeze(run: RunContext) -> Action | None:
    """Train more of the encoder."""
    freeze = run.setting("freeze")
    if freeze is None or freeze == "none" or len(freeze) == 0:
        return None
    if freeze == "encoder":
        return _change("Train the later layers of the backbone too", freeze="early")
    return _change("Train all of the backbone", freeze="none")


def freeze_more(run: RunContext) -> Action | None:
    """Train less of the encoder."""
    freeze = run.setting("freeze")
    if freeze is None or freeze == "encoder" or run.setting("pretrained") is False:
        return None
    if freeze == "none" or (freeze != "early" and set(freeze) < {"stem", "block1", "block2"}):
        return _change("Freeze the early layers", freeze="early")
    return _change("Freeze the whole backbone", freeze="encoder")


def color_jitter(run: RunContext) -> Action | None:
    """Vary the colours."""
    return _augment(run, "Vary the colours while training", color_jitter=0.2)


def elastic(run: RunContext) -> Action | None:
    """Deform the tiles elastically."""
    return _augment(run, "Deform the tiles while training", elastic=0.5)


def flips(run: RunContext) -> Action | None:
    """Flip and rotate the tiles."""
    return _augment(run, "Flip and rotate the tiles while training", flip=True, rotate90=True)


def larger_validation(run: RunContext) -> Action | None:
    """Hold out more of the labels."""
    share = run.setting("validation_fraction")
    if share is None or share >= 0.3:
        return None
    return _change("Hold out 30 % of the labels for validation", validation_fraction=0.3)


def heavier_class(run: RunContext, name: str) -> Action | None:
    """Raise the weight of a class."""
    weights = run.setting("class_weights")
    if not isinstance(weights, Mapping):
        return None
    weight = float(weights.get(name, 1.0))
    wanted = min(weight * WEIGHT_STEP, t.WEIGHT_RANGE[1])
    if wanted <= weight:
        return None
    return _change(f"Give {name} a weight of {wanted:g}", class_weights={**weights, name: wanted})


def work(label: str) -> Action:
    """Return an action on the annotations, which changes no settings."""
    return Action(label, kind="annotate")


def stop_and_keep(epoch: int | None) -> Action:
    """Stop the run and keep the best epoch."""
    return Action("Stop and keep the best epoch" if epoch is None else f"Stop and keep epoch {epoch}", kind="stop")


def _augment(run: RunContext, label: str, **wanted: Any) -> Action | None:
    """Switch on an augmentation, or make it stronger; never weaker."""
    if run.setting("augmentation") is None:
        return None
    patch = {name: value for name, value in wanted.items() if (run.setting(name) or 0) < value}
    if not run.setting("augmentation"):
        patch["augmentation"] = True
    return Action(label, patch) if patch else None


def _change(label: str, **patch: Any) -> Action:
    return Action(label, patch)


def _power(rate: float) -> str:
    """Format a rate as 1e-4 rather than 1e-04."""
    return f"{rate:.0e}".replace("e-0", "e-")

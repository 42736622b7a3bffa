"""Train again as an earlier run was trained, to the same weights."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from histowidgets.annotations import Project, ProjectSnapshot, Split, snapshot_of
from histowidgets.errors import TrainingError
from histowidgets.training._events import KEEP_CHOICES, Message
from histowidgets.training.data import EndPoint, make_request
from histowidgets.training.runs._classifier import read_classifier
from histowidgets.training.runs._run import TrainingRun
from histowidgets.training.storage import StoredRun, digest_of, read_labels, read_run

if TYPE_CHECKING:
    from os import PathLike

    from histowidgets.prediction import Classifier


def repeat_training(
    folder: "str | PathLike[str]",
    project: Project | ProjectSnapshot | None = None,
    *,
    continue_from: "Classifier | None" = None,
) -> TrainingRun:
    """Train again, on a thread, as the run in a folder was trained; return at once.

    The repetition has the annotations, held-out regions, settings, seed and number formats of the run, and takes as
    many steps, whatever the time. With the same versions, processor and number of threads it reaches the same weights,
    bit for bit; `what_differs` names the reasons why it may not. Nothing is written to the project.

    Parameters
    ----------
    folder : path
        The folder of a run that has ended: ``project/runs/<id>``.
    project : Project or ProjectSnapshot, optional
        Has the images; by default the project that contains the folder.
    continue_from : Classifier, optional
        The weights that the run started from, if it continued from another run; by default those in the folder of that
        run.

    Returns
    -------
    TrainingRun

    Raises
    ------
    TrainingError
        The run has not ended, kept no weights, is damaged, or the weights that it started from are gone.
    ImageNameError
        An image of the run is no longer in the project.
    """
    stored = read_run(folder)
    if stored.state == "running" or (stored.best is None and stored.about["steps"] is None):
        raise TrainingError(
            f"The run in {stored.folder} has not ended or kept no weights, so there is nothing to repeat. Resume it "
            "with resume_training, or start a new run."
        )
    opened = None
    if project is None:
        project = opened = Project.open(stored.folder.parent.parent)
    try:
        snapshot = snapshot_of(project)
    finally:
        if opened is not None:
            opened.close()
    messages = [Message("warning", text) for text in what_differs(stored)]
    labels = read_labels(stored.folder)
    if labels is not None:
        snapshot = labels.on_images_of(snapshot)
    about = stored.about
    given = {name: about["arithmetic"][name] for name in ("precision", "memory_format") if name in about["arithmetic"]}
    settings = stored.settings.model_copy(update={"max_seconds": None, **given})
    split = Split.from_dict({"held_out": about["held_out"], "messages": []}) if about["held_out"] else None
    start = _start(stored, snapshot, continue_from)
    request = make_request(snapshot, settings, start, split)
    run = TrainingRun(replace(request, end=_end_of(stored), messages=(*messages, *request.messages)))
    run.start()
    return run


def what_differs(run: StoredRun) -> list[str]:
    """Return, as sentences, why a repetition of a run may not reach the same weights; empty if it should."""
    settings, about, reasons = run.settings, run.about, list[str]()
    by_progress = settings.scheduler in ("one-cycle", "cosine", "step") or settings.progressive_resizing
    if settings.max_seconds is not None and by_progress:
        what = "tile size" if settings.scheduler in ("none", "plateau") else "learning rate"
        reasons.append(
            f"The run had a time limit of {settings.max_seconds:g} s, and its {what} followed the clock: the "
            "repetition takes the same number of steps, but cannot follow the same clock."
        )
    if about["steps"] is None:
        reasons.append("The run was written by an earlier version, which did not record its annotations and steps.")
    if about["processes"] > 1:
        reasons.append(f"The run was trained by {about['processes']} processes; the repetition is one process.")
    if about["device"] not in ("", "cpu"):
        reasons.append(
            f"The run was trained on a GPU ({about['device']}), which does not add numbers in a fixed order."
        )
    return reasons


def _end_of(run: StoredRun) -> EndPoint:
    """Return where a run ended; for a run of an earlier version, after its last epoch."""
    about = run.about
    steps = about["steps"]
    if steps is None:
        steps = sum(record["steps"] or 0 for record in run.history)
    keep = next((one for one in KEEP_CHOICES if one == about["stopped"]), None)
    return EndPoint(int(steps), len(run.history), keep)


def _start(run: StoredRun, snapshot: ProjectSnapshot, given: "Classifier | None") -> "Classifier | None":
    """Return the classifier that a run continued from, or None.

    Raises
    ------
    TrainingError
        It is neither given nor in the folder of its run, or its weights are others.
    """
    start: Mapping[str, str] | None = run.about["start"]
    if start is None:
        return None
    if given is None:
        folder = Path(run.folder).parent / start["run"]
        if not start["run"] or not (folder / "run.json").is_file():
            raise TrainingError(
                f"The run {run.id} continued from a classifier that is not in the project. Give it with continue_from."
            )
        given = read_classifier(read_run(folder), snapshot)
    network = given.network or given
    if digest_of(network.model.tensors()) != start["sha256"]:
        raise TrainingError(
            f"The run {run.id} continued from other weights than those of {start['run'] or 'the given classifier'}. "
            "Give the classifier that it continued from with continue_from."
        )
    return given

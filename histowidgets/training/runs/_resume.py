"""How a run that broke off goes on: from its last epoch, or, where that cannot be, from its best weights."""

from dataclasses import replace

import safetensors.torch
from safetensors import SafetensorError

from histowidgets.annotations import Project, ProjectSnapshot, Split, snapshot_of
from histowidgets.errors import HistowidgetsError, ReadOnlyError, TrainingError
from histowidgets.images import Normalization
from histowidgets.models import NetworkSpec, build_network
from histowidgets.prediction import Classifier, ClassifierSpec, NetworkModel
from histowidgets.training._events import Message
from histowidgets.training.checkpoint import BEST_FILE, RESUME_FILE, Checkpoint, damaged, read_checkpoint
from histowidgets.training.data import Start, TrainingRequest, make_request
from histowidgets.training.runs._run import TrainingRun
from histowidgets.training.settings import TrainingSettings
from histowidgets.training.storage import StoredRun, changes, fingerprint_of


def go_on(run: StoredRun, project: Project | ProjectSnapshot | None, settings: TrainingSettings | None) -> TrainingRun:
    """Start the thread that goes on with a run; see `resume_training`."""
    opened = None
    if project is None:
        project = opened = Project.open(run.folder.parent.parent)
    try:
        if isinstance(project, Project) and project.read_only:
            raise ReadOnlyError(
                f"Another session holds {project.folder}, and may be training there. Close it, then resume the run."
            )
        request = request_to_go_on(run, project, settings)
    finally:
        # The run works on a snapshot, which can be read without the folder's lock.
        if opened is not None:
            opened.close()
    going_on = TrainingRun(request)
    going_on.start()
    return going_on


def request_to_go_on(
    run: StoredRun, project: Project | ProjectSnapshot, settings: TrainingSettings | None
) -> TrainingRequest:
    """Make the request that goes on where a run broke off, or that trains on from what it learned."""
    snapshot = snapshot_of(project)
    path = run.folder / RESUME_FILE
    if not path.exists():
        why = f"The run {run.id} left no checkpoint to go on from"
        return _train_on(run, project, settings, why)
    checkpoint = read_checkpoint(path)
    changed = changes(checkpoint.plain, fingerprint_of(snapshot, run.settings))
    if settings is not None and settings != run.settings:
        changed.append("settings")
    if changed:
        why = f"The {' and '.join(changed)} of the run {run.id} have changed since it broke off"
        return _train_on(run, project, settings, why)
    try:
        return _unbroken(run, checkpoint, snapshot)
    except (KeyError, TypeError) as error:
        raise damaged(path, repr(error)) from error


def _unbroken(run: StoredRun, checkpoint: Checkpoint, snapshot: ProjectSnapshot) -> TrainingRequest:
    plain = checkpoint.plain
    start = Start(
        NetworkSpec.from_dict(plain["network"]),
        {name: tensor.numpy() for name, tensor in checkpoint.under("network").items()},
        Normalization.from_dict(plain["normalization"]),
        plain["weights_used"],
    )
    request = make_request(snapshot, run.settings, split=Split.from_dict(plain["split"]))
    done = len(plain["history"])
    return replace(
        request,
        run_id=run.id,
        folder=run.folder,
        start=start,
        messages=(Message("info", f"The run goes on after epoch {done} of {run.settings.epochs}."),),
        resumed=checkpoint,
    )


def _train_on(
    run: StoredRun, project: Project | ProjectSnapshot, settings: TrainingSettings | None, why: str
) -> TrainingRequest:
    snapshot = snapshot_of(project)
    classifier = classifier_of(run, snapshot)
    request = make_request(project, run.settings if settings is None else settings, classifier)
    message = Message("warning", f"{why}: a new run trains on from its best weights.")
    return replace(request, messages=(message, *request.messages))


def classifier_of(run: StoredRun, snapshot: ProjectSnapshot) -> Classifier:
    """Make a classifier of the weights that a run has kept, of any version.

    Raises
    ------
    TrainingError
        There are none yet, or they are damaged; the message names the file.
    """
    path = run.folder / BEST_FILE
    about = run.about
    try:
        network = build_network(NetworkSpec.from_dict(about["network"]), pretrained=False)
        network.load_state_dict(safetensors.torch.load_file(path))
    except FileNotFoundError:
        raise TrainingError(f"There is no {path}: no epoch of the run had ended. Start a new run.") from None
    except (SafetensorError, OSError, RuntimeError, HistowidgetsError) as error:
        raise TrainingError(f"{path} is damaged: {error}. Start a new run.") from error
    network.weights_used = str(about.get("weights", "restored"))
    image = snapshot.images[snapshot.annotated_names()[0]] if snapshot.annotated_names() else None
    if image is None:
        raise TrainingError("Nothing is painted in the project any more. Paint a few strokes, then train.")
    return Classifier(
        ClassifierSpec(
            NetworkModel(network, owned=True),
            classes=list(about["classes"]),
            colors={name: snapshot.colors.get(name, "#808080") for name in about["classes"]},
            channel_names=run.settings.channels or image.channel_names,
            normalization=Normalization.from_dict(about["normalization"]),
            pixel_size_um=image.pixel_size_um,
            downsample=run.settings.downsample,
            tile_size=run.settings.tile_size,
            settings=run.settings.model_dump(mode="json"),
            scores={} if run.best is None else {**run.best, "confusion": run.confusion},
            history=list(run.history),
            trained_on={"run": run.id, "held_out": about.get("held_out", {})},
            name=run.id,
        )
    )

"""A classifier as a folder: JSON and safetensors, written whole, and read without unpickling."""

import contextlib
import glob
import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Mapping
from importlib import metadata
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from histowidgets._io import as_path
from histowidgets.errors import ClassifierError, ImageError
from histowidgets.images import Normalization
from histowidgets.prediction._classifier import Classifier
from histowidgets.prediction._classifier_files import described
from histowidgets.prediction.pixel_models import restored_model
from histowidgets.prediction.storage._migrations import MIGRATIONS, migrated

VERSION = 1
FORMAT = "histowidgets classifier"
CARD, WEIGHTS = "classifier.json", "model.safetensors"


def save_classifier(classifier: Classifier, folder: str | PathLike[str]) -> None:
    """Write a classifier; see `Classifier.save`."""
    target = as_path(folder, ClassifierError).absolute()
    try:
        _require_replaceable(target)
    except OSError as error:
        raise _cannot_write(target, error) from error
    tensors = {name: np.ascontiguousarray(value) for name, value in classifier.model.tensors().items()}
    weights = save_tensors(tensors)
    card = json.dumps(_card(classifier, hashlib.sha256(weights).hexdigest()), indent=1, ensure_ascii=False)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise _cannot_write(target, error) from error
    try:
        _write(beside / WEIGHTS, weights)
        _write(beside / CARD, card.encode(errors="backslashreplace"))  # half a character becomes its JSON escape
        beside.chmod(0o755)  # mkdtemp's folders are for their owner alone
        _replace(beside, target)
    except OSError as error:
        raise _cannot_write(target, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def load_classifier(folder: str | PathLike[str]) -> Classifier:
    """Load a classifier; see `Classifier.load`."""
    source = as_path(folder, ClassifierError).absolute()
    _put_back(source)
    card = _read_card(source / CARD)
    weights = _read_weights(source / WEIGHTS, card)
    try:
        model = restored_model(str(card["kind"]), card["model"], weights)
        return Classifier(
            model,
            classes=card["classes"],
            colors=card["colors"],
            channel_names=card["channel_names"],
            normalization=Normalization.from_dict(card["normalization"]),
            pixel_size_um=card["pixel_size_um"],
            downsample=card["downsample"],
            tile_size=card["tile_size"],
            settings=card["settings"],
            scores=card["scores"],
            history=card["history"],
            trained_on=card["trained_on"],
            name=card["name"],
        )
    except KeyError as error:
        raise _damaged(source / CARD, f"{error} is missing") from error
    except (ClassifierError, ImageError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(source / CARD, str(error)) from error


def _card(classifier: Classifier, digest: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "kind": classifier.kind,
        **described(classifier),
        "model": classifier.model.spec(),
        "weights": {"file": WEIGHTS, "sha256": digest},
        "settings": classifier.settings,
        "scores": classifier.scores,
        "history": classifier.history,
        "trained_on": classifier.trained_on,
        "versions": _versions(),
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("histowidgets", "numpy", "torch", "timm", "segmentation-models-pytorch"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _require_replaceable(target: Path) -> None:
    """Refuse to replace what is no classifier folder."""
    if not target.exists():
        return
    if not target.is_dir():
        raise ClassifierError(f"{target} is a file; a classifier needs a folder. Give another name.")
    foreign = sorted(p.name for p in target.iterdir() if p.name not in (CARD, WEIGHTS))
    if foreign:
        raise ClassifierError(
            f"{target} holds other files ({foreign[0]}{', …' if len(foreign) > 1 else ''}), which saving would "
            "delete. Give a folder of its own."
        )


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _replace(beside: Path, target: Path) -> None:
    """Put a finished folder in the place of an earlier one."""
    if not target.exists():
        beside.rename(target)
        return
    old = beside.with_name(beside.name + "-old")
    target.rename(old)
    try:
        beside.rename(target)
    except BaseException:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _put_back(target: Path) -> None:
    """Restore an earlier folder whose process was killed between the two renames of `_replace`."""
    with contextlib.suppress(OSError):
        if not target.exists():
            for old in target.parent.glob(f".{glob.escape(target.name)}-*-old"):
                old.rename(target)


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ClassifierError(
            f"There is no {path}. Give the folder that Classifier.save wrote: it holds {CARD} and {WEIGHTS}."
        ) from None
    except OSError as error:
        raise ClassifierError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"it is no JSON: {error}") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise _damaged(path, f"it does not say that its format is {FORMAT!r}")
    version = card.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < min(MIGRATIONS):
        raise _damaged(path, f"its version is {version!r}")
    if version > VERSION:
        raise ClassifierError(
            f"{path} has version {version}, this program reads up to {VERSION}. Update histowidgets: "
            f"it was written by {card.get('versions', {}).get('histowidgets', 'a newer one')}."
        )
    try:
        return migrated(card, VERSION)
    except KeyError as error:
        raise _damaged(path, f"{error} is missing") from error
    except (TypeError, ValueError) as error:
        raise _damaged(path, str(error)) from error


def _read_weights(path: Path, card: Mapping[str, Any]) -> dict[str, np.ndarray]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ClassifierError(f"There is no {path}; the folder is not complete. Copy or save it again.") from None
    except OSError as error:
        raise ClassifierError(f"{path} cannot be read: {error.strerror or error}.") from error
    recorded = card.get("weights", {})
    digest = hashlib.sha256(content).hexdigest()
    if not isinstance(recorded, Mapping) or digest != recorded.get("sha256"):
        raise _damaged(path, f"its SHA-256 is not the one recorded in {CARD}")
    try:
        tensors: dict[str, np.ndarray] = load_tensors(content)
    except SafetensorError as error:
        raise _damaged(path, str(error)) from error
    return tensors


def _damaged(path: Path, why: str) -> ClassifierError:
    return ClassifierError(f"{path} is damaged: {why}. Copy or save the classifier again.")


def _cannot_write(target: Path, error: OSError) -> ClassifierError:
    return ClassifierError(
        f"{target} cannot be written: {error.strerror or error}. Free some space, or choose a folder that you may "
        "write to."
    )

"""Store a classifier as a folder of JSON and safetensors, written atomically and read without unpickling."""

import contextlib
import glob
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from histowidgets._checks import first_problem
from histowidgets._io import FREE_SPACE, as_path
from histowidgets._versions import versions
from histowidgets.errors import ClassifierError
from histowidgets.prediction._spec import ClassifierSpec, Description
from histowidgets.prediction.pixel_models import restored_model

VERSION = 1
FORMAT = "histowidgets classifier"
CARD, WEIGHTS = "classifier.json", "model.safetensors"


class FolderCard(Description):
    """The content of ``classifier.json`` in its newest version, validated.

    Attributes
    ----------
    kind : str
        Kind of the model; see `restored_model`.
    model : dict
        The values of `PixelModel.spec`.
    settings, scores, history, trained_on
        Those of `ClassifierSpec`.
    """

    kind: str
    model: dict[str, Any]
    settings: dict[str, Any]
    scores: dict[str, Any]
    history: list[dict[str, Any]]
    trained_on: dict[str, Any]


def write_folder(spec: ClassifierSpec, folder: str | PathLike[str]) -> None:
    """Write a classifier; see `Classifier.save`."""
    target = as_path(folder, ClassifierError).absolute()
    try:
        _require_replaceable(target)
    except OSError as error:
        raise _cannot_write(target, error) from error
    tensors = {name: np.ascontiguousarray(value) for name, value in spec.model.tensors().items()}
    weights = save_tensors(tensors)
    card = json.dumps(_card(spec, hashlib.sha256(weights).hexdigest()), indent=1, ensure_ascii=False)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise _cannot_write(target, error) from error
    try:
        _write(beside / WEIGHTS, weights)
        _write(beside / CARD, card.encode(errors="backslashreplace"))  # unpaired surrogates become JSON escapes
        beside.chmod(0o755)  # mkdtemp makes folders that only their owner can open
        _replace(beside, target)
    except OSError as error:
        raise _cannot_write(target, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def read_folder(folder: str | PathLike[str]) -> ClassifierSpec:
    """Read a classifier; see `Classifier.load`."""
    source = as_path(folder, ClassifierError).absolute()
    _put_back(source)
    values = _read_card(source / CARD)
    return described_spec(values, _read_weights(source / WEIGHTS, values), source / CARD)


def described_spec(values: Mapping[str, Any], weights: Mapping[str, np.ndarray], path: Path) -> ClassifierSpec:
    """Make a spec from the values of a card, read from `path`, and the tensors of the model.

    Raises
    ------
    ClassifierError
        If they are damaged, or do not fit together.
    """
    try:
        card = FolderCard.model_validate(values)
        return ClassifierSpec(
            restored_model(card.kind, card.model, weights),
            **card.parts(),
            settings=card.settings,
            scores=card.scores,
            history=card.history,
            trained_on=card.trained_on,
        )
    except ValidationError as error:
        raise _damaged(path, first_problem(error)) from error
    except KeyError as error:  # an entry that this kind of model needs
        raise _damaged(path, f"{error} is missing") from error
    except (ClassifierError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(path, str(error)) from error


def _card(spec: ClassifierSpec, digest: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "kind": spec.kind,
        **spec.described(),
        "model": spec.model.spec(),
        "weights": {"file": WEIGHTS, "sha256": digest},
        "settings": spec.settings,
        "scores": spec.scores,
        "history": spec.history,
        "trained_on": spec.trained_on,
        "versions": versions(),
    }


def _require_replaceable(target: Path) -> None:
    """Raise ClassifierError if `target` is anything but the folder of a classifier."""
    if not target.exists():
        return
    if not target.is_dir():
        raise ClassifierError(f"{target} is a file; a classifier needs a folder. Give another name.")
    foreign = sorted(p.name for p in target.iterdir() if p.name not in (CARD, WEIGHTS))
    if foreign:
        raise ClassifierError(
            f"{target} holds other files ({foreign[0]}{', …' if len(foreign) > 1 else ''}), which saving would "
            "delete. Give another folder."
        )


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _replace(beside: Path, target: Path) -> None:
    """Move a finished folder to the place of an earlier one."""
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
    """Restore an earlier folder if the process was killed between the two renames of `_replace`."""
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
        raise _damaged(path, f"it is not JSON: {error}") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise _damaged(path, f"it does not say that its format is {FORMAT!r}")
    version = card.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < min(MIGRATIONS):
        raise _damaged(path, f"its version is {version!r}")
    if version > VERSION:
        raise ClassifierError(
            f"{path} has version {version}, but this program reads only up to {VERSION}. Update histowidgets: the file "
            f"was written by version {card.get('versions', {}).get('histowidgets', 'unknown')}."
        )
    try:
        return _migrated(card)
    except KeyError as error:
        raise _damaged(path, f"{error} is missing") from error
    except (TypeError, ValueError) as error:
        raise _damaged(path, str(error)) from error


def _from_0(card: dict[str, Any]) -> dict[str, Any]:
    """Convert version 0, before the first release: networks only, colours in the order of the classes, no history."""
    newer = {"kind": "network", "history": [], "trained_on": {}, "pixel_size_um": None, **card}
    colors = card["colors"]
    if not isinstance(colors, Mapping):
        newer["colors"] = dict(zip(card["classes"], colors, strict=True))
    return newer


#: Maps each version of the card to its migration to the next one. Raising `VERSION` requires a new step here, and a
#: test.
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {0: _from_0}


def _migrated(card: dict[str, Any]) -> dict[str, Any]:
    """Migrate a card of an older version to `VERSION`; the file on disk is not changed.

    Raises
    ------
    KeyError, TypeError, ValueError
        The card lacks an entry of its version.
    """
    while card["version"] < VERSION:
        card = {**MIGRATIONS[card["version"]](card), "version": card["version"] + 1}
    return card


def _read_weights(path: Path, card: Mapping[str, Any]) -> dict[str, np.ndarray]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ClassifierError(f"{path} is missing: the folder is not complete. Copy or save it again.") from None
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
    return ClassifierError(f"{target} cannot be written: {error.strerror or error}. {FREE_SPACE}")

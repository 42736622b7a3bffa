"""Files of every mixture of kinds hold the pixels that an independent reader finds in them.

20,000 of them: ``HISTOWIDGETS_CASES=10000 python -m pytest -n 0 tests/fuzz/test_mixtures.py``.
"""

import os
import warnings

import numpy as np
import pytest

from histowidgets.annotations import Project
from histowidgets.images import open_image
from histowidgets.images.readers import _tiff
from tests.fuzz import case
from tests.fuzz.conftest import MANY
from tests.fuzz.mixtures import mixture

#: Other seeds are drawn where more cases are asked for.
FIRST = int(os.environ.get("HISTOWIDGETS_FIRST", "0"))
#: One of so many is put into a project, which is closed and opened again.
IN_A_PROJECT = 12


def differences(found, expected, tolerance):
    """Say how pixels differ; "" if they do not."""
    if found.shape != expected.shape:
        return f"shape {found.shape} and not {expected.shape}"
    if found.dtype != expected.dtype:
        return f"dtype {found.dtype} and not {expected.dtype}"
    off = np.abs(found.astype(np.float64) - expected.astype(np.float64))
    return f"off by {off.max():g} in {(off > tolerance).mean():.1%}" if (off > tolerance).any() else ""


def problems(seed, folder):
    """Return what is wrong with the mixture of a seed, and what it is; "" if nothing is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one, rng = mixture(seed, folder)
        _tiff.EAGER_BYTES = 0 if rng.random() < 0.7 else 32 << 20
        image = open_image(one.path, **one.chosen)
        height, width = one.pixels.shape[:2]
        if (image.width, image.height) != (width, height):
            return f"{image.width} x {image.height} and not {width} x {height}", one
        said = differences(image.read(0, 0, width, height), one.pixels, one.tolerance)
        if said:
            return f"whole: {said}", one
        x, y = int(rng.integers(width)), int(rng.integers(height))
        w, h = int(rng.integers(1, width - x + 1)), int(rng.integers(1, height - y + 1))
        said = differences(image.read(x, y, w, h), one.pixels[y : y + h, x : x + w], one.tolerance)
        if said:
            return f"part {x, y, w, h}: {said}", one
        if seed % IN_A_PROJECT == 0:
            project = Project(["a"], folder=folder / "project")
            name = project.add_image(image)
            project.close()
            project = Project.open(folder / "project")
            said = differences(project.image(name).read(0, 0, width, height), one.pixels, one.tolerance)
            project.close()
        return (f"reopened: {said}" if said else ""), one


@pytest.mark.parametrize("share", range(4))
def test_mixtures_hold_what_an_independent_reader_finds(tmp_path, monkeypatch, share):
    monkeypatch.setattr(_tiff, "EAGER_BYTES", _tiff.EAGER_BYTES)
    wrong = []
    for number in range(share, 2 * MANY, 4):
        seed = FIRST + number
        folder = tmp_path / str(number)
        folder.mkdir()
        with case.a_case("mixtures", inside=folder):
            try:
                said, one = problems(seed, folder)
            except Exception as error:  # noqa: BLE001 - reported with its seed
                said, one = f"{type(error).__name__}: {error}", mixture(seed, folder)[0]
        if said:
            wrong.append(f"seed {seed}: {said} [{one.words}]")
        for file in sorted(folder.rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()
    assert not wrong, f"{len(wrong)} wrong:\n" + "\n".join(wrong[:20])

"""A disk that is full, a folder that may no longer be read, and small things to lose."""

import contextlib
import os
import resource
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

from histowidgets.images import open_image
from histowidgets.prediction import Prediction
from tests.prediction.models import BrightnessModel, brightness_classifier

NOBODY = 65534


class Tmpfs:
    """A disk of four megabytes."""

    def __init__(self, path):
        self.path = path
        self._filler = path / "filler"

    @contextlib.contextmanager
    def full(self):
        """Fill what is left, byte by byte in the end."""
        with self._filler.open("wb", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while file.write(b"x" * size) == size:
                        pass
        try:
            yield
        finally:
            self._filler.unlink()


class Limited:
    """A folder in which, when it is full, no file can grow: what is left where nothing may be mounted."""

    def __init__(self, path):
        self.path = path

    @contextlib.contextmanager
    def full(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(params=["tmpfs", "limit"])
def disk(request, tmp_path):
    """A disk that can be filled: ``with disk.full(): ...``; `disk.path` lies on it."""
    if request.param == "limit":
        yield Limited(tmp_path)
        return
    path = tmp_path / "disk"
    path.mkdir()
    mounted = os.geteuid() == 0 and shutil.which("mount")
    if not mounted or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", path], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        yield Tmpfs(path)
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


class Guarded:
    """A folder whose permissions can be taken away."""

    def __init__(self, path):
        self.path = path

    @contextlib.contextmanager
    def closed(self, mode=0o000):
        """Take the rights; root, who needs none, becomes nobody for that time."""
        self.path.chmod(mode)
        root = os.geteuid() == 0
        if root:
            os.seteuid(NOBODY)
        try:
            yield
        finally:
            if root:
                os.seteuid(0)
            self.path.chmod(0o755)


@pytest.fixture
def guarded():
    """A folder that may stop being ours: ``with guarded.closed(): ...``."""
    outer = Path(tempfile.mkdtemp(prefix="histowidgets-guarded-"))
    outer.chmod(0o755)
    (outer / "inner").mkdir()
    try:
        yield Guarded(outer / "inner")
    finally:
        shutil.rmtree(outer)


def halves(side=96, name="halves"):
    """Dark on the left, bright on the right."""
    pixels = np.full((side, side, 3), 40, np.uint8)
    pixels[:, side // 2 :] = 200
    return open_image(pixels, name=name)


class HeavyModel(BrightnessModel):
    """A model with weights to save: a megabyte of noise."""

    def tensors(self):
        return {"noise": np.random.default_rng(0).random((512, 256))}


def heavy_classifier():
    return brightness_classifier(halves(), HeavyModel())


def noise_prediction(side=700):
    """A prediction whose files take 60 kB and more."""
    labels = np.random.default_rng(0).integers(0, 2, (side, side)).astype(np.uint8)
    return Prediction(
        None,
        classes=["A", "B"],
        colors=["#d55e00", "#0072b2"],
        region=(0, 0, side, side),
        pixel_size_um=0.5,
        image_name="noise",
        labels=labels,
    )


def contents(folder):
    """Every file below a folder, with its bytes."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}

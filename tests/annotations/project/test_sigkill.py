"""Killing the process at any moment loses no edit that was confirmed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from histowidgets.annotations import Project
from tests.annotations.conftest import CLASSES, blank
from tests.annotations.project import sigkill_child

CHILD = Path(sigkill_child.__file__)


def reopened(folder):
    """What a project folder holds now, as `on_disk` says it; all its images can be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whether a line was torn is up to the moment
        project = Project.open(folder)
    assert not project.read_only
    for name in project.image_names:
        image = project.image(name)
        assert image.read(0, 0, image.width, image.height).shape[:2] == (image.height, image.width)
    found = sigkill_child.on_disk(project)
    project.close()
    return found


def cut_to(folder, n_edits, n_images):
    """Put a folder back to so many edits and images."""
    description = json.loads((folder / "project.json").read_text())
    description["images"] = description["images"][:n_images]
    (folder / "project.json").write_text(json.dumps(description))
    lines = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "journal.jsonl").write_bytes(b"".join(lines[:n_edits]))
    return folder


def kill_at_a_random_moment(process, folder, seed):
    """Let a child edit, kill it; return what it had confirmed."""
    rng = np.random.default_rng(seed)
    process.stdin.write(f"{seed} {folder}\n")
    process.stdin.flush()
    child = int(process.stdout.readline())
    confirmed = [process.stdout.readline() for _ in range(rng.integers(0, 25))]
    time.sleep(rng.uniform(0, 0.03))  # not to wait for anything: the moment must have nothing to do with the edits
    os.kill(child, signal.SIGKILL)
    while not (line := process.stdout.readline()).startswith("gone"):
        confirmed.append(line)
    assert line == f"gone {int(signal.SIGKILL)}\n"
    return [tuple(map(int, line.split())) for line in confirmed]


@pytest.mark.parametrize("rounds", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_sigkill_loses_nothing_that_was_confirmed(tmp_path, rounds):
    folder = tmp_path / "project"
    project = Project(CLASSES, folder)
    project.add_image(blank(90, 90))
    project.close()
    known = reopened(folder)
    with subprocess.Popen(
        [sys.executable, str(CHILD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        for seed in range(rounds):
            confirmed = kill_at_a_random_moment(process, folder, seed)
            if confirmed:
                assert sum(confirmed[-1][:2]) == sum(known[:2]) + len(confirmed)
                known = confirmed[-1]
            now = reopened(folder)
            if now != known:  # one step is on disk that was killed before it could be confirmed
                assert sum(now[:2]) == sum(known[:2]) + 1
                copy = shutil.copytree(folder, tmp_path / "copy", dirs_exist_ok=True)
                assert reopened(cut_to(copy, *known[:2])) == known
            known = now
        process.stdin.close()
    assert known[0] > rounds

"""Two processes that torchrun starts learn what one does."""

import csv
import json
import os
import subprocess
import sys

import pytest

from histowidgets.cli import main
from histowidgets.errors import SettingsError
from histowidgets.training.loop._distributed import ProcessGroup, process_number
from tests.training.helpers import QUICK, painted

# The decoder of an FPN has group norm, which knows one tile at a time, and the frozen encoder keeps its statistics:
# the statistics of batch norm would be those of a process's own tiles. Its dropout is put out, for each process would
# drop others. Cross-entropy is a mean over pixels; Dice would be one over each process's tiles.
EQUAL = {
    **QUICK,
    "architecture": "fpn",
    "decoder": "full",
    "freeze": "encoder",
    "adapt_norm": False,
    "loss": "ce",
    "batch_size": 4,
    "steps_per_epoch": 3,
    "gradient_clip": 1.0,
    "stain_jitter": 0.3,
    "consistency": 0.0,
    "class_weights": {"Dark": 3.0},
}
START = """
import sys
import torch
torch.nn.functional.dropout2d = lambda x, *arguments, **others: x
from histowidgets.cli import main
sys.exit(main(sys.argv[1:]))
"""


def history(folder):
    (run,) = (folder / "runs").iterdir()
    with (run / "history.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def trained(folder, processes, settings, *more):
    painted(folder=folder / "project").close()
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "start.py").write_text(START)
    launch = [sys.executable]
    if processes > 1:
        launch += ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command = ["train", str(folder / "project"), "--settings", str(folder / "settings.json"), *more]
    return subprocess.run(
        [*launch, str(folder / "start.py"), *command],
        capture_output=True,
        text=True,
        timeout=180,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.slow
@pytest.mark.parametrize("accumulation", [2])
def test_two_processes_have_the_losses_of_one_with_the_same_batch(tmp_path, accumulation):
    runs = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        folder.mkdir()
        out = folder / "classifier"
        done = trained(folder, processes, EQUAL | {"accumulation": accumulation}, "-o", str(out))
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("saved") == 1
        assert done.stderr.count("epoch 2/2") == 1
        assert (out / "model.safetensors").exists()
        runs.append(history(folder / "project"))
    one, two = runs
    assert len(one) == len(two) == 2
    for mine, other in zip(one, two, strict=True):
        for name in ("train_loss", "val_loss", "train_miou", "val_miou", "iou_Dark", "learning_rate"):
            assert mine[name] == pytest.approx(other[name], abs=1e-4), name


@pytest.mark.slow
def test_what_the_first_process_refuses_ends_all(tmp_path):
    done = trained(tmp_path, 2, EQUAL | {"batch_size": 1})
    assert done.returncode != 0
    assert "batch_size is 1, but each batch is shared by 2 processes" in done.stderr


def test_alone_there_is_nothing_to_share():
    group = ProcessGroup()
    assert (group.rank, group.size) == (0, 1)
    assert group.sums(2.0, 3.0) == [2.0, 3.0]
    assert group.broadcast(1.0) == [1.0]
    assert group.share_of([1, 2, 3]) == [1, 2, 3]
    assert group.first_then_others(lambda: "done") == "done"


def test_shares_are_equally_many_and_cover_all():
    shares = [ProcessGroup(rank, 3).share_of(list(range(7))) for rank in range(3)]
    assert {len(share) for share in shares} == {3}
    assert sorted(batch for share in shares for batch in share if batch is not None) == list(range(7))


def test_a_batch_that_is_too_small_to_share_is_refused():
    with pytest.raises(
        SettingsError, match=r"batch_size is 2, but each batch is shared by 8 processes.*Use a batch_size of 8"
    ):
        ProcessGroup(0, 8).check_batch_size(2)


def test_torchrun_is_known_by_its_environment(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("RANK", raising=False)
    assert process_number() == (0, 1)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert process_number() == (1, 4)
    monkeypatch.setenv("WORLD_SIZE", "1")
    # One process under torchrun needs no others.
    assert main(["train", str(tmp_path / "none")]) == 2
    assert "none" in capsys.readouterr().err

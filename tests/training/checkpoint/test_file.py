"""A checkpoint is a safetensors file with a checksum."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from histowidgets.errors import TrainingError
from histowidgets.training.checkpoint import Checkpoint, read_checkpoint, read_header, write_resume


def test_a_checkpoint_comes_back_as_it_was_written(tmp_path):
    weight = torch.arange(6.0).reshape(2, 3)
    tensors = {"network/a": weight, "network/b": weight, "ema/weights/0": weight.t(), "ema/steps": torch.tensor(7)}
    plain = {"history": [{"epoch": 1}], "parts": {"ema": {"count": 3}}}
    write_resume(tmp_path / "resume.safetensors", Checkpoint(tensors, plain))
    found = read_checkpoint(tmp_path / "resume.safetensors")
    assert found.plain == plain
    assert all(torch.equal(found.tensors[name], value) for name, value in tensors.items())
    assert set(found.under("network")) == {"a", "b"}
    part = found.part("ema")
    assert (part["count"], part["steps"]) == (3, torch.tensor(7))
    assert torch.equal(part["weights"]["0"], weight.t())
    assert found.plain == plain, "a part is a copy"


def test_a_checkpoint_whose_numbers_changed_is_refused(tmp_path):
    path = tmp_path / "resume.safetensors"
    write_resume(path, Checkpoint({"network/a": torch.zeros(3)}, {}))
    _, checksum = read_header(path)
    header = {"format": "histowidgets run", "version": "1", "checksum": checksum, "state": "{}"}
    save_file({name: value + 1 for name, value in load_file(path).items()}, path, header)
    with pytest.raises(TrainingError, match=r"resume\.safetensors is damaged: its checksum"):
        read_checkpoint(path)

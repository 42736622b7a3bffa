"""The quickest compute format is found by timing, and the timing changes nothing else."""

import copy
import json

import pytest
import torch

from histowidgets.models import ComputeFormat, NetworkSpec, apply_freeze, build_network
from histowidgets.training import Message, RunStarted, train
from histowidgets.training.loop import ComputeContext, Loss, compute_formats
from histowidgets.training.loop import _autotune as speed
from tests.training.helpers import painted, quick, training_tiles

CPU = torch.device("cpu")
CONTIGUOUS, LAST = ComputeFormat("fp32", "contiguous"), ComputeFormat("fp32", "channels_last")
FREE = {"precision": "fp32", "memory_format": "auto"}


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    monkeypatch.setattr(speed, "_known", {})


@pytest.fixture
def measured_at(monkeypatch):
    """Take these for the seconds of a step; return what was asked for."""

    def take(seconds):
        asked = []

        def look_up(probe, compute_format):
            asked.append(compute_format)
            return seconds[compute_format]

        monkeypatch.setattr(speed._Probe, "seconds", look_up)
        return asked

    return take


def network():
    built = build_network(NetworkSpec(decoder_channels=(16, 8, 8, 8), output_stride=2), pretrained=False, seed=0)
    apply_freeze(built, "encoder", adapt_norm=True)
    return built.train()


def find(settings, used=None, draw=None, steps=5000):
    """Ask for the quickest format as a run with these settings does."""
    return speed.find_compute_format(
        used or network(),
        compute_formats(settings.precision, settings.memory_format, CPU),
        CPU,
        Loss(settings.loss, [1.0, 1.0], CPU),
        draw or training_tiles(settings).sample,
        batch_shape=(settings.batch_size, settings.tile_size),
        steps=steps,
        max_seconds=settings.max_seconds,
    )


def test_timing_changes_neither_network_nor_tiles_nor_random_numbers(monkeypatch):
    monkeypatch.setattr(speed, "PROBE_SECONDS", 100.0)  # however busy the machine is
    monkeypatch.setattr(speed, "PROBE_SHARE", 1.0)
    settings = quick(**FREE, stain_jitter=0.3)
    drawn, untouched = training_tiles(settings), training_tiles(settings)
    drawn.draw(), untouched.draw()
    used = network()
    before = copy.deepcopy(used.state_dict())
    modes = [module.training for module in used.modules()]
    strides = [p.stride() for p in used.parameters()]
    random = torch.get_rng_state()
    found = find(settings, used, drawn.sample)
    assert set(found.seconds) == {CONTIGUOUS, LAST}
    assert all(torch.equal(value, before[name]) for name, value in used.state_dict().items())
    assert all(p.grad is None for p in used.parameters())
    assert [module.training for module in used.modules()] == modes
    assert [p.stride() for p in used.parameters()] == strides
    assert torch.equal(torch.get_rng_state(), random)
    for _ in range(2):
        one, other = drawn.draw(), untouched.draw()
        assert torch.equal(one.pixels, other.pixels)
        assert torch.equal(one.labels, other.labels)


def test_a_candidate_that_is_clearly_behind_costs_no_more_time(measured_at):
    settings = quick(**FREE)
    asked = measured_at({CONTIGUOUS: 0.015, LAST: 0.01})
    assert find(settings).compute_format == LAST
    assert asked == [LAST, CONTIGUOUS] * 2 or asked == [CONTIGUOUS, LAST] * 2
    speed._known.clear()
    asked = measured_at({CONTIGUOUS: 0.011, LAST: 0.01})
    find(settings)
    assert len(asked) == 8


@pytest.mark.parametrize(
    ("contiguous", "last", "wanted"),
    [(0.01, 0.02, CONTIGUOUS), (0.01, 0.005, LAST), (0.01, 0.0098, CONTIGUOUS)],
)
def test_the_quickest_is_taken_unless_it_is_a_near_tie(measured_at, contiguous, last, wanted):
    measured_at({CONTIGUOUS: contiguous, LAST: last})
    settings = quick(**FREE)
    assert find(settings).compute_format == wanted


def test_timing_is_skipped_where_it_does_not_pay_and_done_once(measured_at):
    asked = measured_at({CONTIGUOUS: 0.01, LAST: 0.012})
    settings, net = quick(**FREE), network()
    sample = training_tiles(settings).sample
    fixed = quick(precision="fp32", memory_format="channels_last")
    assert find(fixed, net, sample, steps=5000) is None
    assert find(settings, net, sample, steps=20) is None
    assert asked == []
    first = find(settings, net, sample, steps=5000)
    assert find(settings, net, sample, steps=5000) is first
    assert asked == [CONTIGUOUS, LAST] * 4, "in turn, so that a machine that slows down slows all"
    find(quick(**FREE, tile_size=96), net, sample, steps=5000)
    assert len(asked) == 16, "another tile size is timed by itself"


def test_timing_ends_when_its_share_of_the_run_is_used_up(measured_at):
    asked = measured_at({CONTIGUOUS: 1.0, LAST: 0.5})
    settings = quick(**FREE, max_seconds=60)
    assert find(settings) is None
    assert asked == [CONTIGUOUS], "another step would take longer than 3 % of a minute"


@pytest.mark.parametrize(("slow", "wanted"), [(LAST, CONTIGUOUS), (CONTIGUOUS, LAST)])
def test_one_that_is_slow_by_far_is_tried_once(measured_at, slow, wanted):
    asked = measured_at({CONTIGUOUS: 0.01, LAST: 0.01} | {slow: 0.12})
    settings = quick(**FREE)
    assert find(settings).compute_format == wanted
    assert asked.count(slow) == 1


def test_what_this_device_cannot_compute_is_no_candidate(monkeypatch):
    real = speed._Probe.seconds

    def fail(probe, compute_format):
        if compute_format == LAST:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(probe, compute_format)

    monkeypatch.setattr(speed._Probe, "seconds", fail)
    settings = quick(**FREE)
    assert find(settings) is None


@pytest.mark.parametrize("fixed", [CONTIGUOUS, LAST])
def test_a_run_that_measured_equals_one_that_was_told(measured_at, monkeypatch, fixed, tmp_path):
    monkeypatch.setattr(speed, "PROBE_FROM_STEPS", 1)
    measured_at({CONTIGUOUS: 1e-3, LAST: 1e-3} | {fixed: 1e-4})
    monkeypatch.setattr(speed, "PROBE_SHARE", 1000.0)
    project = painted(folder=tmp_path / "project")
    measured = train(project, quick(**FREE))
    told = train(project, quick(precision="fp32", memory_format=fixed.memory_format))
    for one, other in zip(measured.history, told.history, strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}
    started = next(event for event in measured.events if isinstance(event, RunStarted))
    assert started.compute_format == str(fixed)
    assert any(isinstance(e, Message) and f"Computes in {fixed}" in e.text for e in measured.events)
    about = json.loads((tmp_path / "project" / "runs" / measured.id / "run.json").read_text())
    assert ComputeFormat(**about["arithmetic"]) == fixed


def test_settings_leave_a_choice_or_none():
    assert compute_formats("bf16", "contiguous", CPU) == [ComputeFormat("bf16", "contiguous")]
    assert set(compute_formats("fp32", "auto", CPU)) == {CONTIGUOUS, LAST}
    offered = compute_formats("auto", "auto", CPU)
    assert {CONTIGUOUS, LAST} <= set(offered)
    assert all(one.precision != "fp16" for one in offered), "a processor is slow in it"


def test_fp16_trains_with_scaled_gradients():
    run = train(painted(), quick(precision="fp16", learning_rate=0.01))
    assert run.state == "finished"
    compute = ComputeContext(CPU, ComputeFormat("fp16", "contiguous"), seed=0)
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([weight], 1.0)
    # In fp16 this gradient alone would be 0.
    compute.backward((weight * 1e-6).sum())
    assert weight.grad.min() > 1e-3
    compute.step(optimizer, max_norm=1.0)
    assert torch.allclose(1 - weight.detach(), torch.full((2,), 1e-6), rtol=0.1)


@pytest.mark.parametrize(("freeze", "first_kept"), [("encoder", None), ("early", "block3"), ("none", "stem")])
def test_n15_nothing_is_kept_of_frozen_stages_for_the_way_back(freeze, first_kept):
    net = build_network(NetworkSpec(backbone="resnet18"), pretrained=False, seed=0)
    apply_freeze(net, freeze, adapt_norm=True)
    net.train()
    features = net.encoder(torch.rand(2, 3, 64, 64))[1:]
    names = ["stem", "block1", "block2", "block3", "block4"]
    traced = [name for name, feature in zip(names, features, strict=True) if feature.requires_grad]
    assert traced == ([] if first_kept is None else names[names.index(first_kept) :])

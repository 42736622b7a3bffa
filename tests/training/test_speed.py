"""Which arithmetic is quickest is found by timing, and the timing changes nothing but that."""

import copy
import json

import pytest
import torch

from histowidgets.models import NetworkSpec, apply_freeze, build_network
from histowidgets.training import Message, RunStarted, TrainingSettings, train
from histowidgets.training.data._request import make_request
from histowidgets.training.data._tiles import TrainingTiles
from histowidgets.training.loop import _autotune as speed
from histowidgets.training.loop._compute import Arithmetic, Choice, choices
from histowidgets.training.loop._setup import fitted_normalization
from tests.training.helpers import painted, quick

CPU = torch.device("cpu")
CONTIGUOUS, LAST = Choice("fp32", "contiguous"), Choice("fp32", "channels_last")
FREE = {"precision": "fp32", "memory_format": "auto"}


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    monkeypatch.setattr(speed, "_known", {})


@pytest.fixture
def measured_at(monkeypatch):
    """Take these for the seconds of a step; return what was asked for."""

    def take(seconds):
        asked = []

        def look_up(arithmetic, trial, batch, loss):
            asked.append(arithmetic.choice)
            return seconds[arithmetic.choice]

        monkeypatch.setattr(speed, "_seconds_a_step", look_up)
        return asked

    return take


def network():
    built = build_network(NetworkSpec(decoder_channels=(16, 8, 8, 8), output_stride=2), pretrained=False, seed=0)
    apply_freeze(built, "encoder", adapt_norm=True)
    return built.train()


def tiles(settings):
    request = make_request(painted(), settings)
    return TrainingTiles(request.placement, request.snapshot, fitted_normalization(request), settings)


def test_timing_changes_neither_network_nor_tiles_nor_random_numbers(monkeypatch):
    monkeypatch.setattr(speed, "PROBE_SECONDS", 100.0)  # however busy the machine is
    monkeypatch.setattr(speed, "PROBE_SHARE", 1.0)
    settings = quick(**FREE, stain_jitter=0.3)
    drawn, untouched = tiles(settings), tiles(settings)
    drawn.draw(), untouched.draw()
    used = network()
    before = copy.deepcopy(used.state_dict())
    modes = [module.training for module in used.modules()]
    strides = [p.stride() for p in used.parameters()]
    random = torch.get_rng_state()
    found = speed.find_arithmetic(settings, used, drawn.sample, 2, steps=5000)
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
    assert speed.find_arithmetic(settings, network(), tiles(settings).sample, 2, steps=5000).choice == LAST
    assert asked == [LAST, CONTIGUOUS] * 2 or asked == [CONTIGUOUS, LAST] * 2
    speed._known.clear()
    asked = measured_at({CONTIGUOUS: 0.011, LAST: 0.01})
    speed.find_arithmetic(settings, network(), tiles(settings).sample, 2, steps=5000)
    assert len(asked) == 8


@pytest.mark.parametrize(
    ("contiguous", "last", "wanted"),
    [(0.01, 0.02, CONTIGUOUS), (0.01, 0.005, LAST), (0.01, 0.0098, CONTIGUOUS)],
)
def test_the_quickest_is_taken_unless_it_is_a_near_tie(measured_at, contiguous, last, wanted):
    measured_at({CONTIGUOUS: contiguous, LAST: last})
    settings = quick(**FREE)
    assert speed.find_arithmetic(settings, network(), tiles(settings).sample, 2, steps=5000).choice == wanted


def test_timing_is_skipped_where_it_does_not_pay_and_done_once(measured_at):
    asked = measured_at({CONTIGUOUS: 0.01, LAST: 0.012})
    settings, net = quick(**FREE), network()
    sample = tiles(settings).sample
    fixed = quick(precision="fp32", memory_format="channels_last")
    assert speed.find_arithmetic(fixed, net, sample, 2, steps=5000) is None
    assert speed.find_arithmetic(settings, net, sample, 2, steps=20) is None
    assert asked == []
    first = speed.find_arithmetic(settings, net, sample, 2, steps=5000)
    assert speed.find_arithmetic(settings, net, sample, 2, steps=5000) is first
    assert asked == [CONTIGUOUS, LAST] * 4, "in turn, so that a machine that slows down slows all"
    speed.find_arithmetic(quick(**FREE, tile_size=96), net, sample, 2, steps=5000)
    assert len(asked) == 16, "another tile size is timed anew"


def test_timing_ends_when_its_share_of_the_run_is_used_up(measured_at, monkeypatch):
    monkeypatch.setattr(speed, "choices", lambda settings, device: [CONTIGUOUS, LAST])
    asked = measured_at({CONTIGUOUS: 1.0, LAST: 0.5})
    settings = quick(**FREE, max_seconds=60)
    assert speed.find_arithmetic(settings, network(), tiles(settings).sample, 2, steps=5000) is None
    assert asked == [CONTIGUOUS], "another step would take longer than 3 % of a minute"


@pytest.mark.parametrize(("slow", "wanted"), [(LAST, CONTIGUOUS), (CONTIGUOUS, LAST)])
def test_one_that_is_slow_by_far_is_tried_once(measured_at, slow, wanted):
    asked = measured_at({CONTIGUOUS: 0.01, LAST: 0.01} | {slow: 0.12})
    settings = quick(**FREE)
    assert speed.find_arithmetic(settings, network(), tiles(settings).sample, 2, steps=5000).choice == wanted
    assert asked.count(slow) == 1


def test_what_this_device_cannot_compute_is_no_candidate(monkeypatch):
    real = speed._seconds_a_step

    def fail(arithmetic, *arguments):
        if arithmetic.choice == LAST:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(arithmetic, *arguments)

    monkeypatch.setattr(speed, "_seconds_a_step", fail)
    settings = quick(**FREE)
    assert speed.find_arithmetic(settings, network(), tiles(settings).sample, 2, steps=5000) is None


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
    assert started.arithmetic == str(fixed)
    assert any(isinstance(e, Message) and f"Computes in {fixed}" in e.text for e in measured.events)
    about = json.loads((tmp_path / "project" / "runs" / measured.id / "run.json").read_text())
    assert Choice(**about["arithmetic"]) == fixed


def test_settings_leave_a_choice_or_none():
    assert choices(quick(precision="bf16", memory_format="contiguous"), CPU) == [Choice("bf16", "contiguous")]
    assert set(choices(quick(**FREE), CPU)) == {CONTIGUOUS, LAST}
    offered = choices(TrainingSettings(), CPU)
    assert {CONTIGUOUS, LAST} <= set(offered)
    assert all(choice.precision != "fp16" for choice in offered), "a processor is slow in it"


def test_fp16_trains_with_scaled_gradients():
    run = train(painted(), quick(precision="fp16", learning_rate=0.01))
    assert run.state == "finished"
    settings = quick(precision="fp16")
    arithmetic, weight = Arithmetic(settings), torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([weight], 1.0)
    # In fp16 this gradient alone would be 0.
    arithmetic.backward((weight * 1e-6).sum())
    assert weight.grad.min() > 1e-3
    arithmetic.step(optimizer, longest=1.0)
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

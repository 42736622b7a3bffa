import numpy as np
import pytest
import torch
from torch.nn import functional

from histowidgets.models import NetworkSpec, apply_freeze, build_network
from histowidgets.training import TrainingSettings
from histowidgets.training._loss import make_loss, sure_labels, teaching_loss
from histowidgets.training._metrics import Confusion
from histowidgets.training._prepare import make_optimizer
from histowidgets.training._schedule import Schedule

CPU = torch.device("cpu")


def some(seed=0, n=2, k=3, side=8, labelled=0.3):
    g = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, k, side, side, generator=g)
    labels = torch.randint(0, k, (n, side, side), generator=g)
    labels[torch.rand(n, side, side, generator=g) > labelled] = 255
    return logits, labels


def loss_of(name, classes="ABC", **more):
    return make_loss(TrainingSettings(loss=name, **more), list(classes), CPU)


def test_b3_perfect_prediction_of_sparse_labels_scores_one():
    labels = torch.full((1, 64, 64), 255)
    labels[0, 5, 5:25], labels[0, 40, 5:25] = 0, 1
    predicted = torch.ones(1, 64, 64, dtype=torch.int64)
    predicted[0, :20] = 0
    scores = Confusion(2)
    scores.add(predicted, labels)
    assert scores.iou() == [1.0, 1.0]
    assert scores.mean_iou() == 1.0
    assert scores.accuracy() == 1.0


def test_b12_class_without_labels_is_left_out_of_the_mean():
    labels = torch.tensor([[[0, 0, 1, 1, 255]]])
    predicted = torch.tensor([[[0, 2, 1, 1, 2]]])
    scores = Confusion(3)
    scores.add(predicted, labels)
    assert scores.iou() == [0.5, 1.0, None]
    assert scores.mean_iou() == 0.75


def test_scores_without_labels_are_unknown():
    scores = Confusion(2)
    scores.add(torch.zeros(1, 2, 2, dtype=torch.int64), torch.full((1, 2, 2), 255))
    assert (scores.iou(), scores.mean_iou(), scores.accuracy()) == ([None, None], None, None)


def test_scores_add_up_over_batches():
    logits, labels = some()
    whole, parts = Confusion(3), Confusion(3)
    whole.add(logits.argmax(1), labels)
    for one, other in zip(logits, labels, strict=True):
        parts.add(one[None].argmax(1), other[None])
    assert np.array_equal(whole.counts, parts.counts)


def test_cross_entropy_equals_torch():
    logits, labels = some()
    assert torch.allclose(loss_of("ce")(logits, labels), functional.cross_entropy(logits, labels, ignore_index=255))
    weights = torch.tensor([2.0, 1.0, 0.5])
    expected = functional.cross_entropy(logits, labels, weight=weights, ignore_index=255)
    assert torch.allclose(loss_of("ce", class_weights={"A": 2, "C": 0.5})(logits, labels), expected)


@pytest.mark.parametrize("name", ["ce", "ce_dice", "focal", "focal_dice"])
def test_unlabelled_pixels_change_no_loss(name):
    logits, labels = some()
    changed = logits.clone()
    changed.movedim(1, -1)[labels == 255] = 7.0
    loss = loss_of(name)
    assert torch.allclose(loss(logits, labels), loss(changed, labels))


@pytest.mark.parametrize("name", ["ce", "ce_dice", "focal", "focal_dice"])
def test_batch_without_labels_gives_no_loss_and_no_nan_gradient(name):
    logits = torch.randn(1, 3, 4, 4, requires_grad=True)
    value = loss_of(name)(logits, torch.full((1, 4, 4), 255))
    value.backward()
    assert value.item() == 0
    assert torch.isfinite(logits.grad).all()


def test_n4_focal_looks_away_from_easy_pixels():
    easy = torch.tensor([[[[4.0]], [[0.0]]]])
    hard = torch.tensor([[[[0.0]], [[4.0]]]])
    label = torch.zeros(1, 1, 1, dtype=torch.int64)
    plain, focal = loss_of("ce", "AB"), loss_of("focal", "AB")
    assert focal(easy, label) / plain(easy, label) < 0.01
    assert focal(hard, label) / plain(hard, label) > 0.9


def test_r57_weight_of_a_class_moves_the_gradient():
    labels = torch.tensor([[[0, 1]]])
    logits = torch.zeros(1, 2, 1, 2, requires_grad=True)
    loss_of("ce", "AB", class_weights={"B": 10})(logits, labels).backward()
    pull = logits.grad.abs().sum(1)[0, 0]
    assert pull[1] / pull[0] == pytest.approx(10)


def test_n3_one_cycle_rises_then_falls():
    share = Schedule(TrainingSettings()).share
    assert share(0) == pytest.approx(1 / 25)
    assert share(0.3) == pytest.approx(1)
    assert share(1) == pytest.approx(1 / 25e4)
    values = [share(i / 100) for i in range(101)]
    assert values[:31] == sorted(values[:31])
    assert values[30:] == sorted(values[30:], reverse=True)
    assert share(1.7) == share(1)


def test_n3_one_cycle_equals_torch():
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], 1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=101, cycle_momentum=False)
    ours = Schedule(TrainingSettings())
    for step in range(101):
        # torch counts its rise to step 0.3 * 101 - 1, a little before ours
        assert ours.share(step / 100) == pytest.approx(theirs.get_last_lr()[0], abs=0.03)
        optimizer.step()
        if step < 100:
            theirs.step()


def test_n3_other_schedules():
    cosine, step, none = (Schedule(TrainingSettings(scheduler=s)).share for s in ("cosine", "step", "none"))
    assert (cosine(0), cosine(0.5), cosine(1)) == pytest.approx((1, 0.5, 0))
    assert [step(p) for p in (0, 0.4, 0.7, 1)] == pytest.approx([1, 0.1, 0.01, 0.01])
    assert none(0.9) == 1
    plateau = Schedule(TrainingSettings(scheduler="plateau"))
    for score in [0.5, *[0.4] * 9]:
        plateau.epoch_ended(score)
    assert plateau.share(0.5) == 1
    plateau.epoch_ended(0.4)
    assert plateau.share(0.5) == 0.5


def test_b13_encoder_keeps_its_ratio_to_the_decoder():
    settings = TrainingSettings(freeze="none", learning_rate=1e-3)
    network = build_network(NetworkSpec())
    apply_freeze(network, "none")
    optimizer, peaks = make_optimizer(network, settings)
    assert peaks == pytest.approx((1e-3, 1e-4))
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([1e-3, 1e-4])
    held = [id(p) for group in optimizer.param_groups for p in group["params"]]
    assert sorted(held) == sorted(id(p) for p in network.parameters())


def test_frozen_encoder_is_in_no_group_and_a_random_one_learns_at_full_rate():
    network = build_network(NetworkSpec(), pretrained=False)
    _, peaks = make_optimizer(network, TrainingSettings(freeze="none", learning_rate=1e-3))
    assert peaks == pytest.approx((1e-3, 1e-3))
    apply_freeze(network, "encoder")
    optimizer, peaks = make_optimizer(network, TrainingSettings())
    assert len(peaks) == 1
    frozen = {id(p) for p in network.core.encoder.parameters()}
    assert not frozen & {id(p) for p in optimizer.param_groups[0]["params"]}


def test_teaching_uses_only_unlabelled_pixels_that_are_sure():
    logits = torch.tensor([[[[5.0, 5.0, 0.1]], [[0.0, 0.0, 0.0]]]])
    labels = torch.tensor([[[255, 1, 255]]])
    assert sure_labels(logits, labels).tolist() == [[[0, 255, 255]]]
    assert teaching_loss(logits, torch.full((1, 1, 3), 255)).item() == 0
    one = teaching_loss(logits, torch.tensor([[[1, 255, 255]]]))
    assert one.item() == pytest.approx(5.0067 / 3, abs=1e-3)

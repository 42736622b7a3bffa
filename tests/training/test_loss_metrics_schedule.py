import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch
from torch.nn import functional

from histowidgets.models import NetworkSpec, apply_freeze, build_network
from histowidgets.training import TrainingSettings
from histowidgets.training.loop._loss import Loss, sure_labels, teaching_loss
from histowidgets.training.loop._metrics import Confusion
from histowidgets.training.loop._scheduler import Schedule
from histowidgets.training.loop._setup import make_optimizer

CPU = torch.device("cpu")


def some(seed=0, n=2, k=3, side=8, labelled=0.3):
    g = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, k, side, side, generator=g)
    labels = torch.randint(0, k, (n, side, side), generator=g)
    labels[torch.rand(n, side, side, generator=g) > labelled] = 255
    return logits, labels


def loss_of(name, classes="ABC", **more):
    return Loss(TrainingSettings(loss=name, **more), list(classes), CPU)


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


@pytest.mark.parametrize("name", ["ce", "ce_dice", "focal", "focal_dice", "lovasz"])
def test_unlabelled_pixels_change_no_loss(name):
    logits, labels = some()
    changed = logits.clone()
    changed.movedim(1, -1)[labels == 255] = 7.0
    loss = loss_of(name)
    assert torch.allclose(loss(logits, labels), loss(changed, labels))


@pytest.mark.parametrize("name", ["ce", "ce_dice", "focal", "focal_dice", "lovasz"])
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


def test_n4_lovasz_equals_smp():
    logits, labels = some()
    theirs = smp.losses.LovaszLoss("multiclass", ignore_index=255)
    ours = logits.clone().requires_grad_()
    other = logits.clone().requires_grad_()
    value, expected = loss_of("lovasz")(ours, labels), theirs(other, labels)
    assert torch.allclose(value, expected)
    value.backward()
    expected.backward()
    assert torch.allclose(ours.grad, other.grad, atol=1e-7)


def test_n4_lovasz_of_a_perfect_prediction_is_zero():
    labels = torch.tensor([[[0, 1, 1, 255]]])
    logits = 100 * functional.one_hot(labels.clamp(max=1), 2).movedim(-1, 1).float()
    assert loss_of("lovasz", "AB")(logits, labels).item() == pytest.approx(0, abs=1e-6)
    assert loss_of("lovasz", "AB")(-logits, labels).item() == pytest.approx(1)


@pytest.mark.parametrize("name", ["ce", "focal"])
def test_n4_only_the_hardest_share_of_labelled_pixels_is_learned_from(name):
    logits, labels = some(labelled=0.5)
    logits.requires_grad_()
    loss = loss_of(name, hardest_share=0.25)
    value = loss(logits, labels)
    value.backward()
    pulled = logits.grad.abs().sum(1) > 0
    n_labelled = int((labels != 255).sum())
    assert int(pulled.sum()) == -(-n_labelled // 4)
    entropy = functional.cross_entropy(logits.detach(), labels, ignore_index=255, reduction="none")
    assert entropy[pulled].min() >= entropy[(labels != 255) & ~pulled].max()
    assert value > loss_of(name)(logits, labels)


def test_n4_validation_measures_every_pixel():
    logits, labels = some()
    hard = loss_of("ce", hardest_share=0.1)
    assert torch.equal(hard(logits, labels, every_pixel=True), loss_of("ce")(logits, labels))


def test_n4_one_labelled_pixel_is_enough_for_the_hardest():
    logits, labels = some()
    labels[:] = 255
    labels[0, 0, 0] = 1
    assert torch.equal(loss_of("ce", hardest_share=0.05)(logits, labels), loss_of("ce")(logits, labels))


@pytest.mark.parametrize(
    ("name", "hardest"),
    [(name, hardest) for name in ("ce", "ce_dice", "focal", "focal_dice") for hardest in (1.0, 0.5)]
    + [("lovasz", 1.0)],
)
def test_r57_class_weights_act_in_every_loss(name, hardest):
    logits, labels = some(labelled=1.0)
    pulls = []
    for weight in (1.0, 10.0):
        mine = logits.clone().requires_grad_()
        loss_of(name, hardest_share=hardest, class_weights={"B": weight})(mine, labels).backward()
        pulls.append(mine.grad[:, 1].abs().sum() / mine.grad.abs().sum())
    assert pulls[1] > 1.1 * pulls[0]


def test_r57_lovasz_is_the_weighted_mean_of_the_classes():
    logits, labels = some()
    plain = loss_of("lovasz")(logits, labels)
    only = [
        loss_of("lovasz", class_weights={n: 10.0 if n == name else 0.1 for n in "ABC"})(logits, labels)
        for name in "ABC"
    ]
    # Each is (10 a + 0.1 b + 0.1 c) / 10.2.
    assert torch.allclose(sum(only) / 3, plain)


def test_weight_of_labels_counts_labelled_pixels_by_class():
    labels = torch.tensor([[[0, 1, 1, 255]]], dtype=torch.uint8)
    assert loss_of("ce", "AB", class_weights={"B": 4}).weight(labels) == 9
    assert loss_of("ce", "AB").weight(torch.full((1, 2, 2), 255, dtype=torch.uint8)) == 0


def test_n3_one_cycle_rises_then_falls():
    share = Schedule(TrainingSettings(scheduler="one-cycle")).share
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
    ours = Schedule(TrainingSettings(scheduler="one-cycle"))
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

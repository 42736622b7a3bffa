import pytest
import segmentation_models_pytorch as smp
import torch
from torch.nn import functional

from histowidgets.training.loop import Loss
from histowidgets.training.loop._loss import consistency_loss, pseudo_labels


def some(seed=0, n=2, k=3, side=8, labelled=0.3):
    g = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, k, side, side, generator=g)
    labels = torch.randint(0, k, (n, side, side), generator=g)
    labels[torch.rand(n, side, side, generator=g) > labelled] = 255
    return logits, labels


def loss_of(name, classes="ABC", **more):
    weights = more.pop("class_weights", {})
    return Loss(name, [weights.get(one, 1.0) for one in classes], torch.device("cpu"), **more)


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


def test_teaching_uses_only_unlabelled_pixels_that_are_sure():
    logits = torch.tensor([[[[5.0, 5.0, 0.1]], [[0.0, 0.0, 0.0]]]])
    labels = torch.tensor([[[255, 1, 255]]])
    assert pseudo_labels(logits, labels).tolist() == [[[0, 255, 255]]]
    assert consistency_loss(logits, torch.full((1, 1, 3), 255)).item() == 0
    one = consistency_loss(logits, torch.tensor([[[1, 255, 255]]]))
    assert one.item() == pytest.approx(5.0067 / 3, abs=1e-3)

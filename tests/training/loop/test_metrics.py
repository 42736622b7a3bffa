import numpy as np
import torch

from histowidgets.training.loop import Confusion


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
    g = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(2, 3, 8, 8, generator=g), torch.randint(0, 3, (2, 8, 8), generator=g)
    labels[torch.rand(2, 8, 8, generator=g) > 0.3] = 255
    whole, parts = Confusion(3), Confusion(3)
    whole.add(logits.argmax(1), labels)
    for one, other in zip(logits, labels, strict=True):
        parts.add(one[None].argmax(1), other[None])
    assert np.array_equal(whole.counts, parts.counts)

"""Small networks that are fitted side by side, with derivatives written out."""

import pytest
import torch
from torch.nn import functional

from histowidgets.training.quick import _fit
from histowidgets.training.quick._fit import Effort, fit_heads, head_probabilities


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


class NoMasks:
    def rows(self, number):
        return torch.ones(number, _fit.HIDDEN)


def blobs(generator, n=600):
    """Pixels of three classes: the first kind of features tells them apart, the second one is noise."""
    labels = torch.randint(3, (n,), generator=generator)
    values = torch.randn(n, 5, generator=generator) + 4 * functional.one_hot(labels, 5)
    return [values, torch.randn(n, 9, generator=generator)], labels


def accuracy(layers, x, labels):
    return (head_probabilities(layers, x).argmax(1) == labels).float().mean().item()


def test_written_out_derivatives_are_those_of_autograd(generator, monkeypatch):
    monkeypatch.setattr(_fit, "DROPOUT", 0.0)
    stack = _fit._Stack([5, 9], 3, 4)
    stack.draw(generator)
    inputs = [torch.randn(3, 16, width, generator=generator) for width in (5, 9)]
    labels = torch.randint(4, (3, 16), generator=generator)
    with torch.no_grad():
        stack.differentiate(inputs, labels, NoMasks())
    found = _fit._Stack([5, 9], 3, 4)
    found.weights.copy_(stack.weights.grad)
    for subset in range(3):
        for kind, layers in enumerate(stack.layers(subset)):
            tensors = [t.requires_grad_() for layer in layers for t in layer]
            x = inputs[kind][subset]
            for i in range(3):
                x = functional.linear(torch.relu(x) if i else x, tensors[2 * i], tensors[2 * i + 1])
            functional.cross_entropy(x, labels[subset]).backward()
            own = [t for layer in found.layers(subset)[kind] for t in layer]
            for expected, got in zip(tensors, own, strict=True):
                torch.testing.assert_close(got, expected.grad, atol=1e-6, rtol=1e-4)


def test_dropped_units_have_no_derivative_and_others_are_scaled(generator):
    stack = _fit._Stack([5], 1, 2)
    stack.draw(generator)

    class HalfOff:
        def rows(self, number):
            mask = torch.zeros(number, _fit.HIDDEN)
            mask[:, : _fit.HIDDEN // 2] = 1 / (1 - _fit.DROPOUT)
            return mask

    x, labels = torch.randn(1, 16, 5, generator=generator), torch.randint(2, (1, 16), generator=generator)
    with torch.no_grad():
        stack.differentiate([x], labels, HalfOff())
    (layers,) = stack.layers(0)
    tensors = [t.requires_grad_() for layer in layers for t in layer]
    hidden = x[0]
    for i in range(3):
        if i:
            hidden = torch.relu(hidden) * HalfOff().rows(16)
        hidden = functional.linear(hidden, tensors[2 * i], tensors[2 * i + 1])
    functional.cross_entropy(hidden, labels[0]).backward()
    slopes = _fit._Stack([5], 1, 2)
    slopes.weights.copy_(stack.weights.grad)
    own = [t for layer in slopes.layers(0)[0] for t in layer]
    for expected, got in zip(tensors, own, strict=True):
        torch.testing.assert_close(got, expected.grad, atol=1e-6, rtol=1e-4)


def test_each_subset_and_each_kind_has_its_own_network(generator):
    inputs, labels = blobs(generator)
    without = torch.nonzero(labels != 2)[:, 0]
    (first, second) = fit_heads(inputs, labels, 3, 0, subsets=[torch.arange(len(labels)), without])
    assert accuracy(first[0], inputs[0], labels) > 0.95
    assert accuracy(first[1], inputs[1], labels) < 0.7, "it saw noise"
    known = labels != 2
    assert accuracy(second[0], inputs[0][known], labels[known]) > 0.95
    assert accuracy(second[0], inputs[0][~known], labels[~known]) < 0.2, "it never saw the third class"


def test_fitting_goes_on_from_given_networks(generator):
    inputs, labels = blobs(generator)
    (heads,) = fit_heads(inputs, labels, 3, 0)
    (again,) = fit_heads(inputs, labels, 3, 0, Effort(steps=2, batch=32), start=heads)
    assert accuracy(again[0], inputs[0], labels) > 0.95
    assert not torch.equal(again[0][0][0], heads[0][0][0])
    noise = torch.randint(3, (len(labels),), generator=generator)
    (confused,) = fit_heads(inputs, noise, 3, 0)
    (new,) = fit_heads(inputs, labels, 3, 0, Effort(steps=2, batch=32), start=confused)
    assert accuracy(new[0], inputs[0], labels) < 0.9, "it began with what was wrong"


def test_the_seed_decides_and_the_global_generator_is_left_alone(generator):
    inputs, labels = blobs(generator)
    state = torch.random.get_rng_state()
    first, again, other = (fit_heads(inputs, labels, 3, seed)[0] for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), state)
    for one, two in zip(first, again, strict=True):
        for (weight, bias), (own_weight, own_bias) in zip(one, two, strict=True):
            assert torch.equal(weight, own_weight)
            assert torch.equal(bias, own_bias)
    assert not torch.equal(first[0][0][0], other[0][0][0])


def test_many_classes_get_more_steps_and_larger_batches():
    assert Effort.of(2) == Effort(60, 128)
    assert Effort.of(3) == Effort(100, 192)
    assert Effort.of(8) == Effort(100, 256)

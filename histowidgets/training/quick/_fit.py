"""Fit the quick learner's small networks in parallel, in tenths of a second on a CPU."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from threadpoolctl import threadpool_limits

from histowidgets.models import using_optimizers

# Chosen on strokes on 14 sets of images (docs/learning.md); the scores change little around these values.
HIDDEN = 64
STEPS = 60
BATCH = 128
STEPS_OF_MANY = 100
"""Number of steps with more than two classes."""
PIXELS_A_CLASS_AND_STEP = 64
"""With more than two classes, a batch has this many pixels of each, up to `LARGEST_BATCH` in total."""
LARGEST_BATCH = 256
LEARNING_RATE = 1e-2
DROPOUT = 0.2
INPUT_NOISE = 0.1
WEIGHT_DECAY = 1e-2
POOL = 2048
"""Number of rows of random numbers that are drawn in advance; each step uses a random section, which is free."""
STANDARDIZED = 4096
"""Maximum number of evenly spaced pixels for the mean and standard deviation that standardize the inputs."""
WARM_UP = 0.3
"""Share of the steps during which the learning rate rises: the default of One Cycle."""

Layers = list[tuple[torch.Tensor, torch.Tensor]]


@dataclass(frozen=True)
class Effort:
    """The effort of a fit: the number of steps, and the number of pixels in each batch."""

    steps: int = STEPS
    batch: int = BATCH

    @classmethod
    def of(cls, n_classes: int) -> "Effort":
        """Return the number of steps and the batch size for `n_classes`."""
        if n_classes <= 2:
            return cls()
        return cls(STEPS_OF_MANY, min(PIXELS_A_CLASS_AND_STEP * n_classes, LARGEST_BATCH))


@using_optimizers()
def fit_heads(
    inputs: Sequence[torch.Tensor],
    labels: torch.Tensor,
    n_classes: int,
    seed: int,
    effort: Effort | None = None,
    *,
    subsets: Sequence[torch.Tensor] | None = None,
    start: Sequence[Layers] | None = None,
) -> list[list[Layers]]:
    """Fit a small network for each kind of features and each subset of the pixels.

    Each network has two hidden layers with ReLU. In the batches all classes are equally likely. All networks are fitted
    in one loop, as products of stacked matrices with explicit derivatives, which takes a fraction of the time of
    fitting them one after another; they share only the batches. It runs on one core, since distributing such small work
    takes longer than doing it.

    Parameters
    ----------
    inputs : sequence of Tensor (N, values)
        Features, with one entry for each kind.
    labels : Tensor of int64, (N,)
        Class indices.
    n_classes : int
    seed : int
        The same seed and inputs give the same weights; torch's global generator is not used.
    effort : Effort, optional
        By default `Effort.of` the number of classes.
    subsets : sequence of Tensor of int64, optional
        Indices of the pixels for each network of a kind; by default a single subset with all pixels.
    start : sequence of layers, optional
        Initial weights, one set of layers for each kind of features, from an earlier call.

    Returns
    -------
    list of list of layers
        For each subset and each kind of features, the (weight, bias) of each layer, with the standardization of the
        inputs folded into the first.
    """
    effort = Effort.of(n_classes) if effort is None else effort
    generator = torch.Generator().manual_seed(seed)
    some = [x[:: -(-len(x) // STANDARDIZED)] for x in inputs]
    means, stds = [x.mean(0) for x in some], [x.std(0, unbiased=False) + 1e-4 for x in some]
    places = [torch.arange(len(labels))] if subsets is None else list(subsets)
    batches = [_ClassBatches(labels, some, n_classes) for some in places]
    with torch.no_grad(), threadpool_limits(1, user_api="openmp"):
        stack = _Stack([x.shape[1] for x in inputs], len(places), n_classes)
        if start is None:
            stack.draw(generator)
        else:
            stack.load([_unfolded(head, m, s) for head, m, s in zip(start, means, stds, strict=True)])
        optimizer = torch.optim.AdamW([stack.weights], LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, LEARNING_RATE, total_steps=effort.steps, pct_start=WARM_UP
        )
        noises = [_Pool(INPUT_NOISE * torch.randn(POOL, x.shape[1], generator=generator), generator) for x in inputs]
        masks = _Pool((torch.rand(POOL, HIDDEN, generator=generator) >= DROPOUT) / (1 - DROPOUT), generator)
        shape = (len(places), effort.batch)
        for _ in range(effort.steps):
            batch = torch.cat([some.draw(effort.batch, generator) for some in batches])
            drawn = [
                x[batch].sub_(m).div_(s).add_(noise.rows(len(batch))).reshape(*shape, -1)
                for x, m, s, noise in zip(inputs, means, stds, noises, strict=True)
            ]
            stack.differentiate(drawn, labels[batch].reshape(shape), masks)
            optimizer.step()
            schedule.step()
        return [
            [_folded(head, m, s) for head, m, s in zip(stack.layers(i), means, stds, strict=True)]
            for i in range(len(places))
        ]


class _ClassBatches:
    """Draws pixels of a subset so that all its classes are equally likely."""

    def __init__(self, labels: torch.Tensor, places: torch.Tensor, n_classes: int) -> None:
        own = labels[places]
        by_class = [found for k in range(n_classes) if len(found := places[own == k])]
        self._n_classes = len(by_class)
        self._lengths = torch.tensor([len(found) for found in by_class])
        self._starts = torch.cumsum(self._lengths, 0) - self._lengths
        self._sorted = torch.cat(by_class)

    def draw(self, size: int, generator: torch.Generator) -> torch.Tensor:
        chosen = torch.randint(self._n_classes, (size,), generator=generator)
        lengths = self._lengths[chosen]
        within = torch.minimum((torch.rand(size, generator=generator) * lengths).long(), lengths - 1)
        return self._sorted[self._starts[chosen] + within]


class _Pool:
    """A pool of random numbers, from which random sections of rows are taken."""

    def __init__(self, values: torch.Tensor, generator: torch.Generator) -> None:
        self._values, self._generator = values, generator

    def rows(self, number: int) -> torch.Tensor:
        if number > len(self._values):
            self._values = self._values.repeat(-(-number // len(self._values)), 1)
        first = int(torch.randint(len(self._values) - number + 1, (1,), generator=self._generator))
        return self._values[first : first + number]


class _Stack:
    """Networks of the same depth whose weights are views of one vector, so that an optimizer step is one operation.

    The first layers, which differ in width, are stacked over the subsets; later ones also over the kinds of features.
    """

    def __init__(self, widths: Sequence[int], n_subsets: int, n_classes: int) -> None:
        n, self._n_subsets = len(widths) * n_subsets, n_subsets
        shapes = [(n_subsets, width, HIDDEN) for width in widths]
        shapes += [(n, HIDDEN, HIDDEN), (n, HIDDEN, n_classes)]
        shapes += [(n, 1, HIDDEN), (n, 1, HIDDEN), (n, 1, n_classes)]
        sizes = [torch.Size(shape).numel() for shape in shapes]
        self.weights, gradient = torch.zeros(sum(sizes)), torch.zeros(sum(sizes))
        self.weights.grad = gradient
        (views, slopes) = (
            [part.view(shape) for part, shape in zip(flat.split(sizes), shapes, strict=True)]
            for flat in (self.weights, gradient)
        )
        self._first, self._second, self._third = views[:-5], views[-5], views[-4]
        self._biases = views[-3:]
        self._first_slopes, self._second_slope, self._third_slope = slopes[:-5], slopes[-5], slopes[-4]
        self._bias_slopes = slopes[-3:]

    def draw(self, generator: torch.Generator) -> None:
        """Draw weights and biases like `torch.nn.Linear`."""
        for weight in (*self._first, self._second, self._third):
            weight.copy_((torch.rand(weight.shape, generator=generator) * 2 - 1) * weight.shape[1] ** -0.5)
        fans = [
            torch.tensor([w.shape[1] for w in self._first for _ in range(self._n_subsets)], dtype=torch.float32),
            torch.full((len(self._second),), float(HIDDEN)),
            torch.full((len(self._third),), float(HIDDEN)),
        ]
        for bias, fan in zip(self._biases, fans, strict=True):
            bias.copy_((torch.rand(bias.shape, generator=generator) * 2 - 1) * fan[:, None, None] ** -0.5)

    def load(self, heads: Sequence[Layers]) -> None:
        """Load the weights of one network for each kind of features, for all subsets."""
        for kind, layers in enumerate(heads):
            for i in range(self._n_subsets):
                for (weight, bias), (own_weight, own_bias) in zip(layers, self._views(kind, i), strict=True):
                    own_weight.copy_(weight.T)
                    own_bias.copy_(bias)

    def layers(self, subset: int) -> list[Layers]:
        """Return the networks of a subset, one for each kind of features: weights (out, in) and biases (out,)."""
        return [
            [(weight.T.clone(), bias.clone()) for weight, bias in self._views(kind, subset)]
            for kind in range(len(self._first))
        ]

    def _views(self, kind: int, subset: int) -> Layers:
        number = kind * self._n_subsets + subset
        weights = (self._first[kind][subset], self._second[number], self._third[number])
        return [(weight, bias[number, 0]) for weight, bias in zip(weights, self._biases, strict=True)]

    def differentiate(self, inputs: Sequence[torch.Tensor], labels: torch.Tensor, masks: _Pool) -> None:
        """Compute the derivatives of the networks' mean cross-entropies with respect to all weights, with dropout.

        Parameters
        ----------
        inputs : sequence of Tensor (subsets, batch, values)
            For each kind of features.
        labels : Tensor of int64, (subsets, batch)
        masks : _Pool
            Dropout masks.
        """
        n, size = self._n_subsets, labels.shape[1]
        first_bias, second_bias, third_bias = self._biases
        own = [slice(kind * n, (kind + 1) * n) for kind in range(len(inputs))]
        hidden = torch.empty(len(self._second), size, HIDDEN)
        for x, weight, some in zip(inputs, self._first, own, strict=True):
            torch.baddbmm(first_bias[some], x, weight, out=hidden[some])
        hidden.relu_().mul_(masks.rows(len(hidden) * size).view_as(hidden))
        last = torch.baddbmm(second_bias, hidden, self._second).relu_()
        last.mul_(masks.rows(len(hidden) * size).view_as(hidden))
        error = torch.baddbmm(third_bias, last, self._third).softmax(-1)
        where = labels.repeat(len(inputs), 1)[..., None]
        error.scatter_add_(-1, where, torch.full(where.shape, -1.0)).div_(size)
        torch.bmm(last.transpose(1, 2), error, out=self._third_slope)
        # A unit that is 0 was inactive or dropped; the others were scaled by dropout.
        back = torch.bmm(error, self._third.transpose(1, 2)).mul_(last > 0).div_(1 - DROPOUT)
        torch.bmm(hidden.transpose(1, 2), back, out=self._second_slope)
        further = torch.bmm(back, self._second.transpose(1, 2)).mul_(hidden > 0).div_(1 - DROPOUT)
        for x, slope, some in zip(inputs, self._first_slopes, own, strict=True):
            torch.bmm(x.transpose(1, 2), further[some], out=slope)
        for slope, errors in zip(self._bias_slopes, (further, back, error), strict=True):
            torch.sum(errors, 1, keepdim=True, out=slope)


def head_probabilities(layers: Layers, x: torch.Tensor) -> torch.Tensor:
    """Compute the probabilities (N, K) of pixels with features (N, values)."""
    for i, (weight, bias) in enumerate(layers):
        x = torch.nn.functional.linear(torch.relu(x) if i else x, weight, bias)
    return x.softmax(1)


def _folded(layers: Layers, mean: torch.Tensor, std: torch.Tensor) -> Layers:
    """Fold the standardization of the inputs into the first layer."""
    weight, bias = layers[0]
    return [(weight / std, bias - weight @ (mean / std)), *layers[1:]]


def _unfolded(layers: Layers, mean: torch.Tensor, std: torch.Tensor) -> Layers:
    """Return layers for standardized inputs."""
    weight, bias = layers[0]
    return [(weight * std, bias + weight @ mean), *layers[1:]]

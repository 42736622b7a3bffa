"""Fitting the quick learner's two small networks: about a quarter of a second on a CPU."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from threadpoolctl import threadpool_limits
from torch.nn import functional

from histowidgets.models import using_optimizers

# Chosen on strokes in 4 images; the scores change little around these values.
HIDDEN = 64
STEPS = 60
BATCH = 128
LEARNING_RATE = 1e-2
DROPOUT = 0.2
INPUT_NOISE = 0.1
WEIGHT_DECAY = 1e-2
POOL = 4096
"""Rows of random numbers that are drawn once; each step takes a random section of them, which costs nothing."""
WARM_UP = 0.3
"""Share of the steps in which the learning rate rises: the default of One Cycle."""

Layers = list[tuple[torch.Tensor, torch.Tensor]]


@using_optimizers()
def fit_heads(
    inputs: list[torch.Tensor],
    labels: torch.Tensor,
    n_classes: int,
    seed: int,
    start: list[Layers] | None = None,
) -> list[Layers]:
    """Fit a small network to each kind of features of the same pixels.

    Each has two hidden layers with ReLU. In the batches every class is equally likely. The networks are fitted side by
    side in one loop, which saves a third of the time; they share only the batches. It runs on one core: to distribute
    work this small takes twice as long as to do it.

    Parameters
    ----------
    inputs : list of Tensor (N, values)
        Features; one entry for each network.
    labels : Tensor of int64, (N,)
        Class indices.
    n_classes : int
    seed : int
        The same seed and inputs give the same weights; torch's global generator is not used.
    start : list of layers, optional
        Start from these, the result of an earlier call.

    Returns
    -------
    list of layers
        For each network, (weight, bias) of each layer, with the standardization of the inputs folded into the first.
    """
    generator = torch.Generator().manual_seed(seed)
    means, stds = [x.mean(0) for x in inputs], [x.std(0, unbiased=False) + 1e-4 for x in inputs]
    scaled = [(x - m) / s for x, m, s in zip(inputs, means, stds, strict=True)]
    with torch.enable_grad(), threadpool_limits(1, user_api="openmp"):
        if start is None:
            heads = [_new_layers([x.shape[1], HIDDEN, HIDDEN, n_classes], generator) for x in inputs]
        else:
            heads = [_unfolded(head, m, s) for head, m, s in zip(start, means, stds, strict=True)]
        weights = [tensor for head in heads for layer in head for tensor in layer]
        optimizer = torch.optim.AdamW(weights, LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=STEPS, pct_start=WARM_UP)
        pools = [_Pool(x.shape[1], generator) for x in inputs]
        for batch in _batches(labels, n_classes, generator):
            losses = [
                functional.cross_entropy(_forward(head, x[batch], pool), labels[batch])
                for head, x, pool in zip(heads, scaled, pools, strict=True)
            ]
            optimizer.zero_grad()
            torch.stack(losses).sum().backward()
            optimizer.step()
            schedule.step()
    return [_folded(head, m, s) for head, m, s in zip(heads, means, stds, strict=True)]


def _batches(labels: torch.Tensor, n_classes: int, generator: torch.Generator) -> Iterator[torch.Tensor]:
    """Draw the pixels of each step, with all present classes equally likely."""
    by_class = [places for k in range(n_classes) if len(places := torch.nonzero(labels == k)[:, 0])]
    lengths = torch.tensor([len(places) for places in by_class])
    starts = torch.cumsum(lengths, 0) - lengths
    sorted_places = torch.cat(by_class)
    for _ in range(STEPS):
        chosen = torch.randint(len(by_class), (BATCH,), generator=generator)
        share = torch.rand(BATCH, generator=generator)
        within = torch.minimum((share * lengths[chosen]).long(), lengths[chosen] - 1)
        yield sorted_places[starts[chosen] + within]


def _new_layers(widths: list[int], generator: torch.Generator) -> Layers:
    """Draw weights and biases as `torch.nn.Linear` does."""
    layers = []
    for n_in, n_out in pairwise(widths):
        bound = n_in**-0.5
        weight = (torch.rand(n_out, n_in, generator=generator) * 2 - 1) * bound
        bias = (torch.rand(n_out, generator=generator) * 2 - 1) * bound
        layers.append((weight.requires_grad_(), bias.requires_grad_()))
    return layers


class _Pool:
    """Input noise and dropout masks of one network, from a given generator."""

    def __init__(self, n_inputs: int, generator: torch.Generator) -> None:
        self._noise = INPUT_NOISE * torch.randn(POOL, n_inputs, generator=generator)
        self._masks = (torch.rand(POOL, HIDDEN, generator=generator) >= DROPOUT) / (1 - DROPOUT)
        self._generator = generator

    def noise(self, n_rows: int) -> torch.Tensor:
        return self._section(self._noise, n_rows)

    def mask(self, n_rows: int) -> torch.Tensor:
        return self._section(self._masks, n_rows)

    def _section(self, values: torch.Tensor, n_rows: int) -> torch.Tensor:
        first = int(torch.randint(POOL - n_rows + 1, (1,), generator=self._generator))
        return values[first : first + n_rows]


def _forward(layers: Layers, x: torch.Tensor, pool: _Pool) -> torch.Tensor:
    """Compute logits with input noise and dropout."""
    x = x + pool.noise(len(x))
    for i, (weight, bias) in enumerate(layers):
        if i:
            x = functional.relu(x) * pool.mask(len(x))
        x = functional.linear(x, weight, bias)
    return x


def _folded(layers: Layers, mean: torch.Tensor, std: torch.Tensor) -> Layers:
    """Fold the standardization of the inputs into the first layer."""
    plain = [(weight.detach(), bias.detach()) for weight, bias in layers]
    weight, bias = plain[0]
    plain[0] = (weight / std, bias - weight @ (mean / std))
    return plain


def _unfolded(layers: Layers, mean: torch.Tensor, std: torch.Tensor) -> Layers:
    """Return layers to start from, for standardized inputs."""
    weight, bias = layers[0]
    plain = [(weight * std, bias + weight @ mean), *layers[1:]]
    return [(w.clone().requires_grad_(), b.clone().requires_grad_()) for w, b in plain]

"""Determine the share of the colour network, from strokes that were held out."""

from collections.abc import Sequence

import numpy as np
import torch

from histowidgets.training.quick._fit import Effort, fit_heads, head_probabilities

# Chosen on strokes on 14 sets of images (docs/learning.md); the scores change little around these values.
#: Number of parts into which the strokes are divided; each is held out once.
FOLDS = 2
#: Maximum number of held-out pixels; above that they are drawn at random.
JUDGED_PIXELS = 4000
#: Number of EM iterations, and the number added to each share in each iteration, so that none is stuck at 0.
EM_ROUNDS, EM_LEAST = 60, 0.02
#: Probabilities below this count as this, so that confident errors do not dominate.
LEAST_PROBABILITY = 1e-4
#: Weight of the prior, that all networks count equally, in strokes of evidence.
FEW_STROKES = 4.0
#: Held-out strokes favour colour, since they lie inside areas of their class: its odds must be above this for a share
#: of more than half. With more than three channels the encoder sees only means, so a smaller number is enough.
FAIR_ODDS, FAIR_ODDS_OF_MANY_CHANNELS = 1.5, 0.75
#: Exponent that sharpens the odds towards a decision, without a jump.
DECISION = 4
#: Number of channels up to which the encoder sees each one.
ENCODER_CHANNELS = 3
#: A share below this counts as 0, which saves a network.
LEAST_SHARE = 0.2


def color_share(
    inputs: Sequence[torch.Tensor],
    labels: torch.Tensor,
    strokes: np.ndarray,
    n_classes: int,
    n_channels: int,
    seed: int,
) -> float:
    """Determine the share of the colour network relative to the two others.

    Networks are fitted without some of the strokes, and predict these. The held-out labels are modelled by a mixture of
    the networks and a uniform distribution, which accounts for what no network predicts; EM finds the shares. Each
    class counts equally. The share is then sharpened, because a mixture explains labels while an average decides on
    them. With few strokes, the share stays near the prior.

    Parameters
    ----------
    inputs : sequence of Tensor (N, values)
        Textures, features of the encoder, colours.
    labels : Tensor of int64, (N,)
    strokes : ndarray of int, (N,)
        The stroke that each pixel belongs to.
    n_classes, n_channels : int
    seed : int

    Returns
    -------
    float
        0 to 1; 0 if there are too few strokes to hold some out, or if the share would be very small.
    """
    fold, lonely = _dealt(strokes, labels.numpy(), n_classes, seed)
    judged = np.flatnonzero(~lonely)
    if len(judged) == 0:
        return 0.0
    subsets = [torch.from_numpy(np.flatnonzero(fold != number)) for number in range(FOLDS)]
    if any(len(torch.unique(labels[some])) < 2 for some in subsets):
        return 0.0
    heads = fit_heads(inputs, labels, n_classes, seed, Effort(), subsets=subsets)
    rng = np.random.default_rng([seed, 2])
    judged = judged if len(judged) <= JUDGED_PIXELS else np.sort(rng.choice(judged, JUDGED_PIXELS, replace=False))
    found = np.full((len(judged), len(inputs)), 1 / n_classes)
    for number, some in enumerate(heads):
        own = fold[judged] == number
        places = torch.from_numpy(judged[own])
        for kind, (layers, x) in enumerate(zip(some, inputs, strict=True)):
            answers = head_probabilities(layers, x[places])
            found[own, kind] = answers[torch.arange(len(places)), labels[places]].numpy()
    kinds = labels.numpy()[judged]
    fair = FAIR_ODDS if n_channels <= ENCODER_CHANNELS else FAIR_ODDS_OF_MANY_CHANNELS
    n_strokes = len(np.unique(strokes[judged]))
    share = _sharpened(_shares(found, kinds, n_classes)[-1], n_strokes, len(inputs), fair)
    return share if share >= LEAST_SHARE else 0.0


def _sharpened(share: float, n_strokes: int, n_networks: int, fair_odds: float) -> float:
    """Sharpen the share of a network in the mixture, given the number of strokes as evidence."""
    share = (n_strokes * share + FEW_STROKES / n_networks) / (n_strokes + FEW_STROKES)
    odds = (share / max(1 - share, 1e-6) / fair_odds) ** DECISION
    return float(odds / (1 + odds))


def _dealt(strokes: np.ndarray, labels: np.ndarray, n_classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Divide the strokes of each class into parts; return each pixel's part, and whether its class has one stroke."""
    rng = np.random.default_rng([seed, 3])
    fold, lonely = np.zeros(len(labels), np.int64), np.zeros(len(labels), bool)
    for k in range(n_classes):
        places = np.flatnonzero(labels == k)
        numbers, own = np.unique(strokes[places], return_inverse=True)
        fold[places] = (rng.permutation(len(numbers)) % FOLDS)[own] if len(numbers) else 0
        lonely[places] = len(numbers) < FOLDS
    return fold, lonely


def _shares(found: np.ndarray, labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the share of each network in the mixture, normalized to 1 without the uniform distribution.

    Parameters
    ----------
    found : ndarray of float, (N, networks)
        Each network's probability of the pixel's class.
    labels : ndarray of int, (N,)
    n_classes : int
    """
    weights = 1 / np.bincount(labels, minlength=n_classes)[labels]
    likely = np.maximum(np.column_stack([found, np.full(len(found), 1 / n_classes)]), LEAST_PROBABILITY)
    shares = np.full(likely.shape[1], 1 / likely.shape[1])
    for _ in range(EM_ROUNDS):
        parts = likely * shares
        parts /= parts.sum(1, keepdims=True)
        shares = weights @ parts / weights.sum() + EM_LEAST
        shares /= shares.sum()
    answer: np.ndarray = shares[:-1] / shares[:-1].sum()
    return answer

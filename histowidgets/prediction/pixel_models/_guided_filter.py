"""Smooth probabilities along the edges of the image, by the fast guided filter."""

import torch
from torch.nn import functional

#: Downsample at which the filter's coefficients are computed.
_COARSER = 2


def follow_edges(probabilities: torch.Tensor, guide: torch.Tensor, sigma: float, epsilon: float) -> torch.Tensor:
    """Smooth probabilities within uniform areas of the image, and keep their borders at edges of the image.

    Around each pixel the probabilities are fitted by a linear function of the guide's channels, and neighbouring fits
    are averaged. This is a blur where the guide is uniform, but not at its edges. The weights are Gaussian instead of a
    box. Source: He, Sun & Tang 2013, "Guided Image Filtering", with a colour guide; its coarse form: He & Sun 2015.

    Parameters
    ----------
    probabilities : Tensor of float32, (1, K, H, W)
        0 to 1; the sum over the classes is 1.
    guide : Tensor of float32, (1, C, H, W)
        The image, in [0, 1].
    sigma : float
        Standard deviation of the neighbourhood, in pixels.
    epsilon : float
        Variance of the guide, in its units squared, below which it counts as uniform.

    Returns
    -------
    Tensor of float32, (1, K, H, W)
        0 to 1; the sum over the classes is 1.
    """
    size = probabilities.shape[-2:]
    coarse, seen = _halved(probabilities), _halved(guide)
    n, k, sigma = seen.shape[1], coarse.shape[1], sigma / _COARSER
    # All values to average, in one stack: guide, probabilities, products of guide and guide, of guide and
    # probabilities.
    squares = (seen[:, :, None] * seen[:, None]).flatten(1, 2)
    shared = (seen[:, :, None] * coarse[:, None]).flatten(1, 2)
    means = _blurred(torch.cat([seen, coarse, squares, shared], 1), sigma)[0].permute(1, 2, 0)
    rows, cols = means.shape[:2]
    mean_seen, mean_found, squares, shared = means.split([n, k, n * n, n * k], -1)
    spread = squares.reshape(rows, cols, n, n) - mean_seen[..., :, None] * mean_seen[..., None, :]
    together = shared.reshape(rows, cols, n, k) - mean_seen[..., :, None] * mean_found[..., None, :]
    slope = torch.linalg.solve(spread + epsilon * torch.eye(n), together)
    offset = mean_found - (mean_seen[..., None] * slope).sum(-2)
    coefficients = torch.cat([slope.flatten(-2), offset], -1).permute(2, 0, 1)[None]
    fine = functional.interpolate(_blurred(coefficients, sigma), size=size, mode="bilinear", align_corners=False)[0]
    answer = fine[n * k :] + (fine[: n * k].reshape(n, k, *size) * guide[0][:, None]).sum(0)
    answer = answer.clamp_(0, 1)
    return (answer / answer.sum(0, keepdim=True).clamp_min(1e-6))[None]


def _halved(values: torch.Tensor) -> torch.Tensor:
    """Average blocks of pixels; blocks at an odd edge have fewer pixels."""
    return functional.avg_pool2d(values, _COARSER, ceil_mode=True, count_include_pad=False)


def _blurred(values: torch.Tensor, sigma: float) -> torch.Tensor:
    """Blur (1, K, H, W) with a Gaussian; edges are repeated, so that probabilities keep their sum."""
    reach = int(3 * sigma + 0.5)
    place = torch.arange(-reach, reach + 1, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (place / sigma) ** 2)
    kernel = (kernel / kernel.sum()).reshape(1, 1, 1, -1)
    planes = functional.pad(values.transpose(0, 1), (reach, reach, reach, reach), mode="replicate")
    return functional.conv2d(functional.conv2d(planes, kernel), kernel.transpose(2, 3)).transpose(0, 1)

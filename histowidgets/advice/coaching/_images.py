"""Advice on images that are unlike the others."""

from collections.abc import Sequence

import numpy as np

from histowidgets.advice._advice import Action, Advice, with_actions
from histowidgets.advice.coaching._image_summary import ImageSummary

#: With fewer images of the same channels, none can be said to be unlike the others.
FEWEST_IMAGES = 3
#: The range of the other images: these percentiles of their cells, widened by this share of it at each end.
PERCENTILES = (1, 99)
WIDER = 0.1
#: An image is unlike the others if more than this share of its cells lie outside of their range.
MOST_OUTSIDE = 0.5


def unlike_others(summaries: Sequence[ImageSummary]) -> Advice | None:
    """Advise on the image whose pixel values are furthest from those of the other annotated images."""
    by_channels: dict[tuple[str, ...], list[ImageSummary]] = {}
    for summary in summaries:
        by_channels.setdefault(summary.image.channel_names, []).append(summary)
    groups = [group for group in by_channels.values() if len(group) >= FEWEST_IMAGES]
    shares = {summary.name: _outside(summary, group) for group in groups for summary in group}
    if not shares:
        return None
    name = max(shares, key=lambda n: shares[n])
    evidence: dict[str, float | int] = {
        "outside_percent": round(100 * shares[name], 1),
        "limit_percent": 100 * MOST_OUTSIDE,
        "images": len(shares),
    }
    if shares[name] <= MOST_OUTSIDE:
        title = "The annotated images look alike"
        return Advice("images-alike", title, "", evidence, severity="good", image_name=name)
    image = next(summary.image for summary in summaries if summary.name == name)
    return Advice(
        id="image-unlike-others",
        title=f"{name} looks unlike the other images",
        detail=(
            f"{100 * shares[name]:.0f} % of it has pixel values that the others hardly have. Check its stain, exposure "
            "and channels; if it belongs to the project, annotate each class there too."
        ),
        evidence=evidence,
        severity="warning",
        image_name=name,
        region=image.region,
        **with_actions([Action("Annotate there", kind="annotate")]),
    )


def _outside(summary: ImageSummary, group: Sequence[ImageSummary]) -> float:
    """Return the share of an image's cells whose values the others do not have in some channel."""
    others = np.concatenate([one.texture.values for one in group if one is not summary])
    low, high = np.nanpercentile(others, PERCENTILES, axis=0)
    wider = WIDER * np.maximum(high - low, 1e-12)
    values = summary.texture.values
    known = ~np.isnan(values).any(axis=1)
    if not known.any():
        return 0.0
    outside = (values[known] < low - wider) | (values[known] > high + wider)
    return float(outside.any(axis=1).mean())

"""Whether the stain differs between images (row R34)."""

from itertools import combinations

import numpy as np

from histowidgets.advice import _thresholds as t
from histowidgets.advice.recommendation._image_type import overview, stained_densities
from histowidgets.annotations import Project, ProjectSnapshot, snapshot_of


def stain_varies(project: Project | ProjectSnapshot) -> bool:
    """Say whether the stain differs between the images of a project.

    Compared are the optical densities (red, green, blue) of the stained pixels of each image, by their 90th
    percentiles, which depend less than means on how much of which tissue an image shows. Their ratio between two
    images is taken as a logarithm, root mean square over the colours: halves of one image are up to 0.3 apart, images
    of one stain mostly less. Images of other than three channels, and of hardly any stain, are left out.

    Parameters
    ----------
    project : Project or ProjectSnapshot
        Its first `MOST_STAINS` images are looked at, with at most 512 pixels a side.
    """
    levels = []
    for image in list(snapshot_of(project).images.values())[: t.MOST_STAINS]:
        stained = stained_densities(overview(image)) if len(image.channel_names) == 3 else np.empty((0, 3))
        if len(stained):
            levels.append(np.log(np.maximum(np.percentile(stained, 90, axis=0), t.LEAST_DENSITY)))
    return any(float(np.sqrt(np.mean((a - b) ** 2))) > t.STAIN_APART for a, b in combinations(levels, 2))

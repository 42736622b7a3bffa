"""Connected areas of pixels that two people labelled, found block by block and joined over the borders of blocks."""

import numpy as np

from histowidgets.images import Region


class Patches:
    """The connected areas of an image, and how many pixels of each have which pair of classes.

    Pixels that touch, also at a corner, are of one area, whatever blocks the image is read in.

    Parameters
    ----------
    width : int
        Of the image, in pixels.
    n_classes : int
    """

    def __init__(self, width: int, n_classes: int) -> None:
        self._stride, self._n_classes = width + 2, n_classes  # a margin, so that rows do not run into each other
        self._found = 0
        self._counts: list[np.ndarray] = []
        self._bounds: list[np.ndarray] = []
        self._keys: list[np.ndarray] = []
        self._numbers: list[np.ndarray] = []

    def add(self, mask: np.ndarray, first: np.ndarray, second: np.ndarray, block: Region) -> None:
        """Add the areas of a block.

        Parameters
        ----------
        mask : ndarray of bool, (height, width)
            The pixels that count.
        first, second : ndarray of uint8, (height, width)
            Class indices; those outside of the mask may be any.
        block : Region
            Where it lies.
        """
        from scipy import ndimage  # only here, as it takes a while to load

        numbered, n = ndimage.label(mask, structure=np.ones((3, 3)))
        if n == 0:
            return
        size = self._n_classes
        pairs = first[mask].astype(np.int64) * size + second[mask]
        places = (numbered[mask].astype(np.int64) - 1) * size**2
        self._counts.append(np.bincount(places + pairs, minlength=n * size**2).reshape(n, size, size))
        slices = ndimage.find_objects(numbered)
        edges = [(columns.start, rows.start, columns.stop, rows.stop) for rows, columns in slices]
        self._bounds.append(np.array(edges) + np.array([block.x, block.y, block.x, block.y]))
        at_edge = mask.copy()
        at_edge[1:-1, 1:-1] = False
        rows, columns = np.nonzero(at_edge)
        self._keys.append((rows + block.y) * self._stride + columns + block.x + 1)
        self._numbers.append(numbered[rows, columns] - 1 + self._found)
        self._found += n

    def joined(self) -> list[tuple[np.ndarray, Region]]:
        """Return the pixels of each area by pair of classes, int64 (classes, classes), and its bounds in the image."""
        if not self._found:
            return []
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        keys, numbers = np.concatenate(self._keys), np.concatenate(self._numbers)
        order = np.argsort(keys)
        keys, numbers = keys[order], numbers[order]
        links = []
        for step in (1, self._stride - 1, self._stride, self._stride + 1):
            there = np.searchsorted(keys, keys + step)
            there[there == len(keys)] = 0
            touches = keys[there] == keys + step
            links.append((numbers[touches], numbers[there[touches]]))
        one, other = (np.concatenate(side) for side in zip(*links, strict=True))
        graph = coo_array((np.ones(len(one), np.int8), (one, other)), shape=(self._found, self._found))
        n, family = connected_components(graph, directed=False)
        counts = np.zeros((n, self._n_classes, self._n_classes), np.int64)
        np.add.at(counts, family, np.concatenate(self._counts))
        bounds = np.concatenate(self._bounds)
        low, high = np.full((n, 2), np.iinfo(np.int64).max), np.zeros((n, 2), np.int64)
        np.minimum.at(low, family, bounds[:, :2])
        np.maximum.at(high, family, bounds[:, 2:])
        regions = [Region.from_edges(*ends) for ends in np.hstack([low, high]).tolist()]
        return list(zip(counts, regions, strict=True))

"""Names of results, after those of the images."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path


def target_names(paths: Sequence[Path]) -> list[str]:
    """Name a result a path: the file's name without its endings; with a hash of the path where two are alike.

    The same paths always give the same names, in whatever order.
    """
    stems = [path.name.split(".")[0] or path.name for path in paths]
    counts = Counter(stem.lower() for stem in stems)
    return [
        stem if counts[stem.lower()] == 1 else f"{stem}-{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
        for path, stem in zip(paths, stems, strict=True)
    ]

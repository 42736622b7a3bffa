"""The normalization that settings ask for, its description, and what its statistics say about the images."""

from collections.abc import Sequence

from histowidgets.images import Normalization
from histowidgets.training.settings import TrainingSettings


def normalization_of(settings: TrainingSettings) -> Normalization:
    """Return the normalization that a run with these settings fits to its images."""
    fixed = settings.normalization == "fixed_range"
    return Normalization(
        settings.normalization,
        per_channel=settings.normalization_per_channel,
        low=settings.normalization_low if fixed else None,
        high=settings.normalization_high if fixed else None,
        match_stain=settings.match_stain,
    )


def in_words(normalization: Normalization, n_channels: int, brightfield: bool | None = None) -> str:
    """Describe how pixels are normalized, without statistics; normalizations that do the same read the same.

    Parameters
    ----------
    normalization : Normalization
    n_channels : int
        Channels of the images.
    brightfield : bool, optional
        Whether the images are; stains are matched only there. By default as its statistics say.
    """
    text = normalization.strategy
    if text == "fixed_range":
        text += f" from {normalization.low} to {normalization.high}"
    elif n_channels > 1 and normalization.by_channel(n_channels):
        text += ", each channel by itself"
    if brightfield is None:
        brightfield = normalization.is_brightfield(n_channels)
    return text + (", stains matched" if normalization.match_stain and brightfield else "")


def is_scan(normalization: Normalization, channel_names: Sequence[str]) -> bool:
    """Tell whether images are the three colours of a brightfield scan, rather than fluorescence.

    The channels are called Red, Green and Blue, and the images that the normalization is fitted to are not mostly dark.
    """
    colors = tuple(name.casefold() for name in channel_names) == ("red", "green", "blue")
    return colors and normalization.is_brightfield(len(channel_names))

"""The normalization of the settings, its description, and the image type according to its statistics."""

from collections.abc import Sequence

from histowidgets.images import Normalization
from histowidgets.training.settings import TrainingSettings


def normalization_of(settings: TrainingSettings) -> Normalization:
    """Return the normalization of a run with these settings, before fitting it to the images."""
    fixed = settings.normalization == "fixed_range"
    return Normalization(
        settings.normalization,
        per_channel=settings.normalization_per_channel,
        low=settings.normalization_low if fixed else None,
        high=settings.normalization_high if fixed else None,
        match_stain=settings.match_stain,
    )


def in_words(normalization: Normalization, n_channels: int, brightfield: bool | None = None) -> str:
    """Describe a normalization, without its statistics; equivalent normalizations have equal descriptions.

    Parameters
    ----------
    normalization : Normalization
    n_channels : int
        Number of channels of the images.
    brightfield : bool, optional
        Whether the images are brightfield, where stains are matched; by default according to the statistics.
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
    """Return whether images are colour brightfield scans, rather than fluorescence.

    They are if the channels are Red, Green and Blue, and the images that the normalization was fitted to are not mostly
    dark.
    """
    colors = tuple(name.casefold() for name in channel_names) == ("red", "green", "blue")
    return colors and normalization.is_brightfield(len(channel_names))

"""The normalization that settings ask for."""

from histowidgets.images import Normalization
from histowidgets.training._settings import TrainingSettings


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

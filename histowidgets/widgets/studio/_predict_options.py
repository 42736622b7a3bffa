"""Fields for the options of a prediction."""

from typing import Any

import ipywidgets

from histowidgets.widgets.common import full_width

BLENDS = [
    ("middle of each tile", "centre-crop"),
    ("weighted by a Gaussian", "gaussian"),
    ("weighted by a ramp", "linear"),
]
GRIDS = [("1", 1), ("2, shifted by half a tile", 2), ("4, shifted both ways", 4)]


class PredictOptionFields(ipywidgets.VBox):
    """Test-time augmentation, grids, blending, blur, adaptation, and whether to keep probabilities."""

    def __init__(self) -> None:
        self._tta = _check("Average 8 mirrored and rotated views", "More reliable borders; takes 8 times as long")
        self._adapt = _check(
            "Adapt to the image's stain",
            "Recompute the network's batch-norm statistics on the image (AdaBN), without training. Check the result: "
            "it can be worse if the image has little tissue",
        )
        self._probabilities = _check(
            "Keep probabilities", "For the mean probability of objects; 1 byte per pixel and class before compression"
        )
        self._probabilities.value = True
        self._grids = full_width(
            ipywidgets.Dropdown(options=GRIDS, value=1, description="Grids", tooltip="Grids of tiles to average over")
        )
        self._blend = full_width(
            ipywidgets.Dropdown(options=BLENDS, description="Tiles", tooltip="How overlapping tiles are combined")
        )
        self._blur = full_width(
            ipywidgets.BoundedFloatText(
                value=0.0,
                min=0.0,
                max=200.0,
                step=0.5,
                description="Blur (µm)",
                tooltip="Blur the probabilities before choosing classes; in pixels if the image has no pixel size",
            )
        )
        super().__init__([self._tta, self._adapt, self._probabilities, self._grids, self._blend, self._blur])

    @property
    def adapt(self) -> bool:
        """Whether to recompute the statistics of norm layers on each image."""
        return bool(self._adapt.value)

    def values(self) -> dict[str, Any]:
        """Return the options by name; the blur, whose unit depends on the image, as "blur"."""
        return {
            "tta": self._tta.value,
            "grids": self._grids.value,
            "blend": self._blend.value,
            "blur": self._blur.value,
            "probabilities": self._probabilities.value,
        }


def _check(words: str, tip: str) -> ipywidgets.Checkbox:
    box = ipywidgets.Checkbox(value=False, description=words, indent=False, tooltip=tip)
    return full_width(box)

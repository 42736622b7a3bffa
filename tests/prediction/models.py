"""A model that is simple enough to know its answer, for tests of everything around a model."""

import numpy as np
from scipy import ndimage

import histowidgets as hw
from histowidgets.prediction import Classifier, ClassifierSpec

#: One of timm's encoders for tests: the fewest layers, so that an export to ONNX takes the least time.
SMALL_BACKBONE = "test_resnet"


class BrightnessModel:
    """Class 1 where the blurred first channel is bright: needs 8 pixels of context, as a small network would."""

    kind = "network"
    multiple = 32
    batch_size = 2

    def __init__(self, n_channels=3, n_classes=2, output_stride=1, context=8, largest_tile=64, slanted=False):
        self.n_channels, self.n_classes, self.output_stride = n_channels, n_classes, output_stride
        self.context, self.largest_tile, self.slanted = context, largest_tile, slanted
        self.shapes = []

    def probabilities(self, batch):
        self.shapes.append(batch.shape)
        assert batch.dtype == np.float32
        assert batch.shape[1] == self.n_channels
        assert batch.shape[2] % self.multiple == 0
        assert batch.shape[3] % self.multiple == 0
        bright = ndimage.uniform_filter(batch[:, 0], (0, 15, 15), mode="reflect")
        if self.slanted:  # not symmetric, so that turning the picture changes the answer
            bright = ndimage.shift(bright, (0, 0, 3), order=0, mode="nearest")
        s = self.output_stride
        bright = bright.reshape(len(bright), bright.shape[1] // s, s, bright.shape[2] // s, s).mean((2, 4))
        rest = (1 - bright) / (self.n_classes - 1)
        return np.stack([rest] + [bright] + [rest] * (self.n_classes - 2), 1).astype(np.float32)

    def spec(self):
        return {}

    def tensors(self):
        return {}


COLORS = ["#d55e00", "#0072b2", "#009e73", "#cc79a7"]


def brightness_classifier(image, model=None, tile_size=64, **keywords):
    model = model or BrightnessModel(len(image.channel_names))
    keywords = {"pixel_size_um": image.pixel_size_um, **keywords}
    return Classifier(
        ClassifierSpec(
            model,
            classes=["Dark", "Bright", "Third", "Fourth"][: model.n_classes],
            colors=COLORS[: model.n_classes],
            channel_names=image.channel_names,
            normalization=hw.Normalization().fitted([image]),
            tile_size=tile_size,
            **keywords,
        )
    )


def picture(height, width, channels=3, dtype=np.uint8, seed=0):
    """Squares of 8 pixels, each of another colour."""
    noise = np.random.default_rng(seed).random((height // 8 + 2, width // 8 + 2, channels))
    big = np.kron(noise, np.ones((8, 8, 1)))[:height, :width]
    return hw.open_image((big * (255 if dtype == np.uint8 else 4000)).astype(dtype), name="picture")

"""Whether the stain differs between images is told from their pixels."""

import numpy as np

from histowidgets.advice import stain_varies
from histowidgets.annotations import Project
from histowidgets.images import samples


def colon():
    image = samples.colon_ihc()
    return image.read(*image.region)


def paler(pixels, share):
    """The same tissue with `share` of the stain."""
    density = -np.log10((pixels.astype(float) + 1) / 256)
    return np.clip(256 * 10 ** (-share * density) - 1, 0, 255).astype(np.uint8)


def project_of(*images):
    project = Project(["A", "B"])
    for number, pixels in enumerate(images):
        project.add_image(pixels, name=f"image {number}")
    return project


def test_r34_a_paler_slide_is_noticed_and_a_slightly_paler_one_is_not():
    pixels = colon()
    assert stain_varies(project_of(pixels, paler(pixels, 0.55)))
    assert not stain_varies(project_of(pixels, paler(pixels, 0.9)))


def test_r34_two_halves_of_one_image_have_one_stain():
    pixels = colon()
    assert not stain_varies(project_of(pixels[:256], pixels[256:]))
    assert not stain_varies(project_of(pixels))


def test_images_without_stain_or_of_other_channels_say_nothing():
    blank, grey = np.full((64, 64, 3), 250, np.uint8), np.zeros((64, 64), np.uint8)
    assert not stain_varies(project_of(blank, grey, colon()))

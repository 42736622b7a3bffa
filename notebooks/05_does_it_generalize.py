# %% [markdown]
# # Does it generalize?
#
# A score means little unless you know what it was measured on. Three questions, from easy to hard: how well does the
# classifier do on other strokes in the images it learned from, on another image, and on images from another
# laboratory?
#
# Here the four quarters of one image stand in for images of two patients, and those of patient B are stained as if in
# another laboratory: with less brown and more blue. A simulated annotator draws the strokes from a rough ground truth.

# %% tags=["parameters"]
settings_of_this_notebook = {"max_seconds": 12, "epochs": 30}
folds = 2

# %%
import numpy as np
import PIL.Image
import PIL.ImageDraw
from scipy import ndimage
from skimage.color import hed2rgb, rgb2hed

import histowidgets as hw

CLASSES = ["Epithelium", "Other"]
whole = hw.samples.colon_ihc().read(0, 0, 512, 512)
smooth = ndimage.gaussian_filter(whole.astype(float), (4, 4, 0))
truth = np.where(smooth[..., 0] - smooth[..., 2] > 25, 0, 1)  # brown is epithelium

quarters = {"A1": (0, 0), "A2": (0, 256), "B1": (256, 0), "B2": (256, 256)}
project = hw.Project(CLASSES)
for name, (y, x) in quarters.items():
    stains = rgb2hed(whole[y : y + 256, x : x + 256])  # haematoxylin, eosin, DAB
    if name[0] == "B":
        stains = stains * [1.8, 1.0, 0.3]
    pixels = (255 * hed2rgb(stains)).round().astype(np.uint8)
    project.add_image(hw.open_image(pixels, name=name, pixel_size_um=0.5))


def paint(name, per_class, seed):
    rng = np.random.default_rng(seed)
    y0, x0 = quarters[name]
    for index, class_name in enumerate(CLASSES):
        places = np.argwhere(ndimage.binary_erosion(truth[y0 : y0 + 256, x0 : x0 + 256] == index, iterations=6))
        for y, x in rng.choice(places, per_class):
            project.annotate(name, hw.Stroke([(x - 5, y), (x + 5, y)], width=8), class_name)


for number, name in enumerate(quarters):
    paint(name, 8, number)
project.count()

# %% [markdown]
# ## 1. Other strokes in the same images
#
# In an image with the role "both", one rectangle is held out for validation. Training never reads a pixel of it, not
# even as the surroundings of a tile: that is what keeps the score honest. The rectangles are drawn here in white.

# %%
settings = hw.TrainingSettings(tile_size=96, early_stopping_metric="none", **settings_of_this_notebook)
run = hw.train(project, settings)
within = run.history[run.best_epoch - 1]["val_miou"]
print(f"mIoU on held-out strokes of the same images: {within:.2f}")

picture = PIL.Image.new("RGB", (512, 512))
for name, (y, x) in quarters.items():
    tile = PIL.Image.fromarray(project.image(name).read(0, 0, 256, 256))
    for region in run.split.held_out[name]:
        PIL.ImageDraw.Draw(tile).rectangle((region.x, region.y, region.right, region.bottom), outline="white", width=3)
    picture.paste(tile, (x, y))
picture

# %% [markdown]
# ## 2. Another patient
#
# Give the images of one patient the role "train" and those of the other "validation". If each side had one of patient
# A's images, the score would only tell how well it does on patients that it knows: keep together what belongs
# together.
#
# Here the score drops sharply: what the classifier learned about brown does not hold in the other laboratory.

# %%
for name in quarters:
    project.set_role(name, "train" if name[0] == "A" else "validation")
across = hw.train(project, settings)
print(f"mIoU on the other patient: {across.history[across.best_epoch - 1]['val_miou']:.2f}")

# %% [markdown]
# ## 3. Every image once
#
# A single split is a single roll of the dice. Cross-validation trains once per fold, and each image is held out once.
# `groups` says which images belong together. The score of a fold is that of its last epoch, not of its best one.

# %%
for name in quarters:
    project.set_role(name, "both")
result = hw.cross_validate(project, settings, folds=folds, groups={name: name[0] for name in quarters})
print(result)
hw.CrossValidationChart(result)

# %% [markdown]
# The spread over the folds is part of the score: with two folds it is a hint, with five or more images a number to
# report. What helps is variety: the first run, with strokes on images of both patients, did well on both.
#
# ## 4. Does the classifier notice?
#
# A classifier stores the statistics of its training images, and warns when another image is unlike them. Here a
# classifier that learned from patient A alone checks the images of patient B. `classifier.adapted_to` re-estimates its
# batch-norm statistics on new images, which may or may not help: look at the result.
#
# Only the range and the mean of each channel are compared. No warning does not prove that an image is alike.

# %%
for name in quarters:
    print(name, [found.title for found in across.classifier.check(project.image(name))] or "looks like training")

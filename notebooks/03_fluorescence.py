# %% [markdown]
# # Fluorescence and many channels
#
# An image may have 1 to 64 channels, of 8 or 16 bits or float. Channels have names, each is shown in its own colour
# with its own contrast, and the classifier sees all of them. The display settings never affect the numbers that it
# learns from.
#
# The cells here are simulated, so that the truth is known: nuclei (DNA), the membranes around them, and a marker that
# some cells have.

# %% tags=["parameters"]
side = 400  # pixels
n_cells = 70

# %%
import numpy as np
import PIL.Image

import histowidgets as hw
from histowidgets.advice import guess_image_type, suggest_normalization
from histowidgets.images import display_rgb

rng = np.random.default_rng(0)
rows, columns = np.mgrid[:side, :side]
planes, truth = np.zeros((side, side, 3)), np.zeros((side, side), np.uint8)
cells = []
while len(cells) < n_cells:
    x, y, marked = *rng.uniform(15, side - 15, 2), rng.random() < 0.4
    if all(np.hypot(x - a, y - b) > 26 for a, b, _ in cells):
        cells.append((x, y, marked))
for x, y, marked in cells:
    apart = np.hypot(columns - x, rows - y)
    planes[..., 0] += 2600 * np.exp(-((apart / 9) ** 6))
    planes[..., 1] += 900 * np.exp(-(((apart - 12) / 2) ** 2))
    planes[..., 2] += 1400 * marked * np.exp(-((apart / 12) ** 6))
    truth[apart < 9] = 2 if marked else 1
pixels = rng.poisson(planes + 120).astype(np.uint16)

image = hw.open_image(pixels, name="cells", channel_names=["DNA", "Membrane", "Marker"], pixel_size_um=0.65)
PIL.Image.fromarray(display_rgb(pixels)).resize((512, 512))

# %% [markdown]
# What kind of image is it, and how should its values be scaled to 0 to 1? 16-bit values have no natural maximum, so
# statistics of the whole image are used, and the few brightest pixels are cut off.

# %%
kind = guess_image_type(image)
print(kind.type, "-", kind.reason)
advice = suggest_normalization(image)
print(advice.title, "-", advice.detail, advice.evidence)

# %% [markdown]
# For such images the eye above the picture opens a menu, which switches channels on and off and sets their colours and
# contrast. `hw.samples.cell()` is a real single-channel image that you can try as well.

# %%
studio = hw.Studio(image, classes=["Background", "Cell", "Marked cell"])
studio

# %% [markdown]
# ![The display tab with three channels](../docs/pictures/display.png)
#
# The same from Python: a short stroke on some of the cells, and a few between them.

# %%
studio.close()
project = hw.Project(classes=["Background", "Cell", "Marked cell"])
name = project.add_image(image)
for x, y, marked in cells[:16]:
    project.annotate(name, hw.Stroke([(x - 5, y), (x + 5, y)], width=8), "Marked cell" if marked else "Cell")
between = np.min([np.hypot(columns - x, rows - y) for x, y, _ in cells], axis=0)
for y, x in rng.choice(np.argwhere((between > 13) & (between < 18)), 30):
    project.annotate(name, hw.Stroke([(x - 2, y), (x + 2, y)], width=4), "Background")
project.count()

# %% [markdown]
# What do the other channels add? Here are the same strokes on an image of DNA alone, which cannot show which cells
# have the marker. (The truth is known here; with your own images, the held-out strokes take its place.)


# %%
def iou(labels):
    pairs = {c: (labels == i, truth == i) for i, c in enumerate(project.classes)}
    return {c: float((said & true).sum() / (said | true).sum()) for c, (said, true) in pairs.items()}


prediction = hw.quick_classifier(project).predict(image)
scores = iou(prediction.labels)

dna = hw.Project(project.classes)
dna.add_image(hw.open_image(pixels[..., :1], name="cells", channel_names=["DNA"]))
dna.paste("cells", project.annotations(name))
scores_dna = iou(hw.quick_classifier(dna).predict(dna.image("cells")).labels)
for c in project.classes:
    print(f"{c:12} IoU {scores[c]:.2f} with all channels, {scores_dna[c]:.2f} with DNA alone")

# %% [markdown]
# A network is trained in the same way. Its first layer is adapted from its pretrained weights to the number of
# channels of the image; `channel_jitter` varies the brightness of each channel during training. A classifier finds
# channels by name, so their order in another image does not matter.

# %%
settings = hw.TrainingSettings(normalization="percentile_99", normalization_per_channel=True, channel_jitter=0.2)
found = prediction.objects(min_area_um2=20)
print(sum(o.class_name != "Background" for o in found), "cells found of", len(cells))
prediction.measurements(background=["Background"])

# %% [markdown]
# # Reading the loss chart
#
# Seven things that go wrong in training, each provoked on purpose in a short run: what it looks like in the chart,
# what `hw.diagnose` says about it, and what fixes it. In the studio the same words appear above the chart, with a
# button.

# %% tags=["parameters"]
chosen = [
    "lr-too-high",
    "lr-too-low",
    "single-step-epoch",
    "class-in-one-split",
    "overfitting",
    "underfitting",
    "one-class-predicted",
]
epochs = 20

# %% [markdown]
# The left half of the sample image is for training, the right half for validation. A simulated annotator draws strokes
# from a rough ground truth; a fraction of them can be given a wrong class, and a class can be left out on the right.

# %%
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
from scipy import ndimage

import histowidgets as hw

CLASSES = ["Epithelium", "Stroma", "Lumen"]
whole = hw.samples.colon_ihc().read(0, 0, 512, 512)
smooth = ndimage.gaussian_filter(whole.astype(float), (4, 4, 0))
truth = np.where(smooth[..., 0] - smooth[..., 2] > 25, 0, 1).astype(np.uint8)  # brown is epithelium
for x, y, right, bottom in ((0, 280, 75, 512), (290, 50, 400, 190)):
    truth[y:bottom, x:right][smooth[y:bottom, x:right].min(-1) > 185] = 2  # bright, and inside a gland


def painted(per_class, wrong=0.0, left_out=(), seed=0):
    project = hw.Project(CLASSES)
    for x0, role, n in ((0, "train", per_class), (256, "validation", 8)):
        rng = np.random.default_rng([seed, x0])
        project.add_image(hw.open_image(whole[:, x0 : x0 + 256], name=role), role=role)
        for index, class_name in enumerate(CLASSES):
            places = np.argwhere(ndimage.binary_erosion(truth[:, x0 : x0 + 256] == index, iterations=5))
            for y, x in rng.choice(places, n):
                shown = CLASSES[rng.integers(3)] if rng.random() < wrong else class_name
                if role == "train" or shown not in left_out:
                    project.annotate(role, hw.Stroke([(x - 4, y), (x + 4, y)], width=8), shown)
    return project


healthy = hw.TrainingSettings(
    tile_size=64,
    batch_size=4,
    steps_per_epoch=4,
    epochs=epochs,
    max_seconds=None,
    learning_rate=1e-3,
    scheduler="cosine",
    ema_decay=0.8,
    consistency=0.0,
    early_stopping_metric="none",
    precision="fp32",
)


def tried(project, settings):
    """Train, and return what is said of the curves, with the run."""
    run = hw.train(project, settings)
    told = {"steps_per_epoch": run.steps_per_epoch, "n_train_tiles": run.n_train_tiles}
    return hw.diagnose(run.history, settings, **told), run


# %% [markdown]
# ## As it should be
#
# Both losses fall and level off; the mIoU rises. Once they stay flat at a high mIoU, training can end.

# %%
enough = painted(12)
said, good_run = tried(enough, healthy)
print([advice.title for advice in said] or "nothing to say", good_run.history[-1]["val_miou"])

# %% [markdown]
# ## What goes wrong
#
# Each fault changes one thing: the settings or the strokes.

# %%
from_nothing = {"pretrained": False, "freeze": "none", "backbone": "mobilenetv3-small", "augmentation": False}
unbridled = {"gradient_clip": 0.0, "scheduler": "none", "ema_decay": 0.0, "seed": 1}
tilted = {"Epithelium": 10.0, "Stroma": 0.1, "Lumen": 0.1}
faults = {
    "lr-too-high": (enough, {"learning_rate": 0.3, "freeze": "none", **unbridled}),
    "lr-too-low": (enough, {"learning_rate": 1e-6, "steps_per_epoch": 8, "seed": 1}),
    "single-step-epoch": (enough, {"steps_per_epoch": 1}),
    "class-in-one-split": (painted(12, left_out=["Lumen"]), {}),
    "overfitting": (painted(3, wrong=0.34, seed=5), {**from_nothing, "ema_decay": 0.0, "epochs": epochs + 10}),
    "underfitting": (painted(12, wrong=1.0), {"learning_rate": 3e-3}),
    "one-class-predicted": (painted(8, wrong=0.8), {"class_weights": tilted, "loss": "ce", "learning_rate": 1e-2}),
}
found, patches, runs = {}, {}, {}
for fault in chosen:
    project, change = faults[fault]
    said, runs[fault] = tried(project, healthy.model_copy(update=change))
    found[fault] = [advice.id for advice in said]
    patches[fault] = next((advice.patch for advice in said if advice.id == fault), None)
    print(f"{fault}: {', '.join(advice.title for advice in said)}; suggested: {patches[fault]}")

# %% [markdown]
# The loss of each run, with its mIoU below; validation is dashed.

# %%
charts = {"healthy": good_run, **runs}
picture = PIL.Image.new("RGB", (4 * 300, -(-len(charts) // 4) * 235), "white")
for i, (title, run) in enumerate(charts.items()):
    monitor = hw.LossMonitor(run)
    chart = PIL.Image.open(monitor.to_png(Path("chart.png"))).resize((300, 210))
    monitor.close()
    corner = (i % 4 * 300, i // 4 * 235)
    picture.paste(chart, (corner[0], corner[1] + 25))
    PIL.ImageDraw.Draw(picture).text((corner[0] + 22, corner[1] + 6), title, "black", PIL.ImageFont.load_default(15))
picture

# %% [markdown]
# ## How to fix it
#
# Where a setting is the cause, the advice has a `patch`, which `settings.model_copy(update=...)` or one click in the
# studio applies. Where the strokes are the cause, only you can fix them. Beware of the score of "class-in-one-split":
# it was high because the class that is missing from validation was not counted.

# %%
mends = {
    "lr-too-high": (enough, {"learning_rate": 1e-3, "gradient_clip": 1.0}),
    "lr-too-low": (enough, patches.get("lr-too-low")),
    "single-step-epoch": (enough, {"steps_per_epoch": 4}),
    "class-in-one-split": (enough, {}),  # Lumen painted on both sides
    "overfitting": (enough, {"augmentation": True, "pretrained": True, "freeze": "encoder"}),
    "underfitting": (enough, {}),  # each stroke with its right class
    "one-class-predicted": (enough, {"class_weights": {}, "learning_rate": 1e-3}),
}
mended = {}
for fault in chosen:
    project, change = mends[fault]
    settings = healthy.model_copy(update=change)
    said, run = tried(project, settings)
    mended[fault] = [advice.id for advice in said]
    before = runs[fault].history[-1]["val_miou"]
    print(f"{fault}: mIoU {before:.2f}, then {run.history[-1]['val_miou']:.2f}, {mended[fault] or 'nothing to say'}")

# %% [markdown]
# Each id has a page in [the guide](../docs/guide/README.md), with more causes than the one provoked here;
# `advice.guide` is its address. Not provoked here: `loss-nan`, `class-poor`, `class-never-learned`,
# `validation-below-training`, and `stop-rising` and `stop-diverged`, which a long overfitting run ends in.

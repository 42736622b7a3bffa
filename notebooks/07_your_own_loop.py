# %% [markdown]
# # Use the widgets with your own training loop
#
# The widgets do not depend on our training. Here a plain PyTorch loop learns from the strokes, a `LossMonitor` shows
# its curves and says what they mean, and its Stop button works.

# %% tags=["parameters"]
epochs = 25

# %%
import numpy as np
import PIL.Image
import torch

import histowidgets as hw

project = hw.Project(classes=["Epithelium", "Stroma", "Lumen"])
name = project.add_image(hw.samples.colon_ihc())
strokes = {
    "Epithelium": [[(60, 70), (90, 110)], [(118, 60), (150, 92), (165, 120)], [(330, 410), (352, 430), (352, 470)]],
    "Stroma": [[(260, 230), (285, 262), (290, 290)], [(140, 300), (170, 330)], [(400, 310), (430, 350)]],
    "Lumen": [[(10, 330), (20, 356), (14, 390)], [(316, 85), (340, 130), (365, 175)], [(440, 410), (455, 440)]],
}
for class_name, lines in strokes.items():
    for points in lines:
        project.annotate(name, hw.Stroke(points, width=8), class_name)

# %% [markdown]
# To paint the strokes yourself, show `hw.AnnotationCanvas(project)`, which also works by itself.
#
# The strokes become a label map: class indices, and 255 where nothing was painted. `ignore_index=255` is all that a
# loss needs to know. `split_project` holds out a rectangle, for a score that you can trust.

# %%
from histowidgets.annotations import split_project

split = split_project(project.snapshot())
pixels = torch.tensor(project.image(name).read(0, 0, 512, 512) / 255, dtype=torch.float32).permute(2, 0, 1)[None]
labels = torch.tensor(project.label_map(name), dtype=torch.long)[None]
held_out = torch.zeros_like(labels, dtype=torch.bool)
for r in split.held_out[name]:
    held_out[:, r.y : r.bottom, r.x : r.right] = True
train_labels, val_labels = labels.masked_fill(held_out, 255), labels.masked_fill(~held_out, 255)
int((train_labels != 255).sum()), int((val_labels != 255).sum())

# %% [markdown]
# A `RunLog` represents the loop, and the monitor watches it. Pass `run.epoch` the values that you have; all of them
# are optional.

# %%
run = hw.RunLog(epochs=epochs, name="four convolutions")
monitor = hw.LossMonitor(run)
monitor


# %%
def scores(logits, wanted):
    """Loss, and the IoU of each class over its labelled pixels."""
    known = wanted != 255
    guess, right = logits.argmax(1)[known], wanted[known]
    iou = {}
    for index, class_name in enumerate(project.classes):
        either = ((guess == index) | (right == index)).sum()
        iou[class_name] = float(((guess == index) & (right == index)).sum() / either) if either else None
    loss = torch.nn.functional.cross_entropy(logits, wanted, ignore_index=255)
    return float(loss), iou


torch.manual_seed(0)
layers = []
for inputs, outputs in ((3, 16), (16, 16), (16, 16)):
    layers += [torch.nn.Conv2d(inputs, outputs, 5, padding=2), torch.nn.BatchNorm2d(outputs), torch.nn.ReLU()]
network = torch.nn.Sequential(*layers, torch.nn.Conv2d(16, len(project.classes), 1))
optimizer = torch.optim.AdamW(network.parameters(), lr=5e-3)

with run:
    for _ in range(epochs):
        network.train()
        loss = torch.nn.functional.cross_entropy(network(pixels), train_labels, ignore_index=255)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        network.eval()
        with torch.no_grad():
            val_loss, val_iou = scores(network(pixels), val_labels)
        known = [value for value in val_iou.values() if value is not None]
        run.epoch(
            train_loss=loss.item(),
            val_loss=val_loss,
            val_iou=val_iou,
            val_miou=float(np.mean(known)),
            learning_rate=5e-3,
        )
        if run.should_stop:  # Stop was pressed
            break
run.state, run.best_epoch

# %% [markdown]
# While the loop runs in the foreground, the buttons on the page wait for the cell to end. To make them respond at
# once, put the loop into a function and start it with `threading.Thread(target=loop).start()`.
#
# The advice that the studio gives is a function of the history, and the chart can be saved as an image for a report:

# %%
for advice in hw.diagnose(run.history):
    print(f"{advice.id}: {advice.title} - {advice.detail}")
PIL.Image.open(monitor.to_png("curves.png")).resize((800, 560))

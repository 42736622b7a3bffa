# %% [markdown]
# # For teachers: an exercise with a hidden ground truth
#
# Students paint, and are scored against a ground truth that they do not see. A simulated annotator paints as well,
# with two, five and ten strokes per class: does the number of strokes matter, or where they are placed?
#
# Here the ground truth is derived from the colours of the sample image. For a course, put your own label image into a
# file that the students do not have, and keep the cells "score" and "simulated annotator".

# %% tags=["parameters"]
stroke_counts = [2, 5, 10]
seeds = 3

# %%
import numpy as np
import PIL.Image
from scipy import ndimage

import histowidgets as hw

CLASSES = ["Epithelium", "Stroma", "Lumen"]
image = hw.samples.colon_ihc()
pixels = image.read(0, 0, 512, 512)


def make_truth():
    """Brown is epithelium, bright inside a gland is lumen, the rest is stroma; 255, near borders, is not scored."""
    smooth = ndimage.gaussian_filter(pixels.astype(float), (4, 4, 0))
    truth = np.where(smooth[..., 0] - smooth[..., 2] > 25, 0, 1).astype(np.uint8)
    for x, y, right, bottom in ((0, 280, 75, 512), (290, 50, 400, 190)):
        truth[y:bottom, x:right][smooth[y:bottom, x:right].min(-1) > 185] = 2
    truth[ndimage.maximum_filter(truth, 5) != ndimage.minimum_filter(truth, 5)] = 255
    truth[390:490, 420:480] = 255  # a tear, which is no class
    return truth


truth = make_truth()

# %% [markdown]
# ## What a student sees
#
# The task: *paint at most ten strokes per class. The best mean IoU wins.* The studio does not contain the ground
# truth.

# %%
studio = hw.Studio(image, classes=CLASSES, fresh=True)
studio

# %% [markdown]
# ## The score
#
# The score works on any project, whoever painted it: the quick learner trains on the strokes, and its prediction is
# compared with the ground truth. Because the learner is the same for all, the strokes can be compared.


# %%
def score(project):
    """Return mean IoU, IoU of each class, and the predicted labels."""
    labels = hw.quick_classifier(project).predict(image).labels
    known = truth != 255
    iou = {}
    for index, class_name in enumerate(CLASSES):
        said, true = (labels == index) & known, truth == index
        iou[class_name] = float((said & true).sum() / (said | true).sum())
    return float(np.mean(list(iou.values()))), iou, labels


# %% [markdown]
# ## A simulated annotator
#
# It knows the ground truth, and draws short random strokes well inside each class. It never makes a mistake, but it
# does not choose its places either: students who look for the difficult ones can beat it.


# %%
def simulated(per_class, seed):
    rng = np.random.default_rng(seed)
    project = hw.Project(CLASSES)
    name = project.add_image(image)
    for index, class_name in enumerate(CLASSES):
        places = np.argwhere(ndimage.binary_erosion(truth == index, iterations=4))
        for y, x in rng.choice(places, per_class):
            angle = rng.uniform(0, np.pi)
            dx, dy = 6 * np.cos(angle), 6 * np.sin(angle)
            project.annotate(name, hw.Stroke([(x - dx, y - dy), (x + dx, y + dy)], width=8), class_name)
    return project


rivals = {n: [score(simulated(n, seed))[0] for seed in range(seeds)] for n in stroke_counts}
for n, scores in rivals.items():
    print(f"{n:2} strokes a class: mean IoU {np.mean(scores):.2f} ({min(scores):.2f} to {max(scores):.2f})")

# %% [markdown]
# ## The student's turn
#
# Run this cell after painting. If nothing has been painted in the studio yet, it scores these strokes instead, which a
# person drew. To score what a student handed in, use `hw.Project.open("anna")` or
# `project.import_geojson(name, "anna.geojson")`.

# %%
student = studio.project
if sum(student.count().values()) == 0:
    example = {
        "Epithelium": [[(60, 70), (90, 110)], [(118, 60), (150, 92), (165, 120)], [(90, 380), (96, 430), (92, 470)]],
        "Stroma": [[(260, 230), (285, 262), (290, 290)], [(490, 250), (482, 300)], [(140, 300), (170, 330)]],
        "Lumen": [[(10, 330), (20, 356), (14, 390)], [(316, 85), (340, 130), (365, 175)], [(12, 440), (14, 490)]],
    }
    for class_name, lines in example.items():
        for points in lines:
            student.annotate(student.image_names[0], hw.Stroke(points, width=8), class_name)

mean, iou, labels = score(student)
painted = max(student.count().values())
print(f"the student, {painted} strokes a class at most: mean IoU {mean:.2f}", {c: round(v, 2) for c, v in iou.items()})

# %% [markdown]
# Side by side: the ground truth, the student's prediction, and in red the places where they differ. Then discuss it,
# with the help of `hw.coach`.

# %%
studio.close()
wrong = (labels != truth) & (truth != 255)
panels = [*(hw.overlay_rgba(one, student.colors)[..., :3] for one in (truth, labels)), pixels.copy()]
panels[2][wrong] = (255, 0, 0)
for advice in hw.coach(student):
    print("-", advice.title)
PIL.Image.fromarray(np.hstack(panels)).resize((900, 300))

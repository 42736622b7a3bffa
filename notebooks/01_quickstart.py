# %% [markdown]
# # Quickstart: from a few strokes to a segmentation
#
# Run the cell below, then paint on the image: pick a class on the right (or press `1`, `2`, `3`), drag a few strokes
# over tissue of that class, and do the same for the other classes. The prediction appears about a second after each
# stroke. Then press **Train**, watch the curves, keep painting, and stop when you like what you see.

# %%
import histowidgets as hw

studio = hw.Studio(hw.samples.colon_ihc(), classes=["Epithelium", "Stroma", "Lumen"])
studio

# %% [markdown]
# ![The studio: strokes of three classes, the prediction over them, the curves of a run](../docs/pictures/studio.png)
#
# ## The same from Python
#
# Everything you can do with the mouse can also be done from Python. The following cells paint, train, predict and save
# without a mouse, in a separate project.

# %% tags=["parameters"]
seconds = 20  # of training

# %%
project = hw.Project(classes=["Epithelium", "Stroma", "Lumen"])
name = project.add_image(hw.samples.colon_ihc())

strokes = {
    "Epithelium": [
        [(60, 70), (90, 110)],
        [(118, 60), (150, 92), (165, 120)],
        [(90, 380), (96, 430), (92, 470)],
        [(330, 410), (352, 430), (352, 470)],
        [(400, 70), (430, 110), (440, 150)],
        [(330, 220), (350, 250)],
        [(20, 200), (50, 260)],
    ],
    "Stroma": [
        [(260, 230), (285, 262), (290, 290)],
        [(490, 250), (482, 300)],
        [(140, 300), (170, 330)],
        [(215, 330), (245, 350), (236, 390)],
        [(400, 310), (430, 350)],
        [(450, 40), (470, 90)],
        [(185, 400), (200, 460)],
    ],
    "Lumen": [
        [(10, 330), (20, 356), (14, 390)],
        [(316, 85), (340, 130), (365, 175)],
        [(440, 410), (455, 440)],
        [(65, 4), (85, 6)],
    ],
}
for class_name, lines in strokes.items():
    for points in lines:
        project.annotate(name, hw.Stroke(points, width=8), class_name)
project.count()

# %% [markdown]
# The first prediction takes about a second.

# %%
quick = hw.quick_classifier(project)
quick.predict(project.image(name)).measurements()

# %% [markdown]
# A network takes longer and sees more of the surroundings. `start_training` returns at once and trains in a thread;
# `hw.train` does the same and waits. The settings are those for a laptop without a GPU, shortened here.

# %%
settings = hw.TrainingSettings.preset("cpu").model_copy(update={"max_seconds": seconds})
run = hw.train(project, settings)
print(run.state, "- best epoch", run.best_epoch)
run.history[-1]

# %% [markdown]
# What do the curves say, and what is missing from the annotations?

# %%
for advice in hw.diagnose(run.history, settings):
    print(f"{advice.id}: {advice.title}\n    {advice.detail}\n    {advice.evidence}")
for advice in hw.coach(project):
    print(f"{advice.title}  ({advice.guide_title})")

# %% [markdown]
# Save the classifier, and use it in another kernel:

# %%
import tempfile
from pathlib import Path

folder = Path(tempfile.mkdtemp())
run.classifier.save(folder / "classifier")

classifier = hw.Classifier.load(folder / "classifier")
prediction = classifier.predict(hw.samples.colon_ihc())
prediction.save_png(folder / "labels.png")
prediction.save_geojson(folder / "areas.geojson")  # for QuPath
sorted(path.name for path in folder.iterdir()), prediction.measurements()

# %%
from IPython.display import Image

Image(filename=str(folder / "labels.png"))

# %% [markdown]
# ## Back to the studio
#
# The studio does all of this interactively: what you painted there is in `studio.project`, its last run in
# `studio.run`, and its classifier in `studio.classifier`. `studio.close()` ends it.

# %%
studio.project.count(), studio.run, studio.classifier

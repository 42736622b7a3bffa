# %% [markdown]
# # Your own image or slide, and a project on disk
#
# Give `hw.open_image` the path of a PNG, JPEG, TIFF, OME-TIFF, an OME-Zarr folder, or a slide (.svs, .ndpi, .mrxs and
# others). Large files are read in parts, so a slide of several gigabytes opens at once. It also accepts an array.
#
# So that this notebook runs anywhere, it first writes a small OME-TIFF. Use your own path instead.

# %%
from pathlib import Path

import PIL.Image
import tifffile

import histowidgets as hw

path = Path("biopsy.ome.tif")
pixels = hw.samples.colon_ihc().read(0, 0, 512, 512)
microns = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm"}
tifffile.imwrite(path, pixels, photometric="rgb", tile=(128, 128), metadata={"axes": "YXS", **microns})

image = hw.open_image(path)
print(image.name, image.width, "x", image.height, image.dtype, image.channel_names, image.pixel_size_um, "µm a pixel")

# %% [markdown]
# Areas are in µm² if the pixel size is known. If the file does not contain it, pass it yourself:
# `hw.open_image(path, pixel_size_um=0.5)`. A region can be read at any downsample:

# %%
region = image.read(0, 0, 512, 512, downsample=2)
print(region.shape, region.dtype)
PIL.Image.fromarray(region)

# %% [markdown]
# A project with a folder is kept on disk. Each edit is written before it is confirmed, so closing the laptop or losing
# the kernel does not cost you a single stroke.

# %%
project = hw.Project(["Epithelium", "Stroma", "Lumen"], folder="my_project")
name = project.add_image(path)

project.annotate(name, hw.Stroke([(60, 70), (90, 110)], width=8), "Epithelium")
project.annotate(name, hw.Stroke([(118, 60), (150, 92), (165, 120)], width=8), "Epithelium")
project.annotate(name, hw.Stroke([(260, 230), (285, 262), (290, 290)], width=8), "Stroma")
project.annotate(name, hw.Polygon([(140, 300), (170, 305), (168, 330), (142, 326)]), "Stroma")
project.annotate(name, hw.Rectangle(318, 90, 20, 36), "Lumen")
project.annotate(name, hw.Stroke([(10, 330), (20, 356), (14, 390)], width=8), "Lumen")
print(project.count())
sorted(item.name for item in Path("my_project").iterdir())

# %% [markdown]
# Close it and open it again, now or on another day. Undo goes back beyond the point at which it was closed.

# %%
project.close()
project = hw.Project.open("my_project")
print("opened:", project.count())
project.undo()
print("one step back:", project.count())
project.redo()
print("and forward:", project.count())

# %% [markdown]
# The studio can open this project: what you paint in it goes into the same folder. In a new kernel,
# `hw.Studio(folder="my_project")` is enough. `studio.close()` ends the studio; the project stays open.

# %%
studio = hw.Studio(project)
studio

# %% [markdown]
# The prediction of a whole slide is written to a file as it is computed, so memory does not grow with the slide. If it
# is interrupted, it resumes where it stopped. The result is opened as lazily as the slide itself.

# %%
studio.close()
classifier = hw.quick_classifier(project)
stored = classifier.predict_to(path, "biopsy-labels.ome.tif")
stored.measurements()

# %% [markdown]
# `project.close()` releases the folder: only one kernel can write to it at a time; others open it read-only.

# %%
project.close()

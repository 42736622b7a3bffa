# %% [markdown]
# # Your own image or slide, and a project on disk
#
# Give `hw.open_image` the path of a PNG, JPEG, TIFF, OME-TIFF, an OME-Zarr folder, or a slide (.svs, .ndpi, .mrxs and
# others). Large files are read in parts, so that a slide of some gigabytes opens at once. Give it an array, and it
# takes that too.
#
# So that this notebook runs anywhere, it writes a small OME-TIFF first. Put your own path in its place.

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
# Areas are in µm² where the pixel size is known. If the file does not say it, give it yourself:
# `hw.open_image(path, pixel_size_um=0.5)`. A region is read at any downsample:

# %%
region = image.read(0, 0, 512, 512, downsample=2)
print(region.shape, region.dtype)
PIL.Image.fromarray(region)

# %% [markdown]
# With a folder a project is kept on disk. Each edit is written before it is confirmed, so that a closed lid or a dead
# kernel costs no stroke.

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
# Close it and open it again, here or on another day. Undo goes back beyond the day it was closed.

# %%
project.close()
project = hw.Project.open("my_project")
print("opened:", project.count())
project.undo()
print("one step back:", project.count())
project.redo()
print("and forward:", project.count())

# %% [markdown]
# The studio on this project: what is painted in it goes to the same folder. In a new kernel
# `hw.Studio(folder="my_project")` is enough. `studio.close()` ends the studio, and the project stays.

# %%
studio = hw.Studio(project)
studio

# %% [markdown]
# A prediction of a whole slide goes to a file as it is made, in memory that does not grow with the slide. It can be
# interrupted, and then goes on where it was. It is opened as lazily as the slide itself.

# %%
studio.close()
classifier = hw.quick_classifier(project)
stored = classifier.predict_to(path, "biopsy-labels.ome.tif")
stored.measurements()

# %% [markdown]
# `project.close()` lets go of the folder: only one kernel writes to it at a time, and another one opens it to read.

# %%
project.close()

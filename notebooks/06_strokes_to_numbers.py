# %% [markdown]
# # From strokes to numbers
#
# A segmentation is not yet a result. This notebook takes strokes to areas, objects and tables, and goes to QuPath and
# back. What is measured is as good as the classifier: look at the picture before you believe a table.

# %%
from pathlib import Path

import PIL.Image
import PIL.ImageDraw

import histowidgets as hw

pixels = hw.samples.colon_ihc().read(0, 0, 512, 512)
image = hw.open_image(pixels, name="colon", pixel_size_um=0.5)
project = hw.Project(classes=["Epithelium", "Stroma", "Lumen"])
name = project.add_image(image)
strokes = {
    "Epithelium": [[(60, 70), (90, 110)], [(118, 60), (150, 92), (165, 120)], [(90, 380), (96, 430), (92, 470)]],
    "Stroma": [[(260, 230), (285, 262), (290, 290)], [(490, 250), (482, 300)], [(140, 300), (170, 330)]],
    "Lumen": [[(10, 330), (20, 356), (14, 390)], [(316, 85), (340, 130), (365, 175)], [(440, 410), (455, 440)]],
}
for class_name, lines in strokes.items():
    for points in lines:
        project.annotate(name, hw.Stroke(points, width=8), class_name)
prediction = hw.quick_classifier(project).predict(image, blur_um=1.0)

# %% [markdown]
# ## Areas
#
# In µm², since the image has a pixel size; the percentages are of the region, and those "of tissue" leave out the
# classes that are none.

# %%
prediction.measurements(background=["Lumen"])

# %% [markdown]
# ## Objects
#
# Pixels of one class that touch are one object, with holes where another class lies inside. Specks are left out, small
# holes filled, outlines made simpler, all in µm. This is about pixels: two glands that touch are one object.

# %%
objects = [o for o in prediction.objects(100, fill_holes_um2=50, simplify_um=0.5) if o.class_name == "Epithelium"]
picture = PIL.Image.fromarray(pixels)
draw = PIL.ImageDraw.Draw(picture)
for o in objects:
    for ring in [o.polygon.exterior, *o.polygon.interiors]:
        draw.line(list(ring.coords), fill="yellow", width=2)
print(len(objects), "areas of epithelium, the largest of", round(max(o.area_um2 for o in objects)), "µm²")
picture

# %% [markdown]
# ## Tables
#
# One row an object (`pandas.DataFrame(prediction.object_table())` if you like), or one row a region that you draw:
# here the left and the right half. The regions are annotations too, in a project that is not trained on.

# %%
folder = Path("results")
folder.mkdir(exist_ok=True)
prediction.save_csv(folder / "objects.csv", min_area_um2=100)
print((folder / "objects.csv").read_text().splitlines()[0])

regions = hw.Project(classes=["Region"])
regions.add_image(image)
regions.annotate(name, hw.Rectangle(0, 0, 256, 512), "Region")
regions.annotate(name, hw.Rectangle(256, 0, 256, 512), "Region")
table = prediction.measure_annotations(regions.annotations(name), background=["Lumen"])
for row in table:
    print({key: round(value, 1) for key, value in row.items() if key.endswith("(% of tissue)")})

# %% [markdown]
# ## To QuPath and back
#
# GeoJSON is what QuPath reads (drag the file onto the open image) and writes (*File > Export objects as GeoJSON*).
# Classes keep their names and colours, objects their measurements. Coordinates are full-size pixels on both sides.

# %%
prediction.save_geojson(folder / "areas.geojson", min_area_um2=100, simplify_um=0.5)  # objects, to look at
project.export_geojson(name, folder / "strokes.geojson")  # annotations, to go on with

back = hw.Project(classes=["Epithelium"])
back.add_image(image)
drawn = back.import_geojson(name, folder / "strokes.geojson", unknown_classes="add")
print(drawn, "annotations came back:", back.count(), back.classes)

# %% [markdown]
# Label images go the same way: `prediction.save_png` and `project.export_label_png` write the class indices with the
# colours of the classes, `prediction.save_ome_tiff` a pyramid with the pixel size. A trained network goes to QuPath as
# a whole with `run.classifier.export_qupath(folder)` (with the extra `onnx`).

# %%
prediction.save_png(folder / "labels.png")
prediction.save_ome_tiff(folder / "labels.ome.tif")
project.export_label_png(name, folder / "strokes.png")
sorted(path.name for path in folder.iterdir())

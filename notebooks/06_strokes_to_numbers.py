# %% [markdown]
# # From strokes to numbers
#
# A segmentation is not yet a result. This notebook goes from strokes to areas, objects and tables, and to QuPath and
# back. The measurements are only as good as the classifier: look at the image before you trust a table.

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
# Areas are in µm², because the image has a pixel size. The percentages refer to the region; those "of tissue" leave
# out the classes that are not tissue.

# %%
prediction.measurements(background=["Lumen"])

# %% [markdown]
# ## Objects
#
# Touching pixels of one class form an object, with holes where another class lies inside. Specks are left out, small
# holes are filled, and outlines are simplified, all in µm. Objects are built from pixels: two glands that touch are
# one object.

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
# A table has one row per object (`pandas.DataFrame(prediction.object_table())` makes it a data frame) or one row per
# region that you draw: here the left and the right half. The regions are annotations too, in a project that is not
# used for training.

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
# QuPath reads GeoJSON (drag the file onto the open image) and writes it (*File > Export objects as GeoJSON*). Classes
# keep their names and colours, and objects their measurements. Coordinates are full-size pixels in both programs.

# %%
prediction.save_geojson(folder / "areas.geojson", min_area_um2=100, simplify_um=0.5)  # objects, to look at
project.export_geojson(name, folder / "strokes.geojson")  # annotations, to go on with

back = hw.Project(classes=["Epithelium"])
back.add_image(image)
drawn = back.import_geojson(name, folder / "strokes.geojson", unknown_classes="add")
print(drawn, "annotations came back:", back.count(), back.classes)

# %% [markdown]
# Label images can be exchanged too: `prediction.save_png` and `project.export_label_png` write the class indices in
# the colours of the classes, and `prediction.save_ome_tiff` writes a pyramid with the pixel size. A whole trained
# network is exported to QuPath with `run.classifier.export_qupath(folder)` (needs the extra `onnx`).

# %%
prediction.save_png(folder / "labels.png")
prediction.save_ome_tiff(folder / "labels.ome.tif")
project.export_label_png(name, folder / "strokes.png")
sorted(path.name for path in folder.iterdir())

"""Make the classifier of `hw.samples.classifier` from strokes on an image.

python docs/make_sample_classifier.py
"""

import tempfile
from dataclasses import replace
from pathlib import Path

import histowidgets as hw
from histowidgets.prediction._sample import FOLDER, write_sample

#: Strokes inside tissue of their class, in pixels of the image.
STROKES = {
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


def main() -> None:
    """Fit the quick learner, and write the sample."""
    project = hw.Project(list(STROKES))
    name = project.add_image(hw.samples.colon_ihc())
    for class_name, strokes in STROKES.items():
        for points in strokes:
            project.annotate(name, hw.Stroke(points, width=8), class_name)
    fitted = hw.quick_classifier(project)
    trained_on = {key: value for key, value in fitted.trained_on.items() if key != "seconds"}  # differs each time
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "classifier"
        hw.Classifier(replace(fitted.spec, name="colon sample", trained_on=trained_on)).save(saved)
        write_sample(saved)
    for path in sorted(FOLDER.iterdir()):
        print(path, path.stat().st_size)


if __name__ == "__main__":
    main()

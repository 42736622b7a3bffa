"""How fast the quick learner answers six strokes on the sample image, cold and warm, and one more stroke.

`quality.py` measures how good it is, and its times on several images.
"""

import json
import statistics
import time

import histowidgets as hw
from histowidgets.prediction import forget_features

STROKES = {
    0: [[(95, 35), (110, 52), (122, 68)], [(300, 40), (330, 60)]],
    1: [[(260, 230), (285, 262), (290, 290)], [(490, 250), (482, 300)]],
    2: [[(10, 330), (20, 356), (14, 390)], [(345, 110), (368, 150), (380, 190)]],
}


def timed(work):
    started = time.perf_counter()
    answer = work()
    return answer, time.perf_counter() - started


def sample_times():
    """Time the answer to six strokes on the sample image, cold and warm, and to one more stroke."""
    project = hw.Project(classes=["Epithelium", "Stroma", "Lumen"])
    name = project.add_image(hw.samples.colon_ihc())
    for k, lines in STROKES.items():
        for line in lines:
            project.annotate(name, hw.Stroke(line, width=8), project.classes[k])
    image = project.image(name)

    def answer():
        return hw.quick_classifier(project).predict(image)

    first = timed(answer)[1]
    forget_features()
    cold = timed(answer)[1]
    warm = statistics.median(timed(answer)[1] for _ in range(7))
    more = []
    for i in range(7):
        project.annotate(name, hw.Stroke([(40 + 50 * i, 470), (60 + 50 * i, 480)], width=8), "Stroma")
        more.append(timed(answer)[1])
    return {
        "first_in_process_s": round(first, 3),
        "cold_s": round(cold, 3),
        "warm_s": round(warm, 3),
        "one_more_stroke_s": round(statistics.median(more), 3),
    }


if __name__ == "__main__":
    print(json.dumps(sample_times()))

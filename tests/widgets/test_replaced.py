"""What is replaced on the page is closed whole: a widget, its layout and its style live in the kernel until then."""

from ipywidgets.widgets.widget import _instances

import histowidgets as hw
from histowidgets.advice import Action, Advice
from histowidgets.widgets.monitor import DiagnosisLine


def test_lines_of_advice_that_come_and_go_leave_no_widget():
    line = DiagnosisLine(lambda action: True, lambda action, advice: None)
    lower = Action("Lower it", {"learning_rate": 1e-4})
    advice = Advice("lr-too-high", "The loss swings", "Lower it.", {"swing": 0.4}, actions=(lower,))
    counts = []
    for _ in range(4):
        line.show([advice])
        assert len(line._buttons.children) == 1
        line.offer_undo(lambda: None)
        line.show([])
        line.offer_undo(None)
        counts.append(len(_instances))
    assert len(set(counts)) == 1, counts


def test_palettes_and_strips_that_are_made_anew_leave_no_widget():
    project = hw.Project(["A", "B"])
    project.add_image(hw.samples.colon_ihc())
    canvas = hw.AnnotationCanvas(project)
    counts = []
    for _ in range(4):
        project.add_class("C")
        project.delete_class("C")
        counts.append(len(_instances))
    canvas.close()
    assert len(set(counts)) == 1, counts

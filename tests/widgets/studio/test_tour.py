"""The tour: offered once, left and resumed, each step done when the user has done it (row X17)."""

from dataclasses import replace

import ipywidgets
import pytest

from histowidgets.widgets.studio._tour import STEPS, Tour, TourFacts, TourMemory

NOTHING = TourFacts(
    view=0, class_name="Gland", n_annotations=0, n_classes_painted=0, has_prediction=False, has_run=False
)
#: What the user does in each step; None where there is nothing to do.
DEEDS = [
    {"view": 1},
    {"class_name": "Stroma"},
    {"n_annotations": 1, "n_classes_painted": 1},
    {"n_annotations": 2, "n_classes_painted": 2, "has_prediction": True},
    {"n_annotations": 3},
    None,
    {"has_run": True},
    None,
]


class Screen:
    def __init__(self, path):
        self.facts, self.opened = NOTHING, []
        self.parts = {name: ipywidgets.VBox() for name in ("canvas", "classes", "next", "tabs")}
        self.tour = Tour(lambda: self.facts, self.parts, self.opened.append, TourMemory(path))

    @property
    def text(self):
        return self.tour._text.value

    @property
    def visible(self):
        return self.tour.layout.display != "none"

    @property
    def outlined(self):
        return [name for name, part in self.parts.items() if "hw-tour-here" in part._dom_classes]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "tour.json"


def test_x17_eight_steps_are_done_by_doing_them(path):
    screen = Screen(path)
    screen.tour.forward.click()
    for number, (step, deed) in enumerate(zip(STEPS, DEEDS, strict=True)):
        assert f"Step {number + 1} of 8" in screen.text
        assert screen.outlined == [step.part]
        screen.tour.refresh()
        assert "Done" not in screen.text
        if deed is not None:
            screen.facts = replace(screen.facts, **deed)
            screen.tour.refresh()
            assert "Done" in screen.text
            assert screen.tour.step is step  # nothing moves unless the user moves it
        assert screen.tour.forward.description == ("Next" if number < 7 else "Finish")
        screen.tour.forward.click()
    assert screen.opened == ["Train", "Results"]
    assert not screen.visible
    assert screen.outlined == []


def test_x17_it_is_offered_once(path):
    screen = Screen(path)
    assert screen.visible
    assert "New here?" in screen.text
    assert screen.outlined == []
    assert Screen(path).visible  # not answered yet
    screen.tour.leave_button.click()
    assert not screen.visible
    assert not Screen(path).visible


def test_x17_it_is_left_and_resumed(path):
    first = Screen(path)
    for _ in range(4):
        first.tour.forward.click()
    assert "Step 4 of 8" in first.text
    first.tour.back.click()
    first.tour.leave_button.click()
    assert not first.visible
    later = Screen(path)
    assert not later.visible
    later.tour.resume.click()
    assert later.visible
    assert "Step 3 of 8" in later.text
    assert later.outlined == ["canvas"]


def test_after_its_end_it_starts_with_the_first_step(path):
    screen = Screen(path)
    for _ in range(9):
        screen.tour.forward.click()
    assert not screen.visible
    screen.tour.resume.click()
    assert "Step 1 of 8" in screen.text
    assert screen.tour.back.disabled


@pytest.mark.parametrize("content", ["", "[]", '{"step": 99}', '{"step": "two"}', "\x00"])
def test_a_damaged_file_starts_with_the_first_step_or_offers_it_again(path, content):
    path.parent.mkdir()
    path.write_text(content)
    screen = Screen(path)
    screen.tour.start()
    assert "Step 1 of 8" in screen.text


def test_without_a_folder_to_write_to_the_tour_works_all_the_same(tmp_path):
    (tmp_path / "file").write_text("")
    screen = Screen(tmp_path / "file" / "tour.json")
    screen.tour.forward.click()
    screen.tour.leave_button.click()
    assert not screen.visible

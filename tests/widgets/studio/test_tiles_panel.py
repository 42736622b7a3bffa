"""Labelling the same tiles blind in the studio: the switch beside the name, and the list of tiles."""

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.annotations import AgreementTile, AgreementTiles
from histowidgets.images import Region


@pytest.fixture
def studio(tmp_path):
    rng = np.random.default_rng(0)
    images = [
        hw.open_image(rng.integers(0, 255, (200, 300, 3)).astype(np.uint8), name=name, pixel_size_um=0.5)
        for name in ("a", "b")
    ]
    studio = hw.Studio(images, classes=["A", "B"], folder=tmp_path / "p", annotator="Anna", fresh=True)
    yield studio
    studio.close()


def said(panel):
    assert panel.tasks.wait(30)
    assert panel.worker.idle.wait(30)
    return panel._where.value, panel._said.value


def tiles_of(studio, *places):
    tiles = AgreementTiles(tuple(AgreementTile(name, Region(x, 20, 40, 40)) for name, x in places), 20, 0)
    studio.project.set_agreement_tiles(tiles)
    assert studio._tiles.worker.idle.wait(30)
    return tiles.tiles


def paint(studio, tile, class_name="A"):
    studio.project.annotate(tile.image_name, hw.Rectangle(*tile.region.expanded(-5)), class_name)
    assert studio._tiles.worker.idle.wait(30)


def test_x12_tiles_are_drawn_from_the_panel(studio):
    panel = studio._tiles
    assert panel._steps.layout.display == "none"
    panel.count.value, panel.size.value, panel.seed.value = 3, 20.0, 5
    panel.draw_button.click()
    where, answer = said(panel)
    assert "Drew 3 tiles of 20 um" in answer
    assert "0 of 3 tiles labelled by Anna." in where
    assert panel._steps.layout.display is None
    assert studio.project.agreement_tiles == hw.agreement_tiles(studio.project, 3, size_um=20, seed=5)
    panel.count.value, panel.size.value = 500, 90.0
    panel.draw_button.click()
    assert "room for" in said(panel)[1]


def test_x12_next_goes_to_what_is_not_labelled_and_previous_back(studio):
    panel, marked = studio._tiles, []
    panel._show = marked.append
    first, second, third = tiles_of(studio, ("a", 10), ("b", 10), ("b", 100))
    panel.next()
    assert studio.canvas.image_name == "a"
    assert panel.shown == first.region
    paint(studio, first)
    assert "1 of 3 tiles labelled by Anna. Tile 1 of 3, on a: labelled." in panel._where.value
    assert marked[-1] == first.region, "it stays marked after a stroke"
    panel.next()
    assert (studio.canvas.image_name, panel.shown) == ("b", second.region)
    panel.next()
    assert panel.shown == third.region
    paint(studio, third)
    panel.next()  # the second is the only one left
    assert panel.shown == second.region
    panel.previous_button.click()
    assert panel.shown == first.region
    panel.previous_button.click()
    assert panel.shown == third.region
    studio.canvas.show_image("a")
    assert panel.shown is None


def test_x12_done_tiles_are_those_of_the_person_who_paints(studio):
    panel = studio._tiles
    (first,) = tiles_of(studio, ("a", 10))
    paint(studio, first)
    studio._project_panel._annotator.value = "Ben"
    assert "0 of 1 tiles labelled by Ben." in said(panel)[0]
    paint(studio, first, "B")
    assert "1 of 1 tiles labelled by Ben." in said(panel)[0]
    panel.compare_button.click()
    assert "Anna and Ben agree on 0 %" in said(panel)[1]


def test_x12_the_switch_hides_others_and_the_prediction_and_needs_a_name(studio):
    panel, canvas = studio._project_panel, studio.canvas
    panel._hide.value = True
    assert canvas.others_hidden
    assert not canvas.overlay_on
    assert "O shows it" in panel._said.value
    canvas.others_hidden = False  # from Python
    assert not panel._hide.value
    assert canvas.overlay_on
    panel._hide.value = True
    panel._annotator.value = " "
    assert not canvas.others_hidden, "without a name nobody is told apart"
    panel._hide.value = True
    assert not panel._hide.value
    assert not canvas.others_hidden
    assert "Type your name first" in panel._said.value


def test_x12_a_tile_of_a_removed_image_is_named(studio):
    panel = studio._tiles
    tiles_of(studio, ("a", 10), ("b", 10))
    studio.project.remove_image("b")
    panel.go_to(1)
    assert "of this tile was removed" in panel._said.value

"""The studio fits the page that it is on, and what is said in it moves nothing."""

import itertools

import pytest

from tests.browser.studio_hand import StudioHand

CELL = """
import histowidgets as hw
colon = hw.samples.colon_ihc().read(0, 0, 256, 256)
if "studio" in globals():
    studio.close()
images = [hw.open_image(colon, name="colon"), hw.open_image(255 - colon, name="inverse")]
studio = hw.Studio(images, classes=["Epithelium", "Stroma", "Lumen"], fresh=True)
studio
"""
# Boxes of the studio's parts, and the height of what scrolls it.
_BOXES = """() => {
  const box = (name) => {
    const { x, y, width, height, right, bottom } = document.querySelector(name).getBoundingClientRect();
    return { x, y, width, height, right, bottom };
  };
  const room = document.querySelector(".jp-WindowedPanel-outer").clientHeight;
  const names = ["hw-studio", "hw-main", "hw-side", "hw-stage", "hw-bar", "hw-strip", "hw-classes", "hw-tabs"];
  const wide = [...document.querySelectorAll(".hw-bar > *")].map((one) => one.getBoundingClientRect().right);
  const boxes = Object.fromEntries(names.map((name) => [name.slice(3), box("." + name)]));
  return { room, barEnd: Math.max(...wide), ...boxes };
}"""


@pytest.fixture
def hand(shared_notebook):
    notebook = shared_notebook([CELL])
    notebook.page.set_viewport_size({"width": 1366, "height": 768})
    notebook.run_all()
    return StudioHand(notebook)


def _settled(hand, width, height):
    """Boxes at a window's size, once the studio has taken the room that the page gives."""
    page, notebook = hand.page, hand.notebook
    page.set_viewport_size({"width": width, "height": height})
    wide = page.evaluate("() => Math.floor(document.querySelector('.hw-studio').getBoundingClientRect().width)")
    notebook.wait_for_value("studio._page_size.size[0]", wide)
    notebook.wait_for(
        """() => {
          const key = JSON.stringify([".hw-studio", ".hw-stage", ".hw-side", ".hw-strip"].map((name) => {
            const { width, height } = document.querySelector(name).getBoundingClientRect();
            return [width, height];
          }));
          const now = performance.now();
          if (window.hwKey !== key) [window.hwKey, window.hwSince] = [key, now];
          return now - window.hwSince > 700;
        }"""
    )
    return page.evaluate(_BOXES)


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1232, 768), (1920, 1080)])
def test_all_of_the_studio_is_seen_without_scrolling(hand, width, height):
    boxes = _settled(hand, width, height)
    assert boxes["studio"]["height"] <= boxes["room"]
    assert boxes["studio"]["height"] > 0.9 * min(boxes["room"], 1080), "and the room is used"
    assert boxes["side"]["x"] >= boxes["main"]["right"] - 2, "side by side"
    assert abs(boxes["side"]["height"] - boxes["main"]["height"]) <= 8
    area = boxes["stage"]["width"] * boxes["stage"]["height"]
    assert area > boxes["side"]["width"] * boxes["side"]["height"], "the picture is the largest thing"
    assert boxes["barEnd"] <= boxes["bar"]["right"] + 1, "one row, nothing cut off"
    assert boxes["bar"]["height"] < 45
    assert boxes["tabs"]["y"] - boxes["side"]["y"] < 300, "the chart's tab begins in the upper part"
    hand.notebook.screenshot(f"layout-{width}")


def test_on_a_narrow_page_the_side_goes_below(hand):
    boxes = _settled(hand, 800, 900)
    assert boxes["side"]["y"] >= boxes["main"]["bottom"] - 2
    assert boxes["stage"]["right"] <= boxes["studio"]["right"] + 1
    assert boxes["strip"]["right"] <= boxes["studio"]["right"] + 1
    hand.notebook.screenshot("layout-800")


def test_what_is_said_next_moves_nothing(hand):
    before = _settled(hand, 1366, 768)
    hand.pick_class("Stroma")
    hand.paint([(40, 40), (100, 60)])
    hand.notebook.wait_for_value("studio.project.count()['Stroma']", 1)
    hand.wait_for_next("has none yet")
    after = hand.page.evaluate(_BOXES)
    for name in ("main", "side", "stage", "classes", "tabs", "strip"):
        for edge in ("x", "width", "height"):
            assert after[name][edge] == before[name][edge], (name, edge)
        assert after[name]["y"] - after["studio"]["y"] == before[name]["y"] - before["studio"]["y"], name


def test_long_messages_move_nothing_and_can_be_read_in_full(hand):
    before = _settled(hand, 1366, 768)
    text = "The project in /home/anna/" + "workshop/" * 30 + " is read-only, as another process has it open." * 3
    hand.notebook.execute(f"studio.canvas.say({text!r}, 'error')")
    hand.notebook.execute(f"studio.canvas._frame.status.show_place({text!r})")
    hand.notebook.wait_for("(text) => document.querySelector('.hw-said .hw-error')?.title === text", text)
    after = hand.page.evaluate(_BOXES)
    assert after == before
    lines = hand.page.eval_on_selector_all(
        ".hw-status > *",
        "(all) => all.map((each) => each.getBoundingClientRect()).map((b) => [b.left, b.right, b.height])",
    )
    for (_, right, _), (left, _, _) in itertools.pairwise(lines):
        assert right <= left, "they do not lie over each other"
    assert hand.page.locator(".hw-status").bounding_box()["height"] <= 32
    hand.notebook.screenshot("layout-long-message")

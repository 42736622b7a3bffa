"""A saved notebook with a studio in two windows of different size, as people have it on two screens."""

from tests.browser.harness import TIMEOUT_MS
from tests.browser.studio_hand import StudioHand

CELL = """
import numpy as np
import histowidgets as hw
colon = hw.samples.colon_ihc().read(0, 0, 256, 256)
studio = hw.Studio(hw.open_image(colon, name="colon"), classes=["Epithelium", "Stroma"], fresh=True)
sizes = []
studio._page_size.observe(lambda change: sizes.append(change["new"]), names="size")
studio
"""
# Whether the middle of the picture has been drawn, and the width of the stage.
_LOOK = """() => {
  const canvas = document.querySelector("canvas.hw-picture");
  const { data } = canvas.getContext("2d").getImageData(canvas.width / 2, canvas.height / 2, 1, 1);
  return [data[3] === 255, document.querySelector(".hw-stage").offsetWidth];
}"""


def _width(page):
    return page.evaluate("() => Math.floor(document.querySelector('.hw-studio').getBoundingClientRect().width)")


def test_two_windows_of_different_size_do_not_fight_over_the_size_of_the_studio(open_notebook, browser):
    notebook = open_notebook([CELL], width=1500, height=1000)
    notebook.run_all()
    StudioHand(notebook)
    notebook.wait_for_value("studio._page_size.size[0]", _width(notebook.page))
    notebook.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save').then(() => null)")
    context = browser.new_context(viewport={"width": 1300, "height": 900})
    try:
        other = context.new_page()
        other.set_default_timeout(TIMEOUT_MS)
        other.goto(f"{notebook.server.url}/doc/tree/{notebook.path}")
        other.wait_for_selector(".hw-pointer")
        notebook.wait_for_value("studio._page_size.size[0]", _width(other))
        assert notebook.value("len(sizes)") <= 4, "once as it was opened, and once more for a scroll bar"
        _both_drawn(notebook, other)
        settled = notebook.value("len(sizes)")
        looks = []
        for _ in range(12):  # two seconds, in which the windows used to resize each other ten times
            other.wait_for_timeout(170)
            looks += [page.evaluate(_LOOK)[0] for page in (notebook.page, other)]
        assert all(looks), "the picture is never black"
        assert notebook.value("len(sizes)") == settled
        # The window that is used next gets its size; that is one change.
        notebook.page.mouse.move(5, 500)
        box = notebook.page.locator(".hw-pointer").bounding_box()
        notebook.page.mouse.move(box["x"] + 90, box["y"] + 90, steps=3)
        notebook.wait_for_value("studio._page_size.size[0]", _width(notebook.page))
        _both_drawn(notebook, other)
        assert notebook.value("len(sizes)") <= settled + 2
    finally:
        context.close()
    notebook.execute("studio.close()")


def _both_drawn(notebook, other):
    wide = notebook.value("studio.canvas.view.stage_width")
    for page in (notebook.page, other):
        page.wait_for_function(
            f"(wide) => {{ const [drawn, now] = ({_LOOK})(); return drawn && now === wide; }}", arg=wide
        )

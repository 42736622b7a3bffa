"""Which of the two outputs of a widget a page shows: exported HTML, a notebook without its kernel, and a live one."""

import pytest

from histowidgets.widgets.common import style_sheet

# Pages as JupyterLab and nbconvert lay them out, and as nbclassic and Colab do.
JUPYTER = """
<div class="jp-OutputArea">
  <div class="jp-OutputArea-child" id="view">{view}</div>
  <div class="jp-OutputArea-child" id="still"><div class="hw-still hw-still-{kind}">the last state</div></div>
</div>"""
OTHER = """<div id="view">{view}</div><div id="still" class="hw-still hw-still-{kind}">the last state</div>"""
STUDIO = '<div class="hw-studio"><div class="hw-canvas"><div class="hw-stage">{layer}black</div></div></div>'
CANVAS = '<div class="hw-canvas">{layer}black</div>'
# Whether any text within the element is laid out.
_IS_SHOWN = """(node) => {
  const range = document.createRange();
  range.selectNodeContents(node);
  return [...range.getClientRects()].some(({ width }) => width > 0);
}"""
LIVE, DEAD = '<div class="hw-live"></div>', '<div class="hw-live hw-dead"></div>'


@pytest.fixture
def page(browser):
    page = browser.new_page()
    yield page
    page.close()


@pytest.mark.parametrize("layout", [JUPYTER, OTHER], ids=["JupyterLab", "nbclassic"])
@pytest.mark.parametrize(
    ("kind", "view", "shown"),
    [
        ("picture", STUDIO.format(layer=LIVE), ["view"]),
        ("picture", STUDIO.format(layer=DEAD), ["still"]),
        ("picture", STUDIO.format(layer=""), ["view", "still"]),  # the script could not be loaded
        ("picture", CANVAS.format(layer=LIVE), ["view"]),
        ("picture", CANVAS.format(layer=DEAD), ["still"]),
        ("picture", "Studio: run this cell to use it.", ["view", "still"]),
        ("chart", '<div class="hw-monitor">charts</div>', ["view"]),
        ("chart", "LossMonitor: run this cell to use it.", ["view", "still"]),
        ("form", '<div class="hw-form">fields</div>', ["view"]),
        ("folds", '<div class="hw-trials">folds</div>', ["view"]),
    ],
)
def test_what_a_page_shows_of_a_widget_depends_on_what_works_there(page, layout, kind, view, shown):
    page.set_content(f"<style>{style_sheet('common/still')}</style>{layout.format(kind=kind, view=view)}")
    found = [name for name in ("view", "still") if page.locator(f"#{name}").evaluate(_IS_SHOWN)]
    assert found == shown


def test_pictures_of_other_cells_stay(page):
    page.set_content(
        f"<style>{style_sheet('common/still')}</style>"
        + JUPYTER.format(kind="picture", view=STUDIO.format(layer=LIVE))
        + JUPYTER.format(kind="picture", view="Studio: run this cell to use it.")
    )
    assert page.locator(".hw-still:visible").count() == 1

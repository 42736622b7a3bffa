"""An audit by hand: real keys judge points with everything hidden, and the numbers appear with their intervals."""

import re

from tests.browser.studio_hand import StudioHand

# Two halves, and strokes that teach them; a hidden third area between them is for neither.
CELL = """
import numpy as np, histowidgets as hw
rng = np.random.default_rng(0)
pixels = rng.integers(60, 110, (512, 512, 3)).astype(np.uint8)
pixels[:, 256:] += 90
studio = hw.Studio(pixels, classes=["Dark", "Bright"], fresh=True)
name = studio.project.image_names[0]
for y in range(30, 500, 60):
    studio.project.annotate(name, hw.Stroke([(20, y), (200, y)], width=10), "Dark")
    studio.project.annotate(name, hw.Stroke([(300, y), (480, y)], width=10), "Bright")
studio
"""


def judged(notebook):
    return notebook.value("[[one.point, one.class_name] for one in studio.project.audits[-1].judgements]")


def test_x15_an_audit_by_hand(open_notebook):
    notebook = open_notebook([CELL], width=1366, height=768)
    notebook.run_all()
    hand, page = StudioHand(notebook), notebook.page
    notebook.wait_for_value("studio.classifier is not None", True, seconds=90)
    hand.wait_until_settled()
    hand.open_tab("Results")
    panel = page.locator(".hw-audit")
    panel.scroll_into_view_if_needed()
    panel.get_by_role("button", name="Audit…").click()
    panel.get_by_label("Points").fill("10")
    notebook.screenshot("audit-asking")
    panel.get_by_role("button", name="Draw points").click()
    panel.get_by_text("0 of 10").wait_for(timeout=60_000)

    # The place is in view under the cross; prediction and strokes are hidden, also in words.
    notebook.wait_for("() => { const c = document.querySelector('.hw-cross'); return c && !c.hidden; }")
    point = notebook.value("[studio._audit._shown.x, studio._audit._shown.y]")
    x, y = hand.page_point((point[0] + 0.5, point[1] + 0.5))
    notebook.wait_for(
        "([x, y]) => { const r = document.querySelector('.hw-cross').getBoundingClientRect();"
        " return Math.hypot(r.left - x, r.top - y) < 2; }",
        [x, y],
    )
    notebook.wait_for_value("[studio.canvas.overlay_on, studio.canvas.annotations_on]", [False, False])
    notebook.wait_for("() => document.querySelector('.hw-caption').hidden")
    # The cross and all buttons are in view together.
    notebook.wait_for(
        "() => [...document.querySelectorAll('.hw-cross, .hw-audit button')].every((one) => {"
        " const r = one.getBoundingClientRect();"
        " return r.top >= 0 && r.bottom <= innerHeight && r.left >= 0 && r.right <= innerWidth; })"
    )
    page.mouse.move(x, y)
    notebook.wait_for_value(f"studio.canvas._state.hovered.startswith('x {point[0]} y {point[1]}')", True)
    assert "predicted" not in notebook.value("studio.canvas._state.hovered")
    red, green, blue, _ = hand.picture_at((point[0] + 4, point[1] + 4))
    assert max(red, green, blue) - min(red, green, blue) < 70, "gray tissue, without the colours of classes"
    notebook.screenshot("audit-judging-light")

    # Keys: a digit judges, 0 and Space are for "can't tell", Backspace goes back; B and O neither paint nor show.
    page.keyboard.press("1")
    notebook.wait_for_value("len(studio.project.audits[-1].judgements)", 1)
    panel.get_by_text("1 of 10").wait_for()
    page.keyboard.press("b")
    page.keyboard.press("o")
    page.keyboard.press("0")
    panel.get_by_text("2 of 10").wait_for()
    page.keyboard.press("Space")
    panel.get_by_text("3 of 10").wait_for()
    assert judged(notebook) == [[0, "Dark"], [1, None], [2, None]]
    assert notebook.value("[studio.canvas.tool, studio.canvas.overlay_on]") == ["pan", False]
    for left in (2, 1):
        page.keyboard.press("Backspace")
        panel.get_by_text(f"{left} of 10").wait_for()
    page.keyboard.press("Control+z")  # the project's undo takes back the last step, which was a step back
    panel.get_by_text("2 of 10").wait_for()
    page.keyboard.press("Backspace")
    panel.get_by_text("1 of 10").wait_for()
    assert notebook.value("sum(studio.project.count().values())") == 16, "nothing was painted or erased"

    # A drag moves the view and paints nothing; the zoom stays for the next point.
    hand.paint([(point[0], point[1]), (point[0] + 30, point[1])])
    larger = f"studio.canvas.view.zoom > {1.1 * notebook.value('studio.canvas.view.zoom')}"
    page.keyboard.press("+")
    notebook.wait_for_value(larger, True)
    panel.get_by_role("button", name=re.compile("Bright$")).click()
    panel.get_by_text("2 of 10").wait_for()
    assert judged(notebook)[-1] == [1, "Bright"]
    assert notebook.value(larger) is True
    page.keyboard.press("Space")  # not the button that was clicked last
    panel.get_by_text("3 of 10").wait_for()
    assert judged(notebook)[-1] == [2, None]

    # Pause shows everything again; resume goes on where it was.
    page.keyboard.press("Escape")
    panel.get_by_role("button", name="Resume").wait_for()
    notebook.wait_for_value("[studio.canvas.overlay_on, studio.canvas.annotations_on]", [True, True])
    notebook.wait_for("() => document.querySelector('.hw-cross').hidden")
    assert notebook.value("studio.canvas.tool") == "brush"
    notebook.set_theme(dark=True)
    panel.get_by_role("button", name="Resume").press("Enter")
    panel.get_by_text("3 of 10").wait_for()
    notebook.wait_for("() => !document.querySelector('.hw-cross').hidden")
    notebook.screenshot("audit-judging-dark")
    for done in range(3, 10):
        column = notebook.value("studio._audit._shown.x")
        page.keyboard.press("1" if column < 256 else "2")
        if done < 9:
            panel.get_by_text(f"{done + 1} of 10").wait_for()

    # The numbers, in words and as a table.
    panel.locator(".hw-audit-said").wait_for()
    words = panel.inner_text()
    assert re.search(r"The prediction is right on \d+ % of the area \(\d+ to \d+ %\)\.", words)
    assert re.search(r"Dark covers [\d.]+ % of the area \([\d.]+ to [\d.]+ %\); the pixel count alone says", words)
    assert "the class could not be told" in words
    assert panel.locator("table tr").count() == 3
    notebook.wait_for_value("studio.canvas.overlay_on", True)
    panel.scroll_into_view_if_needed()
    notebook.screenshot("audit-results-dark")
    notebook.set_theme(dark=False)
    notebook.screenshot("audit-results-light")

    # On request the points become annotations, and that is said.
    panel.get_by_role("button", name="Use for training").click()
    panel.get_by_text("do not count as an audit of classifiers trained since").wait_for()
    assert notebook.value("sum(studio.project.count().values())") == 16 + 9
    notebook.execute("studio.close()")

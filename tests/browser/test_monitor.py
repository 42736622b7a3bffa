"""The monitor and the form on a real page: they are drawn, follow a run, take the keyboard, and nothing jumps."""

import pytest

MONITOR = """
import histowidgets as hw
from histowidgets.training import replay
import ipywidgets, math
def record(e):
    return {
        "epoch": e, "train_loss": math.exp(-e / 10), "val_loss": math.exp(-e / 12) + 0.1,
        "train_miou": 1 - math.exp(-e / 8), "val_miou": 0.9 - abs(e - 31) / 100,
        "val_iou": {"Stroma": 0.8, "<b>Lumen</b>": 0.6}, "val_accuracy": 0.9,
        "learning_rate": 1e-3, "seconds": 2.0 * e,
    }
run = replay([record(e) for e in range(1, 51)], interval=None)
monitor = hw.LossMonitor()
ipywidgets.VBox([monitor], layout={"width": "340px"})
"""

FORM = """
import histowidgets as hw, ipywidgets
form = hw.SettingsForm()
ipywidgets.VBox([form], layout={"width": "340px"})
"""

# Vertices of the path of a line of a colour, over all charts.
POINTS = """(color) => [...document.querySelectorAll(".hw-chart path.line")]
  .filter((path) => path.style.stroke === color && getComputedStyle(path).opacity === "1")
  .map((path) => ((path.getAttribute("d") || "").match(/[ML]/g) || []).length)"""
BLUE = "rgb(0, 114, 178)"

TOO_WIDE = """(selector) => [...document.querySelectorAll(`${selector}, ${selector} *`)]
  .filter((node) => node.clientWidth && node.tagName !== "INPUT" && node.scrollWidth > node.clientWidth + 1
          && getComputedStyle(node).overflowX !== "visible" && !node.closest(".hw-numbers-box"))
  .map((node) => `${node.tagName} ${node.className} ${node.scrollWidth} > ${node.clientWidth}: ${node.textContent}`)"""

CLIPPED_LABELS = """() => [...document.querySelectorAll(".hw-form label, .hw-form .hw-unit")]
  .filter((node) => node.offsetParent && node.scrollWidth > node.clientWidth + 1).map((node) => node.textContent)"""

# Contrast of a CSS property against the notebook's paper, by the formula of WCAG 2.
CONTRASTS = """(inks) => {
  const channel = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const luminance = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).map((c) => channel(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = luminance(getComputedStyle(document.querySelector(".jp-Notebook")).backgroundColor);
  const contrast = ([selector, property]) => {
    const ink = luminance(getComputedStyle(document.querySelector(selector))[property]);
    return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  };
  return Object.fromEntries(Object.entries(inks).map(([name, ink]) => [name, contrast(ink)]));
}"""
INKS = {
    "status": [".hw-run-line", "color"],
    "best": [".hw-chart .label", "fill"],
    "ticks": [".hw-chart .tick text", "fill"],
    "key": [".hw-key", "color"],
    "error": [".hw-field-error", "color"],
    "label": [".hw-form label", "color"],
    "unit": [".hw-unit", "color"],
}


def place(notebook, selector):
    return notebook.page.locator(selector).first.bounding_box()


def test_the_monitor_draws_a_run_and_nothing_jumps(open_notebook):
    notebook = open_notebook([MONITOR])
    notebook.run_all()
    page = notebook.page
    page.get_by_text("The loss curve appears here").wait_for()
    page.locator(".hw-chart svg").first.wait_for(state="attached")
    empty = place(notebook, ".hw-monitor-stage")
    notebook.screenshot("monitor-empty")
    notebook.execute("for _ in range(20): run.advance()\nmonitor.watch(run)")
    notebook.wait_for(f"() => ({POINTS})('{BLUE}').some((n) => n === 20)")
    notebook.execute("for _ in range(20): run.advance()")
    notebook.wait_for(f"() => ({POINTS})('{BLUE}').some((n) => n === 40)")
    page.get_by_text("The loss curve appears here").wait_for(state="hidden")
    full = place(notebook, ".hw-monitor-stage")
    assert (full["y"], full["height"], full["width"]) == (empty["y"], empty["height"], empty["width"])
    best = notebook.value("run.best_epoch")  # a tolerance makes it a later one than the highest, 31
    # The chart of the score has the label too; it is shown instead of this one.
    assert page.locator(".hw-chart .label", has_text=f"kept: {best}").filter(visible=True).count() == 1
    assert page.evaluate(TOO_WIDE, ".hw-monitor") == []
    notebook.screenshot("monitor-light")
    # A finished run says so.
    notebook.execute("while run.advance(): pass")
    page.locator(".hw-run-line[data-state=finished]").wait_for()


def test_the_monitor_shows_classes_log_axis_and_table_by_the_keyboard(open_notebook):
    notebook = open_notebook([MONITOR])
    notebook.run_all()
    notebook.execute("while run.advance(): pass\nmonitor.watch(run)")
    page = notebook.page
    page.locator(".hw-run-line[data-state=finished]").wait_for()
    for name in ("⋯", "log", "Score", "classes", "Numbers"):
        page.locator(".hw-monitor").get_by_role("button", name=name).press("Enter")
    page.get_by_role("region", name="Numbers of each epoch").wait_for()
    # A class name with HTML in it is text, in the key and in the table.
    assert page.locator(".hw-legend", has_text="<b>Lumen</b>").count() == 1
    assert page.locator(".hw-numbers th", has_text="IoU <b>Lumen</b>").count() == 1
    assert page.locator(".hw-numbers tbody tr").count() == 50
    # Wider than the panel, it scrolls in its own box and makes nothing else wider.
    assert place(notebook, ".hw-numbers-box")["width"] <= 340
    assert page.evaluate(TOO_WIDE, ".hw-monitor") == []
    notebook.wait_for(
        "() => [...document.querySelectorAll('.hw-chart .tick text')].some((t) => t.textContent === '0.01')"
    )
    assert notebook.value("[monitor.log_scale, monitor.show_classes]") == [True, True]
    notebook.screenshot("monitor-classes")


def test_the_monitor_is_drawn_again_after_a_reload(open_notebook):
    notebook = open_notebook([MONITOR])
    notebook.run_all()
    notebook.execute("for _ in range(20): run.advance()\nmonitor.watch(run)")
    notebook.wait_for(f"() => ({POINTS})('{BLUE}').some((n) => n === 20)")
    notebook.reload()
    notebook.wait_for(f"() => ({POINTS})('{BLUE}').some((n) => n === 20)")
    notebook.execute("run.advance()")
    notebook.wait_for(f"() => ({POINTS})('{BLUE}').some((n) => n === 21)")


@pytest.mark.parametrize("dark", [False, True])
def test_text_can_be_read_in_either_theme(open_notebook, dark):
    notebook = open_notebook([MONITOR, FORM], height=1300)
    theme = "JupyterLab Dark" if dark else "JupyterLab Light"
    page = notebook.page
    page.evaluate("(theme) => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
    notebook.wait_for("(light) => document.body.dataset.jpThemeLight === light", str(not dark).lower())
    notebook.run_all()
    notebook.execute("for _ in range(33): run.advance()\nmonitor.watch(run)\nform.enter('tile_size', '7')")
    notebook.wait_for(f"() => ({POINTS})('{BLUE}').some((n) => n === 33)")
    page.locator(".hw-field-error", has_text="Use 64 to 1024").wait_for()
    contrasts = page.evaluate(CONTRASTS, INKS)
    notebook.screenshot(f"monitor-form-{'dark' if dark else 'light'}")
    assert {name: ratio for name, ratio in contrasts.items() if ratio < 4.5} == {}


def test_the_form_is_filled_by_the_keyboard_and_marks_what_is_wrong(open_notebook):
    notebook = open_notebook([FORM])
    notebook.run_all()
    page = notebook.page
    page.get_by_label("Tile size").focus()
    page.locator(".hw-form-help", has_text="Tile size: ").wait_for()
    page.keyboard.press("Control+a")
    page.keyboard.type("100")
    page.keyboard.press("Tab")
    error = page.locator(".hw-field-error", has_text="Use 64 to 1024 in steps of 32. 192 is kept.")
    error.wait_for()
    assert page.get_by_label("Tile size").input_value() == "100"
    assert page.get_by_label("Tile size").get_attribute("aria-invalid") == "true"
    assert page.get_by_label("Tile size").get_attribute("aria-describedby") == error.get_attribute("id")
    assert notebook.value("form.settings.tile_size") == 192

    page.get_by_label("Learning rate").fill("5e-4")
    page.keyboard.press("Enter")
    notebook.wait_for_value("form.settings.learning_rate", 5e-4)
    page.locator(".hw-changed-note", has_text="(changed)").wait_for()

    page.get_by_label("Tile size").fill("128")
    page.keyboard.press("Tab")
    notebook.wait_for_value("[form.settings.tile_size, form.invalid]", [128, {}])
    error.wait_for(state="hidden")


def test_presets_patches_and_their_undo_reach_the_page(open_notebook):
    notebook = open_notebook([FORM])
    notebook.run_all()
    page = notebook.page
    page.get_by_label("Preset", exact=True).select_option("first-run")
    notebook.wait_for_value("[form.settings.backbone, form.settings.tile_size]", ["resnet34", 512])
    notebook.wait_for("() => document.querySelector('[data-name=tile_size] input').value === '512'")
    page.locator(".hw-summary").get_by_role("button", name="Undo").click()
    notebook.wait_for_value("[form.preset, form.settings.tile_size]", ["cpu", 192])
    page.get_by_label("Preset", exact=True).select_option("first-run")
    notebook.wait_for_value("form.preset", "first-run")
    notebook.execute("form.patch({'learning_rate': 1e-4, 'freeze': ('stem', 'block1')})")
    notebook.wait_for("() => document.querySelector('[data-name=learning_rate] input').value === '0.0001'")
    assert page.get_by_label("Frozen").input_value() == "stem, block1"
    notebook.execute("form.undo_patch()")
    notebook.wait_for("() => document.querySelector('[data-name=learning_rate] input').value === '0.001'")
    page.get_by_label("Epochs").fill("7")
    page.keyboard.press("Tab")
    notebook.wait_for_value("form.preset", "first-run (changed)")
    page.get_by_role("button", name="Reset to the preset").click()
    notebook.wait_for_value("form.preset", "first-run")
    notebook.wait_for("() => document.querySelector('[data-name=epochs] input').value === '50'")


def test_the_whole_form_is_neat_in_a_narrow_panel(open_notebook):
    notebook = open_notebook([FORM], height=1900)
    notebook.run_all()
    page = notebook.page
    page.get_by_label("Preset", exact=True).wait_for()
    for heading in page.locator(".hw-form summary").all():
        heading.click()
    page.locator(".hw-group-list input").first.wait_for()
    assert page.evaluate(TOO_WIDE, ".hw-form") == []
    assert page.evaluate(CLIPPED_LABELS) == []
    controls = page.locator(".hw-field :is(input, select), .hw-preset-row select")
    lefts = {round(box["x"]) for box in (one.bounding_box() for one in controls.all())}
    assert len(lefts) == 1, f"controls begin at {sorted(lefts)}"
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll(".hw-form :is(input, select, textarea)")]
          .filter((node) => !(node.labels?.length || node.getAttribute("aria-label")) || !node.title).length"""
    )
    assert unnamed == 0
    code = page.get_by_label("Python code that makes these settings").input_value()
    assert "hw.TrainingSettings.preset('cpu')" in code
    notebook.screenshot("form-narrow")


def test_two_forms_on_a_page_do_not_disturb_each_other(open_notebook):
    notebook = open_notebook([FORM, "other = hw.SettingsForm(hw.TrainingSettings.preset('large'))\nother"])
    notebook.run_all()
    page = notebook.page
    page.locator(".hw-form").nth(1).get_by_label("Epochs").fill("9")
    page.keyboard.press("Tab")
    notebook.wait_for_value("[form.settings.epochs, other.settings.epochs]", [60, 9])

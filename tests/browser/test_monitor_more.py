"""The diagnosis, the switches and the downloads of the monitor on a real page; a long run does not make it grow."""

import csv
import re

import pytest

MONITOR = """
import histowidgets as hw
from histowidgets.training import replay
import ipywidgets, math
def record(e):
    return {
        "epoch": e, "train_loss": math.exp(-e / 10) + 0.02 * (e % 3),
        "val_loss": 0.4 + 0.03 * abs(e - 12) + 0.03 * (e % 2),
        "train_miou": 1 - math.exp(-e / 6), "val_miou": 0.6 - abs(e - 12) / 100,
        "val_iou": {"Stroma": 0.6, "Lumen": 0.5}, "val_accuracy": 0.8,
        "learning_rate": 1e-3 * (1 + math.cos(e / 20)), "seconds": 2.0 * e,
    }
settings = hw.TrainingSettings(scheduler="none", backbone="resnet50")
run = replay([record(e) for e in range(1, 61)], settings, interval=None)
heard = []
monitor = hw.LossMonitor(on_action=lambda action, advice: heard.append(action.label))
monitor.line.restarts = True
ipywidgets.VBox([monitor], layout={"width": "348px"})
"""

CURVE = """(n) => [...document.querySelectorAll(".hw-chart path.line")]
  .some((path) => ((path.getAttribute("d") || "").match(/[ML]/g) || []).length >= n)"""


def place(notebook, selector):
    return notebook.page.locator(selector).first.bounding_box()


def set_theme(notebook, dark):
    theme = "JupyterLab Dark" if dark else "JupyterLab Light"
    notebook.page.evaluate("(theme) => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
    notebook.wait_for("(light) => document.body.dataset.jpThemeLight === light", str(not dark).lower())


@pytest.mark.parametrize("dark", [False, True])
def test_a_diagnosis_comes_in_its_own_room_and_its_button_is_heard(open_notebook, dark):
    notebook = open_notebook([MONITOR], height=1200)
    set_theme(notebook, dark)
    notebook.run_all()
    page = notebook.page
    page.locator(".hw-diagnosis", has_text="this line explains the curves").wait_for()
    page.locator(".hw-chart svg").first.wait_for(state="attached")
    before = place(notebook, ".hw-monitor-stage")
    notebook.execute("for _ in range(40): run.advance()\nmonitor.watch(run)")
    page.locator(".hw-diagnosis .hw-link").first.wait_for()
    assert place(notebook, ".hw-monitor-stage") == before, "the charts stand where they stood"
    name = "dark" if dark else "light"
    notebook.screenshot(f"monitor-diagnosis-{name}")
    # The switches are reached by keys, and "more" opens what did not fit.
    for switch in (re.compile("^more"), "⋯", "learning rate"):
        page.locator(".hw-monitor").get_by_role("button", name=switch, exact=True).press("Enter")
    restart = page.locator(".hw-diagnosis .hw-link:visible", has_text="and restart").first
    restart.click()
    notebook.wait_for_value("len(heard)", 1)
    page.get_by_label("smooth").select_option("strong")
    page.locator(".hw-diagnosis-rest", has_text="Guide").wait_for()
    notebook.wait_for_value("[monitor.smoothing, monitor._charts.rate_toggle.value]", ["strong", True])
    notebook.execute(
        "for _ in range(20): run.advance()\nmonitor.watch(replay([record(e) for e in range(1, 30)], settings))"
    )
    notebook.wait_for(CURVE, 29)
    page.wait_for_timeout(300)
    notebook.screenshot(f"monitor-all-{name}")


def test_the_numbers_and_the_picture_are_downloaded(open_notebook, tmp_path):
    notebook = open_notebook([MONITOR])
    notebook.run_all()
    notebook.execute("while run.advance(): pass\nmonitor.watch(run)")
    page = notebook.page
    notebook.wait_for(CURVE, 60)
    for name in ("⋯", "Numbers"):
        page.locator(".hw-monitor").get_by_role("button", name=name).press("Enter")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == [str(e) for e in range(1, 61)]
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_ten_thousand_points_at_five_hertz_do_not_make_the_page_grow(open_notebook):
    notebook = open_notebook([MONITOR], fresh=True)
    notebook.run_all()
    notebook.execute(
        "import threading\n"
        "long = hw.RunLog(epochs=12000)\n"
        "for e in range(1, 10001): r = record(e); long.epoch(train_loss=r['train_loss'], val_loss=r['val_loss'])\n"
        "monitor.watch(long)\n"
        "go = threading.Event()\n"
        "def report():\n"
        "    while not go.wait(0.02) and not long.is_over: long.epoch(train_loss=1.0, val_loss=1.0)\n"
        "threading.Thread(target=report, daemon=True).start()\n"
    )
    notebook.wait_for(CURVE, 1000, seconds=60)
    client = notebook.page.context.new_cdp_session(notebook.page)
    client.send("Performance.enable")

    def measure():
        client.send("HeapProfiler.collectGarbage")
        found = {one["name"]: one["value"] for one in client.send("Performance.getMetrics")["metrics"]}
        return found["Nodes"], found["JSHeapUsedSize"] / 1e6

    def redrawn(times):
        """Wait until the table's latest epoch has changed so often."""
        for _ in range(times):
            text = notebook.page.locator(".hw-run-line").inner_text()
            notebook.wait_for("(text) => document.querySelector('.hw-run-line').innerText !== text", text)

    redrawn(10)
    nodes, heap = measure()
    redrawn(60)
    more_nodes, more_heap = measure()
    notebook.execute("go.set(); long.stop(); long.finish()")
    assert more_nodes <= nodes * 1.05 + 20
    assert more_heap <= heap + 10

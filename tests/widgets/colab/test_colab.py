"""On Colab the page takes nothing from threads: what they send arrives all the same, with the next thing that may."""

import subprocess
import sys
import threading
from pathlib import Path

import comm
import pytest

ROOT = Path(__file__).resolve().parents[3]

START = """
import threading
from comm import DummyComm
from tests.colab import stand_in
page = stand_in(DummyComm)
import histowidgets as hw
from histowidgets.widgets import colab
from histowidgets.widgets.common import Pulse, colab_pulse
import ipywidgets
from ipywidgets.widgets.widget import _instances

def in_a_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

def strangers():
    "Widgets whose plain traits the page has otherwise than the kernel."
    found = []
    for widget in _instances.values():
        has = page.states.get(widget.comm.comm_id)
        if has is None:
            found.append((type(widget).__name__, "is not on the page"))
            continue
        for name in widget.keys:
            value = getattr(widget, name)
            if isinstance(value, str | bool | int | float | None) and has.get(name, value) != value:
                found.append((type(widget).__name__, name, has.get(name), value))
    return found
"""


WATCH = """
from tests.training.helpers import painted, quick
project = painted(side=128, strokes=3)
run = hw.start_training(project, quick(epochs=4, pretrained=False))
monitor = hw.LossMonitor(run)
assert page.custom_widgets_enabled >= 1
epochs_seen = []
run.subscribe(lambda event: epochs_seen.append(page.states[monitor._status.comm.comm_id]["value"]))
assert run.watch() == "finished"
assert not page.dropped, page.dropped[:5]
assert not strangers(), strangers()
assert "finished" in page.states[monitor._status.comm.comm_id]["value"].lower() or run.history[-1]["epoch"] == 4
assert len(set(epochs_seen)) > 3, "the page saw the run go on while it was watched"
assert page.states[monitor._charts.loss.figure.comm.comm_id]
assert len(colab.comm_queue()) == 0
monitor.close()
print("watched")
"""

MESSAGE = """
label = ipywidgets.Label("first")
in_a_thread(lambda: setattr(label, "value", "second"))
button = ipywidgets.Button()
in_a_thread(lambda: (setattr(label, "value", "third"), setattr(label, "value", "fourth")))
assert page.states[label.comm.comm_id]["value"] == "second"       # the button was made by the main thread
button.comm.handle_msg({"content": {"data": {"method": "custom", "content": {"event": "pulse"}}}, "buffers": []})
assert page.states[label.comm.comm_id]["value"] == "fourth"
made = []
in_a_thread(lambda: made.append(ipywidgets.HTML("new")))           # an opening comes before what is said of it
in_a_thread(lambda: setattr(made[0], "value", "newer"))
colab.comm_queue().flush()
assert page.states[made[0].comm.comm_id]["value"] == "newer"
assert not page.dropped
print("arrived")
"""

STUDIO = """
studio = hw.Studio(hw.samples.colon_ihc(), classes=["Epithelium", "Stroma"])
name = studio.project.image_names[0]
assert any(isinstance(child, Pulse) for child in studio.children)
before = len(page.order)
for x, y, c in ((60, 70, "Epithelium"), (118, 60, "Epithelium"), (260, 230, "Stroma"), (400, 310, "Stroma")):
    studio.project.annotate(name, hw.Stroke([(x, y), (x + 30, y + 40)], 8), c)
assert studio._live.quick.idle.wait(60) and studio.prediction is not None
pulse = next(child for child in studio.children if isinstance(child, Pulse))
def said():
    return page.states[studio._results._numbers.comm.comm_id]["value"]
for _ in range(1000):
    pulse.comm.handle_msg({"content": {"data": {"method": "custom", "content": {"kind": "pulse"}}}, "buffers": []})
    if "quick" in said() and not len(colab.comm_queue()):
        break
    threading.Event().wait(0.02)
assert "quick" in said(), said()
assert len(page.order) > before + 5
assert not page.dropped
assert not strangers(), strangers()
studio.close()
assert not page.dropped
print("painted")
"""


@pytest.fixture(scope="module")
def said():
    """What the three say on a stand-in for Colab, in a process of its own."""
    code = START + MESSAGE + WATCH + STUDIO
    child = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=240, check=False
    )
    return child.stdout.split(), child.stderr[-4000:]


def test_what_threads_send_arrives_in_order_with_the_next_message_that_may(said):
    assert "arrived" in said[0], said[1]


def test_what_a_watched_run_says_reaches_a_page_that_takes_nothing_from_threads(said):
    assert "watched" in said[0], said[1]


def test_a_studio_on_colab_calls_the_kernel_so_that_its_workers_are_heard(said):
    assert "painted" in said[0], said[1]


class Collector(comm.base_comm.BaseComm):
    """Keeps what was sent, and says so if a thread did."""

    sent = None

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        assert threading.current_thread() is threading.main_thread()
        if Collector.sent is not None:
            Collector.sent.append((self.comm_id, msg_type, data, list(buffers or ())))


@pytest.fixture
def collector(monkeypatch):
    from histowidgets.widgets.colab import _comm_queue

    monkeypatch.setattr(_comm_queue, "MOST_KEPT", 20)
    Collector.sent = []
    box = _comm_queue.CommQueue()
    yield box, box.comms(Collector)
    Collector.sent = None


def in_a_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_what_is_kept_does_not_grow_while_nobody_looks_and_nothing_of_the_last_state_is_lost(collector):
    box, create = collector
    line, picture = create(comm_id="line"), create(comm_id="picture")
    Collector.sent.clear()

    def train():
        for number in range(500):
            line.send({"method": "update", "state": {"x": number, "y": -number}})
            if number % 100 == 0:
                line.send({"method": "custom", "content": {"said": number}})
            if number == 250:
                line.send({"method": "update", "state": {"title": "half"}})
            picture.send({"method": "update", "state": {}, "buffer_paths": [["png"]]}, buffers=[b"%d" % number])

    in_a_thread(train)
    assert len(box) < 100
    box.flush()
    state, png, said = {}, None, []
    for who, _, data, buffers in Collector.sent:
        if data["method"] == "custom":
            said.append(data["content"]["said"])
        elif who == "line":
            state.update(data["state"])
        elif buffers:
            assert data["buffer_paths"] == [["png"]]
            png = buffers[0]
    assert state == {"x": 499, "y": -499, "title": "half"}
    assert (png, said) == (b"499", [0, 100, 200, 300, 400])
    assert len(box) == 0


def test_elsewhere_threads_send_for_themselves():
    from histowidgets.widgets import colab
    from histowidgets.widgets.common import colab_pulse

    assert not colab.on_colab()
    assert colab.comm_queue() is None
    assert colab_pulse() == []


INTERRUPTED = """
from tests.training.helpers import painted, quick
import histowidgets as hw
run = hw.start_training(painted(side=128, strokes=3), quick(epochs=5000, pretrained=False))
"""
# Says so from within: an event reaches the main thread only while it watches.
WATCHING = """
import threading
told = []
def tell(event):
    if threading.current_thread() is threading.main_thread() and not told:
        told.append(event)
        print("watching", flush=True)
run.subscribe(tell)
state = run.watch()
"""


def test_an_interrupt_of_the_cell_ends_the_watching_and_not_the_run():
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", cwd=str(ROOT))
    try:
        reply = client.execute_interactive(INTERRUPTED, timeout=120, output_hook=lambda message: None)
        assert reply["content"]["status"] == "ok", reply["content"]
        watching = client.execute(WATCHING)
        while client.get_iopub_msg(timeout=60)["content"].get("text") != "watching\n":
            pass
        manager.interrupt_kernel()
        reply = client._recv_reply(watching, timeout=60)
        assert reply["content"]["status"] == "ok", reply["content"]
        check = "n = len(run.history)\nwhile len(run.history) < n + 2: run.wait(0.05)\nassert not run.is_over\n"
        check += (
            "run.stop()\nassert run.wait(60) == 'stopped', run.state\nassert state in ('running', 'preparing'), state"
        )
        reply = client.execute_interactive(check, timeout=120, output_hook=lambda message: None)
        assert reply["content"]["status"] == "ok", reply["content"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)

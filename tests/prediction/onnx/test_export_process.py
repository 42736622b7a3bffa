"""Exports run in a process of their own: they disturb no training, and can be watched, cancelled and limited."""

import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from histowidgets.errors import ClassifierError, ExportCancelled
from histowidgets.prediction.onnx import _export, _graph, _process
from histowidgets.prediction.onnx._export import STARTING, WAITING
from histowidgets.prediction.onnx._graph import CHECKING, TRACING
from histowidgets.training import EpochEnded, start_training, train
from tests.training.helpers import painted, quick

HAVE_ONNX = all(importlib.util.find_spec(n) for n in ("onnx", "onnxscript", "onnxruntime"))
pytestmark = pytest.mark.skipif(not HAVE_ONNX, reason='needs pip install "histowidgets[onnx]"')


def exporters():
    """The processes of exports that this one has started."""
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            if "histowidgets.prediction.onnx" in child.cmdline():
                found.append(child)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def no_process(monkeypatch):
    """A computer that does not let us start processes."""

    def refuse(*arguments, **keywords):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(_process.subprocess, "Popen", refuse)


@pytest.mark.slow
def test_two_exports_leave_a_training_bit_for_bit_as_it_would_have_been(
    small_network_classifier, tmp_path, kept_exports, monkeypatch
):
    monkeypatch.setattr(_export, "export_in_process", kept_exports.anew)
    settings = quick(epochs=5, steps_per_epoch=3, pretrained=False)
    alone = train(painted(), settings)
    run = start_training(painted(), settings)
    run.pause()
    ended, steps = threading.Semaphore(0), []

    def pause(event):
        if isinstance(event, EpochEnded):
            run.pause()
            ended.release()

    def one_more_epoch(*step):
        steps.append(step)
        run.resume()
        assert ended.acquire(timeout=60)

    run.subscribe(pause)
    other = threading.Thread(target=small_network_classifier.export_qupath, args=(tmp_path / "two",))
    other.start()
    small_network_classifier.export_onnx(tmp_path / "one.onnx", progress=one_more_epoch)
    other.join()
    run.resume()
    assert run.wait(60) == "finished", run.traceback
    curves = [[{**record, "seconds": 0} for record in one.history] for one in (run, alone)]
    assert curves[0] == curves[1]
    for name, value in alone.classifier.model.tensors().items():
        np.testing.assert_array_equal(run.classifier.model.tensors()[name], value)
    names = [STARTING, "building the network", TRACING, CHECKING, "done"]
    assert steps == [(done, 4, name) for done, name in enumerate(names)]
    assert {path.name for path in tmp_path.iterdir()} == {"one.onnx", "two"}
    assert {path.name for path in (tmp_path / "two").iterdir()} == {"model.onnx", "metadata.json"}


@pytest.mark.parametrize("step", [STARTING, TRACING])
def test_a_cancelled_export_leaves_no_process_and_the_old_file(small_network_classifier, tmp_path, step):
    path, seen = tmp_path / "x.onnx", []
    path.write_bytes(b"old")
    with pytest.raises(ExportCancelled, match="The export was cancelled; nothing was written"):
        small_network_classifier.export_onnx(
            path, progress=lambda done, total, name: seen.append(name), should_stop=lambda: step in seen
        )
    assert exporters() == []
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["x.onnx"]


def test_an_export_that_takes_too_long_is_ended(small_network_classifier, tmp_path):
    with pytest.raises(ClassifierError, match=r"was stopped after 0.2 s.*max_seconds="):
        small_network_classifier.export_onnx(tmp_path / "x.onnx", max_seconds=0.2)
    assert exporters() == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("limit", [0, -1, float("nan")])
def test_a_time_limit_that_is_none_is_refused(small_network_classifier, tmp_path, limit):
    with pytest.raises(ClassifierError, match="expected a number above 0"):
        small_network_classifier.export_onnx(tmp_path / "x.onnx", max_seconds=limit)


def test_a_process_that_is_killed_is_an_error_that_says_so(small_network_classifier, tmp_path):
    def kill(done, total, step):
        if step == "building the network":
            (process,) = exporters()
            process.kill()

    with pytest.raises(ClassifierError, match="killed by signal 9, most likely because of too little memory"):
        small_network_classifier.export_onnx(tmp_path / "x.onnx", progress=kill)
    assert list(tmp_path.iterdir()) == []


def test_an_error_in_progress_or_a_full_disk_ends_the_process(small_network_classifier, tmp_path, monkeypatch):
    def fail(done, total, step):
        if step == "building the network":
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        small_network_classifier.export_onnx(tmp_path / "x.onnx", progress=fail)
    assert exporters() == []

    def full(*arguments, **keywords):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_process, "_write_job", full)
    with pytest.raises(ClassifierError, match=r"space for the weights in .*No space left on device.*TMPDIR"):
        small_network_classifier.export_onnx(tmp_path / "x.onnx")
    assert list(tmp_path.iterdir()) == []


def test_what_goes_wrong_in_the_process_is_our_error_with_its_traceback(small_network_classifier, tmp_path):
    model = small_network_classifier.model
    tensors = dict(list(model.tensors().items())[1:])
    with pytest.raises(ClassifierError, match="The weights do not fit the description of the network") as caught:
        _process.export_in_process(
            model.spec(),
            tensors,
            tmp_path / "x.onnx",
            _graph.GraphOptions(),
            tell=lambda step: None,
            should_stop=lambda: False,
            max_seconds=100,
        )
    assert "Traceback" in "".join(caught.value.__notes__)


@pytest.mark.parametrize("found", [None, "/no/such/python", "/bin/false", sys.executable + "-none"])
def test_without_a_python_to_start_it_is_done_here(small_network_classifier, tmp_path, monkeypatch, found):
    monkeypatch.setattr(sys, "executable", found)
    written = []
    monkeypatch.setattr(
        "histowidgets.prediction.onnx._export.write_graph", lambda network, path, *more: path.write_bytes(b"here")
    )
    small_network_classifier.export_onnx(tmp_path / "x.onnx", progress=lambda *step: written.append(step[2]))
    assert written == [STARTING, WAITING, "done"]
    assert (tmp_path / "x.onnx").read_bytes() == b"here"


def test_where_no_process_can_start_it_waits_for_the_run_and_holds_up_the_next(
    small_network_classifier, tmp_path, no_process, monkeypatch
):
    settings, waiting = quick(epochs=2, pretrained=False), threading.Event()
    runs, seen = [start_training(painted(), settings)], []
    runs[0].pause()
    while runs[0].state != "paused":
        time.sleep(0.01)

    def write_graph(network, path, options, tell):
        seen.append([len(run.history) for run in runs])
        runs.append(start_training(painted(), settings))
        seen.append([runs[1].wait(0.5), len(runs[1].history)])
        path.write_bytes(b"alone")

    monkeypatch.setattr("histowidgets.prediction.onnx._export.write_graph", write_graph)
    exporting = threading.Thread(
        target=small_network_classifier.export_onnx,
        args=(tmp_path / "x.onnx",),
        kwargs={"progress": lambda done, total, step: waiting.set() if step == WAITING else None},
    )
    exporting.start()
    assert waiting.wait(60)
    assert seen == []
    runs[0].resume()
    exporting.join()
    assert seen == [[2], ["preparing", 0]]
    assert (tmp_path / "x.onnx").read_bytes() == b"alone"
    assert runs[1].wait(200) == "finished", runs[1].traceback


def test_waiting_for_a_run_can_be_cancelled(small_network_classifier, tmp_path, no_process):
    run = start_training(painted(), quick(epochs=1000, pretrained=False))
    run.pause()
    seen = []
    try:
        while run.state != "paused":
            time.sleep(0.01)
        with pytest.raises(ExportCancelled):
            small_network_classifier.export_onnx(
                tmp_path / "x.onnx",
                progress=lambda done, total, step: seen.append(step),
                should_stop=lambda: WAITING in seen,
            )
    finally:
        run.stop()
        run.wait(60)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_answers_differently_is_not_kept(small_network_classifier, tmp_path, no_process, monkeypatch):
    class Session:
        def __init__(self, *arguments, **keywords):
            pass

        def get_inputs(self):
            return [SimpleNamespace(name="pixels")]

        def run(self, names, given):
            return [np.full((1, 3, *given["pixels"].shape[2:]), 0.5, np.float32)]

    class Program:
        model = SimpleNamespace(metadata_props={})

        def save(self, path):
            Path(path).write_bytes(b"wrong")

    monkeypatch.setattr("torch.onnx.export", lambda *arguments, **keywords: Program())  # which takes a while
    monkeypatch.setattr("onnxruntime.InferenceSession", Session)
    with pytest.raises(ClassifierError, match=r"differs from the network's by up to 0\.\d+, so the file was"):
        small_network_classifier.export_onnx(tmp_path / "x.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.parametrize("how", ["killed", "ended"])
def test_the_export_ends_with_the_process_that_wanted_it(small_network_classifier, tmp_path, how):
    small_network_classifier.save(tmp_path / "classifier")
    code = f"""
import threading, time
import histowidgets as hw
classifier = hw.Classifier.load({str(tmp_path / "classifier")!r})
going = threading.Event()
def export():
    try:
        classifier.export_onnx({str(tmp_path / "x.onnx")!r}, progress=lambda *step: step[0] and going.set())
    except hw.errors.ExportCancelled:
        pass
from histowidgets._threads import BackgroundThread
BackgroundThread(export, "export").start()
going.wait()
print("going", flush=True)
time.sleep({60 if how == "killed" else 0})
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert parent.stdout.readline() == "going\n"
    children = psutil.Process(parent.pid).children(recursive=True)
    if how == "killed":
        parent.send_signal(signal.SIGKILL)
    _, stderr = parent.communicate(timeout=60)
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
    if how == "ended":
        assert (parent.returncode, stderr) == (0, "")
        assert not (tmp_path / "x.onnx").exists()

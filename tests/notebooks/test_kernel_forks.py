"""The kernels that tests are given are forked from one process, and yet kernels of their own; and so are Pythons."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from jupyter_client.manager import start_new_kernel

TOLD = """
import json, os, sys
import numpy as np
print(json.dumps([os.getpid(), os.getcwd(), os.environ["OF_THIS_TEST"], "torch" in sys.modules, np.random.rand()]))
"""


@pytest.fixture
def start(quick_kernels, tmp_path, monkeypatch):
    """Function that starts a kernel; returns its manager, its client, and what it says of itself."""
    if quick_kernels is None:
        pytest.skip("kernels are not forked here")
    monkeypatch.setenv("JUPYTER_PATH", str(quick_kernels))
    started = []

    def start():
        manager, client = start_new_kernel(cwd=str(tmp_path), env={**os.environ, "OF_THIS_TEST": "yes"})
        started.append((manager, client))
        said = []
        client.execute_interactive(
            TOLD, timeout=60, output_hook=lambda one: said.append(one["content"].get("text", ""))
        )
        return manager, client, json.loads("".join(said))

    yield start
    for manager, client in started:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_each_has_its_own_process_folder_and_random_numbers_and_torch_at_once(start, tmp_path):
    said = [start()[2] for _ in range(2)]
    pids, folders, variables, has_torch, numbers = zip(*said, strict=True)
    assert len(set(pids)) == len(set(numbers)) == 2
    assert folders == (str(tmp_path),) * 2
    assert variables == ("yes", "yes")
    assert has_torch == (True, True)


def test_it_is_interrupted_like_any_other(start):
    manager, client, _ = start()
    client.execute("import time; print('begun', flush=True); time.sleep(600)")
    while client.get_iopub_msg(timeout=30)["msg_type"] != "stream":
        pass
    manager.interrupt_kernel()
    assert client.get_shell_msg(timeout=30)["content"]["ename"] == "KeyboardInterrupt"


def test_it_ends_with_what_jupyter_started(start):
    manager, _, (pid, *_) = start()
    assert manager.is_alive()
    manager.shutdown_kernel(now=True)
    wait_until(lambda: not psutil.pid_exists(pid))


def test_what_jupyter_started_ends_with_it(start):
    manager, _, (pid, *_) = start()
    os.kill(pid, 9)
    wait_until(lambda: not manager.is_alive())


SAID = """
import os, sys
print(sys.argv[1:], os.getcwd(), __name__, "torch" in sys.modules, sys.stdin.read(), flush=True)
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture
def python(quick_python):
    if quick_python == [sys.executable]:
        pytest.skip("nothing is forked here")
    return quick_python


@pytest.mark.parametrize("way", ["-c", "-m", "script"])
def test_a_python_has_its_arguments_folder_input_and_status(python, tmp_path, way):
    (tmp_path / "said.py").write_text(SAID)
    words = {"-c": ["-c", SAID], "-m": ["-m", "said"], "script": [str(tmp_path / "said.py")]}[way]
    done = subprocess.run([*python, *words, "7"], cwd=tmp_path, input="given", capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (7, "")
    assert done.stdout == f"['7'] {tmp_path} __main__ True given\n"


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, -2), (signal.SIGTERM, -15), (signal.SIGKILL, -9)])
def test_a_python_is_ended_by_signals(python, sent, status):
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    with subprocess.Popen([*python, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        pid = int(process.stdout.readline())
        process.send_signal(sent)
        assert process.wait(20) == status
    wait_until(lambda: not psutil.pid_exists(pid))


def test_a_python_that_is_killed_says_so(python):
    done = subprocess.run([*python, "-c", "import os; os.kill(os.getpid(), 9)"])
    assert done.returncode == -9

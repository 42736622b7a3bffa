"""Kernels, and other Pythons, that are forked from one process in which everything slow to import has been imported.

Importing torch and what stands on it takes a process several seconds of a processor. Here it is done once: `serve`
imports it and forks itself for each process that `launch`, the command of the kernel specification, asks for. Otherwise
a kernel is like any other: a process of its own with its own environment, folder and widgets. The same command stands
for `python` where a test starts one and how it loads its libraries does not matter.
"""

import json
import os
import signal
import socket
import sys

#: Elsewhere there is no fork, or it is not safe in a process that has loaded such libraries.
AVAILABLE = sys.platform == "linux"
# No widgets: ipywidgets looks for the kernel when it is imported.
PRELOADED = ("ipykernel.kernelapp", "torch", "torchvision", "timm", "segmentation_models_pytorch", "skimage", "zarr")
PRELOADED_NAMES = ("Classifier", "diagnose", "open_image", "quick_classifier", "recommend", "start_training")


class KernelForks:
    """The process that kernels are forked from, and the folder for JUPYTER_PATH that tells Jupyter of it.

    `python` is the command that stands for `python`; it takes ``-c``, ``-m`` or a script, and its arguments.

    Parameters
    ----------
    folder
        An empty one.
    """

    def __init__(self, folder):
        import subprocess  # here, since `launch` is to be quick
        import uuid
        from pathlib import Path

        self.folder = folder
        address = f"histowidgets-kernels-{uuid.uuid4().hex}"
        (folder / "kernels" / "python3").mkdir(parents=True)
        self.python = [sys.executable, "-P", "-E", "-S", __file__, "launch", address]
        specification = {
            "argv": [*self.python, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "metadata": {"debugger": True},
        }
        (folder / "kernels" / "python3" / "kernel.json").write_text(json.dumps(specification))
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(f"\0{address}")  # here, so that who asks early waits
        listener.listen()
        command = [sys.executable, "-P", __file__, "serve", str(listener.fileno())]
        # Two threads of torch, as many as a workshop's laptop has cores. The libraries read it when they are loaded.
        root = str(Path(__file__).resolve().parents[1])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "OMP_NUM_THREADS": "2", "PYTHONPATH": path}
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, pass_fds=[listener.fileno()])
        listener.close()

    def wait_until_up(self):
        """Return once all is imported: Jupyter gives up a kernel that takes a minute, as it may on a busy machine."""
        if self._process.stdout.readline() != b"up\n":
            raise RuntimeError("the process that kernels are forked from has ended; what it said is above")

    def close(self):
        """Stop the process, and with it the kernels that are left."""
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


def serve(listener):
    """Import what is slow, then fork for each request; returns in a fork, with the words after `python`."""
    import gc
    import importlib

    os.environ["JPY_PARENT_PID"] = str(os.getpid())  # read when ipykernel is imported; a kernel ends with its parent
    for module in PRELOADED:
        importlib.import_module(module)
    histowidgets = importlib.import_module("histowidgets")
    for name in PRELOADED_NAMES:
        getattr(histowidgets, name)
    gc.collect()
    gc.freeze()  # memory that is never written to stays shared
    asking = {}
    signal.signal(signal.SIGCHLD, lambda number, frame: _tell_who_ended(asking))
    sys.stdout.write("up\n")
    sys.stdout.flush()
    while True:
        one, _ = listener.accept()
        request, files, _, _ = socket.recv_fds(one, 1_000_000, 3)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        pid = os.fork()
        if pid == 0:
            for other in (listener, *asking.values()):
                other.close()
            return _become(one, json.loads(request), files)
        asking[pid] = one
        _send(one, pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        for file in files:
            os.close(file)


def _tell_who_ended(asking):
    while asking:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with asking.pop(pid) as one:
            _send(one, status)


def _send(asking, number):
    import contextlib

    with contextlib.suppress(OSError):  # who asks may have been killed, and then the fork ends too
        asking.send(str(number).encode())


def _become(asking, request, files):
    """Make this process what it would be if it had been started; returns the words after `python`."""
    import ctypes
    import threading

    import numpy as np

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: it ends with its parent, whatever it does
    os.setsid()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.path[:0] = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry not in sys.path]
    np.random.seed()  # noqa: NPY002 - or all kernels draw the same numbers

    def follow():
        asking.recv(1)
        os._exit(1)

    threading.Thread(target=follow, name="launcher", daemon=True).start()
    return request["words"]


def run(words):
    """Run what stands after `python`."""
    import runpy
    import types

    if words[:2] == ["-m", "ipykernel_launcher"]:
        from ipykernel.kernelapp import launch_new_instance

        sys.argv = words[1:]
        launch_new_instance()
    elif words[0] == "-c":
        sys.argv = ["-c", *words[2:]]
        sys.path.insert(0, "")
        sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(words[1], "<string>", "exec"), vars(sys.modules["__main__"]))
    elif words[0] == "-m":
        sys.argv = words[1:]
        sys.path.insert(0, os.getcwd())  # noqa: PTH109 - as above
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        sys.path.insert(0, os.path.dirname(os.path.abspath(words[0])))  # noqa: PTH100, PTH120 - as above
        runpy.run_path(words[0], run_name="__main__")


def launch(address, *words):
    """Ask for a process and stand for it until it ends: signals go on to it, and when this is killed, it ends too."""
    asking = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    asking.connect(f"\0{address}")
    request = {
        "environment": dict(os.environ),
        "folder": os.getcwd(),  # noqa: PTH109 - pathlib takes longer to import
        "words": words,
    }
    socket.send_fds(asking, [json.dumps(request).encode()], [0, 1, 2])
    pid = int(asking.recv(100))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: os.kill(pid, number))
    status = os.waitstatus_to_exitcode(int(asking.recv(100) or signal.SIGKILL))
    if status < 0:
        if -status != signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


if __name__ == "__main__":
    if sys.argv[1] == "launch":
        launch(*sys.argv[2:])
    else:
        run(serve(socket.socket(fileno=int(sys.argv[2]))))

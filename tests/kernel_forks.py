"""Kernels that are forked from one process in which everything slow to import has been imported.

Importing torch and what stands on it takes a kernel several seconds of a processor. Here it is done once: `serve`
imports it and forks itself for each kernel that `launch`, the command of the kernel specification, asks for. Otherwise
a kernel is like any other: a process of its own with its own environment, folder and widgets.
"""

import json
import os
import select
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
        specification = {
            "argv": [sys.executable, "-P", "-E", "-S", __file__, "launch", address, "{connection_file}"],
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
    """Import what is slow, then fork for each request; returns in a fork, ready to be a kernel."""
    import contextlib
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
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a kernel ended
    sys.stdout.write("up\n")
    sys.stdout.flush()
    while True:
        asking, _ = listener.accept()
        request, files, _, _ = socket.recv_fds(asking, 1_000_000, 2)
        pid = os.fork()
        if pid == 0:
            listener.close()
            _become(asking, json.loads(request), files)
            return
        with contextlib.suppress(OSError), asking:  # who asks may have been killed, and then the kernel ends too
            asking.send(str(pid).encode())
        for file in files:
            os.close(file)


def _become(asking, request, files):
    """Make this process what it would be if Jupyter had started it."""
    import ctypes
    import threading

    import numpy as np

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: it ends with its parent, whatever it does
    os.setsid()
    for number, file in enumerate(files, 1):
        os.dup2(file, number)
        os.close(file)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = ["ipykernel_launcher", "-f", request["connection_file"], *request["options"]]
    np.random.seed()  # noqa: NPY002 - or all kernels draw the same numbers

    def follow():
        asking.recv(1)
        os._exit(1)

    threading.Thread(target=follow, name="launcher", daemon=True).start()


def launch(address, connection_file, *options):
    """Ask for a kernel and stand for it until it ends: signals go on to it, and when this is killed, it ends too."""
    asking = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    asking.connect(f"\0{address}")
    request = {
        "environment": dict(os.environ),
        "folder": os.getcwd(),  # noqa: PTH109 - pathlib takes longer to import
        "connection_file": connection_file,
        "options": options,
    }
    socket.send_fds(asking, [json.dumps(request).encode()], [1, 2])
    pid = int(asking.recv(100))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: os.kill(pid, number))
    poll = select.poll()
    poll.register(os.pidfd_open(pid), select.POLLIN)
    poll.poll()


if __name__ == "__main__":
    if sys.argv[1] == "launch":
        launch(*sys.argv[2:])
    else:
        serve(socket.socket(fileno=int(sys.argv[2])))
        from ipykernel.kernelapp import launch_new_instance

        launch_new_instance()

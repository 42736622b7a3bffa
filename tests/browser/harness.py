"""A real JupyterLab and a notebook in it, driven from a test."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
HOW_TO_GET_CHROMIUM = (
    "no Chromium found: the browser tests need one; install it (Debian: apt-get install chromium) "
    "or put chromium, chromium-browser, google-chrome or chrome on the PATH"
)
TIMEOUT_MS = 60_000
# anywidget says so of a model that has taken two seconds, as on a busy machine, and then shows it all the same. A model
# that does fail throws its own error when it is shown.
SLOW_MODEL = "[anywidget] Failed to initialize model."

# Parts of JupyterLab that no test looks at: loading them takes time of each page, and some work with each message.
UNUSED_EXTENSIONS = [
    *(
        f"@jupyterlab/{name}-extension"
        for name in [
            "audio",
            "celltags",
            "console",
            "csvviewer",
            "debugger",
            "extensionmanager",
            "help",
            "htmlviewer",
            "hub",
            "imageviewer",
            "inspector",
            "javascript",
            "json",
            "launcher",
            "lsp",
            "markdownviewer",
            "mermaid",
            "pdf",
            "pluginmanager",
            "running",
            "settingeditor",
            "terminal",
            "toc",
            "tooltip",
            "vega5",
            "video",
            "workspaces",
        ]
    ),
    "jupyterlab-jupytext",
]

# Awaited in the page: runs code in the notebook's kernel and hands back what it printed, or its error.
_EXECUTE = """
async (code) => {
  const kernel = window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel;
  const future = kernel.requestExecute({ code, store_history: false });
  // Held here: what the page no longer holds is collected, and the wait for it with it.
  (window.heldFutures ??= new Set()).add(future);
  let text = "", error = null;
  future.onIOPub = (message) => {
    if (message.header.msg_type === "stream") text += message.content.text;
    if (message.header.msg_type === "error") error = message.content.traceback.join("\\n");
  };
  const late = new Promise((_, reject) => {
    const why = () => `no reply from the kernel (${kernel.connectionStatus}, ${kernel.status})`;
    setTimeout(() => reject(new Error(why())), 300_000);
  });
  try {
    await Promise.race([future.done, late]);
  } finally {
    window.heldFutures.delete(future);
  }
  return { text, error };
}
"""

# Opens a notebook in a JupyterLab that is in the page already: seconds faster than loading another one.
_OPEN = """
async ([path, url]) => {
  const { commands, shell } = window.jupyterapp;
  const panel = await commands.execute("docmanager:open", { path, factory: "Notebook" });
  shell.activateById(panel.id);
  window.history.replaceState(null, "", url); // what a reload loads
}
"""
# Closes the notebook; gives the session of its kernel, and whether nothing of it is left in the page.
_CLOSE = """
async () => {
  const { commands, shell } = window.jupyterapp;
  const panel = shell.currentWidget;
  const session = panel.context.sessionContext.session?.id;
  panel.dispose();
  if (document.body.dataset.jpThemeLight !== "true") {
    await commands.execute("apputils:change-theme", { theme: "JupyterLab Light" });
  }
  return [session, !document.querySelector(".jp-Notebook, .jp-Dialog, [class*='hw-']")];
}
"""


def find_chromium() -> str | None:
    """Path of the system's Chromium, or None."""
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


class LabServer:
    """One `jupyter lab` of this interpreter, with a home, settings and notebooks of its own.

    `jupyter_path` is a folder with the specification of its kernels, if they are not to be this interpreter's own.
    """

    def __init__(self, folder: Path, jupyter_path: Path | None = None) -> None:
        self.notebooks = folder / "notebooks"
        self.log_path = folder / "jupyter.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.notebooks.mkdir()
        _write_quiet_settings(folder / "config")
        _disable_unused_extensions(folder / "config")
        environment = _environment(folder)
        if jupyter_path is not None:
            environment["JUPYTER_PATH"] = str(jupyter_path)
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(), cwd=self.notebooks, env=environment, stdout=log, stderr=log
            )

    def _command(self) -> list[str]:
        command = [
            sys.executable,
            "-m",
            "jupyterlab",
            "--no-browser",
            "--ip=127.0.0.1",
            f"--port={self.port}",
            "--ServerApp.port_retries=0",
            "--IdentityProvider.token=",
            "--ServerApp.disable_check_xsrf=True",
            f"--ServerApp.root_dir={self.notebooks}",
            "--expose-app-in-browser",
            "--ServerApp.terminals_enabled=False",
            "--LabApp.extension_manager=readonly",
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--allow-root")
        return command

    def wait_until_up(self, seconds: float = 60) -> None:
        """Return once the server answers; fail with its log if it does not."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/api", timeout=2):
                    return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"JupyterLab did not start:\n{self.log_path.read_text()[-3000:]}")

    def end_session(self, session: str) -> None:
        """Have a notebook's kernel shut down; does not wait for it."""
        request = urllib.request.Request(f"{self.url}/api/sessions/{session}", method="DELETE")

        def send() -> None:
            with contextlib.suppress(OSError):  # it has ended by itself, or the server has
                urllib.request.urlopen(request, timeout=60).close()

        threading.Thread(target=send, daemon=True).start()

    def close(self) -> None:
        """Stop the server and with it its kernels."""
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class FarServer:
    """The same server at another address, as through a slow line."""

    def __init__(self, server: LabServer, url: str) -> None:
        self.notebooks, self.url, self.end_session = server.notebooks, url, server.end_session


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _environment(folder: Path) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    for name, part in {
        "HOME": "home",
        "XDG_STATE_HOME": "state",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "config/lab/user-settings",
        "JUPYTERLAB_WORKSPACES_DIR": "config/lab/workspaces",
        "IPYTHONDIR": "ipython",
    }.items():
        (folder / part).mkdir(parents=True, exist_ok=True)
        environment[name] = str(folder / part)
    tour = folder / "state" / "histowidgets" / "tour.json"  # answered, so that it is offered in its own test only
    tour.parent.mkdir(exist_ok=True)
    tour.write_text('{"step": 0}', encoding="utf-8")
    # Two small threads are what a workshop laptop has; torch would otherwise fight the browser for the cores.
    environment["OMP_NUM_THREADS"] = "2"
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), environment.get("PYTHONPATH")]))
    return environment


def _write_quiet_settings(config: Path) -> None:
    """Turn off what pops up over a notebook: news, updates."""
    folder = config / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    folder.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
    (folder / "notification.jupyterlab-settings").write_text(json.dumps(quiet))


def _disable_unused_extensions(config: Path) -> None:
    (config / "labconfig").mkdir(parents=True)
    settings = {"disabledExtensions": dict.fromkeys(UNUSED_EXTENSIONS, True)}
    (config / "labconfig" / "page_config.json").write_text(json.dumps(settings))


class Notebook:
    """A notebook of its own in a page of its own, in single-document mode."""

    def __init__(self, page: Any, server: LabServer | FarServer, cells: list[str], name: str | None = None) -> None:
        self.page = page
        self.server = server
        self.page_errors: list[str] = []
        self.path = f"{name or uuid.uuid4().hex[:8]}.ipynb"
        document = {
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"cell-{number}",
                    "metadata": {},
                    "execution_count": None,
                    "outputs": [],
                    "source": source,
                }
                for number, source in enumerate(cells)
            ],
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        (server.notebooks / self.path).write_text(json.dumps(document))
        page.set_default_timeout(TIMEOUT_MS)
        page.on("pageerror", self._keep_page_error)
        page.on("console", self._keep_widget_error)
        self._open()

    def _keep_page_error(self, error: Any) -> None:
        if str(error) != SLOW_MODEL:
            self.page_errors.append(str(error))

    def _keep_widget_error(self, message: Any) -> None:
        if message.type == "error" and any(word in message.text for word in ("idget", "ipycanvas", "bqplot")):
            self.page_errors.append(message.text)

    def _open(self) -> None:
        url = f"{self.server.url}/doc/tree/{self.path}"
        if self.page.url.startswith(f"{self.server.url}/doc/"):
            self.page.evaluate(_OPEN, [self.path, url])
        else:
            self.page.goto(url)
        self._wait_for_kernel()

    def _wait_for_kernel(self) -> None:
        self.page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        self.page.wait_for_function(
            """() => {
              const context = window.jupyterapp?.shell.currentWidget?.context;
              const kernel = context?.isReady && context.sessionContext.session?.kernel;
              return kernel && kernel.connectionStatus === "connected" && kernel.status === "idle";
            }""",
            polling=50,
        )

    def run_all(self, wait: bool = True) -> None:
        """Run all the cells; with `wait`, until the last one is done."""
        command = "window.jupyterapp.commands.execute('notebook:run-all-cells')"
        self.page.evaluate(f"() => {command}" if wait else f"() => {{ {command}; }}")

    def run_cell(self, index: int, wait: bool = True) -> None:
        """Run one cell by its position."""
        self.page.evaluate(
            """([index, wait]) => {
              window.jupyterapp.shell.currentWidget.content.activeCellIndex = index;
              const done = window.jupyterapp.commands.execute('notebook:run-cell');
              return wait ? done.then(() => null) : null;
            }""",
            [index, wait],
        )

    def execute(self, code: str) -> str:
        """Run code in the kernel, outside of the cells; returns what it printed."""
        result = self.page.evaluate(_EXECUTE, code)
        if result["error"]:
            raise AssertionError(result["error"])
        return result["text"]

    def value(self, expression: str) -> Any:
        """Value in the kernel of an expression that JSON can carry."""
        return json.loads(self.execute(f"import json as _json; print(_json.dumps({expression}))"))

    def wait_for_value(self, expression: str, wanted: Any, seconds: float = 20) -> None:
        """Return once the expression has the wanted value in the kernel."""
        end, pause = time.monotonic() + seconds, 50.0
        while (found := self.value(expression)) != wanted:
            if time.monotonic() > end:
                raise AssertionError(f"{expression} is {found!r}; waited {seconds:g} s for {wanted!r}")
            self.page.wait_for_timeout(pause)
            pause = min(1.1 * pause, 250)  # asking takes time from what is waited for

    def wait_for(self, script: str, argument: Any = None, seconds: float = 20) -> Any:
        """Return what the JavaScript function gives once that is truthy."""
        milliseconds = seconds * 1000
        return self.page.wait_for_function(script, arg=argument, timeout=milliseconds, polling=50).json_value()

    def pixel(self, selector: str, x: float, y: float) -> list[int]:
        """RGBA of a canvas element at CSS position (x, y) within it."""
        return self.pixels(selector, [(x, y)])[0]

    def pixels(self, selector: str, points: list[tuple[float, float]]) -> list[list[int]]:
        """RGBA of a canvas element at CSS positions within it."""
        return self.page.evaluate(
            """([selector, points]) => {
              const canvas = document.querySelector(selector);
              const kx = canvas.width / canvas.offsetWidth, ky = canvas.height / canvas.offsetHeight;
              const context = canvas.getContext("2d");
              const read = ([x, y]) => [...context.getImageData(Math.round(x * kx), Math.round(y * ky), 1, 1).data];
              return points.map(read);
            }""",
            [selector, [list(point) for point in points]],
        )

    def layer_pixels(self, model_id: str, points: list[tuple[float, float]]) -> list[list[int]]:
        """RGBA of an ipycanvas layer, shown or not, at its own pixel positions."""
        return self.page.evaluate(
            """async ([id, points]) => {
              const panel = window.jupyterapp.shell.currentWidget;
              const mimeType = "application/vnd.jupyter.widget-view+json";
              const manager = await panel.content.rendermime.createRenderer(mimeType)._manager.promise;
              const context = (await manager.get_model(id)).canvas.getContext("2d");
              return points.map(([x, y]) => [...context.getImageData(x, y, 1, 1).data]);
            }""",
            [model_id, [list(point) for point in points]],
        )

    def reload(self) -> None:
        """Reload the page; the kernel and its widgets stay."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save').then(() => null)")
        self.page.reload()
        self._wait_for_kernel()

    def screenshot(self, name: str, page: Any = None) -> None:
        """Save a picture of this page, or of all of another, in the folder HISTOWIDGETS_SCREENSHOTS names, if set."""
        if folder := os.environ.get("HISTOWIDGETS_SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            whole = page is not None
            (page or self.page).screenshot(path=str(Path(folder) / f"{name}.png"), full_page=whole)

    def set_theme(self, dark: bool) -> None:
        """Show the page in JupyterLab's dark theme, or in its light one."""
        theme = "JupyterLab Dark" if dark else "JupyterLab Light"
        self.page.evaluate("(theme) => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
        self.wait_for("(light) => document.body.dataset.jpThemeLight === light", str(not dark).lower())

    def close(self) -> bool:
        """Close the notebook and let the server shut its kernel down, which takes a second or two, meanwhile.

        Returns whether the page, with its JupyterLab, is as it was before and can have another notebook.
        """
        session, clean = self.page.evaluate(_CLOSE)
        self.page.remove_listener("pageerror", self._keep_page_error)
        self.page.remove_listener("console", self._keep_widget_error)
        if session is not None:
            self.server.end_session(session)
        return clean

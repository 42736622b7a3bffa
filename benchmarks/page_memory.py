"""Memory of the page while a studio pans, draws, undoes and trains, without what a test driver keeps itself.

Playwright switches on the browser's log of the network, which keeps 49 KB for each message of the kernel: the page of
an empty notebook grows by that with each cell. So the browser is asked here by hand, without that log. Goal: flat.

    python benchmarks/page_memory.py               the studio, round after round
    python benchmarks/page_memory.py --network     the same with the log, to see what it keeps
"""

import argparse
import asyncio
import itertools
import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from tornado.websocket import websocket_connect

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.soak import CELL
from tests.browser.harness import CHROMIUM_ARGUMENTS, LabServer, find_chromium, free_port

PAINT = (
    "for name, x in (('Epithelium', 90), ('Stroma', 260), ('Lumen', 15)):\n"
    "    for k in range(3):\n"
    "        line = [(x, 60 + 90 * k), (x + 20, 100 + 90 * k)]\n"
    "        studio.project.annotate(studio.canvas.image_name, hw.Stroke(line, width=10), name)"
)
ROUND = (
    ("studio.canvas.look(studio.canvas.view.look(150 + NUMBER, 150 + 2 * NUMBER, 2.5))", 40),
    ("studio.canvas.fit()", 1),
    (
        "line = [(100 + 5 * NUMBER, 100), (110 + 5 * NUMBER, 140)]\n"
        "studio.project.annotate(studio.canvas.image_name, hw.Stroke(line, width=8), 'Stroma')",
        6,
    ),
    ("studio.project.undo()", 6),
    ("studio.train().wait()", 1),
)
EXECUTE = """
(async () => {
  const { kernel } = window.jupyterapp.shell.currentWidget.context.sessionContext.session;
  for (let i = 0; i < TIMES; i++) {
    await kernel.requestExecute({ code: CODE.replaceAll("NUMBER", i), store_history: false }).done;
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  return true;
})()
"""
READY = """
(() => {
  const context = window.jupyterapp?.shell.currentWidget?.context;
  const kernel = context?.isReady && context.sessionContext.session?.kernel;
  return Boolean(kernel && kernel.connectionStatus === "connected" && kernel.status === "idle");
})()
"""
# What belongs to the page, of what a memory dump names.
PARTS = ("blink_gc", "partition_alloc/partitions/buffer", "v8")


class Line:
    """A line to the browser's tools: asks, and keeps what it is told."""

    async def open(self, url):
        """Connect, and return the line."""
        self._socket = await websocket_connect(url, max_message_size=1 << 30)
        self._asked, self.told, self._numbers = {}, [], itertools.count(1)
        self._task = asyncio.create_task(self._listen())
        return self

    async def _listen(self):
        while (text := await self._socket.read_message()) is not None:
            message = json.loads(text)
            if "id" in message:
                self._asked.pop(message["id"]).set_result(message.get("result"))
            else:
                self.told.append(message)

    async def ask(self, method, **parameters):
        """Return the result of a method of the browser's protocol."""
        number = next(self._numbers)
        self._asked[number] = asyncio.get_running_loop().create_future()
        self._socket.write_message(json.dumps({"id": number, "method": method, "params": parameters}))
        return await self._asked[number]

    async def evaluate(self, script):
        """Return what a script of the page gives, once it has come."""
        answer = await self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        return answer["result"].get("value")

    async def execute(self, code, times=1):
        """Run code in the kernel, so many times; NUMBER stands for the number of the time."""
        await self.evaluate(EXECUTE.replace("TIMES", str(times)).replace("CODE", json.dumps(code)))


async def memory(page, browser):
    """Megabytes of each part of the page, at rest."""
    for _ in range(2):
        await page.ask("HeapProfiler.collectGarbage")
    browser.told.clear()
    wanted = {"includedCategories": ["disabled-by-default-memory-infra"], "memoryDumpConfig": {"triggers": []}}
    await browser.ask("Tracing.start", traceConfig=wanted)
    await browser.ask("Tracing.requestMemoryDump", deterministic=True, levelOfDetail="detailed")
    await browser.ask("Tracing.end")
    while not any(message["method"] == "Tracing.tracingComplete" for message in browser.told):
        await asyncio.sleep(0.1)
    found = []
    for message in browser.told:
        for event in message["params"]["value"] if message["method"] == "Tracing.dataCollected" else ():
            parts = event.get("args", {}).get("dumps", {}).get("allocators") if event.get("ph") == "v" else None
            if parts:
                sizes = {name: parts[name]["attrs"].get("size") for name in PARTS if name in parts}
                found.append({name: int(size["value"], 16) / 1e6 for name, size in sizes.items() if size})
    return max(found, key=lambda sizes: sizes.get("blink_gc", 0.0))  # the page is the largest of the processes


def write_notebook(path):
    cell = {"cell_type": "code", "id": "c", "metadata": {}, "execution_count": None, "outputs": [], "source": CELL}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    document = {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(document))


def fetched(address, method="GET"):
    with urllib.request.urlopen(urllib.request.Request(address, method=method)) as answer:
        return json.load(answer)


async def measure(server, folder, rounds, network):
    write_notebook(server.notebooks / "studio.ipynb")
    port = free_port()
    arguments = ["--headless=new", f"--remote-debugging-port={port}", f"--user-data-dir={folder / 'profile'}"]
    chromium = subprocess.Popen([find_chromium(), *arguments, *CHROMIUM_ARGUMENTS], stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}/json"
        while True:
            try:
                browser = await Line().open(fetched(f"{address}/version")["webSocketDebuggerUrl"])
                break
            except OSError:
                await asyncio.sleep(0.2)
        tab = fetched(f"{address}/new?{server.url}/doc/tree/studio.ipynb", "PUT")
        page = await Line().open(tab["webSocketDebuggerUrl"])
        if network:
            await page.ask("Network.enable")
        while not await page.evaluate(READY):
            await asyncio.sleep(0.3)
        await page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => true)")
        await page.execute(PAINT)
        for number in range(rounds):
            for code, times in ROUND:
                await page.execute(code, times)
            await asyncio.sleep(3)  # answers that follow a run
            sizes = await memory(page, browser)
            print(
                f"round {number + 1:3d}: " + ", ".join(f"{name} {size:6.1f} MB" for name, size in sizes.items()),
                flush=True,
            )
    finally:
        chromium.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--network", action="store_true", help="with the browser's log of the network")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = LabServer(Path(folder))
        try:
            server.wait_until_up()
            asyncio.run(measure(server, Path(folder), a.rounds, a.network))
        finally:
            server.close()


if __name__ == "__main__":
    main()

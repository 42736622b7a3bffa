"""A line between page and server that is slow, or cut: what a person far from the server has."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

CHUNK = 65536


class SlowLine:
    """Passes TCP on to a local port, each way late by a delay that can be changed, and can be cut and mended.

    Parameters
    ----------
    port
        Of the server, on this computer.
    delay
        Seconds that each byte takes, each way.

    Attributes
    ----------
    port : int
        Where the line listens.
    """

    def __init__(self, port: int, delay: float = 0.0) -> None:
        self.delay = delay
        self._target = port
        self._is_cut = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="slow-line", daemon=True)
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._connected, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        """Where a page finds the server through this line."""
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Break every connection, and refuse new ones."""
        self._is_cut = True
        self._call(self._break_all())

    def mend(self) -> None:
        """Let connections through again."""
        self._is_cut = False

    def close(self) -> None:
        """Stop listening and end the thread."""
        self.cut()
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _break_all(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _end(self) -> None:
        self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._writers |= ends
        try:
            await asyncio.gather(self._pass_on(reader, far_writer), self._pass_on(far_reader, writer))
        finally:
            self._writers -= ends
            for each in ends:
                each.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry bytes one way, in order; what is on its way does not hold up what follows."""
        on_its_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                due, data = await on_its_way.get()
                await asyncio.sleep(due - self._loop.time())
                if not data:
                    writer.write_eof()
                    return
                writer.write(data)
                await writer.drain()

        async def collect() -> None:
            while True:
                data = await reader.read(CHUNK)
                on_its_way.put_nowait((self._loop.time() + self.delay, data))
                if not data:
                    return

        try:
            await asyncio.gather(collect(), deliver())
        except OSError:
            writer.transport.abort()

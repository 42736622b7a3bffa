"""Send messages of other threads from the main thread, for pages that accept messages only from that."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

#: Number of kept messages above which those replaced by later ones are dropped.
MOST_KEPT = 500


@dataclass
class _Kept:
    comm: Any
    send: Callable[..., None]
    kind: str
    data: Any
    buffers: list[Any]
    rest: dict[str, Any]

    @property
    def is_update(self) -> bool:
        return self.kind == "comm_msg" and isinstance(self.data, dict) and self.data.get("method") == "update"

    def post(self) -> None:
        self.send(self.kind, data=self.data, buffers=self.buffers or None, **self.rest)

    def without(self, names: set[str]) -> bool:
        """Remove the named traits from this update; return whether any is left."""
        state = {name: value for name, value in self.data["state"].items() if name not in names}
        paths = self.data.get("buffer_paths") or []
        left = [(path, buffer) for path, buffer in zip(paths, self.buffers, strict=True) if path[0] not in names]
        self.data = {**self.data, "state": state, "buffer_paths": [path for path, _ in left]}
        self.buffers = [buffer for _, buffer in left]
        return bool(state or left)


class CommQueue:
    """Keeps the messages of threads, in order, until the main thread sends or handles a message, or calls `flush`.

    A run keeps writing the same few traits even when no page is open. Values that were overwritten since are dropped,
    so that the queue does not keep growing.
    """

    def __init__(self) -> None:
        self._kept: deque[_Kept] = deque()
        self._lock = threading.Lock()
        self._squeeze_at = MOST_KEPT

    def __len__(self) -> int:
        return len(self._kept)

    def comms(self, create: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap ``comm.create_comm`` so that the messages of the comms it makes go through this queue."""

        def create_comm(*args: Any, **options: Any) -> Any:
            opening = {name: options.pop(name, None) for name in ("data", "metadata", "buffers")}
            primary = options.pop("primary", True)
            made = create(*args, primary=False, **options)
            handle = made.handle_msg
            made.publish_msg = partial(self._publish, made, made.publish_msg)
            made.handle_msg = partial(self._handled, handle)
            made.primary = primary
            if primary:
                made.open(**opening)
            return made

        return create_comm

    def flush(self) -> None:
        """Send the kept messages, if this is the main thread."""
        if threading.current_thread() is not threading.main_thread():
            return
        while True:
            with self._lock:
                if not self._kept:
                    self._squeeze_at = MOST_KEPT
                    return
                first = self._kept.popleft()
            first.post()

    def _publish(
        self, comm: Any, send: Callable[..., None], kind: str, data: Any = None, *, buffers: Any = None, **rest: Any
    ) -> None:
        message = _Kept(comm, send, kind, data, list(buffers or ()), rest)
        if threading.current_thread() is threading.main_thread():
            self.flush()
            message.post()
            return
        with self._lock:
            self._kept.append(message)
            if len(self._kept) >= self._squeeze_at:
                self._squeeze()

    def _handled(self, handle: Callable[[Any], None], message: Any) -> None:
        try:
            handle(message)
        finally:
            self.flush()

    def _squeeze(self) -> None:
        """Remove from each update the traits that a later one of the same widget sets again."""
        newer: dict[int, set[str]] = {}
        left: list[_Kept] = []
        for message in reversed(self._kept):
            if message.is_update:
                names = newer.setdefault(id(message.comm), set())
                told = set(message.data["state"]) | {path[0] for path in message.data.get("buffer_paths") or []}
                if not message.without(names):
                    continue
                names |= told
            left.append(message)
        self._kept = deque(reversed(left))
        self._squeeze_at = max(MOST_KEPT, 2 * len(left))

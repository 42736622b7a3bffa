"""What takes a while (reading and writing files), done on a thread, so that the page's callback returns at once."""

import threading
from collections.abc import Callable

from histowidgets.errors import HistowidgetsError

Say = Callable[[str, str], None]


class Errands:
    """Does one thing after the other, each on a thread of its own, and says how it went.

    Parameters
    ----------
    name
        Names the threads: ``histowidgets-<name>``.
    say
        Called with a text and a level, on the caller's thread when an errand is taken, and on its own when it ends.
    """

    def __init__(self, name: str, say: Say) -> None:
        self._name, self._say = f"histowidgets-{name}", say
        self._lock = threading.Lock()
        self._last: threading.Thread | None = None
        self._closed = False

    def take(self, doing: str, action: Callable[[], str | tuple[str, str]], failed: str = "") -> None:
        """Do something soon, after what was taken before; returns at once, and does nothing once it is closed.

        Parameters
        ----------
        doing
            What is said first, such as ``"Opening slide.svs…"``.
        action
            Returns what is said when it is done, or that and a level other than "good". What it raises is said.
        failed
            The words before what went wrong.
        """
        if self._closed:
            return
        self._say(doing, "info")
        with self._lock:
            if self._closed:
                return
            thread = threading.Thread(target=self._do, args=(self._last, action, failed), name=self._name, daemon=True)
            self._last = thread
            thread.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all that was taken is done; return whether that is so."""
        last = self._last
        if last is not None:
            last.join(timeout)
        return last is None or not last.is_alive()

    def close(self) -> None:
        """Take nothing more, and wait a little for what is under way."""
        with self._lock:
            self._closed = True
        self.wait(10)

    def _do(self, before: threading.Thread | None, action: Callable[[], str | tuple[str, str]], failed: str) -> None:
        if before is not None:
            before.join()
        try:
            done = action()
        except (HistowidgetsError, OSError) as error:
            self._say(f"{failed}{error}", "error")
        except Exception as error:  # noqa: BLE001 - the boundary of a thread: the person must see it
            self._say(f"{failed}{type(error).__name__}: {error}", "error")
        else:
            words, level = (done, "good") if isinstance(done, str) else done
            self._say(words, level)

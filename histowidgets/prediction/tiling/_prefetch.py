"""Prefetch tiles: the next ones are read while the model computes the current ones."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import TypeVar

from histowidgets._threads import SerialExecutor

Item = TypeVar("Item")
Read = TypeVar("Read")


def read_ahead(items: Sequence[Item], read: Callable[[Item], Read]) -> Generator[Read, None, None]:
    """Read items in order, one item ahead, on a thread that ends with the iterator.

    Parameters
    ----------
    items : sequence
        For a single item, no thread is started.
    read : callable
        May raise; the error is raised when the item would be yielded.
    """
    if len(items) < 2:
        yield from map(read, items)
        return
    with closing(SerialExecutor("read-ahead")) as reader:
        coming = reader.submit(read, items[0])
        for following in items[1:]:
            found = coming.result()
            coming = reader.submit(read, following)
            yield found
            del found
        yield coming.result()

"""Prefetching: the next tiles are read while the model works on the current ones."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import TypeVar

from histowidgets._threads import SerialExecutor

Item = TypeVar("Item")
Read = TypeVar("Read")


def read_ahead(items: Sequence[Item], read: Callable[[Item], Read]) -> Generator[Read, None, None]:
    """Read items in order, one ahead, in a thread that ends with the iterator.

    Parameters
    ----------
    items : sequence
        For a single one no thread is started.
    read : callable
        May raise; the error is raised where the item would have been given.
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

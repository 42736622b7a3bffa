"""Tiles are read ahead of the model."""

import pytest

from histowidgets.prediction.tiling import read_ahead


def test_reading_ahead_keeps_order_and_brings_errors():
    def read(i):
        if i == 3:
            raise ValueError("three")
        return i * 10

    assert list(read_ahead([0, 1, 2], read)) == [0, 10, 20]
    assert list(read_ahead([1], read)) == [10]
    found = []
    with pytest.raises(ValueError, match="three"):
        found.extend(read_ahead([0, 1, 2, 3, 4], read))
    stopped = read_ahead([0, 1, 2], read)
    assert next(stopped) == 0
    stopped.close()  # its thread ends: the fixture for threads looks

"""Regions cut into blocks."""

from histowidgets.images import Region


def test_blocks_cover_each_pixel_once_row_by_row():
    assert Region(5, 7, 25, 12).blocks(10) == [
        Region(5, 7, 10, 10),
        Region(15, 7, 10, 10),
        Region(25, 7, 5, 10),
        Region(5, 17, 10, 2),
        Region(15, 17, 10, 2),
        Region(25, 17, 5, 2),
    ]
    assert Region(0, 0, 10, 10).blocks(10) == [Region(0, 0, 10, 10)]

"""Tiles that are cut ahead are the tiles that would be cut anyway."""

import threading

import pytest
import torch

from histowidgets.training import train
from histowidgets.training.data import TilePrefetcher
from tests.training.helpers import painted, quick, training_tiles

VARIED = quick(stain_jitter=0.3, elastic=0.5, noise=0.1, batch_size=4)


def tiles(settings=VARIED, **share):
    return training_tiles(settings, **share)


def same(one, other):
    return torch.equal(one.pixels, other.pixels) and torch.equal(one.labels, other.labels)


@pytest.mark.parametrize("depth", [1, 3])
def test_batches_come_in_the_order_in_which_they_are_drawn(depth):
    plain, ahead = tiles(), TilePrefetcher(tiles(), depth)
    try:
        for size in (64, 64, 96, 96, 64):
            assert same(plain.draw(size), ahead.draw(size))
        assert ahead.worked > 0
        assert ahead.waited > 0
    finally:
        ahead.close()


def test_a_state_is_that_of_the_next_batch_however_many_are_ahead():
    ahead, other = TilePrefetcher(tiles(), 3), TilePrefetcher(tiles(), 1)
    try:
        for _ in range(3):
            ahead.draw()
        state = ahead.state_dict()
        wanted = [ahead.draw() for _ in range(3)]
        other.draw()
        other.load_state_dict(state)
        assert all(same(batch, other.draw()) for batch in wanted)
        ahead.load_state_dict(state)
        assert same(wanted[0], ahead.draw())
    finally:
        ahead.close()
        other.close()


def test_closing_ends_the_thread_and_drawing_goes_on_after_it():
    plain, ahead = tiles(), TilePrefetcher(tiles(), 2)
    for _ in range(3):
        assert same(plain.draw(), ahead.draw())
        ahead.close()
        assert not [t for t in threading.enumerate() if t.name.startswith("histowidgets-tiles")]


def test_an_image_that_cannot_be_read_any_more_is_an_error_of_the_run(monkeypatch):
    read = "histowidgets.training.data._pixel_cache.read_pieces"

    def fail(*arguments):
        raise OSError("the disk is gone")

    ahead = TilePrefetcher(tiles())
    monkeypatch.setattr(read, fail)
    with pytest.raises(OSError, match="the disk is gone"):
        ahead.draw()
    ahead.close()
    with pytest.raises(Exception, match="the disk is gone"):
        train(painted(), quick())


def test_shares_of_several_processes_are_the_batch_of_one():
    whole, parts = tiles(), [tiles(share=(rank, 3)) for rank in range(3)]
    for _ in range(3):
        batch, pieces = whole.draw(), [part.draw() for part in parts]
        assert [len(piece.pixels) for piece in pieces] == [2, 1, 1]
        for number in range(4):
            rank, place = number % 3, number // 3
            assert torch.equal(batch.pixels[number], pieces[rank].pixels[place])
            assert torch.equal(batch.labels[number], pieces[rank].labels[place])

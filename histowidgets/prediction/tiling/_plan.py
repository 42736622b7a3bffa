"""Where tiles lie: as few as possible, with real context on every side where the image has any."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AxisPlan:
    """Tiles along one axis, in pixels from the region's begin.

    Attributes
    ----------
    size : int
        Length of each tile.
    starts : tuple of int
        Where each tile begins; may be negative.
    cuts : tuple of int
        One more than tiles: tile i answers for ``cuts[i]`` to ``cuts[i + 1]``; the first is 0, the last the length.
    """

    size: int
    starts: tuple[int, ...]
    cuts: tuple[int, ...]


def plan_axis(
    length: int, before: int, after: int, *, largest: int, margin: int, multiple: int, align: int, shift: float = 0.0
) -> AxisPlan:
    """Lay tiles along one axis.

    Parameters
    ----------
    length : int
        Pixels of the region.
    before, after : int
        Pixels that the image has on either side of it.
    largest : int
        Longest tile wanted; a multiple of `multiple`.
    margin : int
        Pixels of context wanted on each side of what a tile answers for; neighbours share twice that, or more.
    multiple : int
        Tiles are multiples of this.
    align : int
        Starts and cuts are multiples of this, which divides `multiple`.
    shift : float, default 0
        Share of a step by which the inner tiles are moved; the first and the last stay, one more is needed.

    Returns
    -------
    AxisPlan
        All tiles are equally long. They stick out of the image only where it ends before a multiple is full.
    """

    def spanned(margin: int) -> tuple[int, int]:
        return -(min(before, margin) // align * align), length + min(after, margin)

    begin, end = spanned(margin)
    if end - begin > largest:
        # A small tile answers for half its side at least.
        margin = min(margin, largest // 4)
        begin, end = spanned(margin)
    span = end - begin
    if span <= largest:
        size = _up(span, multiple)
        # What a multiple adds is taken from the image where there is some.
        sticking_out = max(0, begin + size - (length + after))
        begin -= min(sticking_out, before + begin) // align * align
        return AxisPlan(size, (begin,), (0, length))
    count = -(-(span - 2 * margin) // (largest - 2 * margin))
    size = _up(-(-(span + (count - 1) * 2 * margin) // count), multiple)
    last = _up(end - size - begin, align)
    places = range(count) if not shift else [0.0, *(i + shift for i in range(count - 1)), count - 1.0]
    starts = sorted({begin + int(place * last // (count - 1)) // align * align for place in places})
    cuts = [(starts[i + 1] + starts[i] + size) // 2 // align * align for i in range(len(starts) - 1)]
    return AxisPlan(size, tuple(starts), (0, *cuts, length))


def _up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple

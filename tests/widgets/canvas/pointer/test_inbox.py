"""The order of the edits that pages send."""

from histowidgets.widgets.canvas.pointer._inbox import MAX_WAITING, Inbox


def test_edits_that_overtake_each_other_come_in_order_and_none_comes_twice():
    inbox = Inbox()
    assert inbox.take("a", 1, "one") == [(1, "one")]
    assert inbox.take("a", 3, "three") == []
    assert inbox.take("a", 3, "three") is None
    assert not inbox.is_done("a", 3)
    assert inbox.take("b", 1, "other page") == [(1, "other page")]
    assert inbox.take("a", 2, "two") == [(2, "two"), (3, "three")]
    assert inbox.take("a", 2, "two") is None
    assert inbox.is_done("a", 3)


def test_an_edit_that_never_comes_does_not_hold_up_the_others_for_ever():
    inbox = Inbox()
    got = [inbox.take("a", number, number) for number in range(2, MAX_WAITING + 3)]
    assert got[:-1] == [[]] * MAX_WAITING
    assert got[-1] == [(number, number) for number in range(2, MAX_WAITING + 3)]
    assert inbox.take("a", 1, 1) is None

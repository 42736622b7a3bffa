"""Small controls that panels share."""

import ipywidgets
import pytest

from histowidgets.widgets.common import offer


@pytest.mark.parametrize(("new", "kept"), [(["x", "b", "c"], "b"), (["x", "a"], "x")])
def test_what_was_chosen_stays_while_it_is_offered(new, kept):
    field = ipywidgets.Dropdown(options=["a", "b"], value="b")
    offer(field, new)
    assert (list(field.options), field.value) == (new, kept)

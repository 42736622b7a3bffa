"""The edits of a project. Each is one step of undo, and one line of the journal.

An edit is made from a record (`edit_from_record`), which is what the journal keeps, and the state that it will
change; it then knows all it needs to be taken back.
"""

from collections.abc import Callable

from histowidgets.annotations.project import _edits_annotations, _edits_classes, _edits_images
from histowidgets.annotations.project._edit import Edit
from histowidgets.annotations.project._state import Record, State

_MAKERS: dict[str, Callable[[Record, State], Edit]] = {
    **_edits_annotations.MAKERS,
    **_edits_classes.MAKERS,
    **_edits_images.MAKERS,
}


def edit_from_record(record: Record, state: State) -> Edit:
    """Make the edit that a record means, checking it against the state that it will change.

    Raises
    ------
    ProjectError
        If the record does not fit the state; the message is meant for a person.
    KeyError, TypeError, ValueError
        If a field is missing or of the wrong type (a damaged journal).
    """
    return _MAKERS[record["op"]](record, state)

"""What the pointer layer on the page may say to the kernel, checked before anything is done with it."""

import threading
from typing import Annotated, Any, Literal, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter, ValidationError

# The page starts a new stroke after 10,000 points.
MOST_POINTS = 20_000
# Edits of one page that may wait for an earlier one that has not come yet; then they go on without it.
MOST_WAITING = 64
LARGEST_COORDINATE = 1e7


ClassName = Annotated[str, Field(max_length=1000)]
Tolerance = Annotated[FiniteFloat, Field(ge=1, le=100)]
Coordinate = Annotated[FiniteFloat, Field(ge=-LARGEST_COORDINATE, le=LARGEST_COORDINATE)]


class MessageError(ValueError):
    """A message from the page is not one that the pointer layer sends."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    client: Annotated[str, Field(max_length=32)]


class Ready(_Message):
    """The page has a pointer layer, and `scale` device pixels a CSS pixel."""

    kind: Literal["ready"]
    scale: Annotated[FiniteFloat, Field(ge=0.1, le=4)]


class Loaded(_Message):
    """The page has all that the canvas draws with; its pictures have these lengths in bytes."""

    kind: Literal["loaded"]
    pictures: Annotated[list[Annotated[int, Field(ge=0)]], Field(max_length=8)]


class Redraw(_Message):
    """The page could not follow the drawing, and needs all of it again."""

    kind: Literal["redraw"]


class _Edit(_Message):
    """What is done in order, once, and answered; on the image of that name, or the one shown."""

    number: Annotated[int, Field(ge=1)]
    image_name: Annotated[str, Field(max_length=1000)] | None = None


class StrokeMessage(_Edit):
    """A stroke was painted; its points, float32 x and y in turn in image pixels, come as a buffer.

    A second buffer, if any, has the width at each point, float32, at most `width`: how hard the pen was pressed.
    """

    kind: Literal["stroke"]
    tool: Literal["brush", "eraser"]
    class_name: ClassName
    width: Annotated[FiniteFloat, Field(gt=0, le=10_000)]


class ShapeMessage(_Edit):
    """A line, a rectangle or a polygon was drawn; its points come as those of a stroke do."""

    kind: Literal["shape"]
    tool: Literal["line", "rectangle", "polygon"]
    class_name: ClassName
    width: Annotated[FiniteFloat, Field(gt=0, le=10_000)]


class Step(_Edit):
    """An edit is taken back, or done again."""

    kind: Literal["undo", "redo"]


class Pick(_Edit):
    """The topmost annotation at an image point is to be selected; `add` to or, if it is, taken from what is."""

    kind: Literal["pick"]
    x: Coordinate
    y: Coordinate
    tolerance: Annotated[FiniteFloat, Field(ge=0, le=10_000)]
    add: bool


class Marquee(_Edit):
    """What lies in a rectangle is to be selected, or added to what is."""

    kind: Literal["marquee"]
    x: Coordinate
    y: Coordinate
    width: Annotated[FiniteFloat, Field(gt=0, le=LARGEST_COORDINATE)]
    height: Annotated[FiniteFloat, Field(gt=0, le=LARGEST_COORDINATE)]
    add: bool


class Move(_Edit):
    """The selection was dragged."""

    kind: Literal["move"]
    dx: Coordinate
    dy: Coordinate


class Reclassify(_Edit):
    """The selection is to be of another class."""

    kind: Literal["reclassify"]
    class_name: ClassName


class SelectionStep(_Edit):
    """Something is to be done with the selection that needs no numbers."""

    kind: Literal["delete", "copy", "cut", "paste", "duplicate", "select-all", "deselect"]


class _WandMessage(_Message):
    """The wand was used at an image point, in a view: x and y of the middle, and zoom."""

    x: Coordinate
    y: Coordinate
    tolerance: Tolerance
    view: tuple[Coordinate, Coordinate, Annotated[FiniteFloat, Field(gt=0)]]


class WandMessage(_Edit, _WandMessage):
    """What the wand finds is to be annotated."""

    kind: Literal["wand"]
    class_name: ClassName


class WandPreview(_WandMessage):
    """What the wand would find is to be shown; of several such requests only the last one counts."""

    kind: Literal["wand-preview"]
    request: Annotated[int, Field(ge=1)]


class ViewMessage(_Message):
    """The person looks somewhere else."""

    kind: Literal["view"]
    number: Annotated[int, Field(ge=1)]
    x: FiniteFloat
    y: FiniteFloat
    zoom: Annotated[FiniteFloat, Field(gt=0)]


class ToolMessage(_Message):
    """Another tool was chosen."""

    kind: Literal["tool"]
    tool: Literal["pan", "select", "brush", "eraser", "line", "rectangle", "polygon", "wand"]


class ClassMessage(_Message):
    """Another class was chosen."""

    kind: Literal["class"]
    class_name: ClassName


class WidthMessage(_Message):
    """The brush was made wider or narrower."""

    kind: Literal["width"]
    width: Annotated[FiniteFloat, Field(ge=1, le=200)]


class ToleranceMessage(_Message):
    """The wand was made to take more or less."""

    kind: Literal["tolerance"]
    tolerance: Tolerance


class LayerMessage(_Message):
    """A layer is to be shown, or not: the prediction with its uncertainty, or the annotations."""

    kind: Literal["overlay", "annotations"]
    on: bool


class Short(_Message):
    """A polygon was to be closed that has too few points yet."""

    kind: Literal["short"]
    points: Annotated[int, Field(ge=1, le=2)]


class Draft(_Message):
    """The polygon that is open on the page, its points as those of a stroke; no corners and no points: none is.

    `corners` says which points were clicked. Of the drafts of one page the one with the highest number counts.
    """

    kind: Literal["draft"]
    number: Annotated[int, Field(ge=1)]
    image_name: Annotated[str, Field(max_length=1000)]
    corners: Annotated[list[Annotated[int, Field(ge=0, lt=MOST_POINTS)]], Field(max_length=MOST_POINTS)]


class Pen(_Message):
    """A pen has touched the canvas."""

    kind: Literal["pen"]


class Hover(_Message):
    """The pen is over an image point."""

    kind: Literal["hover"]
    x: FiniteFloat
    y: FiniteFloat


class Leave(_Message):
    """The pen has left the canvas."""

    kind: Literal["leave"]


SelectionEdit = Pick | Marquee | Move | Reclassify | SelectionStep
Edit = StrokeMessage | ShapeMessage | WandMessage | Step | SelectionEdit
EDIT_KINDS = tuple(kind for edit in get_args(Edit) for kind in get_args(edit.model_fields["kind"].annotation))
Choice = ToolMessage | ClassMessage | WidthMessage | ToleranceMessage | LayerMessage
Message = Ready | Loaded | Redraw | Edit | WandPreview | ViewMessage | Choice | Short | Draft | Pen | Hover | Leave
_messages: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def parse_message(content: Any) -> Message:
    """Return the message in `content`.

    Raises
    ------
    MessageError
        If it is none; the text names the first field that is wrong.
    """
    try:
        return _messages.validate_python(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "message"
        raise MessageError(f"unreadable message from the page: {field}: {first['msg']}") from None


def parse_points(buffers: Any) -> np.ndarray:
    """Return the points of a stroke or shape from the buffers of its message.

    Returns
    -------
    numpy.ndarray
        float64, ``(n, 2)``, x then y, image pixels.

    Raises
    ------
    MessageError
        If there is not one buffer of 1 to `MOST_POINTS` pairs of finite float32.
    """
    if not isinstance(buffers, list | tuple) or len(buffers) != 1:
        raise MessageError("a drawing came without its points")
    size = memoryview(buffers[0]).nbytes
    if size == 0 or size % 8:
        raise MessageError(f"a drawing came with {size} bytes; its points are pairs of 4-byte numbers")
    if size // 8 > MOST_POINTS:
        raise MessageError(f"a drawing came with {size // 8} points; {MOST_POINTS} is the most")
    points = np.frombuffer(buffers[0], np.float32).reshape(-1, 2)
    # Before the cast: that of a signalling NaN warns.
    if not (np.isfinite(points).all() and (np.abs(points) <= LARGEST_COORDINATE).all()):
        raise MessageError("a drawing came with coordinates that are no numbers")
    return points.astype(np.float64)


def parse_stroke(buffers: Any, width: float) -> tuple[np.ndarray, float | np.ndarray]:
    """Return the points of a stroke, and its width or, from a pen that was pressed more or less, one for each point.

    Returns
    -------
    points : numpy.ndarray
        float64, ``(n, 2)``, x then y, image pixels.
    width : float or numpy.ndarray
        `width`, or float64, ``(n,)``, each above 0 and at most `width`.

    Raises
    ------
    MessageError
        If the points are none, or the widths are not as many finite float32 between 0 and `width`.
    """
    if not isinstance(buffers, list | tuple) or len(buffers) != 2:
        return parse_points(buffers), width
    points = parse_points(buffers[:1])
    if memoryview(buffers[1]).nbytes != 4 * len(points):
        raise MessageError(f"a stroke of {len(points)} points came without as many widths")
    widths = np.frombuffer(buffers[1], np.float32).astype(np.float64)
    if not ((widths > 0) & (widths <= width * 1.001)).all():
        raise MessageError("a stroke came with widths that are no numbers between 0 and that of the brush")
    return points, float(widths[0]) if np.ptp(widths) == 0 else widths


class Inbox:
    """Puts the edits of each page back in order, and drops those that come twice.

    ipykernel may handle two messages of one widget on two threads, so a later edit can overtake an earlier one;
    and the page sends an edit again that was not answered for a while.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: dict[str, int] = {}
        self._waiting: dict[str, dict[int, Any]] = {}

    def take(self, client: str, number: int, item: Any) -> list[tuple[int, Any]] | None:
        """Return the edits whose turn it is now, as (number, item) in order; None if this one was here before."""
        with self._lock:
            following = self._next.setdefault(client, 1)
            waiting = self._waiting.setdefault(client, {})
            if number < following or number in waiting:
                return None
            waiting[number] = item
            if len(waiting) > MOST_WAITING:
                following = min(waiting)
            ready = []
            while following in waiting:
                ready.append((following, waiting.pop(following)))
                following += 1
            self._next[client] = following
            return ready

    def is_done(self, client: str, number: int) -> bool:
        """Tell whether the turn of this edit has come."""
        with self._lock:
            return number < self._next.get(client, 1)

"""The messages that the pointer layer may send to the kernel, and their validation."""

from typing import Annotated, Any, Literal, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter, ValidationError

from histowidgets.widgets.canvas.state import MAX_BRUSH_WIDTH, MAX_TOLERANCE, Tool

#: Points of one stroke or shape; the page starts a new stroke after 10,000.
MAX_POINTS = 20_000
MAX_COORDINATE = 1e7

ClassName = Annotated[str, Field(max_length=1000)]
Tolerance = Annotated[FiniteFloat, Field(ge=1, le=MAX_TOLERANCE)]
Coordinate = Annotated[FiniteFloat, Field(ge=-MAX_COORDINATE, le=MAX_COORDINATE)]


class MessageError(ValueError):
    """Raised for a message that the pointer layer cannot have sent."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    client: Annotated[str, Field(max_length=32)]


class Ready(_Message):
    """The pointer layer was started on a page with `scale` device pixels per CSS pixel."""

    kind: Literal["ready"]
    scale: Annotated[FiniteFloat, Field(ge=0.1, le=4)]


class Loaded(_Message):
    """The page has loaded all widgets that the canvas draws with; its pictures have these lengths in bytes."""

    kind: Literal["loaded"]
    pictures: Annotated[list[Annotated[int, Field(ge=0)]], Field(max_length=8)]


class Redraw(_Message):
    """The page lost track of the drawing and needs a full redraw."""

    kind: Literal["redraw"]


class _Edit(_Message):
    """An edit of the named image, or else of the image shown; done once, in order, and answered."""

    number: Annotated[int, Field(ge=1)]
    image_name: Annotated[str, Field(max_length=1000)] | None = None


class StrokeMessage(_Edit):
    """A stroke was painted; the buffer holds its points as alternating float32 x and y in image pixels.

    An optional second buffer has the width at each point (float32, at most `width`), from the pen's pressure.
    """

    kind: Literal["stroke"]
    tool: Literal["brush", "eraser"]
    class_name: ClassName
    width: Annotated[FiniteFloat, Field(gt=0, le=10_000)]


class ShapeMessage(_Edit):
    """A line, a rectangle or a polygon was drawn; its points are sent like those of a stroke."""

    kind: Literal["shape"]
    tool: Literal["line", "rectangle", "polygon"]
    class_name: ClassName
    width: Annotated[FiniteFloat, Field(gt=0, le=10_000)]


class Step(_Edit):
    """Undo or redo an edit, or fill the ring that was drawn last."""

    kind: Literal["undo", "redo", "fill"]


class Pick(_Edit):
    """Select the topmost annotation at an image point; `add` toggles it within the selection."""

    kind: Literal["pick"]
    x: Coordinate
    y: Coordinate
    tolerance: Annotated[FiniteFloat, Field(ge=0, le=10_000)]
    add: bool


class Marquee(_Edit):
    """Select the annotations in a rectangle, or add them to the selection."""

    kind: Literal["marquee"]
    x: Coordinate
    y: Coordinate
    width: Annotated[FiniteFloat, Field(gt=0, le=MAX_COORDINATE)]
    height: Annotated[FiniteFloat, Field(gt=0, le=MAX_COORDINATE)]
    add: bool


class Move(_Edit):
    """The selection was dragged."""

    kind: Literal["move"]
    dx: Coordinate
    dy: Coordinate


class Reclassify(_Edit):
    """Change the class of the selection."""

    kind: Literal["reclassify"]
    class_name: ClassName


class SelectionStep(_Edit):
    """An edit of the selection without parameters."""

    kind: Literal["delete", "copy", "cut", "paste", "duplicate", "select-all", "deselect"]


class _WandMessage(_Message):
    """The wand was used at an image point; `view` is x and y of the middle of the view, and its zoom."""

    x: Coordinate
    y: Coordinate
    tolerance: Tolerance
    view: tuple[Coordinate, Coordinate, Annotated[FiniteFloat, Field(gt=0)]]


class WandMessage(_Edit, _WandMessage):
    """Annotate the region that the wand finds."""

    kind: Literal["wand"]
    class_name: ClassName


class WandPreview(_WandMessage):
    """Outline the region that the wand would find; of several requests, only the last counts."""

    kind: Literal["wand-preview"]
    request: Annotated[int, Field(ge=1)]


class ViewMessage(_Message):
    """Show another view."""

    kind: Literal["view"]
    number: Annotated[int, Field(ge=1)]
    x: FiniteFloat
    y: FiniteFloat
    zoom: Annotated[FiniteFloat, Field(gt=0)]


class ToolMessage(_Message):
    """Another tool was chosen."""

    kind: Literal["tool"]
    tool: Tool


class ClassMessage(_Message):
    """Another class was chosen."""

    kind: Literal["class"]
    class_name: ClassName


class WidthMessage(_Message):
    """The width of the brush was changed."""

    kind: Literal["width"]
    width: Annotated[FiniteFloat, Field(ge=1, le=MAX_BRUSH_WIDTH)]


class ToleranceMessage(_Message):
    """The tolerance of the wand was changed."""

    kind: Literal["tolerance"]
    tolerance: Tolerance


class LayerMessage(_Message):
    """Show or hide a layer: the prediction with its uncertainty, or the annotations."""

    kind: Literal["overlay", "annotations"]
    on: bool


class Short(_Message):
    """The user tried to close a polygon with too few points."""

    kind: Literal["short"]
    points: Annotated[int, Field(ge=1, le=2)]


class Draft(_Message):
    """The polygon that is open on the page, with points as in a stroke; without corners, none is open.

    `corners` are the indices of the clicked points. Of several drafts from one page, the highest number counts.
    """

    kind: Literal["draft"]
    number: Annotated[int, Field(ge=1)]
    image_name: Annotated[str, Field(max_length=1000)]
    corners: Annotated[list[Annotated[int, Field(ge=0, lt=MAX_POINTS)]], Field(max_length=MAX_POINTS)]


class Pen(_Message):
    """A pen has touched the canvas."""

    kind: Literal["pen"]


class Hover(_Message):
    """The pointer is over an image point."""

    kind: Literal["hover"]
    x: FiniteFloat
    y: FiniteFloat


class Leave(_Message):
    """The pointer has left the canvas."""

    kind: Literal["leave"]


SelectionEdit = Pick | Marquee | Move | Reclassify | SelectionStep
Edit = StrokeMessage | ShapeMessage | WandMessage | Step | SelectionEdit
EDIT_KINDS = tuple(kind for edit in get_args(Edit) for kind in get_args(edit.model_fields["kind"].annotation))
Choice = ToolMessage | ClassMessage | WidthMessage | ToleranceMessage | LayerMessage
Message = Ready | Loaded | Redraw | Edit | WandPreview | ViewMessage | Choice | Short | Draft | Pen | Hover | Leave
_messages: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def parse_message(content: Any) -> Message:
    """Parse and validate a message.

    Raises
    ------
    MessageError
        If it is invalid; the text names the first invalid field.
    """
    try:
        return _messages.validate_python(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "message"
        raise MessageError(f"Invalid message from the page: {field}: {first['msg']}") from None


def parse_points(buffers: Any) -> np.ndarray:
    """Return the points of a stroke or shape from the buffers of its message.

    Returns
    -------
    numpy.ndarray
        float64, ``(n, 2)``, x then y, image pixels.

    Raises
    ------
    MessageError
        If there is not exactly one buffer of 1 to `MAX_POINTS` pairs of finite float32.
    """
    if not isinstance(buffers, list | tuple) or len(buffers) != 1:
        raise MessageError("A drawing arrived without its points")
    size = memoryview(buffers[0]).nbytes
    if size == 0 or size % 8:
        raise MessageError(f"A drawing arrived with {size} bytes, but its points are pairs of 4-byte numbers")
    if size // 8 > MAX_POINTS:
        raise MessageError(f"A drawing arrived with {size // 8} points; at most {MAX_POINTS} are allowed")
    points = np.frombuffer(buffers[0], np.float32).reshape(-1, 2)
    # Before the cast, which warns about a signalling NaN.
    if not (np.isfinite(points).all() and (np.abs(points) <= MAX_COORDINATE).all()):
        raise MessageError("A drawing arrived with coordinates that are not finite numbers")
    return points.astype(np.float64)


def parse_stroke(buffers: Any, width: float) -> tuple[np.ndarray, float | np.ndarray]:
    """Return the points of a stroke and its width; if pen pressure varied, the width at each point.

    Returns
    -------
    points : numpy.ndarray
        float64, ``(n, 2)``, x then y, image pixels.
    width : float or numpy.ndarray
        `width`, or float64, ``(n,)``, each above 0 and at most `width`.

    Raises
    ------
    MessageError
        If the points are not valid, or there are not equally many widths, finite float32 between 0 and `width`.
    """
    if not isinstance(buffers, list | tuple) or len(buffers) != 2:
        return parse_points(buffers), width
    points = parse_points(buffers[:1])
    if memoryview(buffers[1]).nbytes != 4 * len(points):
        raise MessageError(f"A stroke of {len(points)} points arrived with another number of widths")
    widths = np.frombuffer(buffers[1], np.float32).astype(np.float64)
    if not ((widths > 0) & (widths <= width * 1.001)).all():
        raise MessageError("A stroke arrived with widths that are not numbers between 0 and the width of the brush")
    return points, float(widths[0]) if np.ptp(widths) == 0 else widths

"""The state of a canvas: the image and view it shows, the selection, the tools and their settings."""

import math
import threading
from typing import Any, Literal, get_args

import traitlets

from histowidgets.annotations import Project
from histowidgets.errors import ClassNameError, ImageNameError, ProjectError
from histowidgets.widgets.canvas.state._viewport import View

Tool = Literal["pan", "select", "brush", "eraser", "line", "rectangle", "polygon", "wand"]

#: Every tool, in the order of the toolbar.
TOOLS: tuple[Tool, ...] = get_args(Tool)

#: In image pixels.
MAX_BRUSH_WIDTH = 200

#: CIE 1976 colour difference, see `Wand`.
MAX_TOLERANCE = 100


class CanvasState(traitlets.HasTraits):
    """What a canvas is to show and what its tools are set to.

    The parts of a canvas share one state and observe it. Traits that are read-only are written by those parts;
    of these, `image_name` and `view` change through `show_image`, `look` and `resize`.

    Parameters
    ----------
    project
        With at least one image.
    image_name
        The image to show first; the project's first by default.
    width, height
        Size of the stage in CSS pixels.

    Raises
    ------
    ImageNameError
        If the project has no image, or none with that name.
    """

    tool = traitlets.Enum(TOOLS, "brush")
    """The tool in use; any but "select" clears the selection."""

    class_name = traitlets.Unicode()
    """The class that the brush paints and new shapes get; one of the project's."""

    brush_width = traitlets.Float(12.0, min=1.0, max=float(MAX_BRUSH_WIDTH))
    """In image pixels."""

    pen_pressure = traitlets.Bool(True)
    """Whether a pen that is pressed less paints and erases narrower."""

    wand_tolerance = traitlets.Float(18.0, min=1.0, max=float(MAX_TOLERANCE))
    """How far a colour may be from the one under the wand."""

    prediction_opacity = traitlets.Float(0.4, min=0.0, max=1.0)
    """0 hides the prediction."""

    uncertainty_opacity = traitlets.Float(0.0, min=0.0, max=1.0)
    """0 hides the uncertainty, which is then not computed either."""

    annotation_opacity = traitlets.Float(1.0, min=0.0, max=1.0)
    """0 hides the annotations."""

    overlay_on = traitlets.Bool(True)
    """Whether prediction and uncertainty are shown at all."""

    annotations_on = traitlets.Bool(True)
    """Whether annotations are shown at all."""

    patterns = traitlets.Bool(False)
    """Whether each class is hatched on annotations and palette."""

    prediction_patterns = traitlets.Bool(False)
    """Whether each class is hatched on predictions."""

    disagreement = traitlets.Bool(False)
    """Whether annotations are coloured by how far the prediction contradicts them, instead of by class."""

    selection = traitlets.Tuple()
    """Ids of the selected annotations, all on the image shown; selecting anything switches to the "select" tool."""

    clipboard = traitlets.Tuple()
    """The annotations copied last."""

    draft = traitlets.Dict()
    """The open polygon, as `PointerLayer.draft` describes it; empty if there is none. Written inside the queue."""

    image_name = traitlets.Unicode(read_only=True)
    """The image to show."""

    view = traitlets.Instance(View, read_only=True)
    """The part of the image to show, on a stage of some size."""

    caption = traitlets.Unicode(read_only=True)
    """The text over the picture: which prediction is shown, and how good it is. Written by `CanvasViewer`."""

    shows_uncertainty = traitlets.Bool(False, read_only=True)
    """Whether an uncertainty is in view, so that its legend is needed. Written by `CanvasViewer`."""

    outlines = traitlets.List(traitlets.Dict(), read_only=True)
    """``rings`` and ``color`` of each selected annotation. Written by `CanvasEditor`."""

    hovered = traitlets.Unicode(read_only=True)
    """What is under the pointer, in words. Written by `PointerDispatcher`."""

    has_pen = traitlets.Bool(False, read_only=True)
    """Whether a pen has touched the canvas. Written by `PointerDispatcher`."""

    def __init__(self, project: Project, image_name: str | None, width: int, height: int) -> None:
        if not project.image_names:
            raise ImageNameError("the project has no image yet: project.add_image(…) first")
        super().__init__()
        self.project = project
        self._lock = threading.RLock()  # over reading the view and setting it
        self._class_index = 0
        name = project.image_names[0] if image_name is None else image_name
        image = project.image(name)
        self.set_trait("view", View.fit(image.width, image.height, width, height))
        self.set_trait("image_name", name)
        self.class_name = project.classes[0]

    # -- what is in view --------------------------------------------------------------------------

    def show_image(self, name: str) -> View:
        """Choose another image of the project, all of it in view; return the view."""
        image = self.project.image(name)
        self.selection = ()
        with self._lock:
            view = View.fit(image.width, image.height, self.view.stage_width, self.view.stage_height)
            self.set_trait("view", view)
            self.set_trait("image_name", name)
        self.selection = ()  # another thread may have selected something on the image before
        return view

    def look(self, view: View) -> tuple[str, View]:
        """Choose another centre and zoom; return the image they are for, and the view within its limits."""
        with self._lock:
            looked = self.view.look(view.x, view.y, view.zoom)
            self.set_trait("view", looked)
            return self.image_name, looked

    def resize(self, width: int, height: int) -> None:
        """Give the stage another size, in CSS pixels."""
        with self._lock:
            self.set_trait("view", self.view.on_stage(width, height))

    # -- what is chosen ---------------------------------------------------------------------------

    def restore(self, earlier: "CanvasState") -> None:
        """Copy every writable value of an earlier state of the same project.

        What belongs to an image that is not shown, or to a class that is gone, is left out.
        """
        values = {name: getattr(earlier, name) for name, trait in self.traits().items() if not trait.read_only}
        if values["class_name"] not in self.project.classes:
            del values["class_name"]
        selection, draft = values.pop("selection"), values.pop("draft")
        for name, value in values.items():
            setattr(self, name, value)
        if earlier.image_name == self.image_name:
            known = self._annotation_ids()
            self.selection = tuple(each for each in selection if each in known)
            self.draft = draft

    def follow_classes(self) -> None:
        """If the chosen class was renamed or deleted, choose the one in its place."""
        classes = self.project.classes
        if self.class_name not in classes:
            self.class_name = classes[min(self._class_index, len(classes) - 1)]
        self._class_index = classes.index(self.class_name)

    def _annotation_ids(self) -> set[str]:
        return {each.id for each in self.project.annotations(self.image_name)}

    @traitlets.validate("class_name")
    def _check_class(self, proposal: Any) -> str:
        if proposal["value"] not in self.project.classes:
            raise ClassNameError(
                f"The project has no class {proposal['value']!r}; it has {', '.join(self.project.classes)}."
            )
        return str(proposal["value"])

    @traitlets.validate("brush_width", "wand_tolerance")
    def _check_number(self, proposal: Any) -> float:
        if math.isnan(proposal["value"]):  # neither below the minimum nor above the maximum
            raise traitlets.TraitError(f"{proposal['trait'].name} is {proposal['value']}; a number is wanted.")
        return float(proposal["value"])

    @traitlets.validate("selection")
    def _check_selection(self, proposal: Any) -> tuple[str, ...]:
        wanted = tuple(dict.fromkeys(map(str, proposal["value"])))
        unknown = set(wanted) - self._annotation_ids() if wanted else ()
        if unknown:
            raise ProjectError(
                f"Image {self.image_name!r} has no annotation with the id {', '.join(map(repr, sorted(unknown)))}."
            )
        return wanted

    @traitlets.observe("selection")
    def _use_select_tool(self, _: Any) -> None:
        if self.selection:
            self.tool = "select"  # no other tool shows what a key would delete

    @traitlets.observe("tool")
    def _clear_selection(self, _: Any) -> None:
        if self.tool != "select" and self.selection:
            self.selection = ()

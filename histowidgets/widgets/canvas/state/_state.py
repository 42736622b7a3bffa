"""The state of a canvas: the image and view it shows, the selection, the tools and their settings."""

import math
import threading
from collections.abc import Sequence
from typing import Any, Literal, get_args

import traitlets

from histowidgets.annotations import Annotation, Project, drawn_by
from histowidgets.errors import ClassNameError, ImageNameError, ProjectError
from histowidgets.widgets.canvas.state._viewport import View

Tool = Literal["pan", "select", "brush", "eraser", "line", "rectangle", "polygon", "wand"]

#: Every tool, in the order of the toolbar.
TOOLS: tuple[Tool, ...] = get_args(Tool)

#: Largest brush width, in image pixels.
MAX_BRUSH_WIDTH = 200

#: Largest tolerance, a CIE 1976 colour difference; see `Wand`.
MAX_TOLERANCE = 100


class CanvasState(traitlets.HasTraits):
    """What a canvas shows, and the settings of its tools.

    The parts of a canvas share one state and observe it. Read-only traits are written by these parts; `image_name`
    and `view` are changed by `show_image`, `look` and `resize`.

    Parameters
    ----------
    project
        The project, with at least one image.
    image_name
        The image to show first; by default the project's first image.
    width, height
        Size of the stage in CSS pixels.

    Raises
    ------
    ImageNameError
        If the project has no image, or none with that name.
    """

    tool = traitlets.Enum(TOOLS, "brush")
    """The tool in use; choosing any tool but "select" clears the selection."""

    class_name = traitlets.Unicode()
    """The class that the brush paints and new shapes get; one of the project's."""

    brush_width = traitlets.Float(12.0, min=1.0, max=float(MAX_BRUSH_WIDTH))
    """Width of the brush in image pixels."""

    pen_pressure = traitlets.Bool(True)
    """Whether less pressure of a pen makes the brush and the eraser narrower."""

    wand_tolerance = traitlets.Float(18.0, min=1.0, max=float(MAX_TOLERANCE))
    """Largest colour difference from the colour under the wand."""

    prediction_opacity = traitlets.Float(0.4, min=0.0, max=1.0)
    """Opacity of the prediction; 0 hides it."""

    uncertainty_opacity = traitlets.Float(0.0, min=0.0, max=1.0)
    """Opacity of the uncertainty; at 0 it is not computed."""

    annotation_opacity = traitlets.Float(1.0, min=0.0, max=1.0)
    """Opacity of the annotations; 0 hides them."""

    overlay_on = traitlets.Bool(True)
    """Whether prediction and uncertainty are shown at all."""

    annotations_on = traitlets.Bool(True)
    """Whether annotations are shown at all."""

    others_hidden = traitlets.Bool(False)
    """Whether annotations by other people are neither shown nor edited; those of the project's annotator are."""

    patterns = traitlets.Bool(False)
    """Whether classes are hatched on annotations and palette."""

    prediction_patterns = traitlets.Bool(False)
    """Whether classes are hatched on predictions."""

    disagreement = traitlets.Bool(False)
    """Whether to colour annotations by how far the prediction contradicts them, instead of by class."""

    selection = traitlets.Tuple()
    """Ids of the selected annotations, all on the image shown; selecting anything switches to the "select" tool."""

    clipboard = traitlets.Tuple()
    """The annotations that were copied last."""

    draft = traitlets.Dict()
    """The open polygon, in the format of `PointerLayer.draft`; empty if there is none. Written inside the queue."""

    image_name = traitlets.Unicode(read_only=True)
    """The image to show."""

    view = traitlets.Instance(View, read_only=True)
    """The part of the image to show, and the size of the stage."""

    caption = traitlets.Unicode(read_only=True)
    """The text over the image: which prediction is shown, and how good it is. Written by `CanvasViewer`."""

    shows_uncertainty = traitlets.Bool(False, read_only=True)
    """Whether uncertainty is shown and needs its legend. Written by `CanvasViewer`."""

    outlines = traitlets.List(traitlets.Dict(), read_only=True)
    """``rings`` and ``color`` of each selected annotation. Written by `CanvasEditor`."""

    hovered = traitlets.Unicode(read_only=True)
    """What is under the pointer, in words. Written by `PointerDispatcher`."""

    has_pen = traitlets.Bool(False, read_only=True)
    """Whether a pen has touched the canvas. Written by `PointerDispatcher`."""

    def __init__(self, project: Project, image_name: str | None, width: int, height: int) -> None:
        if not project.image_names:
            raise ImageNameError("The project has no image yet. Add one with project.add_image(…).")
        super().__init__()
        self.project = project
        self._lock = threading.RLock()  # guards reading and then setting the view
        self._class_index = 0
        name = project.image_names[0] if image_name is None else image_name
        image = project.image(name)
        self.set_trait("view", View.fit(image.width, image.height, width, height))
        self.set_trait("image_name", name)
        self.class_name = project.classes[0]

    # -- what is in view --------------------------------------------------------------------------

    def show_image(self, name: str) -> View:
        """Switch to another image of the project, all of it in view; return the view."""
        image = self.project.image(name)
        self.selection = ()
        with self._lock:
            view = View.fit(image.width, image.height, self.view.stage_width, self.view.stage_height)
            self.set_trait("view", view)
            self.set_trait("image_name", name)
        self.selection = ()  # another thread may have selected something on the previous image
        return view

    def look(self, view: View) -> tuple[str, View]:
        """Set another centre and zoom; return the image name and the view, kept within its limits."""
        with self._lock:
            looked = self.view.look(view.x, view.y, view.zoom)
            self.set_trait("view", looked)
            return self.image_name, looked

    def resize(self, width: int, height: int) -> None:
        """Change the size of the stage, in CSS pixels."""
        with self._lock:
            self.set_trait("view", self.view.on_stage(width, height))

    def visible_annotations(self, name: str | None = None) -> Sequence[Annotation]:
        """Return the annotations that may be shown and edited of an image, by default the one shown, in drawing order.

        Everyone's erasers are among them.
        """
        annotations = self.project.annotations(self.image_name if name is None else name)
        return drawn_by(annotations, self.project.annotator) if self.others_hidden else annotations

    # -- choices ----------------------------------------------------------------------------------

    def restore(self, earlier: "CanvasState") -> None:
        """Copy all writable values of an earlier state of the same project.

        Values that refer to an image that is not shown or to a class that no longer exists are left out.
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
        """Choose the class in the same place if the chosen one was renamed or deleted."""
        classes = self.project.classes
        if self.class_name not in classes:
            self.class_name = classes[min(self._class_index, len(classes) - 1)]
        self._class_index = classes.index(self.class_name)

    def _annotation_ids(self) -> set[str]:
        return {each.id for each in self.visible_annotations()}

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
            raise traitlets.TraitError(f"{proposal['trait'].name} is {proposal['value']}; it must be a number.")
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
            self.tool = "select"  # other tools do not show what the Delete key would delete

    @traitlets.observe("tool")
    def _clear_selection(self, _: Any) -> None:
        if self.tool != "select" and self.selection:
            self.selection = ()

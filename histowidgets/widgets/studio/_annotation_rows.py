"""The rows of the list of annotations: what each says, which a filter keeps, and in which order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from histowidgets.annotations import Annotation, ProjectSnapshot, painted_area
from histowidgets.images import Region

#: Choices of the filters besides names.
ALL_CLASSES, ALL_IMAGES, EVERYBODY, ERASER = "all classes", "all images", "everybody", "Eraser"
#: Sides of the view of an annotation: how many times its own size, and at least how many pixels.
_MARGIN, _LEAST_SIDE = 3.0, 240


@dataclass(frozen=True)
class RowFilter:
    """Which annotations are listed; None stands for all.

    Attributes
    ----------
    image_name, class_name, annotator : str or None
        ``class_name`` "" stands for erasers.
    contradicted : bool
        Only those that the prediction contradicts, the least supported first.
    """

    image_name: str | None = None
    class_name: str | None = None
    annotator: str | None = None
    contradicted: bool = False


@dataclass(frozen=True)
class AnnotationRow:
    """An annotation, and the share of its pixels that is predicted as each class; None where that is unknown."""

    image_name: str
    annotation: Annotation
    shares: Mapping[str, float] | None = None

    @property
    def predicted(self) -> str | None:
        """The class of most of its pixels, if a prediction covers it."""
        return max(self.shares, key=self.shares.__getitem__) if self.shares else None

    @property
    def support(self) -> float:
        """Share of its pixels that are predicted as its class; 1 where that is unknown."""
        return 1.0 if not self.shares else self.shares.get(self.annotation.class_name or "", 0.0)

    @property
    def contradicted(self) -> bool:
        """Whether more of its pixels are predicted as another class than as its own."""
        if self.annotation.class_name is None or not self.shares:
            return False
        return max(self.shares.values()) > self.support

    def text(self, with_image: bool) -> str:
        """Return the row as one short line."""
        shape, name = type(self.annotation.shape).__name__.lower(), self.annotation.class_name
        words = f"{ERASER}, {shape}" if name is None else f"{name}, {shape}"
        if self.contradicted and self.shares and self.predicted:
            words += f" → {self.predicted} {_percent(self.shares[self.predicted])}"
        return f"{words} ({self.image_name})" if with_image else words

    def view(self) -> Region:
        """Return what to show of the image: the annotation with its surroundings."""
        left, top, right, bottom = self.annotation.shape.bounds
        width, height = (max(_MARGIN * (high - low), _LEAST_SIDE) for low, high in ((left, right), (top, bottom)))
        x, y = (left + right - width) / 2, (top + bottom - height) / 2
        return Region(round(x), round(y), round(width), round(height))

    def description(self, pixel_size_yx_um: tuple[float, float] | None) -> str:
        """Describe the annotation and what is predicted there, in sentences."""
        one = self.annotation
        area = painted_area(one.shape).area
        if pixel_size_yx_um is None:
            size = f"{area:,.0f} px²"
        else:
            um2 = area * pixel_size_yx_um[0] * pixel_size_yx_um[1]
            size = f"{um2 / 1e6:.2f} mm²" if um2 >= 1e5 else f"{um2:,.0f} µm²"
        by = f" by {one.annotator}" if one.annotator else ""
        when = datetime.fromtimestamp(one.time).astimezone().strftime("%Y-%m-%d %H:%M") if one.time > 0 else ""
        words = f"{one.class_name or ERASER}, {size}{by}{', ' + when if when else ''}."
        if one.class_name is None:
            return words
        if self.shares is None:
            return f"{words} No prediction covers it yet."
        found = sorted(self.shares.items(), key=lambda share: -share[1])
        named = [f"{name} {_percent(share)}" for name, share in found if share >= 0.005][:3]
        return f"{words} Predicted there: {', '.join(named)}."


def rows_of(
    snapshot: ProjectSnapshot, wanted: RowFilter, shares: Mapping[str, Mapping[str, float]]
) -> list[AnnotationRow]:
    """Return the annotations that a filter keeps: in drawing order, or the most contradicted first.

    Parameters
    ----------
    snapshot
        The project.
    wanted
        The filter.
    shares
        For the id of each annotation that a prediction covers, the share of its pixels by class.
    """
    names: Sequence[str] = [wanted.image_name] if wanted.image_name is not None else list(snapshot.images)
    rows = [
        AnnotationRow(name, one, shares.get(one.id))
        for name in names
        for one in snapshot.annotations.get(name, ())
        if wanted.class_name is None or (one.class_name or "") == wanted.class_name
        if wanted.annotator is None or one.annotator == wanted.annotator
    ]
    if wanted.contradicted:
        rows = sorted((row for row in rows if row.contradicted), key=lambda row: row.support)
    return rows


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"

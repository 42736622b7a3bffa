"""Read the XML annotations of ASAP, ImageScope and HALO."""

from typing import Any
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from histowidgets.annotations.io._content import FileContent, FileShape, ellipse, open_ring
from histowidgets.annotations.shapes import Polygon, checked_number, painted_area
from histowidgets.errors import AnnotationFileError

#: Region types of ImageScope: 0 is freehand, 1 a rectangle, 2 an ellipse.
_FREEHAND, _RECTANGLE, _ELLIPSE = "0", "1", "2"
_NO_AREA = "line(s), arrow(s) or ruler(s), which have no area"


def read_xml(name: str, data: bytes) -> FileContent:
    """Read annotations of ASAP, or of ImageScope or HALO.

    Raises
    ------
    AnnotationFileError
        If it is not XML, or is from another program.
    """
    try:
        root = defusedxml.ElementTree.fromstring(data)
    except DefusedXmlException as error:
        raise AnnotationFileError(
            f"{name} is XML with entities, which can fill the memory and are not read ({error}). Export it again."
        ) from error
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        raise AnnotationFileError(f"{name} is damaged XML: {error}. Export it again.") from error
    tag = _tag(root)
    if tag == "ASAP_Annotations":
        return _read_asap(root)
    if tag == "Annotations":
        return _read_imagescope(root)
    raise AnnotationFileError(
        f"{name} is XML with the root <{tag}>; that of ASAP (<ASAP_Annotations>) and of ImageScope or HALO "
        "(<Annotations>) can be read. Export the annotations as GeoJSON."
    )


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _children(element: Element, tag: str) -> list[Element]:
    return [one for one in element.iter() if _tag(one) == tag]


def _number(text: Any) -> float:
    """Parse a number, also with a decimal comma."""
    return checked_number(text.replace(",", ".") if isinstance(text, str) else text, "coordinate")


# --- ASAP ------------------------------------------------------------------------------------------------------------


def _read_asap(root: Element) -> FileContent:
    content = FileContent("ASAP (XML)", counts_from="slide")
    colors = {group.get("Name"): _html_color(group.get("Color")) for group in _children(root, "Group")}
    for number, annotation in enumerate(_children(root, "Annotation"), start=1):
        with content.reading(number):
            kind = annotation.get("Type", "Polygon")
            if kind in ("Dot", "PointSet", "Measurement"):
                content.skip("point(s) or measurement(s), which have no area")
                continue
            corners = sorted(_children(annotation, "Coordinate"), key=lambda c: _number(c.get("Order", "0")))
            group = (annotation.get("PartOfGroup") or "").strip()
            class_name = None if group in ("", "None") else group
            color = colors.get(class_name) or _html_color(annotation.get("Color"))
            shape = Polygon(open_ring([(_number(c.get("X")), _number(c.get("Y"))) for c in corners]))
            content.shapes.append(_shape(shape, class_name, annotation.get("Name"), color))
    return content


def _shape(shape: Polygon, class_name: str | None, name: str | None, color: str | None) -> FileShape:
    return FileShape(shape, class_name, (name or "").strip() or None, color)


def _html_color(text: str | None) -> str | None:
    text = (text or "").strip()
    is_color = len(text) == 7 and text[0] == "#" and all(c in "0123456789abcdefABCDEF" for c in text[1:])
    return text.upper() if is_color else None


# --- ImageScope and HALO ---------------------------------------------------------------------------------------------


def _read_imagescope(root: Element) -> FileContent:
    content = FileContent("ImageScope (XML)", counts_from="slide")
    number = 0
    for layer in _children(root, "Annotation"):
        class_name, color = _layer_name(layer), _layer_color(layer.get("LineColor"))
        drawn: list[tuple[Polygon, str | None]] = []
        holes: list[Polygon] = []
        for region in _children(layer, "Region"):
            number += 1
            with content.reading(number):
                shape = _region_shape(region)
                if shape is None:
                    content.skip(_NO_AREA)
                elif "1" in (region.get("NegativeROA"), region.get("NegativeROI")):
                    holes.append(shape)
                else:
                    drawn.append((shape, region.get("Text")))
        hit: set[int] = set()
        for shape, text in drawn:
            area = painted_area(shape)
            own = [i for i, hole in enumerate(holes) if painted_area(hole).intersects(area)]
            hit.update(own)
            shape = Polygon(shape.points, [holes[i].points for i in own]) if own else shape
            # An unnamed layer is identified by its number, a region by its text.
            name = (text or "").strip() or f"Layer {layer.get('Id', '?')}"
            content.shapes.append(_shape(shape, class_name, name, color))
        content.skip("negative region(s) that lie in no other region", len(holes) - len(hit))
    return content


def _layer_name(layer: Element) -> str | None:
    named = [layer.get("Name")]
    for attribute in _children(layer, "Attribute"):
        if attribute.get("Name") in ("Description", "Name", "Class"):
            named.append(attribute.get("Value"))
    return next((text.strip() for text in named if text and text.strip()), None)


def _layer_color(text: str | None) -> str | None:
    """Return the colour of a layer: a number whose lowest byte is red."""
    try:
        number = int(text or "")
    except ValueError:
        return None
    return f"#{number & 255:02X}{number >> 8 & 255:02X}{number >> 16 & 255:02X}"


def _region_shape(region: Element) -> Polygon | None:
    corners = [(_number(v.get("X")), _number(v.get("Y"))) for tag in ("Vertex", "V") for v in _children(region, tag)]
    kind = region.get("Type", _FREEHAND)
    kind = {"Polygon": _FREEHAND, "Freehand": _FREEHAND, "Rectangle": _RECTANGLE, "Ellipse": _ELLIPSE}.get(kind, kind)
    if kind == _FREEHAND or (kind == _RECTANGLE and len(corners) > 2):
        return Polygon(open_ring(corners))
    if kind not in (_RECTANGLE, _ELLIPSE):
        return None
    if len(corners) < 2:
        raise ValueError(f"it has {len(corners)} corner(s) instead of the two of its box.")
    xs, ys = zip(*corners, strict=True)
    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    if kind == _ELLIPSE:
        return ellipse(left, top, right, bottom)
    return Polygon([(left, top), (right, top), (right, bottom), (left, bottom)])

"""The points and judgements of an audit as a CSV table."""

import csv
import os

from histowidgets._io import as_path, atomic_write, written
from histowidgets.annotations import AuditRecord
from histowidgets.annotations.shapes import match_class
from histowidgets.errors import AuditError

COLUMNS = ("point", "image", "x", "y", "class")
#: What stands for a class that could not be told.
CANNOT_TELL = "?"


def write_points(record: AuditRecord, path: "str | os.PathLike[str]") -> None:
    """Write a table; see `Audit.save_csv`."""
    with atomic_write(path, AuditError) as part, part.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for point in record.points:
            found = record.by_point.get(point.index)
            seen = "" if found is None else CANNOT_TELL if found.class_name is None else found.class_name
            table.writerow([point.index, written(point.image_name), point.x, point.y, written(seen)])


def read_judgements(record: AuditRecord, path: "str | os.PathLike[str]") -> dict[int, str | None]:
    """Read a table; see `Audit.read_csv`. Return the class of each judged point, None where it could not be told."""
    source = as_path(path, AuditError)
    try:
        text = source.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AuditError(f"{source} cannot be read: {error}. Save the table as CSV in UTF-8.") from error
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)  # spreadsheets of some countries write semicolons
    try:
        rows = list(csv.reader(text.splitlines(), delimiter=separator))
    except csv.Error as error:
        raise AuditError(f"{source} is not a CSV table: {error}.") from error
    header = [name.strip().lower() for name in rows[0]] if rows else []
    if "point" not in header or "class" not in header:
        raise AuditError(f"{source} lacks the columns 'point' and 'class'. Write the table with Audit.save_csv first.")
    found: dict[int, str | None] = {}
    for line, row in enumerate(rows[1:], start=2):
        cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
        if not cells.get("class"):
            continue
        index = _checked_point(record, cells, source, line)
        if index in found:
            raise AuditError(f"Line {line} of {source} has point {index} again. Keep one line for each point.")
        found[index] = _checked_class(record, cells["class"], source, line)
    return found


def _checked_point(record: AuditRecord, cells: dict[str, str], source: object, line: int) -> int:
    """Return the point of a row, whose image and place must be those of the audit if they are given."""
    text = cells.get("point", "")
    if not text.isascii() or not text.isdecimal() or int(text) >= len(record.points):
        raise AuditError(
            f"Line {line} of {source} has the point {text!r}; the points of this audit are 0 to "
            f"{len(record.points) - 1}."
        )
    point = record.points[int(text)]
    known = {"image": written(point.image_name).strip(), "x": str(point.x), "y": str(point.y)}
    for name, value in known.items():
        if cells.get(name, value) != value:
            raise AuditError(
                f"Line {line} of {source} has {name} {cells[name]!r} for point {point.index}, which has {value!r}: the "
                "table is of another audit."
            )
    return point.index


def _checked_class(record: AuditRecord, text: str, source: object, line: int) -> str | None:
    name = match_class(text, list(record.classes))
    if name is None and text != CANNOT_TELL:
        raise AuditError(
            f"Line {line} of {source} has the class {text!r}; expected one of {', '.join(record.classes)}, or "
            f"{CANNOT_TELL!r} where it cannot be told."
        )
    return name

"""What an audit found: numbers with intervals, in words and as a table."""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from histowidgets.errors import AuditError


@dataclass(frozen=True)
class AuditEstimate:
    """A share with its 95 % interval.

    Attributes
    ----------
    value, low, high : float
        From 0 to 1.
    points_to_halve : int
        Number of judged points, in total, with which the interval would be about half as wide.
    """

    value: float
    low: float
    high: float
    points_to_halve: int

    def in_percent(self) -> str:
        """Return it in words, such as "41 % (36 to 46 %)"."""
        return f"{percent(self.value)} ({interval_in_percent(self)})"

    def to_dict(self) -> dict[str, float | int]:
        """Return plain values, for JSON."""
        return {"value": self.value, "low": self.low, "high": self.high, "points_to_halve": self.points_to_halve}


@dataclass(frozen=True)
class AuditedClass:
    """What an audit found about a class.

    Attributes
    ----------
    name : str
    share : AuditEstimate
        Share of the area that has this class, corrected by what was seen at the points.
    pixel_share : float or None
        Share of the pixels that were predicted as this class, without any correction; None if it was not counted.
    precision, recall, iou : AuditEstimate or None
        Over the area; None if no point decides it: for precision and IoU, a class that was not predicted; for recall,
        one that was seen nowhere.
    n_predicted, n_seen : int
        Number of judged points that were predicted as this class, and at which it was seen.
    """

    name: str
    share: AuditEstimate
    pixel_share: float | None
    precision: AuditEstimate | None
    recall: AuditEstimate | None
    iou: AuditEstimate | None
    n_predicted: int
    n_seen: int


@dataclass(frozen=True)
class AuditResults:
    """What an audit found. All intervals hold the truth in about 95 of 100 audits.

    Attributes
    ----------
    classifier : str
        Name of the classifier; may be empty.
    n_points, n_judged, n_cannot_tell : int
        Number of points; of those at which a class was seen; and of those at which the person could not tell.
    accuracy : AuditEstimate
        Share of the area that is predicted right.
    classes : tuple of AuditedClass
    confusion : tuple of tuple of int
        Number of points by predicted class (row) and class seen (column).
    notes : tuple of str
        What limits the numbers, as sentences.
    """

    classifier: str
    n_points: int
    n_judged: int
    n_cannot_tell: int
    accuracy: AuditEstimate
    classes: tuple[AuditedClass, ...]
    confusion: tuple[tuple[int, ...], ...]
    notes: tuple[str, ...] = ()

    def sentences(self) -> list[str]:
        """Return the accuracy and the share of each class in words, and the points that would halve the interval."""
        told = f"The prediction is right on {percent(self.accuracy.value)} of the area"
        lines = [f"{told} ({interval_in_percent(self.accuracy)})."]
        for one in self.classes:
            counted = "" if one.pixel_share is None else f"; the pixel count alone says {percent(one.pixel_share)}"
            covers = f"{one.name} covers {percent(one.share.value)} of the area"
            lines.append(f"{covers} ({interval_in_percent(one.share)}){counted}.")
        lines.append(f"About {self.accuracy.points_to_halve} judged points would halve the interval of the accuracy.")
        return lines

    def cells(self) -> list[list[str]]:
        """Return the table of the classes as text: a row of titles, then a row for each class."""
        rows = [["Class", "Area", "Pixels", "Precision", "Recall", "IoU"]]
        for one in self.classes:
            found = [one.share, one.precision, one.recall, one.iou]
            cells = ["–" if each is None else each.in_percent() for each in found]
            rows.append([one.name, cells[0], "–" if one.pixel_share is None else percent(one.pixel_share), *cells[1:]])
        return rows

    def records(self) -> list[dict[str, Any]]:
        """Return a row for each number, for a table.

        Returns
        -------
        list of dict
            ``class`` ("" for the accuracy), ``measure`` ("accuracy", "share", "precision", "recall" or "IoU"),
            ``value``, ``low``, ``high``, ``points_to_halve``, and ``pixel_share``. Numbers that no point decides are
            None.
        """
        rows = [_record("", "accuracy", self.accuracy, None)]
        for one in self.classes:
            measures = {"share": one.share, "precision": one.precision, "recall": one.recall, "IoU": one.iou}
            for name, found in measures.items():
                rows.append(_record(one.name, name, found, one.pixel_share if name == "share" else None))
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON."""
        return {
            "classifier": self.classifier,
            "points": self.n_points,
            "judged": self.n_judged,
            "cannot_tell": self.n_cannot_tell,
            "accuracy": self.accuracy.to_dict(),
            "classes": {
                one.name: {
                    "share": one.share.to_dict(),
                    "pixel_share": one.pixel_share,
                    "precision": _plain(one.precision),
                    "recall": _plain(one.recall),
                    "iou": _plain(one.iou),
                    "predicted_points": one.n_predicted,
                    "seen_points": one.n_seen,
                }
                for one in self.classes
            },
            "confusion": [list(row) for row in self.confusion],
            "notes": list(self.notes),
        }

    def to_dataframe(self) -> Any:
        """Return `records` as a pandas DataFrame.

        Raises
        ------
        AuditError
            pandas is not installed.
        """
        try:
            import pandas  # type: ignore[import-untyped,unused-ignore]
        except ImportError:
            raise AuditError("pandas is not installed; install it, or use .records().") from None
        return pandas.DataFrame(self.records())

    def to_html(self) -> str:
        """Return the table as HTML; names are escaped."""
        titles, *rows = self.cells()
        head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in titles)
        body = "".join(
            f'<tr><th scope="row">{html.escape(first)}</th>' + "".join(f"<td>{cell}</td>" for cell in rest) + "</tr>"
            for first, *rest in rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def __str__(self) -> str:
        of = f" of {self.classifier}" if self.classifier else ""
        judged = f"{self.n_judged + self.n_cannot_tell} of {self.n_points} points judged"
        rows = self.cells()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([f"Audit{of}: {judged}.", *self.sentences(), *self.notes, "", *table])

    def _repr_html_(self) -> str:
        lines = "".join(f"<li>{html.escape(line)}</li>" for line in (*self.sentences(), *self.notes))
        return f"<ul>{lines}</ul>{self.to_html()}"


def percent(share: float) -> str:
    """Return a share in percent, with a decimal below 10 %."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 9.95 or value == 0 else f"{value:.1f} %"


def interval_in_percent(found: AuditEstimate) -> str:
    """Return the interval in percent, such as "36 to 46 %"."""
    low, high = percent(found.low), percent(found.high)
    return f"{low.removesuffix(' %')} to {high}"


def _plain(found: AuditEstimate | None) -> Mapping[str, float | int] | None:
    return None if found is None else found.to_dict()


def _record(name: str, measure: str, found: AuditEstimate | None, pixel_share: float | None) -> dict[str, Any]:
    row = {"class": name, "measure": measure, "value": None, "low": None, "high": None, "points_to_halve": None}
    return {**row, **(_plain(found) or {}), "pixel_share": pixel_share}

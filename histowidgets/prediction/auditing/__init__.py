"""Audit a prediction at points drawn at random: draw them, keep what a person saw, and count."""

from histowidgets.prediction.auditing._audit import Audit, audit
from histowidgets.prediction.auditing._results import AuditedClass, AuditEstimate, AuditResults

__all__ = [
    "Audit",
    "AuditEstimate",
    "AuditResults",
    "AuditedClass",
    "audit",
]

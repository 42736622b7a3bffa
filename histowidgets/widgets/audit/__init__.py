"""The audit on the page: one point after another, and what follows from them."""

from histowidgets.widgets.audit._panel import AuditPanel

__all__ = ["AuditPanel"]

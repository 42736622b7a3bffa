from ._report import Progress, report

__all__ = ["Progress", "report"]

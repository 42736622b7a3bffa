"""Durations as readable text."""


def clock(seconds: float) -> str:
    """Format a duration as ``"1:10"`` or ``"2:03:10"``."""
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def roughly(seconds: float) -> str:
    """Format an estimated duration as ``"40 s"``, ``"12 min"`` or ``"1.5 h"``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

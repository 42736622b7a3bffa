"""The numbers behind a piece of advice, in words."""

from histowidgets.advice._advice import Advice


def evidence_text(advice: Advice) -> str:
    """Return the numbers behind a piece of advice, such as ``"count 7 · minimum 15"`` or ``"rise 12 %"``."""
    parts = []
    for name, value in advice.evidence.items():
        number = f"{value:.3g}".replace("-", "−") if isinstance(value, float) else str(value)
        words, percent, rest = str(name).replace("_", " ").partition(" percent")
        parts.append(f"{words} {number} %{rest}" if percent else f"{words} {number}")
    return " · ".join(parts)

"""How well two annotators agree where both have labelled, and where they do not."""

from histowidgets.annotations.agreement._compare import compare_annotators
from histowidgets.annotations.agreement._results import Agreement, AgreementEstimate, Disagreement

__all__ = ["Agreement", "AgreementEstimate", "Disagreement", "compare_annotators"]

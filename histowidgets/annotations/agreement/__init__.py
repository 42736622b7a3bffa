"""How well two annotators agree where both have labelled, and where they do not."""

from histowidgets.annotations.agreement._compare import compare_annotators
from histowidgets.annotations.agreement._results import Agreement, AgreementEstimate, Disagreement
from histowidgets.annotations.agreement._tiles import agreement_tiles, tiles_done

__all__ = ["Agreement", "AgreementEstimate", "Disagreement", "agreement_tiles", "compare_annotators", "tiles_done"]

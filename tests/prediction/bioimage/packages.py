"""Whether the packages of the extra `bioimage` can be used here."""

from histowidgets.errors import ClassifierError
from histowidgets.prediction.bioimage import require_packages


def why_unusable():
    """Return why they cannot be used; "" if they can."""
    try:
        require_packages()
    except ClassifierError as error:
        return str(error)
    return ""

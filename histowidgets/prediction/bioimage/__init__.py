"""Write classifiers as BioImage.IO model packages, for ilastik, deepImageJ and others, and read them back."""

from histowidgets.prediction.bioimage._export import PackageDescription, require_packages, write_package
from histowidgets.prediction.bioimage._import import is_package, read_package

__all__ = ["PackageDescription", "is_package", "read_package", "require_packages", "write_package"]

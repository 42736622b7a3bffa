"""Our widgets replace no private attribute of the libraries that they derive from, which would break these silently."""

import importlib
import pkgutil

import ipywidgets

import histowidgets.widgets

#: What traitlets writes into each class, and hooks that are there to be replaced.
MEANT = {"_repr_mimebundle_", "_ipython_display_", "_traits", "_descriptors", "_instance_inits"}
MEANT |= {"_all_trait_default_generators", "_trait_default_generators", "_static_immutable_initial_values"}


def widget_classes(base=ipywidgets.Widget):
    for derived in base.__subclasses__():
        yield derived
        yield from widget_classes(derived)


def replaced(widget_class):
    """Return the private names that a class takes from a base of a library."""
    libraries = [base for base in widget_class.__mro__[1:-1] if not base.__module__.startswith("histowidgets")]
    names = {name for name in vars(widget_class) if name.startswith("_") and not name.startswith("__")} - MEANT
    return sorted(name for name in names if any(name in vars(base) for base in libraries))


def test_the_check_finds_a_name():
    class Box(ipywidgets.VBox):
        def _compare(self, more):
            return more

    assert replaced(Box) == ["_compare"]


def test_no_widget_replaces_a_private_name_of_its_library():
    for module in pkgutil.walk_packages(histowidgets.widgets.__path__, "histowidgets.widgets."):
        importlib.import_module(module.name)
    ours = [one for one in set(widget_classes()) if one.__module__.startswith("histowidgets")]
    assert len(ours) > 20
    assert {one.__qualname__: found for one in ours if (found := replaced(one))} == {}

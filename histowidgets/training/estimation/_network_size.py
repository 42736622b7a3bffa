"""How many parameters a network has, group by group, and how many of them are trained."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from histowidgets.models import EARLY_GROUPS, NetworkSpec, build_network, freeze_groups, frozen_parameters
from histowidgets.training.data import wanted_spec
from histowidgets.training.settings import TrainingSettings


@dataclass(frozen=True)
class NetworkSize:
    """Parameters of a network.

    Attributes
    ----------
    total : int
        All parameters.
    trained : int
        Those that the settings do not freeze.
    groups : dict of str to int
        The groups of the encoder that can be frozen, from the input on, with the parameters that freezing each one
        takes out. The first convolution is not among them unless the images have 3 channels.
    frozen : tuple of str
        The groups that the settings freeze.
    """

    total: int
    trained: int
    groups: Mapping[str, int]
    frozen: tuple[str, ...]


@lru_cache(maxsize=32)
def _counted(spec: NetworkSpec) -> tuple[int, dict[str, int]]:
    network = build_network(spec, pretrained=False)
    sizes = {name: parameter.numel() for name, parameter in network.named_parameters()}
    can_freeze = frozen_parameters(network, "encoder")
    groups = {
        name: sum(sizes[parameter] for parameter in members if parameter in can_freeze)
        for name, members in freeze_groups(network).items()
    }
    return sum(sizes.values()), groups


def network_size(settings: TrainingSettings, n_channels: int = 3, n_classes: int = 2) -> NetworkSize:
    """Count the parameters of the network that the settings ask for; the first count of a network takes half a second.

    Parameters
    ----------
    settings : TrainingSettings
        Network and what of it is frozen. Groups that the backbone does not have count for nothing.
    n_channels, n_classes : int
        Of the images and of the project.

    Raises
    ------
    BackboneError
        The backbone is unknown.
    """
    total, groups = _counted(wanted_spec(settings, n_channels, n_classes))
    frozen = frozen_groups(settings.freeze, tuple(groups))
    return NetworkSize(total, total - sum(groups[name] for name in frozen), dict(groups), frozen)


def frozen_groups(freeze: str | tuple[str, ...], groups: tuple[str, ...]) -> tuple[str, ...]:
    """Return the groups that a value of ``freeze`` stands for, of those that there are."""
    chosen = {"none": (), "early": EARLY_GROUPS, "encoder": groups}.get(str(freeze), freeze)
    return tuple(name for name in groups if name in chosen)

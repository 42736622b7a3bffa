"""Count the parameters of a network, by freeze group, and how many are trained."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from histowidgets.models import EARLY_GROUPS, NetworkSpec, build_network, freeze_groups, frozen_parameters
from histowidgets.training.data import wanted_spec
from histowidgets.training.settings import TrainingSettings


@dataclass(frozen=True)
class NetworkSize:
    """Numbers of parameters of a network.

    Attributes
    ----------
    total : int
        All parameters.
    trained : int
        Parameters that the settings do not freeze.
    groups : dict of str to int
        The freeze groups of the encoder, in order from the input, with the number of parameters that freezing each one
        affects. The first convolution is included only for images with 3 channels.
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
    """Count the parameters of the network for the settings; the first time for a network takes half a second.

    Parameters
    ----------
    settings : TrainingSettings
        Settings of the network and its freezing. Groups that the backbone does not have are ignored.
    n_channels, n_classes : int
        Numbers of channels of the images, and of classes of the project.

    Raises
    ------
    BackboneError
        The backbone is unknown.
    """
    total, groups = _counted(wanted_spec(settings, n_channels, n_classes))
    frozen = frozen_groups(settings.freeze, tuple(groups))
    return NetworkSize(total, total - sum(groups[name] for name in frozen), dict(groups), frozen)


def frozen_groups(freeze: str | tuple[str, ...], groups: tuple[str, ...]) -> tuple[str, ...]:
    """Return the groups that a value of ``freeze`` freezes, as far as they exist."""
    chosen = {"none": (), "early": EARLY_GROUPS, "encoder": groups}.get(str(freeze), freeze)
    return tuple(name for name in groups if name in chosen)

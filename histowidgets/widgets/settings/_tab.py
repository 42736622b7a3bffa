"""The settings tab of the studio: what is recommended, what could be better, and the form."""

from collections.abc import Callable

import ipywidgets

from histowidgets.annotations import Project
from histowidgets.images import Region
from histowidgets.widgets.settings._advice_panel import SettingsAdvicePanel
from histowidgets.widgets.settings._form import SettingsForm
from histowidgets.widgets.settings._recommend_panel import RecommendPanel


class SettingsTab(ipywidgets.VBox):
    """The recommendation and the advice on the settings above the form.

    Parameters
    ----------
    project
        What would be trained on.
    form
        The settings; closed with the tab.
    view
        Returns the name of the image that is shown, and the region in view.
    """

    def __init__(self, project: Project, form: SettingsForm, view: Callable[[], tuple[str, Region]]) -> None:
        self.recommend = RecommendPanel(project, form, view)
        self.advice = SettingsAdvicePanel(project, form, view)
        self._form = form
        super().__init__([self.recommend, self.advice, form])
        self.add_class("hw-settings-tab")

    def close(self) -> None:
        """Close what it holds."""
        self.recommend.close()
        self.advice.close()
        self._form.close()
        super().close()

"""The settings tab of the studio: recommendation, advice and the form."""

from collections.abc import Callable

import ipywidgets

from histowidgets.annotations import Project
from histowidgets.images import Region
from histowidgets.widgets.settings._advice_panel import SettingsAdvicePanel
from histowidgets.widgets.settings._form import SettingsForm
from histowidgets.widgets.settings._recommend_panel import RecommendPanel


class SettingsTab(ipywidgets.VBox):
    """The settings form below its recommendation and advice.

    Parameters
    ----------
    project
        The project to train on.
    form
        The form of the settings; closed with the tab.
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
        """Close the panels and the form."""
        self.recommend.close()
        self.advice.close()
        self._form.close()
        super().close()

"""The tab of the studio where the settings are: what is recommended, what could be better, and the form."""

from collections.abc import Callable

import ipywidgets

from histowidgets.annotations import Project
from histowidgets.widgets.settings._advice_panel import SettingsAdvice
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
    image_name
        Returns the image that the person looks at.
    """

    def __init__(self, project: Project, form: SettingsForm, image_name: Callable[[], str]) -> None:
        self.recommend = RecommendPanel(project, form, image_name)
        self.advice = SettingsAdvice(project, form, image_name)
        self._form = form
        super().__init__([self.recommend, self.advice, form])
        self.add_class("hw-settings-tab")

    def close(self) -> None:
        """Close what it holds."""
        self.recommend.close()
        self.advice.close()
        self._form.close()
        super().close()

"""The preview of the form's normalization, initially folded."""

from collections.abc import Callable

from histowidgets.annotations import Project
from histowidgets.images import Region
from histowidgets.training import normalization_of
from histowidgets.widgets.common import Disclosure
from histowidgets.widgets.settings._form import SettingsForm
from histowidgets.widgets.settings._normalization_preview import NormalizationPreview


class NormalizationFold(Disclosure):
    """Follows the settings of a form while unfolded; computes nothing while folded.

    Parameters
    ----------
    project, view, log
        As for `NormalizationPreview`.
    form
        Has the settings to preview.
    """

    def __init__(
        self, project: Project, form: SettingsForm, view: Callable[[], tuple[str, Region]], log: Callable[[str], None]
    ) -> None:
        self._form = form
        self.preview = NormalizationPreview(project, view, log)
        super().__init__(
            "Normalization: what the network sees",
            [self.preview],
            tooltip="The image in view before and after normalization",
            on_open=self.refresh,
        )
        self.add_class("hw-fold-section")
        self._forget = form.on_change(lambda settings: self.refresh())

    def refresh(self) -> None:
        """Show the current view with the current settings."""
        if self.unfolded:
            settings = self._form.settings
            self.preview.show(normalization_of(settings), settings.channels)

    def close(self) -> None:
        """Stop following the form, end the worker and close the widgets."""
        self._forget()
        self.preview.close()
        super().close()

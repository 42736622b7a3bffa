"""Rows of the acceptance table that concern a whole run rather than one of its parts."""

import numpy as np
import pytest

from histowidgets.annotations import Project
from histowidgets.errors import SettingsError
from histowidgets.training import TrainingSettings, train
from tests.training import helpers
from tests.training.helpers import painted, quick


def prepared(**changes):
    state = helpers.prepared(quick(**changes))
    state.tiles.close()
    return state


def in_the_optimizer(state):
    return {id(parameter) for group in state.optimizer.param_groups for parameter in group["params"]}


def test_n13_probe_run_is_the_same_run_with_five_to_ten_epochs():
    settings = quick(epochs=200, early_stopping_patience=2, learning_rate=1e-3, tile_size=96)
    probe = settings.probe()
    assert probe.epochs == 5
    changed = {name for name in TrainingSettings.model_fields if getattr(probe, name) != getattr(settings, name)}
    assert changed == {"epochs", "early_stopping_patience"}
    for epochs in (4, 11):
        with pytest.raises(SettingsError, match="a probe run has 5 to 10"):
            settings.probe(epochs)
    run = train(painted(), quick(epochs=200, steps_per_epoch=1, early_stopping_patience=1).probe(6))
    assert len(run.history) == 6, "a probe run is not cut short"


@pytest.mark.parametrize("freeze", ["encoder", "early", "none", ("stem", "block3")])
def test_r63_r1_the_optimizer_has_what_requires_grad_and_nothing_else(freeze):
    state = prepared(freeze=freeze)
    trained = {id(p) for p in state.network.parameters() if p.requires_grad}
    assert in_the_optimizer(state) == trained
    encoder = {id(p) for p in state.network.encoder.parameters()}
    assert bool(encoder & trained) == (freeze != "encoder")
    assert len(encoder & trained) < len(encoder) or freeze == "none"


def test_r1_frozen_encoder_keeps_its_weights_and_its_norm_statistics_through_a_run():
    settings = quick(freeze="encoder", adapt_norm=False, epochs=1, steps_per_epoch=4)
    before = prepared(freeze="encoder", adapt_norm=False).network.state_dict()
    after = train(painted(), settings).classifier.model.tensors()
    frozen = [name for name in after if name.startswith("core.encoder.")]
    assert frozen
    assert all(np.array_equal(after[name], before[name].numpy()) for name in frozen)
    assert any(not np.array_equal(after[name], before[name].numpy()) for name in after if ".decoder." in name)


def test_n12_settings_of_a_run_reproduce_it_from_its_folder_alone(tmp_path):
    project = painted(folder=tmp_path / "project")
    try:
        run = train(project, quick(seed=7, epochs=2, class_weights={"Dark": 2.0}, freeze=("stem",)))
    finally:
        project.close()
    text = (tmp_path / "project" / "runs" / run.id / "settings.json").read_text()
    again = Project.open(tmp_path / "project")
    try:
        second = train(again, TrainingSettings.from_json(text))
    finally:
        again.close()
    losses = [[record["train_loss"] for record in one.history] for one in (run, second)]
    assert losses[0] == losses[1]
    for name, value in second.classifier.model.tensors().items():
        assert np.array_equal(value, run.classifier.model.tensors()[name]), name


def test_n16_the_run_keeps_the_epoch_that_is_best_for_the_focus_class(monkeypatch):
    from histowidgets.training.loop import _trainer as _loop

    real, epochs = _loop.Trainer.validate, []

    def validate(self):
        loss, scores = real(self)
        epochs.append(loss)
        # The second epoch is best for Bright, the third for the mean.
        scores.counts[:] = {2: [[60, 40], [0, 100]], 3: [[98, 2], [35, 65]]}.get(len(epochs), [[50, 50], [50, 50]])
        return loss, scores

    monkeypatch.setattr(_loop.Trainer, "validate", validate)
    assert train(painted(), quick(epochs=4)).best_epoch == 3
    epochs.clear()
    run = train(painted(), quick(epochs=4, focus_class="Bright"))
    assert run.best_epoch == run.classifier.scores["epoch"] == 2


def test_b10_whole_images_can_be_held_out_of_a_training():
    run = train(painted(n_images=3), quick(epochs=1, validation_by="image"))
    (held,) = [name for name, regions in run.split.held_out.items() if regions]
    assert run.split.held_out[held][0].area == 256 * 256
    assert run.history[-1]["val_miou"] is not None

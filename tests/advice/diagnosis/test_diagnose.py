"""Each rule of the guide about curves, as a test; the curves are plain lists of dicts."""

import math

import numpy as np
import pytest

from benchmarks._curves import settings
from histowidgets.advice import DIAGNOSES, SEVERITIES, diagnose
from histowidgets.errors import AdviceError


def history(train, val=None, train_miou=None, val_miou=None, rate=1e-3, val_iou=None, accuracy=None):
    def at(values, i):
        return values if values is None or np.isscalar(values) else values[i]

    return [
        {
            "epoch": i + 1,
            "train_loss": at(train, i),
            "val_loss": at(val, i),
            "train_miou": at(train_miou, i),
            "val_miou": at(val_miou, i),
            "val_iou": {} if val_iou is None else {name: at(v, i) for name, v in val_iou.items()},
            "val_accuracy": at(accuracy, i),
            "learning_rate": at(rate, i),
            "seconds": float(i),
        }
        for i in range(len(train))
    ]


def ids(*args, **kwargs):
    return [advice.id for advice in diagnose(*args, **kwargs)]


def falling(n, start=1.0, floor=0.05, tau=None):
    return [start * (floor + (1 - floor) * math.exp(-i / (tau or n / 3))) for i in range(n)]


def one_cycle(n, peak=1e-3):
    ramp = max(1, int(0.3 * n))
    return [
        peak * (0.04 + 0.96 * i / ramp) if i < ramp else peak * (1 - (i - ramp) / (n - ramp)) + 1e-8 for i in range(n)
    ]


def rising_validation(fall, rise, step=0.03):
    down = falling(fall, floor=0.3)
    return down + [down[-1] * (1 + step * (k + 1)) for k in range(rise)]


def by_id(found, wanted):
    return next(advice for advice in found if advice.id == wanted)


# --- what cannot be judged yet ----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", range(5))
def test_a_few_epochs_say_nothing(n):
    assert diagnose(history(falling(10)[:n], falling(10)[:n])) == []


def test_missing_keys_none_and_numpy_numbers_are_taken():
    records = [
        {"epoch": np.int64(i + 1), "train_loss": np.float32(v), "learning_rate": np.float64(1e-3)}
        for i, v in enumerate(falling(12))
    ]
    assert ids(records) == ["good"]
    assert ids([{} for _ in range(30)]) == []


@pytest.mark.parametrize(
    ("bad", "match"),
    [
        (7, "history is a int"),
        ([1, 2], "Record 1 of the history is not valid. The record of an epoch is 1; expected a dict"),
        ([{"train_loss": "low"}], "Record 1 .* not valid. train_loss is 'low'; expected a number or None"),
        ([{"val_iou": 0.5}], "Record 1 of the history is not valid. val_iou is 0.5; expected a mapping of class names"),
    ],
)
def test_what_is_no_history_is_refused(bad, match):
    with pytest.raises(AdviceError, match=match):
        diagnose(bad)


# --- the rows ---------------------------------------------------------------------------------------------------


def test_r27_r38_flat_early_and_low_is_underfitting_with_all_its_actions():
    train = [0.9, 0.8, 0.72] + [0.7] * 20
    found = diagnose(history(train, [v * 1.05 for v in train], 0.4, 0.38), settings(freeze="encoder"))
    advice = by_id(found, "underfitting")
    assert advice.guide_title == "The network is underfitting"
    assert advice.evidence["train_miou"] == pytest.approx(0.4)
    patches = [action.patch for action in advice.actions]
    assert patches == [{"epochs": 200}, {"freeze": "early"}, {"backbone": "resnet50"}, {"tile_overlap": 0.125}, None]
    assert advice.patch == {"epochs": 200}


def test_r27_an_action_that_would_change_nothing_is_hidden():
    train = [0.9, 0.8, 0.72] + [0.7] * 20
    now = settings(freeze="none", backbone="resnet50", tile_overlap=0.0, epochs=5000)
    advice = by_id(diagnose(history(train, train, 0.4, 0.38), now), "underfitting")
    assert [action.label for action in advice.actions] == ["Check the annotations"]
    assert advice.patch is None


def test_r27_twice_the_time_where_time_is_limited():
    train = [0.9, 0.8, 0.72] + [0.7] * 20
    advice = by_id(diagnose(history(train, train, 0.4, 0.38), settings(max_seconds=60.0)), "underfitting")
    assert advice.patch == {"epochs": 200, "max_seconds": 120.0}


def test_r28_high_on_training_low_on_validation_is_overfitting():
    n = 25
    found = diagnose(
        history(falling(n), [0.6] * n, np.linspace(0.3, 0.95, n), [0.5] * n),
        settings(freeze="none", backbone="resnet50"),
    )
    advice = by_id(found, "overfitting")
    assert advice.evidence["train_miou"] - advice.evidence["val_miou"] > 0.2
    assert [action.patch for action in advice.actions] == [
        {"freeze": "early"},
        {"color_jitter": 0.2},
        {"elastic": 0.5},
        {"learning_rate": 1e-4},
        {"backbone": "resnet34"},
        {"validation_fraction": 0.3},
        None,
    ]


def test_r28_hides_what_is_done_already():
    n = 25
    now = settings(
        freeze="encoder",
        backbone="efficientnet-b0",
        color_jitter=0.3,
        elastic=0.5,
        learning_rate=1e-5,
        validation_fraction=0.4,
    )
    advice = by_id(diagnose(history(falling(n), [0.6] * n, 0.95, 0.5), now), "overfitting")
    assert advice.patch is None


def test_r29_lower_rates_one_after_the_other():
    swinging = [0.5 + 0.4 * (-1) ** i for i in range(20)]
    for rate, lower in ((1e-3, 1e-4), (1e-4, 1e-5)):
        advice = by_id(diagnose(history(swinging, swinging, rate=rate), settings(learning_rate=rate)), "lr-too-high")
        assert advice.patch == {"learning_rate": lower}
    last = by_id(diagnose(history(swinging, rate=1e-5), settings(learning_rate=1e-5, batch_size=2)), "lr-too-high")
    assert [action.patch for action in last.actions] == [None]


def test_r29_one_cycle_and_a_smaller_batch_are_offered_where_they_change_something():
    swinging = [0.5 + 0.4 * (-1) ** i for i in range(20)]
    advice = by_id(diagnose(history(swinging), settings(scheduler="none", batch_size=8)), "lr-too-high")
    assert {"scheduler": "one-cycle"} in [action.patch for action in advice.actions]
    assert {"batch_size": 4} in [action.patch for action in advice.actions]


def test_r29_not_while_one_cycle_warms_up():
    n = 60
    rates = one_cycle(n)
    losses = [v * (1 + 0.6 * (-1) ** i * (i < 18)) for i, v in enumerate(falling(n))]
    for k in range(1, n + 1):
        assert "lr-too-high" not in ids(history(losses[:k], losses[:k], rate=rates), settings(epochs=n))


def test_r30_a_poor_class_gets_more_weight():
    n = 25
    scores = {"Gland": np.linspace(0.5, 0.9, n), "Stroma": [0.85] * n, "Lumen": [0.3] * n}
    records = history(falling(n), falling(n), 0.8, 0.68, val_iou=scores)
    advice = by_id(diagnose(records, settings(class_weights={"Stroma": 0.5})), "class-poor")
    assert advice.about["class"] == "Lumen"
    assert advice.patch == {"class_weights": {"Stroma": 0.5, "Lumen": 2.0}}
    again = by_id(diagnose(records, settings(class_weights={"Lumen": 10.0})), "class-poor")
    assert again.patch is None


def test_r30_names_the_class_to_merge_with():
    n = 25
    records = history(falling(n), falling(n), val_iou={"Gland": [0.9] * n, "Stroma": [0.85] * n, "Lumen": [0.3] * n})
    confusion = {"Lumen": {"Lumen": 30, "Gland": 5, "Stroma": 65}}
    assert "confused with Stroma" in by_id(diagnose(records, confusion=confusion), "class-poor").detail


def test_r30_a_class_that_still_learns_is_left_alone():
    n = 20
    records = history(falling(n), falling(n), val_iou={"Gland": [0.9] * n, "Lumen": np.linspace(0.0, 0.45, n)})
    assert "class-poor" not in ids(records)


@pytest.mark.parametrize("n", [6, 10, 25, 60])
def test_r36_both_losses_fall(n):
    found = diagnose(history(falling(n), falling(n, floor=0.1), rate=1e-3))
    assert [advice.id for advice in found] == ["good"]
    assert (found[0].severity, found[0].guide_title, found[0].patch) == ("good", "Training goes well", None)


def test_r36_says_by_how_much_the_losses_fall():
    train = 0.9 ** np.arange(12)
    (found,) = diagnose(history(train, train + 0.2))
    assert "both losses fall smoothly" in found.title
    assert found.evidence["train_loss_percent_an_epoch"] == pytest.approx(-10, abs=1.5)
    assert -10 < found.evidence["val_loss_percent_an_epoch"] < 0
    (alone,) = diagnose(history(train))
    assert "the loss falls" in alone.title
    assert "val_loss_percent_an_epoch" not in alone.evidence


def test_r36_not_while_validation_climbs():
    train = falling(16)
    climbing = np.concatenate([np.linspace(1, 0.5, 12), [0.55, 0.6, 0.65, 0.7]])
    assert "good" not in ids(history(train, climbing))
    assert "good" in ids(history(train[:13], climbing[:13])), "a single step up is noise"


def test_r42_names_the_epoch_that_the_run_keeps():
    """With a tolerance a run keeps the latest epoch that is as good as the best one."""
    n = 30
    scores = 0.6 - np.abs(np.arange(1, n + 1) - 12) / 100
    curves = history(falling(n), rising_validation(12, n - 12), val_miou=scores)
    for tolerance, epoch in ((0.0, 12), (0.055, 17)):
        found = diagnose(curves, settings(best_tolerance=tolerance, early_stopping_metric="miou"))
        assert f"Stop and keep epoch {epoch}" in [action.label for action in by_id(found, "stop-rising").actions]


def test_settings_may_be_a_mapping_and_epochs_nonsense():
    given = {"learning_rate": 0.5, "epochs": 40, "scheduler": "none"}
    swings = history(1 + 0.8 * (-1.0) ** np.arange(20), 1 - 0.8 * (-1.0) ** np.arange(20))
    advice = by_id(diagnose(swings, given), "lr-too-high")
    assert advice.patch == {"learning_rate": 1e-4}
    assert advice.evidence["learning_rate"] == 0.5
    odd = [{**record, "epoch": epoch} for record, epoch in zip(swings, [1e30, -1e300, None, 4] * 5, strict=True)]
    assert by_id(diagnose(odd, given), "lr-too-high")


def test_r37_validation_rises_for_five_epochs():
    n = 20 + 5
    train = falling(n)
    assert "overfitting" not in ids(history(train[:24], rising_validation(20, 4)))
    found = diagnose(history(train, rising_validation(20, 5)))
    advice = by_id(found, "overfitting")
    assert (advice.evidence["epochs_of_rise"], advice.evidence["lowest_at_epoch"]) == (5, 20)
    assert advice.guide_title == "The network is overfitting"


def test_r37_not_while_training_rises_as_well():
    val = rising_validation(20, 8)
    assert "overfitting" not in ids(history(val, val))


def test_r37_a_loss_that_rises_while_the_score_grows_is_left_alone():
    val = rising_validation(20, 8, step=0.01)
    assert "overfitting" not in ids(history(falling(28), val, 0.6, np.linspace(0.3, 0.65, 28)))


def test_r38_flat_and_high_is_converged():
    train = [*falling(15, tau=2), *([0.05] * 15)]
    found = diagnose(history(train, [v * 1.2 for v in train], 0.93, 0.9))
    assert [advice.id for advice in found] == ["converged"]
    assert found[0].actions[0].kind == "stop"


def test_r39_swings_of_more_than_30_percent():
    trend = np.array(falling(20, floor=0.3))
    signs = np.array([1, -1] * 10)
    assert "lr-too-high" not in ids(history(trend * (1 + 0.2 * signs)))
    found = diagnose(history(trend * (1 + 0.45 * signs)))
    assert by_id(found, "lr-too-high").evidence["swing"] > 0.3


def test_r39_swings_of_both_losses_at_a_usual_rate():
    trend = np.linspace(1, 0.5, 10).tolist() + [0.5 + 0.16 * sign for sign in (1, -1) * 5]
    assert "lr-too-high" in ids(history(trend, trend), settings(learning_rate=1e-3, scheduler="none"))
    small = np.linspace(1, 0.5, 10).tolist() + [0.5 + 0.1 * sign for sign in (1, -1) * 5]
    assert "lr-too-high" not in ids(history(small, small), settings(learning_rate=1e-3, scheduler="none"))


@pytest.mark.parametrize("miou", [None, 0.9])
def test_r39_a_run_that_swings_is_neither_good_nor_converged(miou):
    train = [0.5 + 0.2 * sign for sign in (1, -1) * 10]
    for losses in (train, np.linspace(1, 0.3, 10).tolist() + [0.3 + 0.14 * sign for sign in (1, -1) * 5]):
        found = ids(history(losses, [0.3] * 20, miou, miou), settings(scheduler="none"))
        assert not {"good", "converged"} & set(found)


def test_r39_a_single_spike_is_no_swing():
    losses = falling(25, floor=0.3)
    losses[20] *= 6
    assert "lr-too-high" not in ids(history(losses, losses))


def test_r39_a_loss_that_is_thrown_off():
    losses = [*falling(15, tau=4), *([0.9] * 12)]
    advice = by_id(diagnose(history(losses, losses)), "lr-too-high")
    assert advice.evidence["times_lowest"] > 1.5


def test_r29_a_short_run_at_a_huge_rate():
    """The training loss of a real run of eight epochs with the learning rate 200 times too high."""
    losses = [0.593, 0.349, 0.458, 0.587, 1.057, 0.991, 0.792, 0.889]
    rates = [0.121, 0.487, 0.8, 0.997, 0.882, 0.645, 0.295, 0.0001]
    assert "lr-too-high" in ids(history(losses, rate=rates), settings(learning_rate=1.0))


def test_a_real_healthy_run_is_not_accused():
    """A real run of ten epochs on two gland images, whose validation loss wanders."""
    train = [0.635, 0.382, 0.233, 0.195, 0.349, 0.281, 0.275, 0.21, 0.197, 0.251]
    val = [0.477, 0.193, 0.326, 0.205, 0.164, 0.183, 0.253, 0.285, 0.305, 0.318]
    scores = [0.507, 0.869, 0.583, 0.767, 0.778, 0.721, 0.744, 0.76, 0.747, 0.751]
    rates = [0.001, 0.002, 0.005, 0.005, 0.005, 0.004, 0.002, 0.001, 0.0002, 0.00001]
    for epochs in range(1, 11):
        found = diagnose(history(train[:epochs], val, 0.85, scores, rates), settings(learning_rate=5e-3))
        assert {advice.id for advice in found} <= {"good", "converged"}


@pytest.mark.parametrize(("end", "expected"), [(0.96, True), (0.93, False)])
def test_r40_the_loss_at_epoch_10(end, expected):
    train = list(np.linspace(1.0, end, 10))
    assert ("lr-too-low" in ids(history(train[:9], rate=1e-6))) is False
    assert ("lr-too-low" in ids(history(train, rate=1e-6))) is expected


def test_r40_raises_a_low_rate_and_points_at_the_labels_otherwise():
    flat = list(np.linspace(1.0, 0.98, 12))
    low = by_id(diagnose(history(flat, rate=1e-6), settings(learning_rate=1e-6)), "lr-too-low")
    assert low.patch == {"learning_rate": 1e-3}
    usual = by_id(diagnose(history(flat, rate=1e-3), settings(learning_rate=1e-3)), "lr-too-low")
    assert usual.patch is None
    assert "labels" in usual.title


def test_r40_waits_for_a_long_warm_up():
    n = 200
    flat = [1.0] * 20
    assert "lr-too-low" not in ids(history(flat, rate=one_cycle(n)), settings(epochs=n))
    assert "lr-too-low" in ids(history([1.0] * 40, rate=one_cycle(n)), settings(epochs=n))


def test_r40_a_flat_loss_at_a_huge_rate_is_not_called_too_low():
    found = ids(history([1.1] * 15, rate=0.1), settings(learning_rate=0.1))
    assert "lr-too-high" in found
    assert "lr-too-low" not in found


def test_r41_stopping_keeps_the_best_epoch():
    n = 30
    miou = [0.5] * n
    miou[16] = 0.8
    found = diagnose(history(falling(n), rising_validation(18, 12), 0.9, miou))
    stop = next(action for action in found[0].actions if action.kind == "stop")
    assert stop.label == "Stop and keep epoch 17"


def test_r42_validation_rises_for_ten_epochs():
    assert "stop-rising" not in ids(history(falling(29), rising_validation(20, 9)))
    advice = by_id(diagnose(history(falling(30), rising_validation(20, 10))), "stop-rising")
    assert (advice.severity, advice.id, advice.evidence["epochs_of_rise"]) == ("stop", "stop-rising", 10)


def test_r43_validation_moves_away():
    n = 30
    train = falling(n, floor=0.02, tau=5)
    val = [max(v, 0.4) * (1 + 0.04 * max(0, i - 10)) for i, v in enumerate(train)]
    advice = by_id(diagnose(history(train, val)), "stop-diverged")
    assert advice.evidence["ratio"] > 2
    assert advice.severity == "stop"


def test_r43_ten_epochs_and_not_nine():
    near = [0.5] * 10
    for n, wanted in ((9, False), (10, True)):
        away = [0.61 + 0.02 * i for i in range(n)]
        found = ids(history([0.3] * (10 + n), near + away))
        assert ("stop-diverged" in found) == wanted


def test_r43_not_while_validation_falls():
    n = 30
    train = falling(n, floor=0.01, tau=4)
    assert "stop-diverged" not in ids(history(train, [0.3 + v for v in falling(n, tau=20)]))


# --- beyond the guide -------------------------------------------------------------------------------------------


def test_loss_is_nan():
    records = history([0.9, 0.8, float("nan"), float("inf")], [0.9, 0.8, None, None])
    found = diagnose(records, settings())
    assert found[0].id == "loss-nan"
    assert found[0].evidence == {"first_epoch": 3, "epochs_without_number": 2}
    assert found[0].patch == {"learning_rate": 1e-4}


def test_one_class_is_predicted_everywhere():
    n = 14
    scores = {"Gland": [0.0] * n, "Stroma": [0.41] * n, "Lumen": [0.0] * n}
    found = diagnose(history([0.9] * n, [0.9] * n, 0.14, 0.14, val_iou=scores, accuracy=0.41), settings())
    advice = by_id(found, "one-class-predicted")
    assert advice.title == "Everything is predicted as Stroma"
    assert advice.patch == {"class_weights": {"Gland": 2.0}}
    assert "class-never-learned" not in [a.id for a in found]


def test_one_class_predicted_is_not_said_of_one_that_is_merely_never_right():
    n = 24
    scores = {"Gland": [0.8] * n, "Stroma": [0.0] * n}
    found = ids(history(falling(n), falling(n), val_iou=scores, accuracy=0.9))
    assert "one-class-predicted" not in found
    assert "class-never-learned" in found


def test_a_class_was_never_learned():
    n = 24
    scores = {"Gland": [0.9] * n, "Stroma": [0.8] * n, "Lumen": [0.02] * n}
    records = history(falling(n), falling(n), val_iou=scores)
    assert "class-never-learned" not in ids(records[:19])
    advice = by_id(diagnose(records), "class-never-learned")
    assert advice.about["class"] == "Lumen"


def test_validation_far_below_training():
    n = 14
    train = falling(n, floor=0.4)
    assert "validation-below-training" in ids(history(train, [0.3 * v for v in train]))
    assert "validation-below-training" not in ids(history(train, [0.7 * v for v in train]))


def test_validation_below_training_is_no_fault_where_the_scores_are_close():
    """Training is measured on varied tiles: that its loss is more than twice as high is usual."""
    n = 20
    train = falling(n, floor=0.4)
    val = [0.3 * v for v in train]
    assert "validation-below-training" not in ids(history(train, val, 0.88, 0.97))
    assert "validation-below-training" in ids(history(train, val, 0.6, 0.95))
    tiny = [v / 40 if i > 4 else v for i, v in enumerate(train)]
    assert "validation-below-training" not in ids(history(tiny, [0.3 * v for v in tiny]))


def test_r39_swings_of_training_alone_are_tiles_drawn_by_chance():
    n = 24
    signs = np.array([1, -1] * (n // 2))
    train = np.array(falling(n, floor=0.45)) * (1 + 0.6 * signs)
    steady = falling(n, floor=0.3)
    rate = 3e-2
    assert "lr-too-high" not in ids(history(train, steady, rate=rate), settings(learning_rate=rate, scheduler="none"))
    jumping = np.array(steady) * (1 - 0.5 * signs)
    assert "lr-too-high" in ids(history(train, jumping, rate=rate), settings(learning_rate=rate, scheduler="none"))


def test_r37_validation_that_left_its_lowest_level_for_good():
    """A real run: validation is best while One Cycle warms up, and never again; its later course has no trend."""
    val = [0.50, 0.43, 0.23, 0.07, 0.02, 0.02, 0.06, 0.34, 0.38, 0.30, 0.25, 0.34, 0.27, 0.36, 0.25, 0.35, 0.29, 0.33]
    miou = [0.6, 0.8, 0.96, 0.99, 1.0, 1.0, 0.96, 0.85, 0.82, 0.87, 0.89, 0.86, 0.88, 0.82, 0.87, 0.84, 0.86, 0.83]
    n = len(val)
    found = diagnose(history(falling(n), val, 0.9, miou), settings(scheduler="none"))
    assert by_id(found, "overfitting").evidence["lowest_at_epoch"] in (5, 6)
    # The score stayed: the network only gets more certain.
    assert "overfitting" not in ids(history(falling(n), val, 0.9, 0.9), settings(scheduler="none"))
    # The learning rate has most of its fall to come, which may mend it.
    assert "overfitting" not in ids(history(falling(n), val, 0.9, miou), settings(scheduler="cosine"))


def test_r30_a_class_that_once_was_found_is_not_poor():
    n = 25
    wavers = [0.3 if i < 6 else 0.8 if i < 10 else 0.35 for i in range(n)]
    assert "class-poor" not in ids(history(falling(n), val_iou={"Gland": [0.9] * n, "Lumen": wavers}))


def test_what_was_found_is_still_told_for_three_epochs():
    n = 18
    scores = {"Gland": [*[0.0] * (n - 4), *[0.06] * 4], "Stroma": [0.41] * n, "Lumen": [0.0] * n}
    records = history([0.9] * n, [0.9] * n, 0.14, 0.14, val_iou=scores, accuracy=0.41)
    told = ["one-class-predicted" in ids(records[:epochs], settings()) for epochs in range(n - 5, n + 1)]
    assert told == [True, True, True, True, True, False]


def test_b10_validation_that_is_too_good_by_chance_is_not_called_so():
    n = 16
    scores = {"Gland": [0.95] * n, "Stroma": [0.95] * n}
    train, validation = falling(n, floor=0.3, tau=3), [0.3 * value for value in falling(n, floor=0.3, tau=3)]
    records = history(train, validation, 0.6, 0.95, val_iou=scores)
    assert "validation-below-training" in ids(records)
    assert "validation-below-training" in ids(records, held_out_strokes={"Gland": 20, "Stroma": 20})
    assert "validation-below-training" not in ids(records, held_out_strokes={"Gland": 2, "Stroma": 2})


def test_n10_a_class_in_one_split():
    n = 6
    records = history(falling(n), falling(n), val_iou={"Gland": [0.6] * n, "Lumen": None})
    advice = by_id(diagnose(records), "class-in-one-split")
    assert advice.about["only_in_training"] == "Lumen"
    told = by_id(diagnose(records, class_tiles={"Gland": (5, 2), "Lumen": (0, 3)}), "class-in-one-split")
    assert told.about["only_in_validation"] == "Lumen"
    assert "class-in-one-split" not in ids(history(falling(n)))


def test_n10_an_epoch_of_one_step():
    records = history(falling(8), falling(8))
    advice = by_id(diagnose(records, settings(batch_size=8), n_train_tiles=8), "single-step-epoch")
    assert advice.patch == {"batch_size": 2}
    assert "single-step-epoch" in ids([record | {"steps": 1} for record in records])
    assert "single-step-epoch" in ids(records, steps_per_epoch=1)
    assert "single-step-epoch" not in ids(records, settings(batch_size=8), n_train_tiles=80)
    assert "single-step-epoch" in ids(records, settings(steps_per_epoch=1))
    limited = by_id(diagnose(records, settings(steps_per_epoch=1), steps_per_epoch=1), "single-step-epoch")
    assert limited.patch == {"steps_per_epoch": None}


def test_several_hold_and_the_most_urgent_comes_first():
    found = diagnose(history(falling(30), rising_validation(20, 10)), steps_per_epoch=1)
    assert len(found) >= 3
    ranks = [SEVERITIES.index(advice.severity) for advice in found]
    assert ranks == sorted(ranks)
    assert found[0].severity == "stop"


def test_r65_every_advice_has_words_numbers_and_a_rule():
    seen = {}
    for records, kwargs in [
        (history(falling(30), rising_validation(20, 10)), {"steps_per_epoch": 1}),
        (history([0.7] * 20, [0.7] * 20, 0.4, 0.4, rate=1e-6), {}),
        (history(falling(12)), {}),
    ]:
        for advice in diagnose(records, settings(), **kwargs):
            seen[advice.id] = advice
    assert len(seen) >= 5
    for advice in seen.values():
        assert advice.id in DIAGNOSES
        assert advice.title
        assert advice.detail
        assert advice.evidence
        assert advice.guide_title
        assert all(isinstance(v, int | float) for v in advice.evidence.values())


def test_patches_are_settings_that_exist():
    from histowidgets.training import TrainingSettings

    now = TrainingSettings.preset("first-run")
    for records in (
        history(falling(30), rising_validation(20, 10)),
        history([0.7] * 20, [0.7] * 20, 0.4, 0.4, rate=1e-6),
        history([0.5 + 0.4 * (-1) ** i for i in range(20)]),
    ):
        for advice in diagnose(records, now):
            for action in advice.actions:
                if action.patch:
                    changed = now.model_copy(update=action.patch)
                    assert changed != now, action


def test_ten_thousand_epochs_are_read_in_good_time():
    import time

    rng = np.random.default_rng(0)
    losses = np.array(falling(10_000)) * np.exp(rng.normal(0, 0.02, 10_000))
    records = history(losses, losses, 0.7, 0.7, val_iou={"A": losses, "B": losses})
    begun = time.process_time()
    diagnose(records)
    assert time.process_time() - begun < 2

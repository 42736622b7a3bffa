"""The diagnosis above the curves, and its buttons."""

from histowidgets.advice import Action, Advice
from histowidgets.training import EpochEnded, RunStarted, TrainingSettings, parse_epoch_record, replay
from histowidgets.widgets.monitor import DiagnosisLine, LossMonitor
from histowidgets.widgets.monitor._diagnosis_line import IDLE
from tests.widgets.monitor.helpers import overfit, wait_until


def buttons(monitor):
    line = monitor.line
    shown = line._buttons.children + line._more_buttons.children + line._undo_box.children
    return {button.description: button for button in shown}


class LoopRun:
    """Another loop that emits our events."""

    def __init__(self):
        self.events = []

    def subscribe(self, callback):
        return lambda: None

    def emit(self, event):
        self.events.append(event)


def test_r65_the_diagnosis_stands_in_the_monitor_itself_with_its_numbers(monitor):
    assert IDLE.replace("'", "&#x27;") in monitor.line._text.value
    run = replay([overfit(e) for e in range(1, 31)], TrainingSettings(scheduler="none"))
    monitor.watch(run)
    wait_until(lambda: monitor.diagnosis)
    first = monitor.diagnosis[0]
    assert first.id in ("overfitting", "stop-rising", "stop-diverged")
    assert first.title in monitor.line._text.value
    name = next(iter(first.evidence)).replace("_", " ")
    assert name in monitor.line._numbers.value


def test_r30_the_class_that_a_poor_one_is_mostly_taken_for_is_named_from_the_best_epoch(monitor):
    def poor(epoch):
        iou = {"Stroma": 0.85, "Lumen": 0.2, "Gland": 0.8}
        return {"epoch": epoch, "train_loss": 1 / epoch, "val_loss": 1 / epoch + 0.1, "val_miou": 0.62, "val_iou": iou}

    counts = [[90, 5, 5], [4, 20, 76], [2, 3, 95]]  # Lumen is mostly taken for Gland
    run = LoopRun()
    run.emit(RunStarted("run", 0, 0, 0, 20, "", settings=TrainingSettings()))
    for e in range(1, 21):
        run.emit(EpochEnded(parse_epoch_record(poor(e)), e == 20, counts))
    monitor.watch(run)
    wait_until(lambda: [one for one in monitor.diagnosis if one.id == "class-poor"])
    (advice,) = [one for one in monitor.diagnosis if one.id == "class-poor"]
    assert "mostly confused with Gland" in advice.detail


def test_r42_alone_the_stop_button_ends_the_run_and_changes_are_words(monitor):
    run = replay([overfit(e) for e in range(1, 61)], TrainingSettings(scheduler="none"), interval=None)
    for _ in range(30):
        run.advance()
    monitor.watch(run)
    wait_until(lambda: any("Stop" in words for words in buttons(monitor)))
    words = buttons(monitor)
    assert all("Stop" in word for word in words), "without a handler nothing can change the settings"
    monitor.line._more.value = True
    assert "model_copy" in monitor.line._rest.value
    assert monitor.diagnosis[0].guide in monitor.line._rest.value
    next(iter(words.values())).click()
    assert run.state == "stopped"
    wait_until(lambda: not any("Stop" in word for word in buttons(monitor)))


def test_as_many_buttons_as_fit_are_in_sight_and_the_others_are_counted():
    line = DiagnosisLine(lambda action: True, lambda action, advice: None)
    labels = ("Stop and keep epoch 31", "Wait", "Lower the learning rate to 1e-4")
    line.show([Advice("x", "Title", "", actions=tuple(Action(label, {"epochs": 3}) for label in labels))])
    assert [button.description for button in line._buttons.children] == list(labels[:2])
    assert line._more.description == "more (1)"
    line.offer("Try", "tip", lambda: None)
    assert [button.description for button in line._buttons.children] == list(labels[:2]), "only while nothing is found"
    line.show([])
    assert [button.description for button in line._buttons.children] == ["Try"]
    line.close()


def test_a_handler_gets_the_action_and_its_advice():
    heard = []
    monitor = LossMonitor(on_action=lambda action, advice: heard.append((action, advice)))
    monitor.line.restarts = True
    monitor.watch(replay([overfit(e) for e in range(1, 31)], TrainingSettings(scheduler="none")))
    wait_until(lambda: buttons(monitor))
    word, button = next((word, one) for word, one in buttons(monitor).items() if word.endswith(" and restart"))
    button.click()
    assert heard[0][0].patch
    assert heard[0][1] == monitor.diagnosis[0]
    monitor.line.offer_undo(lambda: heard.append("undone"))
    buttons(monitor)["Undo"].click()
    assert heard[-1] == "undone"
    assert "Undo" not in buttons(monitor)
    assert word in buttons(monitor)
    monitor.close()


def test_the_same_diagnosis_with_new_numbers_keeps_its_buttons(monitor):
    run = replay([overfit(e) for e in range(1, 61)], TrainingSettings(scheduler="none"), interval=None)
    for _ in range(40):
        run.advance()
    monitor.watch(run)
    wait_until(lambda: buttons(monitor))
    before, numbers = buttons(monitor), monitor.line._numbers.value
    run.advance()
    wait_until(lambda: monitor.line._numbers.value != numbers)
    assert buttons(monitor) == before

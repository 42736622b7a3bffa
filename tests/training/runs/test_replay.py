import threading

from histowidgets.training import EpochEnded, RunEnded, RunStarted, StateChanged, TrainingSettings, replay


def records(*mious):
    return [
        {
            "epoch": number,
            "train_loss": 1 / number,
            "val_loss": 1.1 / number,
            "train_miou": 0.5,
            "val_miou": miou,
            "val_iou": {"A": miou, "B": miou},
            "val_accuracy": 0.5,
            "learning_rate": 1e-3,
            "seconds": float(number),
        }
        for number, miou in enumerate(mious, 1)
    ]


def test_replay_at_once_ends_with_the_best_epoch():
    run = replay(records(0.2, 0.6, 0.4))
    assert run.state == "finished"
    assert run.best_epoch == 2
    assert [r["epoch"] for r in run.history] == [1, 2, 3]
    assert isinstance(run.events[0], RunStarted)
    assert isinstance(run.events[-1], RunEnded)
    assert [e.is_best for e in run.events if isinstance(e, EpochEnded)] == [True, True, False]


def test_replay_by_hand_goes_epoch_by_epoch():
    run = replay(records(0.2, 0.6), interval=None)
    heard = []
    unsubscribe = run.subscribe(heard.append)
    assert run.advance()
    assert run.state == "running"
    assert len(heard) == 1
    unsubscribe()
    assert not run.advance()
    assert len(heard) == 1
    assert run.state == "finished"
    assert not run.advance()


def test_replay_by_thread_pauses_and_stops():
    run = replay(records(*[0.5] * 500), interval=0.001)
    first, paused = threading.Event(), threading.Event()

    def hear(event):
        if isinstance(event, EpochEnded):
            first.set()
        elif event == StateChanged("paused"):
            paused.set()

    run.subscribe(hear)
    assert first.wait(5)
    run.pause()
    assert paused.wait(5)
    assert run.state == "paused"
    held = len(run.history)
    assert run.wait(0.05) == "paused"
    assert len(run.history) == held
    run.resume()
    run.stop("last")
    assert run.wait(5) == "stopped"
    assert run.best_epoch == run.history[-1]["epoch"]


def test_stop_keeping_nothing_names_no_epoch():
    run = replay(records(0.5, 0.6), interval=None)
    run.advance()
    run.stop("nothing")
    assert run.best_epoch is None
    assert run.state == "stopped"
    run.stop()
    assert sum(isinstance(event, RunEnded) for event in run.events) == 1


def test_n16_focus_class_and_loss_can_tell_the_best_epoch():
    rows = records(0.5, 0.6, 0.4)
    rows[2]["val_iou"]["B"] = 0.9
    assert replay(rows, TrainingSettings(focus_class="B")).best_epoch == 3
    rows[1]["val_loss"] = 0.01
    assert replay(rows, TrainingSettings(early_stopping_metric="val_loss")).best_epoch == 2
    assert replay(rows, TrainingSettings(early_stopping_metric="none")).best_epoch == 3


def test_watch_hands_events_out_on_this_thread():
    run = replay(records(*[0.5] * 20), interval=0.001)
    threads = set()
    run.subscribe(lambda event: threads.add(threading.current_thread()))
    threads.clear()
    assert run.watch() == "finished"
    assert threading.current_thread() in threads
    assert run.watch() == "finished"
    assert any(isinstance(e, StateChanged) and e.state == "finished" for e in run.events)


def test_a_subscriber_may_wait_for_another_thread_that_uses_the_run():
    run = replay(records(*[0.5] * 500), interval=0.01)
    done, heard = [], threading.Event()

    def hear(event):
        if isinstance(event, EpochEnded) and not done:
            other = threading.Thread(target=run.stop, daemon=True)
            other.start()
            other.join(10)
            done.append(not other.is_alive())
            heard.set()

    run.subscribe(hear)
    assert run.wait(30) == "stopped"
    assert heard.wait(30), "the run is over before the subscriber goes on"
    assert done == [True]

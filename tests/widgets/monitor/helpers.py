"""Histories, and a way to wait for what a thread shows."""

import math
import threading
import time

from histowidgets.training import EpochEnded, parse_epoch_record


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        threading.Event().wait(0.01)


def put(monitor, record):
    """Let the monitor's run end an epoch, without drawing it."""
    state = monitor._run_state
    state.apply(EpochEnded(parse_epoch_record(record, state.next_epoch), is_best=False))


def record(epoch, shift=0.0, **more):
    values = {
        "epoch": epoch,
        "train_loss": math.exp(-epoch / 10) + shift,
        "val_loss": math.exp(-epoch / 12) + 0.1 + shift,
        "train_miou": 1 - math.exp(-epoch / 8),
        "val_miou": 0.9 - abs(epoch - 31) / 100,
        "val_iou": {"Stroma": 0.8, "Lumen": None if epoch < 3 else 0.6},
        "val_accuracy": 0.9,
        "learning_rate": 1e-3,
        "seconds": 2.0 * epoch,
    }
    return {**values, **more}


def overfit(epoch):
    """Training falls all the while; validation turns at epoch 12."""
    return {
        "epoch": epoch,
        "train_loss": math.exp(-epoch / 10),
        "val_loss": 0.4 + 0.03 * abs(epoch - 12),
        "train_miou": 1 - math.exp(-epoch / 6),
        "val_miou": 0.6 - abs(epoch - 12) / 100,
        "val_iou": {"Stroma": 0.6, "Lumen": 0.5},
        "val_accuracy": 0.8,
        "learning_rate": 5e-3,
        "seconds": 2.0 * epoch,
    }

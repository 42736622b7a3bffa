"""The numbers and the charts as files."""

import csv
import math

import numpy as np
import PIL.Image

from histowidgets.widgets.monitor import LossMonitor
from tests.widgets.monitor.helpers import overfit, put


def test_the_numbers_go_to_a_csv_as_they_are(monitor, tmp_path):
    put(monitor, overfit(1) | {"val_iou": {"Stroma": 0.1 + 0.2, 'a "b", c': None}})
    put(monitor, {"epoch": 2, "train_loss": math.nan})
    path = monitor.to_csv(tmp_path / "run.csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["iou_Stroma"]) == 0.1 + 0.2
    assert rows[0]['iou_a "b", c'] == ""
    assert rows[1]["train_loss"] == "nan"
    assert rows[1]["val_loss"] == ""


def test_the_charts_go_to_a_png_with_both_curves(monitor, tmp_path):
    for epoch in range(1, 31):
        put(monitor, overfit(epoch))
    monitor.show_classes = True
    pixels = np.array(PIL.Image.open(monitor.to_png(tmp_path / "run.png")))
    assert pixels.shape == (840, 1200, 3)
    for color in ((0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00), (0x1A, 0x7F, 0x37)):
        found = (pixels == color).all(axis=2)
        assert found[:420].sum() > 100
        assert found[420:].sum() > 100
    empty = LossMonitor()
    empty.to_png(tmp_path / "empty.png")
    empty.close()


def test_a_button_hands_the_file_to_the_page(monitor):
    put(monitor, overfit(1))
    downloads = monitor._table_fold._body.children[0]
    sent = []
    downloads._page.send = lambda content, buffers: sent.append((content, bytes(buffers[0])))
    for button in downloads.children[:2]:
        button.click()
    assert [content["name"] for content, _ in sent] == ["training.csv", "training.png"]
    assert sent[0][1].startswith(b"epoch,train_loss")
    assert sent[1][1].startswith(b"\x89PNG")

"""Killing the process while it saves a classifier or exports: what was there before is whole."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from histowidgets.errors import ClassifierError
from histowidgets.prediction import Classifier
from tests.faults.conftest import contents, heavy_classifier

ROOT = Path(__file__).resolve().parents[2]

# Forks for each line that it reads. A fork says its number, and then saves again and again, each time something else.
CHILD = """
import os, sys
from dataclasses import replace
import numpy as np
from histowidgets.prediction import Classifier
from tests.faults.conftest import HeavyModel, halves, noise_prediction
from tests.prediction.models import brightness_classifier
folder = sys.argv[1]
classifier = brightness_classifier(halves(), HeavyModel())
predictions = [noise_prediction(300), noise_prediction(500)]
while True:
    if not sys.stdin.readline():
        sys.exit()
    forked = os.fork()
    if forked == 0:
        break
    os.waitpid(forked, 0)
    os.write(1, b"ended\\n")
os.write(1, f"{os.getpid()}\\n".encode())
number = 0
while True:
    Classifier(replace(classifier.spec, scores={"number": number})).save(folder + "/classifier")
    one = predictions[number % 2]
    one.save_png(folder + "/labels.png")
    one.save_ome_tiff(folder + "/labels.ome.tif")
    one.save_geojson(folder + "/objects.geojson", min_area_um2=5)
    number += 1
    os.write(1, b"saved\\n")
"""


def require_whole(folder):
    """Each file is one that was saved, from its first to its last byte."""
    import hashlib
    import json

    import numpy as np
    import PIL.Image
    import tifffile

    card = json.loads((folder / "classifier" / "classifier.json").read_text())
    weights = (folder / "classifier" / "model.safetensors").read_bytes()
    assert card["weights"]["sha256"] == hashlib.sha256(weights).hexdigest()
    png = np.asarray(PIL.Image.open(folder / "labels.png"))
    sides = {png.shape[0], tifffile.imread(folder / "labels.ome.tif").shape[0]}
    assert sides <= {300, 500}
    assert json.loads((folder / "objects.geojson").read_text())["features"]


@pytest.mark.parametrize("rounds", [4])
def test_sigkill_while_saving_leaves_the_old_or_the_new_and_nothing_between(tmp_path, rounds):
    rng = random.Random(3)
    command, pipe = [sys.executable, "-c", CHILD, str(tmp_path)], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=ROOT, text=True, bufsize=1) as forking:
        for _ in range(rounds):
            forking.stdin.write("again\n")
            saving = int(forking.stdout.readline())
            try:
                for _ in range(rng.randint(1, 4)):
                    assert forking.stdout.readline() == "saved\n"
                time.sleep(rng.uniform(0, 0.05))  # not to wait for anything: the moment must be any
            finally:
                os.kill(saving, signal.SIGKILL)
            while (said := forking.stdout.readline()) != "ended\n":
                assert said == "saved\n"
            require_whole(tmp_path)


BETWEEN = """
import os, signal, sys
from pathlib import Path
from tests.faults.conftest import heavy_classifier
rename = Path.rename
def rename_and_die(self, target):
    rename(self, target)
    os.kill(os.getpid(), signal.SIGKILL)
Path.rename = rename_and_die
heavy_classifier().save(sys.argv[1])
"""


def test_sigkill_between_the_two_renames_of_a_replacement_costs_nothing(tmp_path):
    folder = tmp_path / "colon [1]"
    heavy_classifier().save(folder)
    before = contents(folder)
    child = subprocess.run([sys.executable, "-c", BETWEEN, str(folder)], cwd=ROOT, timeout=60, check=False)
    assert child.returncode == -signal.SIGKILL
    assert not folder.exists()
    with pytest.raises(ClassifierError, match="damaged"):  # it is a stand-in, but it has been found
        Classifier.load(folder)
    assert contents(folder) == before
    heavy_classifier().save(folder)

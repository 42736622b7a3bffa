"""The sample classifier: the heads of a quick learner in this package, on the encoder that comes with a dependency."""

import json
from pathlib import Path

from safetensors.numpy import load_file, save_file

from histowidgets.prediction._classifier import Classifier
from histowidgets.prediction.pixel_models import deep_stages
from histowidgets.prediction.storage import CARD, WEIGHTS, described_spec

#: Where the sample lies, and the file with its weights.
FOLDER, HEADS = Path(__file__).parent / "sample", "heads.safetensors"
#: The tensors of a quick learner that begin with this are those of the encoder.
_STAGES = "stages."


def sample_classifier() -> Classifier:
    """Return the classifier of `hw.samples.classifier`."""
    card = json.loads((FOLDER / CARD).read_text(encoding="utf-8"))
    stages = {f"{_STAGES}{name}": value.numpy() for name, value in deep_stages().state_dict().items()}
    return Classifier(described_spec(card, {**load_file(FOLDER / HEADS), **stages}, FOLDER / CARD))


def write_sample(folder: Path) -> None:
    """Make the sample from a saved quick learner: all but the weights of its encoder."""
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    for name in ("weights", "versions"):  # they describe the whole file, and the computer
        del card[name]
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    tensors = load_file(folder / WEIGHTS)
    save_file({name: value for name, value in tensors.items() if not name.startswith(_STAGES)}, FOLDER / HEADS)

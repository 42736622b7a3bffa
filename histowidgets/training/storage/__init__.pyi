from ._best_weights import BestWeights
from ._fingerprint import changes, fingerprint_of
from ._labels import LABELS_FILE, RunLabels, digest_of, read_labels
from ._run_reader import StoredRun, read_run, run_folders
from ._run_writer import RunWriter

__all__ = [
    "LABELS_FILE",
    "BestWeights",
    "RunLabels",
    "RunWriter",
    "StoredRun",
    "changes",
    "digest_of",
    "fingerprint_of",
    "read_labels",
    "read_run",
    "run_folders",
]

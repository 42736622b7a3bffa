from ._best_weights import BestWeights
from ._fingerprint import changes, fingerprint_of
from ._run_reader import StoredRun, read_run, run_folders
from ._run_writer import RunWriter

__all__ = [
    "BestWeights",
    "RunWriter",
    "StoredRun",
    "changes",
    "fingerprint_of",
    "read_run",
    "run_folders",
]

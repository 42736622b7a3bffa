from ._file import Checkpoint, read_checkpoint, write_resume
from ._header import BEST_FILE, RESUME_FILE, damaged, read_header

__all__ = [
    "BEST_FILE",
    "RESUME_FILE",
    "Checkpoint",
    "damaged",
    "read_checkpoint",
    "read_header",
    "write_resume",
]

"""Exports of the same network that are made once."""

import hashlib
import json
import shutil
from dataclasses import asdict, replace

from histowidgets.prediction.onnx._metadata import KEY


class KeptExports:
    """Exports as `export_in_process` does, but traces a network once, which takes ten seconds and more of a processor.

    Whoever asks for the same network again, with the same names and output, gets a copy with the card that they ask
    for. What exporting itself does is tested without this.

    Parameters
    ----------
    folder
        An empty one, for the files.
    export
        `export_in_process`.
    """

    def __init__(self, folder, export):
        self._folder, self._export = folder, export

    def __call__(self, spec, tensors, path, options, **how):
        kept = self._folder / f"{self._key(spec, tensors, options)}.onnx"
        if kept.exists():
            _copy(kept, path, options.card)
        else:
            self.anew(spec, tensors, path, options, **how)

    def anew(self, spec, tensors, path, options, **how):
        """Export in any case, and keep the file."""
        self._export(spec, tensors, path, options, **how)
        shutil.copyfile(path, self._folder / f"{self._key(spec, tensors, options)}.onnx")

    @staticmethod
    def _key(spec, tensors, options):
        described = hashlib.sha256(json.dumps([spec, asdict(replace(options, card=None))], sort_keys=True).encode())
        for name, values in sorted(tensors.items()):
            described.update(f"{name} {values.dtype} {values.shape}".encode())
            described.update(values.tobytes())
        return described.hexdigest()


def _copy(kept, path, card):
    import onnx

    model = onnx.load(kept)
    (entry,) = [entry for entry in model.metadata_props if entry.key == KEY]
    entry.value = card
    path.write_bytes(model.SerializeToString())

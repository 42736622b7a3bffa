"""Read ONNX files safely; weights in external files are accepted only from the same folder."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from histowidgets.errors import ClassifierError

#: The oldest opset that onnxruntime supports, and the exported one, which is from 2022, so that other programs support
#: it.
OLDEST_OPSET, EXPORT_OPSET = 7, 18

#: Maximum number of channels that get default names; images have no more.
MOST_CHANNELS = 64

#: Operator domains that onnxruntime supports; torch adds its own to models whose functions are all in the file.
_KNOWN_DOMAINS = ("ai.onnx", "com.microsoft", "org.pytorch")


def needed(name: str) -> Any:
    """Import a package of the extra ``onnx``.

    Raises
    ------
    ClassifierError
        If it is missing.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise ClassifierError(
            f"ONNX files need the package {name!r}, which is not installed. Install it with "
            'pip install "histowidgets[onnx]".'
        ) from error


def with_external_data(path: Path) -> bytes:
    """Read a model, and embed the weights that it keeps in files beside it.

    Raises
    ------
    ClassifierError
        If the model refers to files outside its folder, or to missing files.
    OSError
        If the model cannot be read.
    """
    content = path.read_bytes()
    model = _parsed(content)
    outside = {location for tensor in _external(model) for location in [_location(tensor)]}
    if not outside:
        return content
    folder = path.resolve().parent
    for location in sorted(outside):
        _require_beside(path, folder, location)
    helper = needed("onnx.external_data_helper")
    try:
        helper.load_external_data_for_model(model, str(folder))
        read: bytes = model.SerializeToString()
    except Exception as error:
        raise ClassifierError(f"The weights beside {path} cannot be read: {error}. Copy all files again.") from error
    return read


def require_self_contained(content: bytes) -> None:
    """Check that a model would not read other files when it is loaded.

    Raises
    ------
    ClassifierError
    """
    location = next((_location(tensor) for tensor in _external(_parsed(content))), None)
    if location is not None:
        raise ClassifierError(
            f"The model keeps weights in another file ({location!r}). Open it from its own file with from_onnx, "
            "or save it as one file."
        )


def require_known_opset(content: bytes) -> None:
    """Check that onnxruntime supports the operators of a model.

    Raises
    ------
    ClassifierError
    """
    runtime, known = needed("onnxruntime"), needed("onnx").defs.onnx_opset_version()
    for entry in _parsed(content).opset_import:
        if entry.domain in ("", "ai.onnx"):
            if not OLDEST_OPSET <= entry.version <= known:
                raise ClassifierError(
                    f"The model has opset {entry.version}; {OLDEST_OPSET} to {known} are supported (by onnxruntime "
                    f"{runtime.__version__}). Export it again with opset {EXPORT_OPSET}."
                )
        elif not entry.domain.startswith(_KNOWN_DOMAINS):
            raise ClassifierError(
                f"The model uses operators of {entry.domain!r}, which onnxruntime does not support. Export it again "
                f"with standard ONNX operators only, opset {EXPORT_OPSET}."
            )


def metadata_of_onnx(content: bytes, key: str) -> str | None:
    """Return an entry of a model's ``metadata_props``, or None.

    Raises
    ------
    ClassifierError
        If this is not ONNX.
    """
    return next((str(entry.value) for entry in _parsed(content).metadata_props if entry.key == key), None)


def channels_of_onnx(content: bytes) -> int | None:
    """Return the number of channels of a model's input (N, C, H, W); None if it is not fixed.

    Raises
    ------
    ClassifierError
        If this is not ONNX.
    """
    graph = _parsed(content).graph
    weights = {tensor.name for tensor in graph.initializer}  # old models list the weights among the inputs
    given = [one for one in graph.input if one.name not in weights]
    sizes = [dim.dim_value for dim in given[0].type.tensor_type.shape.dim] if given else []
    if len(sizes) != 4 or not 1 <= sizes[1] <= MOST_CHANNELS:
        return None
    channels_last = 1 <= sizes[3] < sizes[1]
    return None if channels_last else int(sizes[1])


def _parsed(content: bytes) -> Any:
    onnx = needed("onnx")
    try:
        return onnx.load_model_from_string(content)
    except Exception as error:
        raise ClassifierError(f"This is not an ONNX model that can be run: {error}") from error


def _require_beside(path: Path, folder: Path, location: str) -> None:
    parts = (*PurePosixPath(location).parts, *PureWindowsPath(location).parts)
    absolute = PurePosixPath(location).is_absolute() or PureWindowsPath(location).anchor != ""
    target = (folder / location).resolve()
    if not location or absolute or ".." in parts or not target.is_relative_to(folder):
        raise ClassifierError(
            f"{path} keeps weights in {location!r}, outside its own folder. For safety such files are not opened. Save "
            "the model as one file."
        )
    if not target.is_file():
        raise ClassifierError(f"{path} keeps weights in {location!r}, which is missing. Copy it too.")


def _location(tensor: Any) -> str:
    return next((entry.value for entry in tensor.external_data if entry.key == "location"), "")


def _external(message: Any) -> Iterator[Any]:
    """Find all tensors of a model that are kept in other files."""
    if message.DESCRIPTOR.name == "TensorProto":
        # Location 1 means "external", but for some readers a list of entries is enough.
        if message.data_location == 1 or len(message.external_data):
            yield message
        return
    for kind, value in message.ListFields():
        if kind.message_type is None:
            continue
        # Repeated fields are sequences; a single message is not.
        for item in [value] if hasattr(value, "ListFields") else value:
            if hasattr(item, "ListFields"):
                yield from _external(item)

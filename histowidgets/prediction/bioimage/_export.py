"""Write a classifier as a BioImage.IO model package: rdf.yaml 0.5, ONNX weights, test arrays, cover and README."""

import hashlib
import io
import tempfile
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL.Image

from histowidgets import __version__
from histowidgets._io import as_path, atomic_write
from histowidgets.errors import ClassifierError, ExportCancelled, HistowidgetsWarning
from histowidgets.images import Image, Region, display_rgb, read_padded
from histowidgets.models import find_backbone
from histowidgets.prediction._spec import ClassifierSpec
from histowidgets.prediction.onnx import (
    EXPORT_OPSET,
    MAX_SECONDS,
    ExportProgress,
    GraphOptions,
    card_text,
    export_network,
    exportable,
)
from histowidgets.prediction.pixel_models import NETWORK_CONTEXT
from histowidgets.prediction.results import overlay_rgba

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOURCE = "https://github.com/histowidgets/histowidgets"
INPUT, OUTPUT = "pixels", "probabilities"
WRITING, TESTING = "writing the package", "testing the package"
#: Characters that the name of a model may have, and its lengths.
_NAME_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+- ()"
_NAME_LENGTHS = (5, 64)
#: Gain that turns any value above a constant into 1: the normalization of images without contrast.
_STEP_GAIN = 1e6
#: Side of the cover, in pixels.
_COVER_SIDE = 256


@dataclass(frozen=True)
class PackageDescription:
    """What people are told about a model.

    Attributes
    ----------
    name : str
        By default from the classifier and its classes.
    description : str
        A sentence or two.
    authors : sequence of str
    license : str or None
        SPDX identifier of the licence of the weights, such as "CC-BY-4.0"; None if not decided yet.
    cite : sequence of (str, str)
        Text and DOI or address of further works to cite; histowidgets is always cited.
    """

    name: str = ""
    description: str = ""
    authors: Sequence[str] = ()
    license: str | None = None
    cite: Sequence[tuple[str, str]] = ()


def write_package(
    spec: ClassifierSpec,
    path: str | PathLike[str],
    image: Image | None,
    about: PackageDescription,
    progress: ExportProgress | None = None,
    should_stop: "Callable[[], bool] | None" = None,
    max_seconds: float = MAX_SECONDS,
) -> None:
    """Write the package, and test it with BioImage.IO's own test; see `Classifier.export_bioimage`."""
    target = as_path(path, ClassifierError)
    if target.suffix.lower() != ".zip":
        raise ClassifierError(f"The package {target} does not end in .zip. Give a name such as model.bioimage.io.zip.")
    spec = exportable(spec)
    require_packages()
    if spec.normalization.stain is not None:
        message = (
            "This classifier matches the stain of each image, which a BioImage.IO package cannot do: on images with "
            "another stain, predictions of other programs differ. For equal predictions, train with match_stain off."
        )
        warnings.warn(HistowidgetsWarning(message), stacklevel=3)
    stop = should_stop or (lambda: False)

    def network_progress(done: int, total: int, step: str) -> None:
        if progress is not None and done < total:
            progress(done, total + 2, step)

    def tell(done: int, step: str) -> None:
        if stop():
            raise ExportCancelled("The export was cancelled; nothing was written.")
        if progress is not None:
            progress(done, _STEPS, step)

    with (
        atomic_write(target, ClassifierError) as part,
        tempfile.TemporaryDirectory(prefix="histowidgets-package-") as temporary,
    ):
        part.touch()  # refuses a wrong path before the work
        folder = Path(temporary)
        options = GraphOptions(names=(INPUT, OUTPUT), softmax=True, card=card_text(spec))
        export_network(spec, folder / "model.onnx", options, network_progress, stop, max_seconds)
        tell(_STEPS - 2, WRITING)
        with _offline():
            _fill(spec, folder, image, about, part)
            tell(_STEPS - 1, TESTING)
            _test(part)
    if progress is not None:
        progress(_STEPS, _STEPS, "done")


#: Steps of the export of the network, and the two of the package.
_STEPS = 6


def _needed(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise ClassifierError(
            f"BioImage.IO packages need the package {name!r}, which is not installed ({error}). Install it with "
            'pip install "histowidgets[bioimage]".'
        ) from error


def require_packages() -> None:
    """Raise ClassifierError if the packages are missing, or do not work together."""
    spec = _needed("bioimageio.spec")
    _needed("bioimageio.core")
    import pydantic

    # Up to 0.5.12, bioimageio.spec passes an argument that pydantic refuses since 2.14.
    if _numbers(spec.__version__) < (0, 5, 13) and _numbers(pydantic.VERSION) >= (2, 14):
        raise ClassifierError(
            f"bioimageio.spec {spec.__version__} does not work with pydantic {pydantic.VERSION}. Install versions that "
            'work together with pip install "histowidgets[bioimage]", and restart the kernel.'
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:3] if part.isdecimal())


@contextmanager
def _offline() -> "Iterator[None]":
    """Keep the library quiet, and from looking up links: an export must work without a connection."""
    logger = _needed("loguru").logger
    spec = _needed("bioimageio.spec")
    logger.disable("bioimageio")
    try:
        with spec.ValidationContext(perform_io_checks=False, log_warnings=False):
            yield
    finally:
        logger.enable("bioimageio")


def test_pixels(spec: ClassifierSpec, image: Image | None, side: int) -> np.ndarray:
    """Return the pixels that the package is tested with, as the model takes them before normalization.

    Returns
    -------
    ndarray of float32, (side, side, C)
        The middle of the image at the classifier's downsample or, without an image, smooth seeded noise in the range
        of the training images.
    """
    n = len(spec.channel_names)
    if image is not None:
        reach = side * spec.downsample
        x, y = (image.width - reach) // 2, (image.height - reach) // 2
        pixels = read_padded(image, Region(x, y, reach, reach), spec.downsample)
        if pixels.shape[-1] != n:
            raise ClassifierError(
                f"The image {image.name} has {pixels.shape[-1]} channel(s), but the classifier takes {n}. Give "
                "an image like those it was trained on, or none."
            )
        return np.nan_to_num(pixels.astype(np.float32))
    coarse = np.random.default_rng(0).random((side // 16, side // 16, n))
    smooth = np.stack(
        [
            np.asarray(
                PIL.Image.fromarray(coarse[..., c].astype(np.float32)).resize(
                    (side, side), PIL.Image.Resampling.BICUBIC
                )
            )
            for c in range(n)
        ],
        -1,
    )
    low, high = (np.array(values) for values in zip(*spec.normalization.ranges(n), strict=True))
    return np.asarray(low + smooth.clip(0, 1) * (high - low), np.float32)


def preprocessing(spec: ClassifierSpec) -> tuple[list[float], list[float]]:
    """Return the gain and the offset of each channel that, followed by clipping to 0 to 1, equal our normalization."""
    gains, offsets = [], []
    for low, high in spec.normalization.ranges(len(spec.channel_names)):
        if high > low:
            gain, offset = 1 / (high - low), -low / (high - low)
        elif spec.normalization.strategy == "z_score":
            gain, offset = 0.0, 0.5
        else:
            gain, offset = _STEP_GAIN, -_STEP_GAIN * high
        gains.append(gain)
        offsets.append(offset)
    return gains, offsets


def sizes_of(spec: ClassifierSpec) -> tuple[int, int | None, int]:
    """Return the smallest side of a tile, the step to larger ones (None if the side is fixed), and the halo."""
    model = spec.model
    multiple = model.multiple
    side = -(-spec.tile_size // multiple) * multiple
    if model.largest_tile <= multiple:  # its answer depends on the whole tile, so that tiles must be those of training
        return side, None, 0
    # A multiple, so that the network halves a padded tile at the same places as the tile itself.
    halo = -(-NETWORK_CONTEXT // multiple) * multiple
    return max(side, 4 * halo), multiple, halo


def _fill(spec: ClassifierSpec, folder: Path, image: Image | None, about: PackageDescription, target: Path) -> None:
    """Write all files but the network's, and pack them."""
    descriptions: Any = _needed("bioimageio.spec.model.v0_5")
    side, _, _ = sizes_of(spec)
    pixels = test_pixels(spec, image, side)
    normalized = np.moveaxis(spec.normalization.apply(pixels), -1, 0)[None]
    answer = spec.model.probabilities(np.ascontiguousarray(normalized))
    np.save(folder / "test_input.npy", np.moveaxis(pixels, -1, 0)[None])
    np.save(folder / "test_output.npy", answer.astype(np.float32))
    (folder / "cover.png").write_bytes(_cover(pixels, answer[0], spec))
    (folder / "README.md").write_text(documentation(spec, about), encoding="utf-8")
    model = _described(descriptions, spec, folder, about)
    save: Any = _needed("bioimageio.spec").save_bioimageio_package
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        save(model, output_path=target, allow_invalid=False)


def _described(d: Any, spec: ClassifierSpec, folder: Path, about: PackageDescription) -> Any:
    """Return the model description, whose files lie in `folder`."""

    def named(name: str) -> dict[str, Any]:
        return {"source": folder / name, "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest()}

    def file(name: str) -> Any:
        return d.FileDescr(**named(name))

    side, step, halo = sizes_of(spec)
    size: Any = side if step is None else d.ParameterizedSize(min=side, step=step)
    pixel = None if spec.pixel_size_um is None else spec.pixel_size_um * spec.downsample
    unit = {"scale": 1.0 if pixel is None else pixel, "unit": None if pixel is None else "micrometer"}
    gains, offsets = preprocessing(spec)
    scale = (
        d.ScaleLinearKwargs(gain=gains[0], offset=offsets[0])
        if len(set(gains)) == len(set(offsets)) == 1
        else d.ScaleLinearAlongAxisKwargs(axis=d.AxisId("channel"), gain=gains, offset=offsets)
    )
    inputs = d.InputTensorDescr(
        id=d.TensorId(INPUT),
        description=f"{', '.join(spec.channel_names)}, in the units of the image"[:128],
        axes=[
            d.BatchAxis(),
            d.ChannelAxis(channel_names=identifiers(spec.channel_names)),
            *(d.SpaceInputAxis(id=d.AxisId(name), size=size, concatenable=step is not None, **unit) for name in "yx"),
        ],
        data=d.IntervalOrRatioDataDescr(type="float32"),
        test_tensor=file("test_input.npy"),
        preprocessing=[
            d.EnsureDtypeDescr(kwargs=d.EnsureDtypeKwargs(dtype="float32")),
            d.ScaleLinearDescr(kwargs=scale),
            d.ClipDescr(kwargs=d.ClipKwargs(min=0.0, max=1.0)),
        ],
    )

    def output_axis(name: str) -> Any:
        reference = d.SizeReference(tensor_id=d.TensorId(INPUT), axis_id=d.AxisId(name))
        if halo:
            return d.SpaceOutputAxisWithHalo(id=d.AxisId(name), size=reference, halo=halo, **unit)
        return d.SpaceOutputAxis(id=d.AxisId(name), size=reference, **unit)

    outputs = d.OutputTensorDescr(
        id=d.TensorId(OUTPUT),
        description=f"Probability of {', '.join(spec.classes)}"[:128],
        axes=[d.BatchAxis(), d.ChannelAxis(channel_names=identifiers(spec.classes)), *map(output_axis, "yx")],
        data=d.IntervalOrRatioDataDescr(type="float32", range=(0.0, 1.0)),
        test_tensor=file("test_output.npy"),
    )
    cite = [
        d.CiteEntry(text=f"The histowidgets developers. histowidgets, version {__version__}", url=d.HttpUrl(SOURCE))
    ]
    for text, where in about.cite:
        is_doi = not where.startswith(("http://", "https://"))
        cite.append(
            d.CiteEntry(text=text, doi=d.Doi(where)) if is_doi else d.CiteEntry(text=text, url=d.HttpUrl(where))
        )
    try:
        return d.ModelDescr(
            name=model_name(spec, about.name),
            description=(about.description or f"Classifies pixels of microscopy images: {', '.join(spec.classes)}.")[
                :512
            ],
            authors=[d.Author(name=name) for name in about.authors],
            license=None if about.license is None else about.license,
            cite=cite,
            documentation=file("README.md"),
            covers=[file("cover.png")],
            tags=["histology", "semantic-segmentation", "2d", "pixel-classification", "histowidgets", "onnx"],
            inputs=[inputs],
            outputs=[outputs],
            weights=d.WeightsDescr(onnx=d.OnnxWeightsDescr(**named("model.onnx"), opset_version=EXPORT_OPSET)),
            config={"histowidgets": _config(spec)},
        )
    except ValueError as error:  # pydantic's, which names the field
        first = " ".join(str(error).split())
        raise ClassifierError(f"The package cannot be described: {first:.400}") from error


def _config(spec: ClassifierSpec) -> dict[str, Any]:
    """Return what other fields cannot hold: names as they are, colours, and how it was trained."""
    scores = {name: value for name, value in spec.scores.items() if isinstance(value, int | float)}
    return {
        "version": __version__,
        "classes": list(spec.classes),
        "colors": dict(spec.colors),
        "channel_names": list(spec.channel_names),
        "downsample": int(spec.downsample),
        "pixel_size_um": spec.pixel_size_um,
        "scores": scores,
    }


def model_name(spec: ClassifierSpec, given: str) -> str:
    """Return a name that BioImage.IO accepts: 5 to 64 of certain characters."""
    name = given or f"{' '.join(spec.classes)} pixel classifier"
    allowed = "".join(c if c in _NAME_CHARACTERS else " " for c in name)
    least, most = _NAME_LENGTHS
    short = " ".join(allowed.split())[:most].strip()
    return short if len(short) >= least else f"{short} pixel classifier".strip()


def identifiers(names: Sequence[str]) -> list[str]:
    """Return names as identifiers, which BioImage.IO asks of channels: all different, and otherwise as they are."""
    found: list[str] = []
    for number, name in enumerate(names):
        plain = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name).strip("_")
        plain = plain if plain and not plain[0].isdigit() else f"channel_{plain or number}"
        found.append(plain if plain not in found else f"{plain}_{number}")
    return found


def documentation(spec: ClassifierSpec, about: PackageDescription) -> str:
    """Return the README of the package."""
    network = spec.model.spec()["network"]
    backbone = find_backbone(str(network["backbone"]))
    low_high = ", ".join(f"{low:g} to {high:g}" for low, high in dict.fromkeys(_ranges(spec)))
    pixel = "unknown"
    if spec.pixel_size_um is not None:
        pixel = f"{spec.pixel_size_um * spec.downsample:.4g} µm"
    lines = [
        f"# {model_name(spec, about.name)}",
        "",
        about.description or "A pixel classifier for microscopy images, trained on a few annotations.",
        "",
        f"- Classes, in the order of the output: {', '.join(spec.classes)}",
        f"- Channels, in the order of the input: {', '.join(spec.channel_names)}",
        f"- Pixel size that the model expects: {pixel}"
        + (f" (images were read at downsample {spec.downsample})" if spec.downsample > 1 else ""),
        f"- Values that become 0 and 1: {low_high} (a part of the package, in preprocessing)",
        f"- Network: {network['architecture']} with the encoder {network['backbone']}; its pretrained weights: "
        f"{backbone.licence or 'unknown'}",
        "",
        "Bring an image to this pixel size before prediction. The output has the size of the input.",
        "",
        "## Validation",
        "",
    ]
    scores = spec.scores
    if isinstance(scores.get("val_miou"), float):
        each = ", ".join(
            f"{name} {value:.2f}" for name, value in (scores.get("val_iou") or {}).items() if value is not None
        )
        lines.append(
            f"On labels held out from training, the mean intersection over union was {scores['val_miou']:.2f} "
            f"({each}). They are from the images of the training, and served to choose the epoch."
        )
    else:
        lines.append("The model was not scored.")
    lines += [
        "To validate it on other data, annotate some of it and compute the intersection over union of each class, or "
        "audit predictions at random points, as histowidgets does.",
        "",
        f"Written by [histowidgets]({SOURCE}) {__version__}.",
    ]
    return "\n".join(lines) + "\n"


def _ranges(spec: ClassifierSpec) -> list[tuple[float, float]]:
    return spec.normalization.ranges(len(spec.channel_names))


def _cover(pixels: np.ndarray, answer: np.ndarray, spec: ClassifierSpec) -> bytes:
    """Draw the test input beside the classes that the model finds there, twice as wide as high, as a PNG."""
    integer = pixels.astype(np.uint8) if pixels.shape[-1] == 3 and pixels.max() <= 255 else pixels
    left = PIL.Image.fromarray(display_rgb(integer))
    right = PIL.Image.fromarray(overlay_rgba(answer.argmax(0).astype(np.uint8), spec.colors)[..., :3])
    picture = PIL.Image.new("RGB", (2 * _COVER_SIDE, _COVER_SIDE))
    picture.paste(left.resize((_COVER_SIDE, _COVER_SIDE)), (0, 0))
    picture.paste(right.resize((_COVER_SIDE, _COVER_SIDE), PIL.Image.Resampling.NEAREST), (_COVER_SIDE, 0))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _test(path: Path) -> None:
    """Run BioImage.IO's own test of a package.

    Raises
    ------
    ClassifierError
        If it fails.
    """
    core: Any = _needed("bioimageio.core")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        summary = core.test_model(path, weight_format="onnx")
    if summary.status == "failed":
        errors = [one.msg for detail in summary.details for one in detail.errors]
        why = " ".join("; ".join(errors).split()) or "no reason was given"
        raise ClassifierError(
            f"BioImage.IO's test of the package failed: {why:.500}. The package was not kept. Export the network with "
            "export_onnx instead."
        )

"""Recognize intact files of other programs that cannot be read here, and suggest how to convert them."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

_BIOFORMATS = "Convert it to OME-TIFF with QuPath, Fiji (Bio-Formats) or bioformats2raw."
_HDF5 = "Read the array with h5py, and pass it to open_image: hw.open_image(array, name=…)."
_RAW = "Convert it to TIFF with RawTherapee, darktable or the camera's program."
_ARRAY = "Load it with NumPy, and pass the array to open_image."


class _Kind(NamedTuple):
    """A kind of file.

    Attributes
    ----------
    what : str
    advice : str
    endings : tuple of str
        In lower case.
    starts : callable or None
        Recognizes the kind by the first 512 bytes.
    """

    what: str
    advice: str
    endings: tuple[str, ...]
    starts: Callable[[bytes], bool] | None = None


def _begins(*signatures: bytes) -> Callable[[bytes], bool]:
    return lambda start: start.startswith(signatures)


_KINDS = (
    _Kind(
        "DICOM",
        "If it is a whole slide, all its files must lie in one folder; else convert it to OME-TIFF with QuPath, Fiji "
        "(Bio-Formats) or bioformats2raw, or read its pixels with pydicom.",
        (".dcm", ".dicom"),
        lambda start: start[128:132] == b"DICM",
    ),
    _Kind("a CZI of Zeiss", _BIOFORMATS, (".czi",), _begins(b"ZISRAWFILE")),
    _Kind("a LIF of Leica", _BIOFORMATS, (".lif", ".xlef", ".lof"), lambda s: s[:4] == b"p\0\0\0" and s[8:9] == b"*"),
    _Kind("an ND2 of Nikon", _BIOFORMATS, (".nd2",), _begins(b"\xda\xce\xbe\x0a")),
    _Kind(
        "an image of Olympus (VSI)",
        "Its pixels are in the folder of the same name with underscores beside it. " + _BIOFORMATS,
        (".vsi", ".ets"),
        _begins(b"SIS\0", b"ETS\0"),
    ),
    _Kind("an image of Imaris", _BIOFORMATS, (".ims",)),
    _Kind("an image of Olympus or Zeiss (OLE)", _BIOFORMATS, (".oib", ".oif", ".oir", ".zvi"), _begins(b"OLYMPUSRAW")),
    _Kind("an image of Zeiss (ZVI) or Olympus (OIB)", _BIOFORMATS, (), _begins(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")),
    _Kind("a slide of Philips (iSyntax)", _BIOFORMATS, (".isyntax", ".i2syntax")),
    _Kind(
        "a slide in a proprietary format (SDPC, KFB, TRON …)",
        "Export it as TIFF or SVS with the maker's program.",
        (".sdpc", ".dyqx", ".kfb", ".kfbio", ".tron", ".mdsx", ".tmap"),
    ),
    _Kind("an image of DeltaVision", _BIOFORMATS, (".dv", ".r3d")),
    _Kind("an MRC", "Convert it to TIFF with Fiji (Bio-Formats) or mrc2tif.", (".mrc",)),
    _Kind("an image of Gatan", _BIOFORMATS, (".dm3", ".dm4")),
    _Kind("a NIfTI volume", "Read it with nibabel, and pass one plane to open_image.", (".nii", ".nii.gz", ".mgz")),
    _Kind(
        "an NRRD or MetaImage volume",
        "Read it with SimpleITK, and pass one plane to open_image.",
        (".nrrd", ".mha", ".mhd"),
    ),
    _Kind("an HDF5 file", _HDF5, (".h5", ".hdf5", ".hdf", ".h5ad"), _begins(b"\x89HDF\r\n\x1a\n")),
    _Kind("a file of MATLAB", "Load it with scipy.io.loadmat, and pass the array to open_image.", (".mat",)),
    _Kind(
        "an array of NumPy", f"{_ARRAY[:-1]}: hw.open_image(numpy.load(path)).", (".npy", ".npz"), _begins(b"\x93NUMPY")
    ),
    _Kind("a pickle", "Pickles can run code and are not loaded. Save the array with numpy.save.", (".pkl", ".pickle")),
    _Kind(
        "a photograph in HEIC",
        "Convert it to PNG or JPEG.",
        (".heic", ".heif"),
        lambda s: s[4:12] in (b"ftypheic", b"ftypmif1"),
    ),
    _Kind("raw data of a camera", _RAW, (".cr2", ".cr3", ".nef", ".arw", ".orf", ".raf", ".rw2", ".dng")),
    _Kind("a PDF", "Export the picture as PNG or TIFF.", (".pdf",), _begins(b"%PDF")),
    _Kind("a drawing (SVG)", "Export it as PNG.", (".svg",), _begins(b"<svg")),
    _Kind("a video", "Save a frame as PNG.", (".avi", ".mp4", ".mov", ".mkv", ".wmv")),
    _Kind(
        "a document or presentation",
        "Save the picture in it as PNG or TIFF.",
        (".docx", ".pptx", ".xlsx", ".doc", ".ppt"),
    ),
    _Kind(
        "a ZIP archive",
        "Unpack (unzip) it, and open the image in it.",
        (".zip", ".ozx"),
        _begins(b"PK\x03\x04", b"PK\x05\x06"),
    ),
    _Kind(
        "a compressed file or archive",
        "Unpack it, and open the image in it.",
        (".gz", ".bz2", ".xz", ".7z", ".rar", ".tar"),
        _begins(b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!"),
    ),
    _Kind("a GeoJSON or JSON", "Import it as annotations with Project.import_geojson.", (".geojson", ".json")),
    _Kind(
        "a web page or XML",
        "Was a page downloaded in place of the image?",
        (".html", ".htm", ".xml"),
        lambda s: s.lstrip().lower().startswith((b"<!doctype html", b"<html", b"<?xml")),
    ),
    _Kind(
        "a pointer of Git LFS or git-annex instead of the image",
        "Fetch the image with `git lfs pull` or `git annex get`.",
        (),
        _begins(b"version https://git-lfs", b"/annex/objects/", b"../.git/annex"),
    ),
)


def describe_foreign(path: Path, *, by_name: bool = True) -> str:
    """Return what a file is and how to convert it, if its content or (`by_name`) its ending shows that, else ""."""
    try:
        with path.open("rb") as file:
            start = file.read(512)
    except OSError:
        return ""
    name = path.name.lower()
    by_content = next((kind for kind in _KINDS if kind.starts is not None and kind.starts(start)), None)
    named = next((kind for kind in _KINDS if name.endswith(kind.endings or ("\0",))), None)
    kind = by_content or (named if by_name else None)
    if kind is None:
        return ""
    seems = "is" if by_content else "is, by its name,"
    return f"{path} {seems} {kind.what}, which cannot be read here. {kind.advice}"

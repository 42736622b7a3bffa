"""TIFFs and pictures of every mixture of kinds, with the pixels that an independent reader finds in them."""

import dataclasses
import warnings
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import tifffile
import zarr

from tests.images.readers import raw_tiff

#: How Pillow turns a picture, by the value of the orientation tag.
TURNS = {
    2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
    3: PIL.Image.Transpose.ROTATE_180,
    4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
    5: PIL.Image.Transpose.TRANSPOSE,
    6: PIL.Image.Transpose.ROTATE_270,
    7: PIL.Image.Transpose.TRANSVERSE,
    8: PIL.Image.Transpose.ROTATE_90,
}


@dataclasses.dataclass
class Mixture:
    """A file, and what it holds.

    Attributes
    ----------
    path : Path
    pixels : ndarray of (rows, cols, channels)
        What an independent reader finds.
    tolerance : float
        Most that a value may differ.
    chosen : dict
        Arguments of `open_image` that choose the image and plane.
    words : str
        What was mixed, for a failing test.
    """

    path: Path
    pixels: np.ndarray
    tolerance: float = 0
    chosen: dict = dataclasses.field(default_factory=dict)
    words: str = ""


def turned(pixels, orientation):
    """Turn (rows, cols, channels) as Pillow does."""
    if orientation not in TURNS:
        return pixels
    places = np.arange(pixels.shape[0] * pixels.shape[1], dtype=np.int32).reshape(pixels.shape[:2])
    order = np.asarray(PIL.Image.fromarray(places).transpose(TURNS[orientation]))
    return pixels.reshape(-1, pixels.shape[2])[order]


def one_of(rng, *values):
    return values[rng.integers(len(values))]


def draw(rng, dtype, shape):
    """Random samples of a dtype: of whole numbers all values, of others those of a measurement."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    if dtype.kind == "f":
        return rng.normal(100, 50, shape).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(max(limits.min, -900), min(limits.max, 2**40), shape, endpoint=True).astype(dtype)


def kept(pixels):
    """Return the dtype in which histowidgets keeps pixels; the values are the same."""
    if pixels.dtype == bool:
        return pixels.astype(np.uint8) * 255
    if pixels.dtype in (np.uint8, np.uint16, np.float32, np.float64):
        return pixels
    return pixels.astype(np.float32 if pixels.dtype in (np.int8, np.int16, np.float16) else np.float64)


def storage(rng, dtype, n_samples, size):
    """Options of tifffile: compression, tiles or strips, predictor."""
    options = {}
    compression = one_of(rng, None, None, "zlib", "lzw", "packbits", "zstd")
    if dtype == np.dtype(bool):  # tifffile packs bits only in rows that it does not compress
        return {"rowsperstrip": int(rng.integers(1, size[0] + 1))} if rng.random() < 0.5 else {}
    if compression:
        options["compression"] = compression
    if compression in ("zlib", "lzw", "zstd") and dtype.kind in "ui" and rng.random() < 0.5:
        options["predictor"] = True
    layout = one_of(rng, "plain", "strips", "tiles")
    if layout == "tiles":
        options["tile"] = (int(one_of(rng, 16, 32, 48)), int(one_of(rng, 16, 32, 64)))
    elif layout == "strips":
        options["rowsperstrip"] = int(rng.integers(1, size[0] + 1))
    return options


GRAY = (bool, np.uint8, np.uint16, np.int8, np.int16, np.uint32, np.int32, np.float32, np.float64)


def colours(rng, kind, size):
    """Return (stored samples, what they mean, options of tifffile, tolerance) of a picture."""
    height, width = size
    match kind:
        case "gray":
            stored = draw(rng, one_of(rng, *GRAY), (height, width, 1))
            return stored, kept(stored), {"photometric": "minisblack"}, 0
        case "white is 0":
            stored = draw(rng, one_of(rng, bool, np.uint8, np.uint16), (height, width, 1))
            largest = 1 if stored.dtype == bool else np.iinfo(stored.dtype).max
            means = kept(~stored if stored.dtype == bool else (largest - stored).astype(stored.dtype))
            return stored, means, {"photometric": "miniswhite"}, 0
        case "rgb":
            stored = draw(rng, one_of(rng, np.uint8, np.uint16, np.float32), (height, width, 3))
            return stored, stored, {"photometric": "rgb"}, 0
        case "several":
            stored = draw(rng, one_of(rng, *GRAY[1:]), (height, width, int(one_of(rng, 2, 4, 5, 7))))
            options = {"photometric": one_of(rng, "minisblack", "rgb") if stored.shape[2] > 3 else "minisblack"}
            # Of 8 bits, who writes a fourth sample as transparency means it, unless it is tifffile by default.
            if rng.random() < 0.5 or (stored.shape[2] == 4 and stored.dtype == np.uint8):
                n_extra = stored.shape[2] - (3 if options["photometric"] == "rgb" else 1)
                options["extrasamples"] = ["unspecified"] * n_extra
            return stored, kept(stored), options, 0
        case "palette":
            stored = draw(rng, one_of(rng, np.uint8, np.uint16), (height, width, 1))
            colormap = draw(rng, np.uint16, (3, 1 << (8 * stored.dtype.itemsize)))
            if rng.random() < 0.3:
                colormap >>= 8  # palettes of 8 bits, which some programs write
                return (
                    stored,
                    colormap.T[stored[..., 0]].astype(np.uint8),
                    {"photometric": "palette", "colormap": colormap},
                    0,
                )
            means = (colormap.T[stored[..., 0]] >> 8).astype(np.uint8)
            return stored, means, {"photometric": "palette", "colormap": colormap}, 0
        case "cmyk":
            stored = draw(rng, np.uint8, (height, width, 4))
            means = np.asarray(PIL.Image.fromarray(stored, "CMYK").convert("RGB"))
            return stored, means, {"photometric": "separated"}, 1
        case "transparent":
            stored = draw(rng, np.uint8, (height, width, 4))
            alpha = one_of(rng, "cut out", "none", "opaque", "soft")
            options = {"photometric": "rgb", "extrasamples": ["unassalpha"]}
            if alpha in ("none", "opaque"):
                stored[..., 3] = 0 if alpha == "none" else 255
                return stored, stored[..., :3].copy(), options, 0
            if alpha == "cut out":
                stored[..., 3] = 255
                stored[rng.random(size) < 0.4] = 0
                stored[0, 0] = 255
            over = PIL.Image.new("RGBA", (width, height), "white")
            over.alpha_composite(PIL.Image.fromarray(stored, "RGBA"))
            return stored, np.asarray(over.convert("RGB")), options, 1
    raise AssertionError(kind)


KINDS = ("gray", "white is 0", "rgb", "several", "palette", "cmyk", "transparent")


def tiff_mixture(rng, folder):
    """Write a TIFF through tifffile, and return what it holds."""
    path = folder / "mixture.tif"
    n_images = int(one_of(rng, 1, 1, 1, 2, 3))
    wanted = int(rng.integers(n_images))
    writer = {"bigtiff": bool(rng.random() < 0.2), "byteorder": one_of(rng, "<", ">")}
    found = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with tifffile.TiffWriter(path, **writer) as tiff:
            for number in range(n_images):
                size = int(rng.integers(2, 90)), int(rng.integers(2, 90))
                kind, orientation = one_of(rng, *KINDS), int(one_of(rng, 1, 1, 2, 3, 4, 5, 6, 7, 8))
                stored, means, options, tolerance = colours(rng, kind, size)
                options |= storage(rng, stored.dtype, stored.shape[2], size)
                if stored.shape[2] == 1:
                    stored = stored[..., 0]
                elif rng.random() < 0.4:
                    stored, options["planarconfig"] = np.moveaxis(stored, -1, 0), "separate"
                else:
                    options["planarconfig"] = "contig"
                tags = [(274, "H", 1, orientation, True)]
                tiff.write(np.ascontiguousarray(stored), metadata=None, extratags=tags, software="a camera", **options)
                if number == wanted:
                    words = (
                        f"{kind} {stored.dtype} {size} orientation {orientation} {options} {writer} {n_images} images"
                    )
                    found = Mixture(path, turned(means, orientation), tolerance, {}, words[:600])
    if n_images > 1:
        found.chosen = {"series": wanted}
    return found


def by_default_mixture(rng, folder):
    """Write an array as tifffile does where nothing is said; the axes of the array are those of the image."""
    path = folder / "mixture.tif"
    size = int(rng.integers(70, 90)), int(rng.integers(70, 90))
    n_channels = int(one_of(rng, 1, 2, 3, 4, 5, 6))
    dtype = np.dtype(one_of(rng, np.uint8, np.uint16, np.float32, np.int16))
    pixels = draw(rng, dtype, (*size, n_channels))
    stored = pixels[..., 0] if n_channels == 1 else np.moveaxis(pixels, -1, 0) if rng.random() < 0.5 else pixels
    options = storage(rng, dtype, n_channels, size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tifffile.imwrite(path, np.ascontiguousarray(stored), **options)
    return Mixture(path, kept(pixels), 0, {}, f"by default {stored.shape} {dtype} {options}")


def stack_mixture(rng, folder):
    """Write a stack with named axes, as OME-TIFF, ImageJ or tifffile do, and choose a plane of it."""
    form = one_of(rng, "ome", "imagej", "shaped")
    n_t, n_z, n_c = (int(one_of(rng, 1, 2, 4)) for _ in range(3))
    size = int(rng.integers(10, 50)), int(rng.integers(10, 50))
    rgb = rng.random() < 0.3
    dtype = np.dtype(np.uint8 if rgb else one_of(rng, np.uint8, np.uint16, np.float32))
    stack = draw(rng, dtype, (n_t, n_z, 1 if rgb else n_c, *size, 3 if rgb else 1))
    axes = "TZCYXS"
    shape = [axis for axis, n in zip(axes, stack.shape, strict=True) if n > 1 or axis in "YX"]
    if form == "imagej":  # always in this order
        stored, metadata, path = stack, {"axes": axes}, folder / "mixture.tif"
    else:
        stored = stack.reshape([n for axis, n in zip(axes, stack.shape, strict=True) if n > 1 or axis in "YX"])
        metadata, path = {"axes": "".join(shape)}, folder / ("mixture.ome.tif" if form == "ome" else "mixture.tif")
    options = {} if form == "imagej" else storage(rng, dtype, 3 if rgb else 1, size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tifffile.imwrite(
            path, np.ascontiguousarray(stored), imagej=form == "imagej", ome=form == "ome", metadata=metadata,
            photometric="rgb" if rgb else "minisblack", **options,
        )  # fmt: skip
    z, t = int(rng.integers(n_z)), int(rng.integers(n_t))
    pixels = stack[t, z, 0] if rgb else np.moveaxis(stack[t, z, ..., 0], 0, -1)
    chosen = {"plane": (z, t)} if n_z > 1 or n_t > 1 else {}
    return Mixture(path, pixels, 0, chosen, f"{form} {metadata} {stored.shape} {dtype} {options} plane {(z, t)}")


MODES = ("1", "L", "P", "RGB", "I;16", "CMYK", "YCbCr", "F", "LA", "RGBA")
FORMATS = {
    "tif": MODES,
    "png": ("1", "L", "P", "RGB", "I;16", "LA", "RGBA"),
    "bmp": ("1", "L", "P", "RGB"),
    "jp2": ("L", "RGB"),
    "ppm": ("L", "RGB"),
    "webp": ("RGB",),
    "gif": ("P", "L"),
    "tga": ("L", "RGB"),
}


def pillow_mixture(rng, folder):
    """Write a picture through Pillow, and let Pillow say what it holds."""
    ending = one_of(rng, *FORMATS)
    mode = one_of(rng, *FORMATS[ending])
    width, height = int(rng.integers(2, 70)), int(rng.integers(2, 70))
    bands = {"RGB": 3, "CMYK": 4, "YCbCr": 3, "LA": 2, "RGBA": 4}.get(mode, 1)
    dtype = {"1": bool, "I;16": np.uint16, "F": np.float32}.get(mode, np.uint8)
    array = draw(rng, dtype, (height, width, bands))
    picture = PIL.Image.fromarray(array[..., 0] if bands == 1 else array, None if bands == 1 else mode)
    if mode == "P":
        picture.putpalette(draw(rng, np.uint8, 768).tobytes())
    options = {"lossless": True} if ending == "webp" else {}
    if ending == "tif":
        options["compression"] = one_of(rng, None, "tiff_lzw", "tiff_deflate", "packbits")
    path, orientation = folder / f"mixture.{ending}", 1
    picture.save(path, **options)
    with PIL.Image.open(path) as read:  # before it says how it is to be turned: Pillow turns some TIFFs twice
        found = as_pixels(read)
    if ending in ("tif", "png", "webp") and rng.random() < 0.5:
        orientation = int(rng.integers(2, 9))
        exif = PIL.Image.Exif()
        exif[274] = orientation
        options["exif"] = exif
        picture.save(path, **options)
    words = f"Pillow {ending} {mode} {width} x {height} {options} orientation {orientation}"
    return Mixture(path, turned(found, orientation), 2 if mode in ("YCbCr", "CMYK") else 1, {}, words)


def as_pixels(picture):
    """Return what Pillow finds in a picture, as (rows, cols, channels)."""
    if picture.mode in ("RGBA", "LA") or "transparency" in picture.info:
        gray = picture.mode == "LA"
        over = PIL.Image.new("RGBA", picture.size, "white")
        over.alpha_composite(picture.convert("RGBA"))
        picture = over.convert("L" if gray else "RGB")
    elif picture.mode in ("P", "CMYK", "YCbCr"):
        picture = picture.convert("RGB")
    elif picture.mode == "1":
        picture = picture.convert("L")
    pixels = np.asarray(picture)
    return pixels if pixels.ndim == 3 else pixels[..., None]


def packed_mixture(rng, folder):
    """Write samples of any number of bits, which neither tifffile nor Pillow writes, byte by byte."""
    path = folder / "mixture.tif"
    width, height, bits = int(rng.integers(2, 40)), int(rng.integers(2, 40)), int(rng.integers(1, 17))
    orientation = int(rng.integers(1, 9))
    values = rng.integers(0, 1 << bits, (height, width))
    photometric = int(one_of(rng, 0, 1, 3)) if bits in (1, 2, 4, 8) else int(one_of(rng, 0, 1))
    tags = [(274, 3, (orientation,))]
    if photometric == 3:
        colormap = rng.integers(0, 65536, (3, 1 << bits))
        colormap[0, 0] = 65535
        tags.append((320, 3, tuple(colormap.ravel().tolist())))
        means = (colormap >> 8).T[values].astype(np.uint8)
    else:
        means = (1 << bits) - 1 - values if photometric == 0 else values
        means = (means * 255 if bits == 1 else means).astype(np.uint8 if bits <= 8 else np.uint16)[..., None]
    data = values.astype("<u2").tobytes() if bits == 16 else raw_tiff.packed(values, bits)
    raw_tiff.write(path, data, width, height, bits=bits, photometric=photometric, tags=tags)
    words = f"{bits} bits, photometric {photometric}, {width} x {height}, orientation {orientation}"
    return Mixture(path, turned(means, orientation), 0, {}, words)


def ycbcr_mixture(rng, folder):
    """Write YCbCr of which several pixels share their colour; Pillow converts it."""
    path = folder / "mixture.tif"
    width, height = int(rng.integers(2, 40)), int(rng.integers(2, 40))
    h, v = (int(one_of(rng, 1, 2, 4)) for _ in range(2))
    across, down = -(-width // h), -(-height // v)
    y = rng.integers(60, 200, (down * v, across * h), np.uint8)
    chroma = rng.integers(110, 146, (down, across, 2), np.uint8)
    blocks = y.reshape(down, v, across, h).transpose(0, 2, 1, 3).reshape(down, across, h * v)
    data = np.concatenate([blocks, chroma], axis=2).tobytes()
    compression = int(one_of(rng, 1, 8))
    data = zlib.compress(data) if compression == 8 else data
    tags = [(530, 3, (h, v))]
    raw_tiff.write(path, data, width, height, samples=3, photometric=6, compression=compression, tags=tags)
    full = np.dstack([y, chroma.repeat(v, 0).repeat(h, 1)])[:height, :width]
    means = np.asarray(PIL.Image.fromarray(full, "YCbCr").convert("RGB"))
    return Mixture(path, means, 2, {}, f"YCbCr {h} x {v}, {width} x {height}, compression {compression}")


def zarr_mixture(rng, folder):
    """Write an OME-Zarr with axes in any order, of one or several images, and choose a plane of one."""
    path, version = folder / "mixture.zarr", int(one_of(rng, 2, 3))
    n_images = int(one_of(rng, 1, 1, 3))
    wanted = int(rng.integers(n_images))
    root = zarr.open_group(str(path), mode="w", zarr_format=version)
    found = None
    if n_images > 1:
        layout = {"bioformats2raw.layout": 3}
        root.attrs.update({"ome": {"version": "0.5", **layout}} if version == 3 else layout)
    for number in range(n_images):
        group = root.create_group(str(number)) if n_images > 1 else root
        axes = [axis for axis in "tczyx" if axis in "yx" or rng.random() < 0.5]
        if rng.random() < 0.3:
            axes = [str(axis) for axis in rng.permutation(axes)]
        sizes = {
            "t": 3,
            "c": int(rng.integers(1, 6)),
            "z": 4,
            "y": int(rng.integers(2, 50)),
            "x": int(rng.integers(2, 50)),
        }
        dtype = one_of(rng, np.uint8, np.uint16, np.int16, np.float32)
        pixels = draw(rng, dtype, tuple(sizes[axis] for axis in axes))
        chunks = tuple(
            min(sizes[axis], int(one_of(rng, 16, 64) if axis in "yx" else one_of(rng, 1, 4))) for axis in axes
        )
        group.create_array("0", shape=pixels.shape, dtype=pixels.dtype, chunks=chunks)[...] = pixels
        kinds = {"t": "time", "c": "channel"}
        described = [{"name": axis, "type": kinds.get(axis, "space")} for axis in axes]
        multiscales = [{"version": "0.4", "axes": described, "datasets": [{"path": "0"}]}]
        group.attrs.update({"ome": {"multiscales": multiscales}} if version == 3 else {"multiscales": multiscales})
        if number == wanted:
            z, t = int(rng.integers(4)) if "z" in axes else 0, int(rng.integers(3)) if "t" in axes else 0
            taken, left = pixels, list(axes)
            for axis, at in (("z", z), ("t", t)):
                if axis in left:
                    taken = taken.take(at, axis=left.index(axis))
                    left.remove(axis)
            if "c" not in left:
                taken, left = taken[..., None], [*left, "c"]
            means = kept(taken.transpose([left.index(axis) for axis in "yxc"]))
            chosen = {"plane": (z, t)} if {"z", "t"} & set(axes) else {}
            chosen |= {"series": number} if n_images > 1 else {}
            found = Mixture(path, means, 0, chosen, f"zarr {version} {axes} {pixels.shape} {dtype.__name__} {chunks}")
    return found


MAKERS = (
    tiff_mixture, tiff_mixture, tiff_mixture, by_default_mixture, by_default_mixture, stack_mixture, stack_mixture,
    pillow_mixture, pillow_mixture, packed_mixture, ycbcr_mixture, zarr_mixture,
)  # fmt: skip


def mixture(seed, folder):
    """Return the mixture of a seed."""
    rng = np.random.default_rng(seed)
    return one_of(rng, *MAKERS)(rng, folder), rng

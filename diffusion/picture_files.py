"""Picture files: read safely, laid on white, and written as a GIF."""

from __future__ import annotations

import io
from collections.abc import Sequence
from os import PathLike
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from .errors import DoodleError
from .metadata import upright, without

MAX_PIXELS = 40_000_000  # decoded, a picture of this size takes 160 MB
MAX_BYTES = 200_000_000  # of a file that is read once more
MAX_SIDE = 10_000  # a picture is laid on a square: this one takes 300 MB
# A short list keeps out the formats that call other programs (EPS) or that nobody draws in.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
LAST_FRAME_MS = 1500  # a GIF rests on its result before it starts again


class ImageError(DoodleError):
    """A picture that cannot be used; the message is one sentence for the person who chose it."""


def load(path_or_file: str | PathLike | BinaryIO) -> Image.Image:
    """Decode a picture from a path or an open binary file.

    Only the first frame of an animation is read. The size is checked before a single pixel is decoded: a
    17 kB PNG can claim 144 megapixels.

    Returns:
        An upright 8-bit image, mode RGB, or RGBA where it has transparency.

    Raises:
        ImageError: no such file, not a picture, damaged, or larger than MAX_PIXELS. Only its pixels count:
            metadata may be damaged.
    """
    name = f"{path_or_file}" if isinstance(path_or_file, str | PathLike) else "The file"
    try:
        if isinstance(path_or_file, str | PathLike):
            with open(path_or_file, "rb") as file:
                return _first_readable(file, name)
        return _first_readable(path_or_file, name)
    except ImageError:
        raise
    except Image.DecompressionBombError:
        raise ImageError(f"{name} is too large: at most {MAX_PIXELS // 10**6} megapixels.") from None
    except UnidentifiedImageError:
        raise ImageError(f"{name} is not a picture (PNG, JPEG, WebP, GIF, BMP or TIFF).") from None
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise ImageError(f"Cannot read {name}: {error.strerror}.") from None
    except Exception as error:  # decoders raise almost anything on a damaged file
        raise ImageError(f"{name} is damaged or cut short.") from error


def _first_readable(file: BinaryIO, name: str) -> Image.Image:
    """The picture; where it cannot be read, then once more without its metadata, which may be to blame."""
    start = file.tell()
    try:
        return _decoded(file, name)
    except (ImageError, Image.DecompressionBombError):
        raise
    except Exception:
        file.seek(start)
        data = file.read(MAX_BYTES)
        plain = without(data)
        if plain == data:
            raise
    return _decoded(io.BytesIO(plain), name)


def _decoded(file: BinaryIO, name: str) -> Image.Image:
    Image.init()  # fills Image.OPEN: AVIF is missing from some builds of Pillow
    with Image.open(file, formats=[f for f in FORMATS if f in Image.OPEN]) as image:
        _check_size(image.size, name)
        image.load()
        return to_8_bit(upright(image))


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width * height > MAX_PIXELS or max(size) > MAX_SIDE:
        raise ImageError(
            f"{name} is too large: {width} x {height} pixels, at most {MAX_PIXELS // 10**6} megapixels"
            f" and {MAX_SIDE} pixels a side."
        )


def to_8_bit(image: Image.Image) -> Image.Image:
    """Any mode of PIL -> RGB, or RGBA where the image has transparency."""
    if image.mode[0] in "IF":  # 16 or 32 bits, or floats; PIL would clip them to 255
        values = np.nan_to_num(np.asarray(image, dtype=np.float64))
        peak = 65535.0 if image.mode[0] == "I" else 1.0
        scaled = values.clip(min=0) / max(peak, values.max()) * 255
        return Image.fromarray(scaled.round().astype(np.uint8)).convert("RGB")
    has_alpha = image.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in image.info
    if image.mode in ("La", "PA"):  # PIL has no direct way to RGBA from some of these
        image = image.convert("LA" if image.mode == "La" else "RGBA")
    return image.convert("RGBA" if has_alpha else "RGB")


def flatten(image: Image.Image) -> Image.Image:
    """An image of any mode, alpha laid over white -> RGB.

    Do this before any resize: the colour under transparent pixels is arbitrary and would bleed into edges.
    """
    image = to_8_bit(image)
    if image.mode == "RGB":
        return image
    paper = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(paper, image).convert("RGB")


def save_gif(
    frames: Sequence[Image.Image],
    path_or_file: str | PathLike | BinaryIO,
    ms: int = 80,
    first_ms: int | None = None,
) -> None:
    """Write an endless GIF, `ms` per frame (`first_ms` the first); the last stays for LAST_FRAME_MS.

    Raises:
        DoodleError: no frames.
    """
    if not frames:
        raise DoodleError("A GIF needs at least one frame.")
    # A palette of its own for each frame, undithered: dither would look like the noise we want to show. Those
    # that people look at longest get the better palette, which takes a hundred times as long for noise.
    methods = [Image.Quantize.FASTOCTREE] * len(frames)
    methods[0] = methods[-1] = Image.Quantize.MEDIANCUT
    small = [flatten(f).quantize(256, way, dither=Image.Dither.NONE) for f, way in zip(frames, methods)]
    for frame in small:
        palette = frame.getpalette() or []
        frame.putpalette([255 if value > 250 else value for value in palette])  # paper stays white
    durations = [ms] * (len(frames) - 1) + [LAST_FRAME_MS]
    if first_ms and len(frames) > 1:
        durations[0] = first_ms
    small[0].save(
        path_or_file, format="GIF", save_all=True, append_images=small[1:], duration=durations, loop=0
    )

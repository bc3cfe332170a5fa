"""A picture with few pixels made larger (super-resolution): at strength 0 by the upscaler, and nothing else.

A low strength lets the denoiser mend the picture first, which is SDEdit as it is (sdedit.py). What differs
from a drawing is how the picture is prepared: it is not framed, nor coloured in, and needs no words.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from PIL import Image

from .checkpoint import Checkpoint
from .images import Box, ImageError, Prepared, flatten, prepare, square_around
from .upscaler import UpscalerError

LEAST_SIDE = 16  # in fewer pixels there is nothing to be seen


def continued(flat: Image.Image) -> tuple[Image.Image, Box]:
    """A picture's edges continued to a square, RGB, and where that square stands in it."""
    width, height = flat.size
    left, top, right, bottom = box = square_around((0, 0, width, height))
    rest = (-top, bottom - height), (-left, right - width), (0, 0)
    return Image.fromarray(np.pad(np.asarray(flat), rest, mode="edge")), box


def prepare_photo(photo: Image.Image, size: int) -> Prepared:
    """All of a photo for the model, which is not to take the paper beside it for a part of the picture.

    Args:
        photo: any mode and size.
        size: R.
    """
    square, box = continued(flatten(photo))
    prepared = prepare(square, size, frame=False)
    return replace(prepared, box=box, original_size=photo.size)


def prepare_whole(image: Image.Image, checkpoint: Checkpoint) -> Prepared:
    """Bring all of a picture, and nothing besides, into a form that the checkpoint's codec encodes.

    Its edges are continued over the rest of the square: paper there would shine into the picture. Nothing is
    distorted, and `paste_back` cuts the rest off again.

    Args:
        image: any mode, any size from LEAST_SIDE pixels.
        checkpoint: one with an upscaler.

    Returns:
        The picture with its own pixels, x0 (1, 3, n, n), or averaged down where it has more than R.

    Raises:
        UpscalerError: it has none.
        ImageError: the longer side of the picture is shorter than LEAST_SIDE.
    """
    if not checkpoint.enlarges:
        raise UpscalerError("Enlarging a picture takes an upscaler, and this model has none beside it.")
    size, flat = checkpoint.image_size, flatten(image)
    width, height = flat.size
    if max(width, height) < LEAST_SIDE:
        least = f"{LEAST_SIDE} pixels at least on the longer side"
        raise ImageError(f"A picture of {width} x {height} pixels is too small to be enlarged: {least}.")
    square, box = continued(flat)
    if square.width > size:
        square = square.resize((size, size), Image.Resampling.BOX)
    seen = np.asarray(square, dtype=np.float32)
    x0 = np.ascontiguousarray(seen.transpose(2, 0, 1)[None] / np.float32(127.5) - 1)
    return Prepared(x0=torch.from_numpy(x0), box=box, original_size=flat.size, blank=False)

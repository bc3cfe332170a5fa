"""Pictures in, pictures out: PIL images and NumPy arrays <-> tensors in [-1, 1].

A drawing can be any size, stand anywhere on its canvas, and come as any kind of file. The model knows one
thing only: a square R x R picture on white in which one object fills the frame. This file is the way there
and back, and where the names of its neighbours picture_files.py and grid.py are imported from:

    load       decode a file safely                          -> PIL, RGB or RGBA
    prepare    find the drawing, frame it, shrink it         -> Prepared.x0, (1, 3, R, R) in [-1, 1]
    to_pil     what the model made                           -> PIL, RGB
    paste_back put that where the drawing stood              -> PIL, RGB, the size of the original

The arithmetic is NumPy's, so that any thread may make and read pictures: see MODEL_THREAD in page/worker.py.

A view of a picture is a square of whole pixels, which may reach beyond the picture's edge. Cutting it out
works on *ink*, 255 - value: Pillow fills what lies outside with zeros, and no ink is white paper.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from PIL import Image, ImageChops
from torch import Tensor

from .errors import DoodleError
from .grid import contact_sheet
from .picture_files import LAST_FRAME_MS, ImageError, flatten, load, save_gif, to_8_bit

__all__ = [
    "FILL",
    "LAST_FRAME_MS",
    "PAPER",
    "Box",
    "ImageError",
    "Prepared",
    "contact_sheet",
    "flatten",
    "is_ink",
    "load",
    "paste_back",
    "prepare",
    "prepare_mask",
    "save_gif",
    "side_by_side",
    "square_around",
    "to_grey_levels",
    "to_pil",
]

PAPER = 235  # a pixel whose darkest channel is at least this bright is paper, anything else is ink
SPECK = 1e-5  # dots of ink smaller than this share of the picture are dust
WHITE = 128  # a mask's values from here on are nearer to white than to black
FILL = 0.85  # share of the frame's side that a framed drawing takes
Box = tuple[int, int, int, int]  # left, top, right, bottom


@dataclass(frozen=True)
class Prepared:
    """A picture as the model sees it, and where that view stands in the original.

    Attributes:
        x0: float32 (1, 3, R, R) in [-1, 1], white = 1.
        box: the square of the original that x0 shows, in its pixels; may reach outside it.
        original_size: (width, height) of the original.
        blank: nothing is drawn on it.
    """

    x0: Tensor
    box: Box
    original_size: tuple[int, int]
    blank: bool

    def resized(self, width: int) -> Prepared:
        """The same view of the original where that is `width` pixels wide."""
        k = width / self.original_size[0]
        left, top, right, bottom = (round(edge * k) for edge in self.box)
        size = width, max(1, round(self.original_size[1] * k))
        return replace(self, box=(left, top, right, bottom), original_size=size)


def is_ink(image: Image.Image) -> np.ndarray:
    """Where anything is drawn: bool (H, W)."""
    red, green, blue = flatten(image).split()
    return np.asarray(ImageChops.darker(ImageChops.darker(red, green), blue)) < PAPER


# ---------------------------------------------------------------------- to the model


def _view(ink: Image.Image, box: Box, size: int) -> Image.Image:
    """A square of a picture of ink (any mode, 0 = paper) -> size x size."""
    return ink.crop(box).resize((size, size), Image.Resampling.BILINEAR)


def prepare(image: Image.Image, size: int, frame: bool = True) -> Prepared:
    """Bring a picture into the form the model was trained on.

    With `frame`, a drawing on white or transparent paper is cropped to what is drawn and centred, so that it
    fills FILL of the square's longer side. A picture without such paper around it, or any picture with
    frame=False, is shown whole, letterboxed on white. Nothing is ever distorted.

    Args:
        image: any size, any mode.
        size: R, the model's image size in pixels.
    """
    flat = flatten(image)
    ink = is_ink(flat)
    drawn = _bounding_box(ink)
    width, height = flat.size
    if frame and drawn is not None and _on_paper(ink):
        box = square_around(drawn, fill=FILL)
    else:
        box = square_around((0, 0, width, height))
    seen = np.asarray(_view(ImageChops.invert(flat), box, size), dtype=np.float32)
    x0 = np.ascontiguousarray(1 - seen.transpose(2, 0, 1)[None] / np.float32(127.5))
    return Prepared(x0=torch.from_numpy(x0), box=box, original_size=flat.size, blank=drawn is None)


def prepare_mask(mask: Image.Image, prepared: Prepared, size: int) -> Tensor:
    """The mask as the model sees it: cut out and shrunk like the picture it belongs to.

    Args:
        mask: what is nearer to white may change, what is nearer to black is kept; in a mask of nothing but
            0 and 1, 1 is white. Where parts of it are transparent, opaque may change: so a layer painted in
            any colour works as a mask.
        prepared: the picture.
        size: R.

    Returns:
        float32 (1, 1, R, R) in {0, 1}; 1 = may change. A pixel of the model is free as soon as a quarter of
        it is, because `paste_back` keeps the rest of it at full resolution anyway.

    Raises:
        ImageError: the mask is not of the picture's shape.
    """
    free = _mask_array(mask, prepared.original_size)
    share = np.asarray(_view(Image.fromarray(free.astype(np.uint8) * 255), prepared.box, size))
    return torch.from_numpy((share >= 64).astype(np.float32))[None, None]


def _mask_array(mask: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """Mask image -> bool (H, W) at `size` (width, height), True = may change."""
    (w, h), (width, height) = mask.size, size
    if abs(w * height - h * width) > 0.02 * w * height:
        raise ImageError(f"The mask is {w} x {h} pixels, the picture {width} x {height}: they must match.")
    mask = to_8_bit(mask)
    alpha = mask.getchannel("A") if mask.mode == "RGBA" else None
    layer = alpha is not None and np.asarray(alpha).min() < WHITE  # some of it is nearer to transparent
    channel = alpha if alpha is not None and layer else mask.convert("L")
    values = np.asarray(channel.resize(size, Image.Resampling.NEAREST))
    return values >= (1 if values.max() == 1 else WHITE)


def _bounding_box(ink: np.ndarray) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of everything drawn, dust aside; None for a blank canvas."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    parts = stats[1:]  # row 0 is the paper
    parts = parts[parts[:, cv2.CC_STAT_AREA] > SPECK * ink.size]
    if not len(parts):
        return None
    left, top, width, height = parts[:, :4].T
    return int(left.min()), int(top.min()), int((left + width).max()), int((top + height).max())


def _on_paper(ink: np.ndarray) -> bool:
    """Is most of the picture's edge white? A drawing may run over the edge in places."""
    edge = np.concatenate([ink[0], ink[-1], ink[:, 0], ink[:, -1]])
    return bool(edge.mean() < 0.4)


def square_around(box: Box, fill: float = 1.0) -> Box:
    """The square around the same centre in which `box` takes `fill` of the side, in whole pixels."""
    left, top, right, bottom = box
    side = round(max(right - left, bottom - top) / fill)
    x, y = (left + right - side) // 2, (top + bottom - side) // 2
    return x, y, x + side, y + side


# ---------------------------------------------------------------------- from the model


def to_grey_levels(x: Tensor) -> np.ndarray:
    """Values in [-1, 1] of any shape -> uint8; values outside are cut off.

    Raises:
        DoodleError: some are no numbers (NaN or infinite): a network that is broken must not look black.
    """
    values = x.detach().cpu().numpy().astype(np.float32)
    if not np.isfinite(values).all():
        raise DoodleError("The picture came out as no numbers: this model is broken.")
    return np.rint((values.clip(-1, 1) + 1) * np.float32(127.5)).astype(np.uint8)


def to_pil(x: Tensor, size: int | None = None) -> Image.Image:
    """One picture (3, R, R) or (1, 3, R, R) in [-1, 1] -> RGB; values outside are cut off.

    Args:
        size: side of the result in pixels (Lanczos); None leaves R.

    Raises:
        DoodleError: any other shape, or values that are no numbers.
    """
    if x.ndim == 4 and len(x) == 1:
        x = x[0]
    if x.ndim != 3 or x.shape[0] != 3:
        raise DoodleError(f"Expected one picture (3, R, R), not {tuple(x.shape)}.")
    image = Image.fromarray(to_grey_levels(x.permute(1, 2, 0)))
    return image if size is None else image.resize((size, size), Image.Resampling.LANCZOS)


def side_by_side(x: Tensor) -> Image.Image:
    """Pictures (B, 3, R, R) in [-1, 1] -> one RGB picture, R high and B R wide."""
    side = x.shape[-1]
    row = Image.new("RGB", (side * len(x), side))
    for i, picture in enumerate(x):
        row.paste(to_pil(picture), (i * side, 0))
    return row


LINE = 0.75  # of a line's darkness stays over a picture: black would cut it up


def with_lines(result: Image.Image, drawing: Image.Image) -> Image.Image:
    """The lines of a drawing, dark on white, over a picture of the same size: RGB."""
    lines = flatten(drawing).point(lambda value: round(255 - LINE * (255 - value)))
    return ImageChops.multiply(flatten(result), lines)


def paste_back(
    result: Image.Image, prepared: Prepared, original: Image.Image, mask: Image.Image | None = None
) -> Image.Image:
    """Put the model's picture where the drawing stood.

    Args:
        result: what became of prepared.x0, square, any size.
        original: the picture that was prepared.
        mask: as for `prepare_mask`; pixels it does not free are the original's own, bit for bit, and so are
            pixels that the model never saw.

    Returns:
        RGB, prepared.original_size, white around the result.
    """
    left, top, right, bottom = prepared.box
    painted = flatten(result).resize((right - left, bottom - top), Image.Resampling.BICUBIC)
    page = Image.new("RGB", prepared.original_size, "white")
    if mask is None:
        page.paste(painted, (left, top))
    else:
        page.paste(flatten(original))
        free = Image.fromarray(_mask_array(mask, prepared.original_size)).crop(prepared.box)
        page.paste(painted, (left, top), free)
    return page

"""What kind of a drawing it is, and what strength becomes it: one rule for outlines, colours and photos.

The strengths are those of checkpoints/README.md: outlines have no colours that a low strength could keep, and
a network that is told the drawing keeps their layout at any; a photo at 0.6 is mush.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from . import images
from .lineart import GREY, enclosed_areas
from .sampler import USUAL

OUTLINE, COLOURED, PHOTO = "outline", "coloured", "photo"
STRENGTHS = {OUTLINE: 1.0, COLOURED: USUAL.strength, PHOTO: 0.25}
FULL = 0.6  # a photo's edge is at least so much no paper
SHADES = 100  # a photo has more colours than that, in 16 steps of each channel; with a brush one uses few


def photo_box(picture: Image.Image) -> images.Box | None:
    """Where a photo lies on the canvas, around the middle and without the bars beside it; None: it is none.

    Args:
        picture: a canvas with what was drawn, or laid, on it.
    """
    ink = images.is_ink(picture)
    if not ink.any():
        return None
    spans = []
    for axis in (1, 0):
        there, size = np.flatnonzero(ink.any(axis=axis)), ink.shape[1 - axis]
        bar = min(int(there[0]), size - 1 - int(there[-1]))
        spans.append((bar, size - bar))
    (top, bottom), (left, right) = spans
    part = ink[top:bottom, left:right]
    edge = np.concatenate([part[0], part[-1], part[:, 0], part[:, -1]])
    seen = np.asarray(images.flatten(picture))[top:bottom, left:right] >> 4
    shades = np.unique(seen.reshape(-1, 3).astype(np.uint16) @ np.array([256, 16, 1], np.uint16))
    return (left, top, right, bottom) if edge.mean() >= FULL and len(shades) > SHADES else None


def kind_of(picture: Image.Image) -> str:
    """OUTLINE, COLOURED or PHOTO: what is on a canvas that is not blank.

    Outlines enclose more than they ink, or have no colour at all.
    """
    if photo_box(picture):
        return PHOTO
    ink = images.is_ink(picture)
    colours = np.asarray(images.flatten(picture))[ink]
    if not len(colours) or np.mean(np.ptp(colours, axis=1) < GREY) > 0.95:
        return OUTLINE
    enclosed = sum(int(mask.sum()) for _, _, mask in enclosed_areas(ink))
    return OUTLINE if enclosed > ink.sum() else COLOURED


def kind_for(picture: Image.Image, takes_lines: bool) -> str:
    """What it is to a network: one that does not take lines for what they are gets outlines coloured in."""
    kind = kind_of(picture)
    return COLOURED if kind == OUTLINE and not takes_lines else kind

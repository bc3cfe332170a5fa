"""Outlines: people draw black lines on white, and a model that has seen objects full of colour does not.

Partial noising keeps large areas as they are, so an empty outline becomes a pale, empty object. Filling the
areas that lines enclose, with colours such things usually have, gives it what it expects.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from PIL import Image, ImageColor
from torch import Tensor

from .images import PAPER, flatten, is_ink

GAP = 0.05  # lines that end closer to each other than this share of the drawing's side are taken to meet
SMALLEST = 0.004  # areas below this share of the drawing's box (eyes, dots) stay white
MOST_PIXELS = 1024**2  # of a drawing that areas are looked for in; for a larger one they are found in fewer
GREY = 60  # ink whose strongest and weakest channel differ by less than this has no colour of its own


def _fewer(ink: np.ndarray) -> tuple[np.ndarray, int]:
    """The same drawing in at most MOST_PIXELS, every line still closed, and how many times smaller it is.

    A brush as wide as a share of the drawing's side makes dilating cost the fourth power of that side.
    """
    k = math.ceil(math.sqrt(ink.size / MOST_PIXELS))
    if k == 1:
        return ink, k
    height, width = (-(-side // k) * k for side in ink.shape)
    padded = np.pad(ink, ((0, height - ink.shape[0]), (0, width - ink.shape[1])))
    return np.asarray(padded.reshape(height // k, k, width // k, k).any(axis=(1, 3))), k


def enclosed_areas(ink: np.ndarray) -> list[tuple[slice, slice, np.ndarray]]:
    """The white areas that lines close off from the page's edge, largest first.

    Args:
        ink: bool (H, W), True where something is drawn.

    Returns:
        (rows, columns, mask) each: a rectangle of the page, and bool (h, w), which places in it are the area.
        Small rectangles, because a large picture may hold hundreds of areas.
    """
    small, k = _fewer(ink)
    if k == 1:
        return _areas(ink)
    found = []
    for rows, columns, mask in _areas(small):
        rows, columns = (slice(k * part.start, k * part.stop) for part in (rows, columns))
        here = ~ink[rows, columns]
        large = mask.repeat(k, 0).repeat(k, 1)[: here.shape[0], : here.shape[1]]
        beside = cv2.dilate(large.astype(np.uint8), np.ones((2 * k + 1, 2 * k + 1), np.uint8)) > 0
        found.append((rows, columns, beside & here))  # up to the lines, which are thicker in few pixels
    return found


def _areas(ink: np.ndarray) -> list[tuple[slice, slice, np.ndarray]]:
    """`enclosed_areas` of a drawing that is not too large."""
    if not ink.any():
        return []
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    reach = max(3, round(GAP * max(height, width)) | 1)  # odd, so that the brush has a middle
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    walls = cv2.dilate(np.pad(ink, 1).astype(np.uint8), brush)  # a rim of page runs around everything
    count, areas, stats, _ = cv2.connectedComponentsWithStats(1 - walls, connectivity=4)
    page = areas[0, 0]
    areas = areas[1:-1, 1:-1]  # without the rim again
    sizes = stats[:, cv2.CC_STAT_AREA]
    wanted = [i for i in range(1, count) if i != page and sizes[i] > SMALLEST * height * width]
    found = []
    for i in sorted(wanted, key=lambda i: -sizes[i]):
        left, top, w, h = stats[i, :4]
        left, top = left - 1, top - 1  # the rim
        place = (
            slice(max(0, top - reach), top + h + reach),
            slice(max(0, left - reach), left + w + reach),
        )
        grown = cv2.dilate((areas[place] == i).astype(np.uint8), brush) > 0  # back to the lines
        found.append((*place, grown & ~ink[place]))
    return found


def colour_in(image: Image.Image, colours: Sequence[str] = ()) -> Image.Image:
    """Fill the areas that an outline drawing encloses; any other picture comes back as it is.

    Lines with a colour of their own fill their areas with it; black or grey ones with the typical colour.

    Args:
        image: any mode and size.
        colours: "#rrggbb", most typical first; without any, a middle grey is used.

    Returns:
        An RGB picture of the same size, or `image` itself where there was nothing to do.
    """
    ink = is_ink(image)
    areas = enclosed_areas(ink)
    empty = sum(int(mask.sum()) for _, _, mask in areas)
    if empty <= ink.sum():  # most of what is drawn is not empty: these are no outlines
        return image
    pixels = np.array(flatten(image))
    fill = np.median(pixels[ink], axis=0)
    if np.ptp(fill) < GREY:
        fill = ImageColor.getrgb(colours[0] if colours else "#969696")
    for rows, columns, mask in areas:
        pixels[rows, columns][mask] = fill
    return Image.fromarray(pixels)


def typical_colours(pixels: Tensor, count: int = 3) -> list[str]:
    """The colours of some pictures as "#rrggbb", by how frequent and how vivid they are: k-means.

    White paper and nearly black lines are left out. Returns `count` colours, or none if nothing is drawn.

    Args:
        pixels: uint8 (N, 3, S, S) on white.
    """
    rgb = pixels[..., ::2, ::2].permute(0, 2, 3, 1).reshape(-1, 3)  # a quarter of the pixels says enough
    drawn = rgb[(rgb.min(dim=1).values < PAPER) & (rgb.max(dim=1).values > 70)]
    if len(drawn) < count:
        return []
    some = drawn[torch.linspace(0, len(drawn) - 1, 4000).long()].float().numpy()  # evenly, no chance in it
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 1.0)
    how = (count, None, stop, 3, cv2.KMEANS_PP_CENTERS)
    _, members, centres = cv2.kmeans(some, *how)  # type: ignore[call-overload]  # its types want labels
    score = np.bincount(members.ravel(), minlength=count) * np.ptp(centres, axis=1)
    return ["#" + "".join(f"{round(float(v)):02x}" for v in centres[i]) for i in np.argsort(-score)]

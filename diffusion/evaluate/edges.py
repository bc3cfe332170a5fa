"""How sharp a picture is: the width of its strong edges, in pixels.

Across an edge the picture rises from one brightness to another. The distance in which it goes from 10 % to
90 % of that rise is the edge's width, as the rise distance of ISO 12233 measures a camera's sharpness. A step
between two pixels is 0.8 wide (a profile read between them rises over one), one blurred by a Gaussian of
standard deviation s is 2.56 s wide.

Widths of different versions of one picture are compared at the same places, those of `strong_edges` in one of
them, for a soft version has fewer strong edges and would be measured where it is sharpest.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .. import images

REACH, SPACING = (
    10.0,
    0.25,
)  # how far to both sides of an edge the picture is read, and how closely, in pixels
LEAST_RISE = 0.25  # of an edge that counts, where black to white is 1
MOST_EDGES = 400  # of one picture


@dataclass(frozen=True)
class Edges:
    """Places on a picture's edges: x, y in pixels, and the direction of the rise (length 1); both (N, 2)."""

    places: np.ndarray
    directions: np.ndarray

    def __len__(self) -> int:
        return len(self.places)


def _grey(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("L"), dtype=np.float32) / 255


def strong_edges(picture: Image.Image, seed: int = 0) -> Edges:
    """Where Canny's detector finds an edge, up to MOST_EDGES of them by chance, away from the border."""
    grey = cv2.GaussianBlur(_grey(picture), (0, 0), 1.0)
    dx, dy = (cv2.Sobel(grey, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    ridge = cv2.Canny((grey * 255).astype(np.uint8), 40, 100, L2gradient=True) > 0
    margin = int(REACH) + 1
    inner = np.zeros_like(ridge)
    inner[margin:-margin, margin:-margin] = True
    y, x = np.nonzero(ridge & inner & (np.hypot(dx, dy) > 0))
    if len(x) > MOST_EDGES:
        chosen = np.random.default_rng(seed).choice(len(x), MOST_EDGES, replace=False)
        y, x = y[chosen], x[chosen]
    rise = np.stack([dx[y, x], dy[y, x]], axis=1)
    length = np.linalg.norm(rise, axis=1, keepdims=True)
    return Edges(np.stack([x, y], axis=1).astype(np.float32), rise / np.maximum(length, 1e-12))


def edge_widths(picture: Image.Image, edges: Edges) -> np.ndarray:
    """The width of a picture's edges at these places, float64 (M,), those that rise by LEAST_RISE alone.

    From the place the profile is followed to both sides for as long as it goes on rising.
    """
    if not len(edges):
        return np.zeros(0)
    offsets = np.arange(-REACH, REACH + SPACING / 2, SPACING, dtype=np.float32)
    points = edges.places[:, None] + offsets[None, :, None] * edges.directions[:, None]
    read = cv2.remap(
        _grey(picture), points[..., 0].astype(np.float32), points[..., 1].astype(np.float32), cv2.INTER_LINEAR
    )
    widths = [_width(profile) for profile in read]
    return np.array([width for width in widths if width is not None])


def _width(profile: np.ndarray, flat: float = 0.0005) -> float | None:
    """10-90 % of the rise around the middle of a profile; None where it is less than LEAST_RISE.

    Args:
        flat: a rise of less than this from one reading to the next is none.
    """
    middle, rises = len(profile) // 2, np.diff(profile) > flat
    # The steepest place near the middle: the versions of an edge may lie a pixel or two apart.
    near = slice(middle - int(2 / SPACING), middle + int(2 / SPACING))
    start = near.start + int(np.argmax(np.diff(profile)[near]))
    first, last = start, start
    while first > 0 and rises[first - 1]:
        first -= 1
    while last < len(rises) - 1 and rises[last + 1]:
        last += 1
    part = profile[first : last + 2]
    low, high = float(part[0]), float(part[-1])
    if high - low < LEAST_RISE:
        return None
    marks = np.interp([low + share * (high - low) for share in (0.1, 0.9)], part, np.arange(len(part)))
    return float(marks[1] - marks[0]) * SPACING


def mean_edge_width(x: Tensor, at: Tensor) -> float:
    """The mean over pictures (N, 3, S, S) in [-1, 1] of the median width of their edges, in pixels.

    Args:
        at: like x, the versions of the pictures in which the edges are looked for.
    """
    medians = []
    for picture, reference in zip(x, at):
        widths = edge_widths(images.to_pil(picture), strong_edges(images.to_pil(reference)))
        if len(widths):
            medians.append(float(np.median(widths)))
    return float(torch.tensor(medians).mean()) if medians else float("nan")

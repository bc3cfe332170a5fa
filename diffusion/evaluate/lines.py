"""What became of a drawing's lines: kept, invented, and specks. Plain functions of pictures.

All lengths are in 64ths of the picture's side, so that they mean the same at every size.

    lines kept       share of the drawn lines that lie within 2/64 of an edge of the result
    marks kept       share of the drawn eyes, noses, buttons that are dark spots of the result, too
    invented edges   share of the result's strong edges that lie farther than 4/64 from anything drawn
    speck            a small dark spot on the paper, farther than 5/64 from the drawing and what it encloses

An edge is where the height of a step in RGB, root mean square over the channels, is at least EDGE, black to
white being 1: Sobel's operator (1 2 1) x (-1 0 1) / 4, which is the height itself on both sides of a straight
step. A noisy result has edges everywhere and keeps all lines, so read the two shares together. Not every
invented edge is bad: an eye that a person left out is one.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..images import PAPER, to_grey_levels
from ..train.tracing import marks_of

EDGE, STRONG = 0.12, 0.3  # heights of steps: what counts as an edge at all, and as one that people see
KEPT_WITHIN, INVENTED_BEYOND, SPECK_BEYOND = 2.0, 4.0, 5.0  # in 64ths of the side
DARK = 200  # a pixel of a speck has a channel darker than this, of 255
MARK_DARKER = 30  # a mark is kept where the result is darker by so many grey levels than around it
LARGEST_SPECK = 0.01  # share of the picture: what is larger is a thing, wanted or not


def step_heights(x: Tensor) -> Tensor:
    """How high a step each pixel stands at: (N, 3, R, R) in [-1, 1] -> (N, R, R), 0 .. about 1.4."""
    smooth, ahead = torch.tensor([1.0, 2.0, 1.0]) / 4, torch.tensor([-1.0, 0.0, 1.0]) / 2
    across = torch.outer(smooth, ahead)
    kernels = torch.stack([across, across.T])[:, None].repeat(3, 1, 1, 1).to(x)
    gradient = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), kernels, groups=3)
    return (gradient.square().sum(dim=1) / 3).sqrt()


def ink(x: Tensor) -> Tensor:
    """Where anything is drawn: (N, 3, R, R) in [-1, 1] -> bool (N, R, R)."""
    return x.amin(dim=1) < PAPER / 127.5 - 1


def lines(drawing: Tensor) -> Tensor:
    """The drawn lines: ink within KEPT_WITHIN of an edge of the drawing itself, bool (N, R, R).

    That is all ink of an outline drawing, and the border of an area that is filled.
    """
    near = _near(step_heights(drawing) >= EDGE, KEPT_WITHIN)
    return ink(drawing) & near


def lines_kept(drawing: Tensor, result: Tensor) -> Tensor:
    """Share of each drawing's lines that is found again, float64 (N,); nan where nothing is drawn.

    Args:
        drawing, result: (N, 3, R, R) in [-1, 1].
    """
    return _share(_near(step_heights(result) >= EDGE, KEPT_WITHIN), lines(drawing))


def marks_kept(drawing: Tensor, result: Tensor) -> Tensor:
    """Share of each drawing's marks (see `tracing.marks_of`) that are dark spots of the result, float64 (N,).

    A spot may stand 1/64 beside the mark, and is compared with a ring 2/64 to 4/64 from it. nan where there
    is no mark.

    Args:
        drawing, result: (N, 3, R, R) in [-1, 1].
    """
    shares, step = [], max(1, round(drawing.shape[-1] / 64))
    moves = [(down, across) for down in (-step, 0, step) for across in (-step, 0, step)]
    near, far = (np.ones((2 * reach * step + 1,) * 2, np.uint8) for reach in (2, 4))
    seen = (to_grey_levels(x.permute(0, 2, 3, 1)) for x in (drawing, result))
    for drawn, made in zip(*seen):
        marks, where = marks_of(drawn)
        grey, kept = cv2.cvtColor(made, cv2.COLOR_RGB2GRAY).astype(np.float32), []
        for place in range(1, len(marks) + 1):
            spot = (where == place).astype(np.uint8)
            ring = (cv2.dilate(spot, far) > cv2.dilate(spot, near)) & (where == 0)
            darkest = min(float(grey[np.roll(spot, move, (0, 1)) > 0].mean()) for move in moves)
            kept.append(ring.any() and float(grey[ring].mean()) - darkest >= MARK_DARKER)
        shares.append(float(np.mean(kept)) if kept else float("nan"))
    return torch.tensor(shares, dtype=torch.float64)


def invented_edges(drawing: Tensor, result: Tensor) -> Tensor:
    """Share of each result's strong edges far from anything drawn, float64 (N,); 0 where it has none."""
    strong = step_heights(result) >= STRONG
    return _share(~_near(ink(drawing), INVENTED_BEYOND), strong).nan_to_num(0.0)


def has_speck(drawing: Tensor, result: Tensor) -> Tensor:
    """Is there a speck in the result? bool (N,)."""
    dark = (result.amin(dim=1) < DARK / 127.5 - 1).numpy().astype(np.uint8)
    near = _near(torch.from_numpy(np.stack([_filled(drawn) for drawn in ink(drawing).numpy()])), SPECK_BEYOND)
    found = []
    for spots, close in zip(dark, near.numpy()):
        _, parts, stats, _ = cv2.connectedComponentsWithStats(spots, connectivity=8)
        small = stats[:, cv2.CC_STAT_AREA] <= LARGEST_SPECK * spots.size
        small[[0, *np.unique(parts[close])]] = False  # the paper, and all that touches the drawing
        found.append(bool(small.any()))
    return torch.tensor(found)


def _filled(drawn: np.ndarray) -> np.ndarray:
    """What is drawn, bool (R, R), and all that it encloses; lines with gaps enclose, too."""
    width = max(3, round(drawn.shape[0] / 13) | 1)
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    closed = cv2.morphologyEx(np.pad(drawn.astype(np.uint8), width), cv2.MORPH_CLOSE, brush)
    closed = np.ascontiguousarray(closed[width:-width, width:-width])
    contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros(drawn.shape, np.uint8), contours, -1, 1, -1) > 0


def _near(places: Tensor, reach: float) -> Tensor:
    """Which pixels lie within `reach` 64ths of the side of a place, by their middles: bool (N, R, R)."""
    side = places.shape[-1]
    near = []
    for place in places.numpy():
        if not place.any():
            near.append(np.zeros_like(place))
            continue
        distance = cv2.distanceTransform((~place).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        near.append(distance <= max(1.0, reach * side / 64) + 1e-3)
    return torch.from_numpy(np.stack(near))


def _share(those: Tensor, among: Tensor) -> Tensor:
    """What share of `among` is in `those`, picture by picture: float64 (N,); nan of nothing."""
    return (those & among).sum(dim=(1, 2)).double() / among.sum(dim=(1, 2)).double()

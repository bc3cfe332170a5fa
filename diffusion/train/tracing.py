"""Pictures taken apart into the areas that a person would outline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

NEARLY_WHITE = 245  # a pixel whose darkest channel is at least this bright is paper
SMALLEST = 0.0006  # areas below this share of the picture are not traced
MOST_SHAPES = 28  # the largest are traced: nobody draws more
MARK = 0.012  # dark details up to this share of the picture are marks: eyes, noses, mouths, buttons
MARK_WIDTH = 11 / 128  # of the picture: what is wider is an area
MARK_DEPTH = 45  # grey levels by which a mark is darker than what lies around it
MOST_MARKS = 14


@dataclass(frozen=True)
class Shape:
    """One closed line of a picture, and the area within it.

    Attributes:
        points: float32 (n, 2), x and y in [0, 1], evenly spaced along the line.
        colour: float32 (3,), the mean RGB of the area, 0 .. 255.
        area: share of the picture.
        contrast: RGB distance to what surrounds it; people draw edges that they see.
        outer: part of the silhouette.
        mark: a small dark detail, of which people draw the whole and not its edge.
    """

    points: np.ndarray
    colour: np.ndarray
    area: float
    contrast: float
    outer: bool
    mark: bool = False


def evenly_spaced(points: np.ndarray, spacing: float, closed: bool) -> np.ndarray:
    """Points (n, 2) along the same line, about `spacing` apart, at least four."""
    if closed:
        points = np.concatenate([points, points[:1]])
    steps = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0], np.cumsum(steps)])
    at = np.linspace(0, along[-1], max(4, round(along[-1] / spacing)) + closed)
    line = np.stack([np.interp(at, along, points[:, 0]), np.interp(at, along, points[:, 1])], axis=1)
    return (line[:-1] if closed else line).astype(np.float32)


def trace(pixels: np.ndarray, colours: int) -> list[Shape]:
    """Take a picture apart into the areas that a person would outline, the largest first.

    Args:
        pixels: uint8 (S, S, 3), RGB on white.
        colours: how many it is reduced to before it is cut up; fewer give fewer areas.
    """
    side = pixels.shape[0]
    smooth = cv2.medianBlur(pixels, 5)
    drawn = (smooth.min(axis=2) < NEARLY_WHITE).astype(np.uint8)
    if not drawn.any():
        return []
    samples = smooth[drawn > 0].astype(np.float32)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 8, 2.0)
    count = min(colours, len(samples))
    some = samples[:: max(1, len(samples) // 600)]
    cv2.setRNGSeed(0)  # the same picture is cut up the same way, whatever was before it
    how = (min(count, len(some)), None, stop, 1, cv2.KMEANS_PP_CENTERS)
    _, _, centres = cv2.kmeans(some, *how)  # type: ignore[call-overload]  # its types want labels
    nearest = ((samples[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
    labels = np.zeros((side, side), np.uint8)
    labels[drawn > 0] = nearest + 1
    marks, marked = marks_of(pixels)
    labels[marked > 0] = 0  # a mark is drawn whole: its edge is not traced besides

    shapes = [
        _shape(contour, side, smooth, drawn, outer=True)
        for contour in cv2.findContours(drawn, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)[0]
        if len(contour) > 8
    ]
    for label in range(1, len(centres) + 1):
        number, parts, stats, _ = cv2.connectedComponentsWithStats((labels == label).astype(np.uint8))
        for i in range(1, number):
            left, top, width, height, size = stats[i]
            if size < SMALLEST * side * side:
                continue
            part = (parts[top : top + height, left : left + width] == i).astype(np.uint8)
            found = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=(left, top))[0]
            shapes.append(_shape(max(found, key=len), side, smooth, drawn, outer=False))
    large = [shape for shape in shapes if shape is not None]
    return sorted(large, key=lambda shape: (-shape.outer, -shape.area))[:MOST_SHAPES] + marks


def marks_of(pixels: np.ndarray) -> tuple[list[Shape], np.ndarray]:
    """The small dark details of a thing, n of them, the largest first, and where they are.

    They are what a closing fills in (the black top-hat). It is made before any smoothing, which would lose
    an eye of two pixels, and with the page around the thing as dark as can be, or else thin legs were marks.

    Args:
        pixels: uint8 (S, S, 3), RGB on white.

    Returns:
        The shapes; and uint8 (S, S): 1 in the first, .. n in the last, 0 elsewhere.
    """
    side = pixels.shape[0]
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    paper = (pixels.min(axis=2) >= NEARLY_WHITE).astype(np.uint8)
    _, areas = cv2.connectedComponents(np.pad(paper, 1, constant_values=1), connectivity=4)
    page = (areas == areas[0, 0])[1:-1, 1:-1]  # without the rim of page that runs around everything
    grey[page] = 0
    width = round(side * MARK_WIDTH) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    deep = (cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, kernel) > MARK_DEPTH) & ~page
    number, parts, stats, _ = cv2.connectedComponentsWithStats(deep.astype(np.uint8))
    shapes, where = [], np.zeros_like(paper)
    small = [i for i in range(1, number) if 4 <= stats[i, cv2.CC_STAT_AREA] <= MARK * side * side]
    small = sorted(small, key=lambda i: -stats[i, cv2.CC_STAT_AREA])[:MOST_MARKS]
    for place, i in enumerate(small, 1):
        left, top, wide, high, size = stats[i]
        part = (parts[top : top + high, left : left + wide] == i).astype(np.uint8)
        finer = cv2.resize(part, None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
        found = cv2.findContours(finer, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
        contour = (max(found, key=len)[:, 0] + 0.5).astype(np.float32) / 4
        points = evenly_spaced((contour + np.array([left, top], np.float32)) / side, 1 / 128, closed=True)
        colour = pixels[parts == i].mean(axis=0).astype(np.float32)
        shapes.append(Shape(points, colour, int(size) / side**2, 255.0, outer=False, mark=True))
        where[parts == i] = place
    return shapes, where


def _shape(
    contour: np.ndarray, side: int, pixels: np.ndarray, drawn: np.ndarray, outer: bool
) -> Shape | None:
    """A contour of OpenCV (n, 1, 2) as a Shape; None for one too small to be a line."""
    if len(contour) < 6:
        return None
    x, y, width, height = cv2.boundingRect(contour)
    x0, y0, x1, y1 = max(0, x - 3), max(0, y - 3), min(side, x + width + 3), min(side, y + height + 3)
    inside = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.drawContours(inside, [contour], -1, 1, -1, offset=(-x0, -y0))
    ring = cv2.dilate(inside, np.ones((5, 5), np.uint8)) - inside
    view = pixels[y0:y1, x0:x1]
    colour = np.array(cv2.mean(view, inside)[:3], np.float32)
    around = np.array(cv2.mean(view, ring)[:3], np.float32)
    points = evenly_spaced((contour[:, 0] + 0.5).astype(np.float32) / side, 1 / 64, closed=True)
    contrast = 255.0 if outer else float(np.linalg.norm(colour - around))
    return Shape(points, colour, float(inside.sum()) / side**2, contrast, outer)

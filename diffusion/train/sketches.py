"""Crude drawings, made from good pictures as people make them: what the network is told in training.

A person draws the outline of a thing, its eyes, and some of its inner edges with one pen, unsteadily, and may
fill parts of it. So a picture is traced once (tracing.py), and every sample draws its shapes anew (`Sketch`):
simplified, bent, shaken, some left out, lines open or doubled, by another pen. What people upload besides,
small and bad pictures, is made by `spoil`.

    KIND             share   what it is
    outline          0.40    lines only: the silhouette, with none, some or all of the inner edges
    one colour       0.08    outlines, one area or the whole silhouette filled
    partly filled    0.08    outlines, about half of the areas filled
    filled           0.14    outlines, all areas filled
    flat             0.10    areas of flat colour without outlines
    brush            0.06    the same with a brush so thick that detail is lost
    unfinished       0.06    an outline that stops somewhere
    spoilt           0.08    a thumbnail, a blurred, noisy or compressed picture

Everything is made from the training pictures alone; drawings by people are kept for testing.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .tracing import Shape, evenly_spaced

SKETCHES = {
    "outline": 0.40,
    "one colour": 0.08,
    "partly filled": 0.08,
    "filled": 0.14,
    "flat": 0.10,
    "brush": 0.06,
    "unfinished": 0.06,
    "spoilt": 0.08,
}
DOT = 0.004  # areas below this share are drawn as dots as often as not
CANVAS = 256  # side that sketches are drawn at, in pixels
SHIFT = 4  # OpenCV takes points in 16ths of a pixel
PALETTE = np.array(  # the colours of the page's paint box
    [
        (34, 37, 43), (226, 59, 59), (245, 138, 31), (255, 208, 46), (139, 195, 74), (46, 139, 69),
        (99, 197, 242), (42, 102, 217), (138, 79, 199), (245, 143, 182), (245, 199, 157), (138, 90, 54),
        (154, 161, 170),
    ],
    np.float32,
)  # fmt: skip


def _pixels(points: np.ndarray) -> np.ndarray:
    """Points in [0, 1] -> OpenCV's whole numbers on the canvas; the first pixel's middle is 0 there."""
    return ((points * CANVAS - 0.5) * 2**SHIFT).round().astype(np.int32)


# ------------------------------------------------------------------------------------------------- the hand


def _simplified(points: np.ndarray, tolerance: float, rounded: bool) -> np.ndarray:
    """The line as a polygon that strays at most `tolerance` from it, its corners cut if `rounded`."""
    corners = cv2.approxPolyDP(points[:, None], tolerance, True)[:, 0]
    if len(corners) < 3:
        return points
    if rounded:  # Chaikin's corner cutting, twice
        for _ in range(2):
            ahead = np.roll(corners, -1, axis=0)
            corners = np.stack([0.75 * corners + 0.25 * ahead, 0.25 * corners + 0.75 * ahead], axis=1)
            corners = corners.reshape(-1, 2)
    return evenly_spaced(corners, 1 / 64, closed=True)


def _waves(points: np.ndarray, rng: np.random.Generator, amplitude: float, frequency: float) -> np.ndarray:
    """Smooth random shifts of points (n, 2), of about `amplitude`: how a hand gets proportions wrong."""
    shift = np.zeros_like(points)
    for _ in range(3):
        direction, phase = rng.normal(0, frequency, 2), rng.uniform(0, 2 * np.pi)
        wave = np.sin(2 * np.pi * points @ direction + phase)[:, None]
        shift += wave * rng.normal(0, amplitude / 2, 2)
    return points + shift.astype(np.float32)


class Sketch:
    """One drawing of traced shapes, by one hand with one pen.

    Args:
        shapes: what `trace` found in the picture.
        place: float (2, 3), the affine movement of points in [0, 1] by which the picture is placed, too.
        rng: the source of all chance.
    """

    def __init__(self, shapes: Sequence[Shape], place: np.ndarray, rng: np.random.Generator) -> None:
        self.rng = rng
        self.paper = np.full((CANVAS, CANVAS, 3), 255, np.uint8)
        self.width = float(np.exp(rng.uniform(np.log(2.0), np.log(15.0))))  # 0.5 to 4 of 64 pixels
        careless = rng.uniform(0, 1) ** 2
        tolerance = rng.uniform(0.002, 0.006 + 0.02 * careless)
        rounded = rng.uniform() < 0.75
        self.shake = rng.uniform(0, 0.006) * (0.3 + careless)
        self.taken = np.zeros((64, 64), np.uint8)  # where there is a line already, coarsely
        self.shapes = list(shapes)
        lines = [
            shape.points if shape.mark else _simplified(shape.points, tolerance, rounded)
            for shape in self.shapes
        ]
        ends = np.cumsum([len(line) for line in lines])[:-1]
        points = np.concatenate(lines) if lines else np.zeros((0, 2), np.float32)
        points = points @ place[:, :2].T.astype(np.float32) + place[:, 2].astype(np.float32)
        points = _waves(points, rng, 0.03 * careless, 1.0)
        self.lines = [
            line + rng.normal(0, 0.012 * careless, 2).astype(np.float32) * (not shape.outer)
            for line, shape in zip(np.split(points, ends), self.shapes)
        ]
        self.pen = self._pen()

    def _pen(self) -> np.ndarray:
        """Usually black or nearly so, else a colour of the paint box, or one of the thing's own."""
        chance = self.rng.uniform()
        if chance < 0.72:
            return np.full(3, self.rng.uniform(0, 60))
        if chance < 0.87 or not self.shapes:
            return PALETTE[self.rng.integers(len(PALETTE))]
        return self.shapes[self.rng.integers(min(3, len(self.shapes)))].colour * 0.8

    def _crayon(self, colour: np.ndarray) -> np.ndarray:
        """A colour as a person picks it: about right, from the paint box or mixed."""
        if self.rng.uniform() < 0.4:
            return PALETTE[((PALETTE - colour) ** 2).sum(axis=1).argmin()]
        return (colour + self.rng.normal(0, 14, 3)).clip(0, 255)

    def fill(self, i: int, colour: np.ndarray | None = None, grow: int = 0) -> None:
        """Fill shape i, `grow` pixels beyond its line."""
        colour = self._crayon(self.shapes[i].colour if colour is None else colour)
        points = _pixels(self.lines[i])
        if self.rng.uniform() < 0.12 and self.shapes[i].area > 0.02:
            self._scribble(points, colour)
            return
        cv2.fillPoly(self.paper, [points], colour.tolist(), cv2.LINE_AA, SHIFT)
        if grow:
            cv2.polylines(self.paper, [points], True, colour.tolist(), grow, cv2.LINE_AA, SHIFT)

    def _scribble(self, points: np.ndarray, colour: np.ndarray) -> None:
        """Fill by going to and fro, with paper showing between the strokes."""
        mask = np.zeros((CANVAS, CANVAS), np.uint8)
        cv2.fillPoly(mask, [points], 1, shift=SHIFT)
        angle, width = self.rng.uniform(0, np.pi), self.rng.uniform(5, 14)
        offsets = np.arange(-1.5 * CANVAS / 2, 1.5 * CANVAS / 2, width * self.rng.uniform(0.9, 1.5))
        along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        side = np.where(np.arange(len(offsets)) % 2, 1, -1)[:, None] * CANVAS
        path = CANVAS / 2 + offsets[:, None] * across + side * along
        path = path + self.rng.normal(0, 3, path.shape)
        strokes = np.zeros_like(mask)
        cv2.polylines(strokes, [path.round().astype(np.int32)], False, 1, max(1, round(width)))
        self.paper[(mask & strokes) > 0] = colour.round()

    def draw(self, i: int, share: float = 1.0) -> None:
        """Draw the line of shape i, or the first `share` of it, where no line stands already."""
        shape, rng = self.shapes[i], self.rng
        points = self.lines[i]
        if shape.mark or (shape.area < DOT and not shape.outer and rng.uniform() < 0.55):
            dot, pen = _pixels(points), self.pen.tolist()
            cv2.fillPoly(self.paper, [dot], pen, cv2.LINE_AA, SHIFT)
            if shape.mark:  # no dot is smaller than the pen
                width = max(1, round(0.7 * self.width))
                cv2.polylines(self.paper, [dot], True, pen, width, cv2.LINE_AA, SHIFT)
            return
        start = rng.integers(
            len(points)
        )  # a closed line begins anywhere, and may miss its beginning or pass it
        extra = rng.uniform(-0.07, 0.05) if rng.uniform() < 0.6 else 0.02
        count = max(3, round(len(points) * share * (1 + extra)))
        points = points[(start + np.arange(count)) % len(points)]
        jitter = rng.normal(0, 1, points.shape)
        jitter = (jitter + np.roll(jitter, 1, 0) + np.roll(jitter, -1, 0)) * self.shake
        points = points + jitter
        for run in self._free(points) if not shape.outer else [points]:
            self._stroke(run)
            if rng.uniform() < 0.08:
                self._stroke(_waves(run.astype(np.float32), rng, 0.012, 1.5))
        self._take(points)

    def _stroke(self, points: np.ndarray) -> None:
        path = _pixels(points)
        width = max(1, round(self.width * self.rng.uniform(0.85, 1.15)))
        cv2.polylines(self.paper, [path], False, self.pen.tolist(), width, cv2.LINE_AA, SHIFT)

    def _free(self, points: np.ndarray) -> list[np.ndarray]:
        """The stretches of a line that do not run along one drawn before: areas share their borders."""
        cells = (points * 64).astype(int).clip(0, 63)
        free = self.taken[cells[:, 1], cells[:, 0]] == 0
        if free.all():
            return [points]
        cuts = np.flatnonzero(np.diff(free.astype(np.int8))) + 1
        return [
            run for run, ok in zip(np.split(points, cuts), np.split(free, cuts)) if ok[0] and len(run) > 3
        ]

    def _take(self, points: np.ndarray) -> None:
        cells = (points * 64).astype(int).clip(0, 63)
        self.taken[cells[:, 1], cells[:, 0]] = 1
        cv2.dilate(self.taken, np.ones((3, 3), np.uint8), dst=self.taken)

    def lines_to_draw(self) -> list[int]:
        """The silhouette, those inner edges that this person sees and cares for, and most often the marks.

        A face has both its eyes or none: the marks are drawn together.
        """
        rng = self.rng
        contrast, care = rng.uniform(18, 90), rng.uniform(0, 1) ** 0.5
        marks = rng.uniform() < 0.85
        if rng.uniform() < 0.1:  # the silhouette alone
            care, marks = 0.0, rng.uniform() < 0.4

        def seen(shape: Shape) -> bool:
            if shape.mark:
                return marks
            if shape.outer and (shape.area > 0.002 or rng.uniform() < 0.5):
                return True
            return shape.contrast > contrast and rng.uniform() < care * (1.3 if shape.area > 0.01 else 0.9)

        return [i for i, shape in enumerate(self.shapes) if seen(shape)]


def sketch(shapes: Sequence[Shape], place: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """A drawing of some kind of `SKETCHES` but "spoilt": uint8 (CANVAS, CANVAS, 3), RGB on white."""
    hand = Sketch(shapes, place, rng)
    lines = hand.lines_to_draw()
    areas = [i for i, shape in enumerate(shapes) if not shape.outer]
    silhouette = [i for i, shape in enumerate(shapes) if shape.outer]
    if kind == "one colour":
        chosen = silhouette if rng.uniform() < 0.6 or not areas else areas[: rng.integers(1, 3)]
        colour = shapes[(areas or silhouette)[0]].colour if shapes else np.zeros(3)
        for i in chosen:
            hand.fill(i, colour)
    elif kind == "partly filled":
        for i in areas:
            if rng.uniform() < 0.5:
                hand.fill(i)
    elif kind in ("filled", "flat", "brush"):
        for i in areas:
            if kind != "brush" or shapes[i].area > 0.012:
                hand.fill(i, grow=int(rng.integers(12, 28)) if kind == "brush" else int(rng.integers(1, 5)))
    if kind in ("flat", "brush"):
        return hand.paper
    if kind == "unfinished":
        lines = lines[: max(1, round(len(lines) * rng.uniform(0.2, 0.8)))]
    for n, i in enumerate(lines):
        last = kind == "unfinished" and n == len(lines) - 1
        hand.draw(i, share=rng.uniform(0.3, 1) if last else 1.0)
    return hand.paper


def spoil(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A bad picture of the same thing, uint8 as given: shrunk and enlarged, blurred, noisy, compressed."""
    side = pixels.shape[0]
    if rng.uniform() < 0.7:
        small = max(4, round(side / rng.uniform(2, 9)))
        pixels = cv2.resize(pixels, (small, small), interpolation=cv2.INTER_AREA)
        way = cv2.INTER_CUBIC if rng.uniform() < 0.7 else cv2.INTER_NEAREST
        pixels = cv2.resize(pixels, (side, side), interpolation=way)
    if rng.uniform() < 0.5:
        pixels = cv2.GaussianBlur(pixels, (0, 0), side * rng.uniform(0.004, 0.03))
    if rng.uniform() < 0.3:
        noise = rng.normal(0, rng.uniform(4, 40), pixels.shape)
        pixels = (pixels + noise).clip(0, 255).astype(np.uint8)
    if rng.uniform() < 0.4:
        coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(5, 50))])[1]
        pixels = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))
    return pixels

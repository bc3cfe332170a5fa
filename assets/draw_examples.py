"""Draw the example doodles in assets/drawings, the way a person with a mouse and a few colours would.

    python assets/draw_examples.py

Every drawing is a short list of strokes and blobs with hand-written points, in percent of the canvas. A
`Pen` rounds them off, makes the hand tremble a little, and paints with a round brush. The trembling is seeded
by the drawing's name: the same script always draws the same pictures.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

SIZE = 512
SUPERSAMPLE = 4
WHITE, BLACK, GREY = (255, 255, 255), (30, 30, 34), (150, 154, 160)
RED, DARK_RED, ORANGE, YELLOW = (222, 44, 40), (170, 24, 34), (245, 140, 30), (252, 211, 44)
GREEN, DARK_GREEN, BROWN, TAN = (88, 178, 62), (36, 122, 56), (132, 84, 44), (226, 172, 106)
BLUE, SKY, PURPLE, PINK = (44, 96, 208), (116, 192, 240), (138, 76, 186), (244, 132, 170)

Points = list[tuple[float, float]]
Colour = tuple[int, int, int]


def oval(
    x: float, y: float, rx: float, ry: float, start: float = 0, stop: float = 360, n: int = 14
) -> Points:
    """Points on an ellipse, degrees clockwise from the right; a whole one does not repeat its first point."""
    angles = np.radians(np.linspace(start, stop, n, endpoint=abs(stop - start) < 360))
    return [(x + rx * np.cos(a), y + ry * np.sin(a)) for a in angles]


class Pen:
    """A round brush in an unsteady hand.

    Args:
        name: seeds the trembling.
        tremble: how far the hand strays, in percent of the canvas.
    """

    def __init__(self, name: str, tremble: float = 0.7) -> None:
        self.canvas = np.full((SIZE * SUPERSAMPLE, SIZE * SUPERSAMPLE, 3), 255, np.uint8)
        self.rng = np.random.default_rng(zlib.crc32(name.encode()))
        self.tremble = tremble

    def line(
        self, points: Points, colour: Colour, width: float = 2.6, closed: bool = False, round: bool = True
    ) -> None:
        """One stroke along the points; round=False keeps the corners."""
        path = self._path(points, closed, round)
        thickness = max(1, int(width / 100 * SIZE * SUPERSAMPLE))
        cv2.polylines(self.canvas, [path], False, colour, thickness)
        for x, y in path[:: max(1, len(path) - 1)]:
            cv2.circle(self.canvas, (int(x), int(y)), thickness // 2, colour, -1)

    def fill(self, points: Points, colour: Colour, round: bool = True, edge: Colour | None = None) -> None:
        """A shape filled with the bucket, its outline in the same or another colour."""
        state = self.rng.bit_generator.state
        cv2.fillPoly(self.canvas, [self._path(points, True, round)], colour)
        self.rng.bit_generator.state = state  # the outline follows the very same path
        self.line(points, edge or colour, 1.8, closed=True, round=round)

    def scribble(
        self, points: Points, colour: Colour, width: float = 4.5, angle: float = -35, gap: float = 0.95
    ) -> None:
        """A shape filled in haste: one zigzag across it, `gap` brush widths apart."""
        turn = np.radians(angle)
        rotate = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        shape = self._smooth(np.array(points, float), closed=True) @ rotate.T
        inside = np.zeros((400, 400), np.uint8)  # the turned shape, 2 cells per percent, origin at -50
        cv2.fillPoly(inside, [((shape + 50) * 2).astype(np.int32)], 1)
        zigzag = []
        for i, y in enumerate(np.arange(shape[:, 1].min() + width / 3, shape[:, 1].max(), width * gap / 2)):
            xs = np.flatnonzero(inside[int((y + 50) * 2)])
            if len(xs):
                zigzag.append(((xs[0] if i % 2 else xs[-1]) / 2 - 50 + self.rng.normal(0, 0.8), y))
        self.line([tuple(p) for p in np.array(zigzag) @ rotate], colour, width, round=False)

    def dot(self, x: float, y: float, radius: float, colour: Colour) -> None:
        self.fill(oval(x, y, max(radius - 0.9, 0.3), max(radius - 0.9, 0.3), n=8), colour)

    def save(self, path: Path) -> None:
        image = Image.fromarray(self.canvas).resize((SIZE, SIZE), Image.Resampling.BOX)
        image.save(path, optimize=True)

    def _path(self, points: Points, closed: bool, round: bool) -> np.ndarray:
        """Trembling points in canvas pixels, int32 (N, 2)."""
        corners = np.array(points + points[:1] if closed and not round else points, float)
        path = self._smooth(corners, closed) if round else self._straight(corners)
        path = path + self._wobble(path)
        return (path / 100 * SIZE * SUPERSAMPLE).astype(np.int32)

    @staticmethod
    def _straight(corners: np.ndarray) -> np.ndarray:
        t = np.linspace(0, len(corners) - 1, 16 * len(corners))
        return np.stack([np.interp(t, np.arange(len(corners)), corners[:, k]) for k in (0, 1)], axis=1)

    @staticmethod
    def _smooth(p: np.ndarray, closed: bool) -> np.ndarray:
        """Catmull-Rom spline through the points."""
        p = np.concatenate([p[-1:], p, p[:2]] if closed else [p[:1], p, p[-1:]])
        t = np.linspace(0, 1, 16, endpoint=False)[:, None]
        pieces = [
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
            for a, b, c, d in zip(p, p[1:], p[2:], p[3:])
        ]
        return np.concatenate([*pieces, p[-2:-1]])

    def _wobble(self, path: np.ndarray) -> np.ndarray:
        """Slow noise along the path: a few sines of its length, so that corners meet and lines sway."""
        length = np.concatenate([[0], np.hypot(*np.diff(path, axis=0).T).cumsum()])
        shift = self.rng.normal(0, 0.3 * self.tremble, 2) + np.zeros_like(path)
        for wavelength, share in ((40, 0.9), (17, 0.45), (7, 0.14)):
            phase, size = self.rng.uniform(0, 2 * np.pi, 2), self.rng.normal(0, share * self.tremble, 2)
            shift += size * np.sin(2 * np.pi * length[:, None] / wavelength + phase)
        return shift


# ---------------------------------------------------------------------- the drawings


def apple(p: Pen) -> None:
    p.line([(51, 30), (52, 20), (58, 11)], BROWN, 3.4)
    p.fill([(50, 30), (62, 23), (78, 27), (86, 44), (82, 66), (70, 86), (58, 89), (50, 86), (42, 89),
            (29, 85), (17, 65), (14, 44), (22, 27), (38, 23)], RED)
    p.fill([(57, 20), (64, 10), (80, 11), (72, 21)], GREEN)
    p.line([(26, 40), (24, 48), (25, 55)], WHITE, 3)


def apple_2(p: Pen) -> None:
    body = [(49, 27), (66, 20), (82, 30), (85, 52), (74, 78), (58, 85), (49, 81), (36, 86), (21, 74),
            (13, 50), (18, 29), (34, 20)]
    p.scribble(body, GREEN, 5, gap=1.15)
    p.line(body, DARK_GREEN, 2.6, closed=True)
    p.line([(50, 29), (48, 18), (52, 9)], BROWN, 3.2)


def banana(p: Pen) -> None:
    p.fill([(76, 14), (83, 17), (86, 34), (80, 56), (64, 75), (42, 84), (20, 83), (12, 76), (15, 69),
            (34, 67), (52, 57), (65, 42), (72, 26)], YELLOW)
    p.line([(79, 21), (78, 38), (68, 57), (50, 70), (22, 75)], (226, 172, 30), 1.8)
    p.line([(77, 17), (78, 9)], BROWN, 4.6)
    p.line([(13, 75), (15, 79)], BROWN, 4.2)


def pear(p: Pen) -> None:
    p.line([(50, 20), (51, 12), (56, 6)], BROWN, 3.2)
    p.fill([(50, 17), (60, 22), (63, 36), (73, 52), (79, 70), (70, 88), (50, 92), (30, 88), (21, 70),
            (27, 52), (37, 36), (40, 22)], (178, 206, 64))
    p.line([(33, 62), (31, 70), (34, 78)], (226, 238, 150), 3)
    p.fill([(54, 15), (62, 8), (74, 11), (65, 18)], DARK_GREEN)


def strawberry(p: Pen) -> None:
    p.fill([(50, 26), (66, 22), (82, 32), (82, 50), (70, 72), (52, 91), (46, 89), (28, 70), (17, 48),
            (19, 31), (34, 22)], RED)
    seeds = [(32, 40), (48, 42), (66, 41), (39, 54), (57, 56), (72, 53), (47, 69), (61, 68), (51, 80),
             (33, 62)]
    for x, y in seeds:
        p.line([(x, y), (x + 0.4, y + 2)], YELLOW, 2.2)
    p.fill([(50, 27), (38, 33), (34, 27), (20, 26), (32, 19), (37, 13), (47, 18), (53, 12), (62, 17),
            (72, 16), (80, 25), (67, 26), (62, 33)], DARK_GREEN)
    p.line([(50, 18), (52, 8)], DARK_GREEN, 3)


def lemon(p: Pen) -> None:
    body = [(10, 57), (17, 48), (28, 34), (48, 26), (68, 28), (82, 38), (91, 43), (90, 49), (83, 57),
            (70, 70), (50, 77), (30, 73), (18, 64)]
    p.scribble(body, YELLOW, 5, angle=-25, gap=1.35)
    p.line(body, (228, 178, 22), 2.4, closed=True)


def cherry(p: Pen) -> None:
    p.line([(31, 62), (38, 40), (58, 14)], DARK_GREEN, 2.8)
    p.line([(70, 66), (68, 40), (58, 14)], DARK_GREEN, 2.8)
    p.fill([(58, 14), (70, 6), (88, 13), (78, 23), (66, 22)], GREEN)
    p.fill(oval(30, 72, 18, 17), DARK_RED)
    p.fill(oval(71, 76, 17, 16), RED)
    p.line([(22, 67), (24, 63)], WHITE, 2.8)
    p.line([(63, 71), (65, 68)], WHITE, 2.8)


def watermelon(p: Pen) -> None:
    p.fill(oval(50, 31, 42, 46, 0, 180, 25), DARK_GREEN, round=False)
    p.fill(oval(50, 31, 36, 40, 0, 180, 25), (214, 240, 180), round=False)
    p.fill(oval(50, 31, 33, 36, 0, 180, 25), RED, round=False)
    for x, y in [(30, 39), (42, 42), (56, 39), (69, 41), (37, 52), (50, 53), (62, 52), (45, 62), (56, 62)]:
        p.line([(x, y), (x + 0.5, y + 2.5)], BLACK, 2.4)


def pineapple(p: Pen) -> None:
    for x, y, base in [(28, 16, 44), (40, 7, 47), (73, 17, 56), (63, 8, 53), (52, 4, 50)]:
        leaf = [(base - 4, 38), ((base + x) / 2 - 3, 25), (x, y), ((base + x) / 2 + 4, 25), (base + 4, 38)]
        p.fill(leaf, DARK_GREEN if x % 2 else GREEN)
    p.fill([(50, 34), (65, 39), (72, 54), (71, 74), (62, 90), (50, 94), (37, 90), (29, 75), (28, 55),
            (35, 39)], (240, 178, 40))
    for a, b in [((30, 56), (53, 36)), ((29, 72), (66, 41)), ((34, 85), (71, 54)), ((47, 93), (71, 72)),
                 ((47, 36), (71, 57)), ((34, 42), (71, 73)), ((29, 56), (64, 87)), ((30, 74), (52, 93))]:
        p.line([a, b], BROWN, 1.5)


def cat(p: Pen) -> None:
    p.fill([(18, 46), (16, 14), (34, 26), (50, 23), (66, 26), (84, 13), (82, 46), (84, 62), (74, 80),
            (50, 87), (26, 80), (16, 62)], ORANGE)
    p.fill([(21, 29), (22, 21), (30, 28)], PINK)
    p.fill([(79, 28), (78, 21), (70, 28)], PINK)
    for x in (35, 65):
        p.fill(oval(x, 51, 5, 6.5), WHITE)
        p.dot(x + 0.5, 52, 3.6, BLACK)
    p.fill([(46, 63), (54, 63), (50, 67)], PINK)
    p.line([(50, 67), (47, 73), (41, 73)], BLACK, 1.8)
    p.line([(50, 67), (53, 73), (60, 72)], BLACK, 1.8)
    for y, dy in ((62, -3), (67, 2)):
        p.line([(27, y), (8, y + dy)], BLACK, 1.5)
        p.line([(73, y), (92, y + dy)], BLACK, 1.5)
    for x in (43, 50, 57):
        p.line([(x, 27), (50 + (x - 50) * 0.8, 36)], BROWN, 2.6)


def cat_2(p: Pen) -> None:
    """Only a black outline."""
    p.line([(20, 45), (21, 15), (37, 30), (50, 28), (64, 30), (80, 15), (80, 45), (81, 62), (70, 80),
            (50, 86), (30, 80), (19, 62), (20, 44)], BLACK, 2.8)
    p.dot(37, 52, 3.6, BLACK)
    p.dot(63, 52, 3.6, BLACK)
    p.fill([(46, 63), (54, 63), (50, 67)], BLACK)
    p.line([(40, 71), (45, 75), (50, 68), (56, 75), (61, 70)], BLACK, 2.2)
    for dy in (-4, 3):
        p.line([(26, 65), (6, 66 + dy)], BLACK, 1.8)
        p.line([(74, 65), (94, 66 + dy)], BLACK, 1.8)


def house(p: Pen) -> None:
    p.fill([(22, 47), (79, 47), (78, 88), (22, 88)], TAN, round=False)
    p.fill([(66, 16), (75, 16), (75, 36), (66, 30)], BROWN, round=False)
    p.fill([(12, 49), (50, 13), (89, 48)], RED, round=False)
    p.fill([(43, 88), (43, 64), (57, 64), (57, 88)], BROWN, round=False)
    p.dot(54, 77, 1.6, YELLOW)
    for x in (27, 64):
        p.fill([(x, 56), (x + 10, 56), (x + 10, 67), (x, 67)], SKY, round=False, edge=WHITE)
        p.line([(x + 5, 56), (x + 5, 67)], WHITE, 1.4)


def tree(p: Pen) -> None:
    p.fill([(43, 58), (57, 58), (58, 78), (63, 94), (37, 94), (42, 78)], BROWN, round=False)
    p.fill([(50, 7), (65, 11), (74, 20), (85, 31), (84, 46), (76, 59), (62, 62), (50, 66), (37, 63),
            (22, 58), (15, 45), (17, 30), (26, 20), (36, 10)], GREEN)
    for x, y in [(32, 33), (55, 24), (66, 40), (42, 49)]:
        p.line([(x, y), (x + 4, y + 3), (x + 8, y)], DARK_GREEN, 2.4)


def fish(p: Pen) -> None:
    p.fill([(66, 50), (90, 29), (86, 50), (91, 72)], ORANGE)
    p.fill([(40, 32), (52, 17), (61, 33)], ORANGE)
    p.fill([(9, 52), (20, 37), (40, 28), (58, 34), (74, 49), (60, 66), (40, 73), (20, 68)], (250, 156, 40))
    for x in (40, 55):
        p.line([(x, 33), (x + 5, 50), (x, 68)], WHITE, 4.2)
    p.dot(23, 47, 5, WHITE)
    p.dot(22.5, 47.5, 2.8, BLACK)
    p.line([(11, 56), (17, 59), (21, 57)], DARK_RED, 1.8)


def heart(p: Pen) -> None:
    p.scribble([(50, 31), (60, 17), (77, 15), (88, 29), (84, 49), (68, 70), (51, 88), (33, 71), (15, 50),
                (12, 29), (24, 15), (41, 17)], RED, 6, angle=-50, gap=0.85)


def sun(p: Pen) -> None:
    for k in range(11):
        a = 2 * np.pi * k / 11 + 0.15
        reach = 43 if k % 2 else 39
        p.line([(50 + r * np.cos(a), 50 + r * np.sin(a)) for r in (31, reach)], ORANGE, 3.6)
    p.fill(oval(50, 50, 24, 24), YELLOW)


def flower(p: Pen) -> None:
    p.line([(50, 50), (52, 70), (49, 95)], DARK_GREEN, 3.2)
    p.fill([(50, 82), (60, 68), (76, 66), (68, 80)], GREEN)
    for k in range(6):
        a = 2 * np.pi * k / 6 + 0.3
        p.fill(oval(50 + 19 * np.cos(a), 35 + 19 * np.sin(a), 11, 11, n=9), PINK)
    p.fill(oval(50, 35, 10, 10, n=9), YELLOW)


def car(p: Pen) -> None:
    p.fill([(8, 67), (9, 52), (22, 47), (32, 30), (62, 29), (76, 46), (91, 51), (93, 67)], BLUE, round=False)
    p.fill([(29, 46), (36, 34), (46, 34), (46, 46)], SKY, round=False)
    p.fill([(51, 46), (51, 34), (60, 34), (68, 46)], SKY, round=False)
    for x in (27, 74):
        p.fill(oval(x, 68, 10, 10), BLACK)
        p.fill(oval(x, 68, 4, 4, n=8), GREY)
    p.dot(89, 56, 2.6, YELLOW)


def star(p: Pen) -> None:
    points = [(50 + r * np.sin(a), 53 - r * np.cos(a))
              for a, r in zip(np.radians(np.arange(0, 360, 36)), [43, 18] * 5)]
    p.fill(points, YELLOW, round=False, edge=ORANGE)


def star_2(p: Pen) -> None:
    """One black stroke, the way everybody draws it."""
    tips = [(50 + 44 * np.sin(a), 52 - 44 * np.cos(a)) for a in np.radians(np.arange(0, 6) * 144 + 216)]
    p.line(tips, BLACK, 2.8, round=False)


def mushroom(p: Pen) -> None:
    p.fill([(39, 52), (61, 52), (62, 72), (67, 88), (50, 91), (33, 88), (38, 72)], (246, 228, 196), edge=TAN)
    p.fill([(9, 55), (14, 34), (30, 18), (50, 12), (70, 18), (86, 34), (91, 55), (70, 59), (50, 57),
            (30, 59)], RED)
    for x, y, r in [(32, 35, 6), (52, 25, 5.2), (70, 38, 6.2), (50, 45, 4.2), (19, 49, 3.4), (82, 50, 3.2)]:
        p.dot(x, y, r, WHITE)


def smiley(p: Pen) -> None:
    p.fill(oval(50, 50, 40, 40, n=18), YELLOW, edge=ORANGE)
    for x in (36, 63):
        p.fill(oval(x, 40, 3.4, 5.6, n=9), BLACK)
    p.line([(28, 58), (37, 70), (50, 74), (64, 69), (72, 57)], BLACK, 3.2)


def rainbow(p: Pen) -> None:
    for k, colour in enumerate((RED, ORANGE, YELLOW, GREEN, BLUE, PURPLE)):
        r = 40 - 5 * k
        p.line(oval(50, 66, r, r + 2, 180, 360, 13), colour, 5.4)
    for x in (17, 83):
        for dx, dy, r in ((-5, 2, 7), (4, -1, 8), (9 if x < 50 else -11, 3, 6)):
            p.dot(x + dx, 69 + dy, r, (206, 222, 238))


def moon(p: Pen) -> None:
    p.fill([(62, 9), (42, 20), (34, 40), (38, 62), (54, 78), (77, 80), (62, 91), (42, 91), (24, 80),
            (14, 62), (13, 42), (21, 23), (38, 11)], YELLOW)


def boat(p: Pen) -> None:
    p.line([(49, 66), (48, 10)], BROWN, 3)
    p.fill([(53, 14), (84, 58), (53, 58)], RED, round=False)
    p.fill([(44, 22), (43, 58), (19, 58)], (250, 236, 206), round=False, edge=TAN)
    p.fill([(10, 65), (91, 65), (78, 85), (24, 85)], BROWN, round=False)
    p.line([(5, 90), (17, 86), (29, 90), (42, 86), (55, 90), (68, 86), (81, 90), (94, 87)], BLUE, 3)


def airplane(p: Pen) -> None:
    p.fill([(46, 44), (62, 12), (72, 12), (64, 46)], SKY, round=False)
    p.fill([(14, 50), (8, 28), (17, 28), (29, 46)], BLUE, round=False)
    body = [(10, 51), (28, 44), (60, 42), (82, 45), (93, 54), (82, 61), (58, 63), (28, 61)]
    p.fill(body, (214, 222, 232), edge=GREY)
    p.fill([(42, 56), (60, 56), (44, 88), (34, 88)], BLUE, round=False)
    for x in (38, 49, 60, 71):
        p.dot(x, 50.5, 2.4, BLUE)
    p.line([(82, 49), (88, 53)], BLACK, 2.2)


def umbrella(p: Pen) -> None:
    p.line([(50, 50), (50, 80), (47, 89), (39, 89), (37, 82)], BROWN, 3)
    dome = oval(50, 53, 41, 40, 180, 360, 11)
    hem = [(82, 49), (77, 53), (70, 48), (63, 52), (56, 48), (50, 53), (43, 48), (36, 52), (29, 48),
           (22, 53), (15, 49)]
    p.fill(dome + hem, PURPLE)
    p.fill([(50, 15), (61, 30), (63, 51), (56, 48), (50, 52), (43, 48), (36, 51), (39, 30)], PINK)
    p.line([(50, 14), (50, 8)], BROWN, 2.6)


def ice_cream(p: Pen) -> None:
    cone = [(30, 49), (70, 49), (51, 94)]
    p.fill(cone, TAN, round=False)
    for a, b in [((36, 61), (55, 50)), ((43, 75), (66, 58)), ((34, 51), (59, 74)), ((50, 50), (64, 62))]:
        p.line([a, b], BROWN, 1.4)
    p.fill([(50, 14), (66, 18), (74, 32), (73, 46), (66, 53), (58, 49), (50, 54), (41, 49), (34, 53),
            (27, 46), (26, 32), (34, 18)], PINK)
    p.dot(52, 11, 5.4, RED)
    for x, y in [(38, 28), (52, 25), (63, 33), (44, 39), (57, 43)]:
        p.line([(x, y), (x + 2.4, y + 2)], WHITE, 1.8)


# What is drawn, and with how unsteady a hand.
DRAWINGS: dict[Callable[[Pen], None], float] = {
    airplane: 0.7, apple: 0.8, apple_2: 1.1, banana: 0.7, boat: 0.7, car: 0.7, cat: 0.7, cat_2: 0.9,
    cherry: 0.7, fish: 0.7, flower: 0.8, heart: 1.1, house: 0.8, ice_cream: 0.7, lemon: 1.0,
    moon: 0.8, mushroom: 0.7, pear: 0.7, pineapple: 0.7, rainbow: 0.8, smiley: 0.8, star: 0.9,
    star_2: 1.2, strawberry: 0.8, sun: 0.9, tree: 0.9, umbrella: 0.7, watermelon: 0.7,
}  # fmt: skip


def file_name(draw: Callable[[Pen], None]) -> str:
    """`ice_cream` -> ice_cream.png, `apple_2` -> apple-2.png (a second version)."""
    return draw.__name__.replace("_2", "-2") + ".png"


def main(folder: Path = Path(__file__).parent / "drawings") -> int:
    folder.mkdir(exist_ok=True)
    for draw, tremble in DRAWINGS.items():
        pen = Pen(draw.__name__, tremble)
        draw(pen)
        pen.save(folder / file_name(draw))
    print(f"{len(DRAWINGS)} drawings in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""People who draw, each with an unsteady hand of their own, and the habits they draw with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from draw_examples import BLACK, SIZE, SUPERSAMPLE, Colour, Pen, Points, oval

# Width of the brush by habit, in percent of the canvas.
WIDTHS = {
    "thin": 0.6,  # these three are plain black outlines
    "pen": 1.8,
    "thick": 4.6,
    "coloured": 1.5,  # areas filled with the bucket, outlined or not
    "crude": 2.2,  # clumsy; filled, if at all, by strokes to and fro
    "colourpen": 2.0,  # an outline in one coloured pen
    "tiny": 0.8,  # in a corner of the canvas
    "unfinished": 1.6,
    "scribble": 1.4,  # an outline filled by strokes to and fro
    "doublestroke": 1.1,  # an outline gone over twice
}
OUTLINES = ("thin", "pen", "thick")
TO_AND_FRO = ("crude", "scribble")


@dataclass(frozen=True)
class Person:
    """How somebody draws; lengths in percent of the canvas.

    Args:
        tremble: how far a line sways.
        jitter: how far it shakes from one pixel to the next.
        slip: how far a whole stroke lands beside its place, starts late and ends past its end.
        coarse: between the points that a fast mouse is seen at, which straight lines join; 0: all are seen.
        size: of the brush, beside others'.
    """

    tremble: float
    jitter: float
    slip: float
    coarse: float = 0.0
    size: float = 1.0


CAREFUL = Person(tremble=0.45, jitter=0.0, slip=0.2)
MOUSE = Person(tremble=0.7, jitter=0.16, slip=0.5, coarse=1.6)
TOUCHPAD = Person(tremble=0.8, jitter=0.3, slip=0.7, coarse=2.6, size=0.85)
HASTY = Person(tremble=0.8, jitter=0.04, slip=1.0, coarse=5.5, size=0.95)
FINGER = Person(tremble=1.0, jitter=0.05, slip=0.8, size=1.25)
CHILD = Person(tremble=1.7, jitter=0.12, slip=1.3, coarse=1.2, size=1.15)
TODDLER = Person(tremble=1.5, jitter=0.08, slip=3.2, size=1.4)


def points(text: str) -> Points:
    """Points as in SVG: "10,20 30,40", in percent of the canvas."""
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in text.split())]


class Hand(Pen):
    """A person's pen.

    Args:
        name: seeds the trembling.
        person: whose hand it is.
        habit: one of WIDTHS.
        ink: colour of what is said no colour of.
        place: (x, y, size) where the drawing's top left corner lies, and its size beside the canvas.
    """

    def __init__(
        self, name: str, person: Person, habit: str, ink: Colour = BLACK, place: tuple = (0.0, 0.0, 1.0)
    ) -> None:
        super().__init__(name, person.tremble * place[2] ** 0.7)
        self.person, self.habit, self.ink, self.place = person, habit, ink, place
        self.width = WIDTHS[habit] * person.size

    def curve(self, text: str, colour: Colour | None = None, width: float | None = None) -> None:
        """One stroke, corners rounded."""
        self._stroke(points(text), colour, width, False, True)

    def straight(self, text: str, colour: Colour | None = None, width: float | None = None) -> None:
        """One stroke from corner to corner."""
        self._stroke(points(text), colour, width, False, False)

    def shape(self, text: str, fill: Colour | None = None, edge: Colour | None = None) -> None:
        """An outline that comes back to where it began, corners rounded."""
        self._area(points(text), fill, edge, True)

    def box(self, text: str, fill: Colour | None = None, edge: Colour | None = None) -> None:
        """An outline that comes back to where it began, from corner to corner."""
        self._area(points(text), fill, edge, False)

    def ring(self, x: float, y: float, rx: float, ry: float | None = None, fill: Colour | None = None,
             edge: Colour | None = None) -> None:  # fmt: skip
        """A circle or an ellipse, begun at any side."""
        ring, at = oval(x, y, rx, ry or rx, n=10), int(self.rng.integers(10))
        self._area(ring[at:] + ring[:at], fill, edge, True)

    def arc(self, x: float, y: float, rx: float, ry: float, start: float, stop: float,
            colour: Colour | None = None, width: float | None = None) -> None:  # fmt: skip
        """Part of an ellipse, degrees clockwise from the right."""
        self._stroke(oval(x, y, rx, ry, start, stop, 9), colour, width, False, True)

    def spot(self, x: float, y: float, radius: float = 1.3, colour: Colour | None = None) -> None:
        """A dot, no smaller than the brush."""
        radius = max(radius, self.width * 0.55)
        self._stroke([(x, y), (x + 0.1, y + 0.1)], colour, 2 * radius, False, False)

    def blot(self, text: str, colour: Colour | None = None) -> None:
        """An area filled with ink."""
        self._area(points(text), colour or self.ink, colour or self.ink, True)

    def _area(self, corners: Points, fill: Colour | None, edge: Colour | None, round: bool) -> None:
        state = self.rng.bit_generator.state
        if fill and self.habit in TO_AND_FRO:
            angle = self.rng.uniform(-48, -20)
            dense = corners if round else [tuple(p) for p in self._straight(np.array(corners + corners[:1]))]
            self.scribble(dense, fill, 2.6 * self.person.size, angle, gap=1.5)
        elif fill:
            cv2.fillPoly(self.canvas, [self._path(corners, True, round)], fill)
            self.rng.bit_generator.state = state  # the outline follows the very same path
        self._stroke(corners, edge, None, True, round)

    def _stroke(
        self, corners: Points, colour: Colour | None, width: float | None, closed: bool, round: bool
    ) -> None:
        times = 2 if self.habit == "doublestroke" else 1
        for _ in range(times):
            self.line(corners, colour or self.ink, width or self.width, closed, round)

    def _path(self, points: Points, closed: bool, round: bool) -> np.ndarray:
        x, y, size = self.place
        path = super()._path([(x + px * size, y + py * size) for px, py in points], closed, round)
        path = path / (SIZE * SUPERSAMPLE) * 100
        slip = self.person.slip * size**0.7
        path = path + self.rng.normal(0, 0.45 * slip, 2)
        length = np.concatenate([[0], np.hypot(*np.diff(path, axis=0).T).cumsum()])
        if length[-1] > 8 * max(slip, 0.1):  # it starts late and ends early, or past its end
            late, past = abs(self.rng.normal(0, 0.5 * slip)), self.rng.normal(0, 1.3 * slip)
            path, length = self._between(path, length, late, length[-1] + past)
        if self.person.coarse and length[-1] > 2 * self.person.coarse:
            seen = np.linspace(0, length[-1], int(length[-1] / self.person.coarse) + 2)
            path = np.stack([np.interp(seen, length, path[:, k]) for k in (0, 1)], axis=1)
        path = path + self.rng.normal(0, self.person.jitter, path.shape) * size**0.5
        return (path / 100 * SIZE * SUPERSAMPLE).astype(np.int32)

    @staticmethod
    def _between(path: np.ndarray, length: np.ndarray, start: float, stop: float) -> tuple:
        """The part of a path between two lengths, drawn on straight if it is not so long."""
        if stop > length[-1]:
            ahead = path[-1] - path[np.searchsorted(length, length[-1] - 1.5)]
            ahead = ahead / max(np.hypot(*ahead), 1e-6) * (stop - length[-1])
            path, length = np.concatenate([path, [path[-1] + ahead]]), np.append(length, stop)
        keep = (length >= start) & (length <= stop)
        return path[keep], length[keep] - length[keep][0]


@dataclass(frozen=True)
class Drawing:
    """What is drawn by whom.

    Args:
        name: `<concept>-<habit>-<n>`, spaces of the concept as underscores: `cow_face-pen-1`.
    """

    name: str
    person: Person
    habit: str
    ink: Colour
    place: tuple
    draw: Callable[[Hand], None]

    def hand(self) -> Hand:
        """The hand that has drawn it."""
        hand = Hand(self.name, self.person, self.habit, self.ink, self.place)
        self.draw(hand)
        return hand


DRAWINGS: list[Drawing] = []
_counts: Counter = Counter()


def draws(
    concept: str, habit: str, person: Person, ink: Colour = BLACK, place: tuple = (0.0, 0.0, 1.0)
) -> Callable:
    """Decorates the function that draws a concept, and enters it in DRAWINGS."""

    def enter(draw: Callable[[Hand], None]) -> Callable[[Hand], None]:
        stem = f"{concept.replace(' ', '_')}-{habit}"
        _counts[stem] += 1
        DRAWINGS.append(Drawing(f"{stem}-{_counts[stem]}", person, habit, ink, place, draw))
        return draw

    return enter

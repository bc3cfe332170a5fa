"""Batches of pictures and of crude drawings of them, made in worker threads ahead of the training.

What stands in a batch depends on the seed and the number of its step alone, so a run that was interrupted
goes on with exactly the batches it would have had.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from typing import TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor

from ..codec import Codec
from ..errors import DoodleError
from .data import PictureSet
from .ranks import ALONE, Ranks
from .sketches import SKETCHES, sketch, spoil
from .tracing import Shape, trace

T = TypeVar("T")
AUGMENTATIONS = ("drawing", "flip", "none")
TRACED_COLOURS = (3, 5, 8)  # a picture is traced in one of so many colours
AHEAD = 4  # batches that are made before they are asked for


@dataclass(frozen=True)
class Batch:
    """Pictures, and for some of them a crude drawing as a person might bring it.

    Attributes:
        x0: float32 (B, 3, R, R) in [-1, 1].
        drawing: the same; equal to x0 where there is none.
        sketched: bool (B,), where there is one.
        labels: long (B, K).
    """

    x0: Tensor
    drawing: Tensor
    sketched: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> Batch:
        return Batch(*(getattr(self, f.name).to(device) for f in fields(self)))

    def encoded(self, codec: Codec) -> Batch:
        """The same as a codec's model knows it: (B, C, R, R) of pictures and drawings at its S pixels."""
        return replace(self, x0=codec.encode(self.x0), drawing=codec.encode(self.drawing))

    def rows(self, index: Tensor) -> Batch:
        """Some of its pictures, chosen by a long tensor."""
        return Batch(*(getattr(self, f.name)[index] for f in fields(self)))


def random_place(how: str, rng: np.random.Generator) -> np.ndarray:
    """An affine movement, float64 (2, 3), of points in [0, 1].

    Args:
        how: "drawing": mirrored, turned by up to 12 degrees, scaled to 0.7-1 and shifted on white, as people
            place drawings on a page. "flip": only mirrored, for photographs that fill their frame. "none".
    """
    mirror = np.diag([-1.0 if how != "none" and rng.uniform() < 0.5 else 1.0, 1.0])
    linear, shift = mirror, np.zeros(2)
    if how == "drawing":
        angle, scale = np.radians(rng.uniform(-12, 12)), rng.uniform(0.7, 1.0)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear = scale * turn @ mirror
        shift = rng.uniform(-0.5, 0.5, 2) * (1 - scale + 0.04)  # as far as it stays on the page
    return np.column_stack([linear, 0.5 + shift - linear @ [0.5, 0.5]])


def moved(pixels: np.ndarray, place: np.ndarray) -> np.ndarray:
    """A picture, uint8 (S, S, 3) on white, moved by `place`."""
    side = pixels.shape[0]
    linear, shift = place[:, :2], place[:, 2]
    # OpenCV counts from the middle of the first pixel: x in [0, 1] is x * side - 0.5 there.
    matrix = np.column_stack([linear, linear @ [0.5, 0.5] + side * shift - 0.5])
    return cv2.warpAffine(pixels, matrix, (side, side), flags=cv2.INTER_LINEAR, borderValue=(255, 255, 255))


class Batches:
    """Endless batches of one set of pictures.

    Args:
        pictures: what to draw from; stored at a multiple of `size` pixels on a side.
        weights: float64 (N,), how likely each picture is to be drawn.
        size: R.
        augment: see `random_place`.
        sketched: fraction of the pictures that come with a drawing.
        seed: of everything random.
        workers: threads that make them.
        ranks: of each batch this process makes its rows alone.
    """

    def __init__(
        self,
        pictures: PictureSet,
        weights: Tensor,
        size: int,
        *,
        batch_size: int,
        augment: str = "drawing",
        sketched: float = 0.0,
        seed: int = 0,
        workers: int = 2,
        ranks: Ranks = ALONE,
    ) -> None:
        if augment not in AUGMENTATIONS:
            raise DoodleError(f"Unknown augmentation {augment!r}: choose one of {', '.join(AUGMENTATIONS)}.")
        self.pixels = np.ascontiguousarray(pictures.pixels.permute(0, 2, 3, 1).numpy())
        self.labels, self.size, self.augment = pictures.labels, size, augment
        self.chances = weights.numpy()
        self.batch_size, self.sketched, self.seed, self.workers = batch_size, sketched, seed, workers
        self.rows = ranks.rows(batch_size)
        self._traced: dict[tuple[int, int], list[Shape]] = {}

    @staticmethod
    def once(
        pictures: PictureSet, size: int, augment: str = "none", kind: str | None = None, seed: int = 0
    ) -> Batch:
        """Every picture of a set once, in order, with a drawing of this kind (None: none)."""
        n = len(pictures)
        every = Batches(pictures, torch.ones(n), size, batch_size=n, augment=augment)
        return every.of(np.arange(n), [(seed, i) for i in range(n)], [kind] * n)

    def shapes(self, index: int, colours: int) -> list[Shape]:
        """What `trace` finds in a picture; looked for once."""
        key = (index, colours)
        if key not in self._traced:
            self._traced[key] = trace(self.pixels[index], colours)
        return self._traced[key]

    def one(self, index: int, rng: np.random.Generator, kind: str | None) -> tuple[np.ndarray, np.ndarray]:
        """A picture and a drawing of it, uint8 (R, R, 3) each; the picture twice where `kind` is None."""
        place = random_place(self.augment, rng)
        picture = self.pixels[index] if self.augment == "none" else moved(self.pixels[index], place)
        x0 = self._small(picture)
        if kind is None:
            return x0, x0
        if kind == "spoilt":
            return x0, self._small(spoil(picture, rng))
        shapes = self.shapes(index, int(rng.choice(TRACED_COLOURS)))
        return x0, self._small(sketch(shapes, place, kind, rng))

    def _small(self, pixels: np.ndarray) -> np.ndarray:
        return cv2.resize(pixels, (self.size, self.size), interpolation=cv2.INTER_AREA)

    def of(self, indices: np.ndarray, seeds: Sequence[tuple[int, ...]], kinds: Sequence[str | None]) -> Batch:
        """The batch of these pictures, each with a seed and a kind of drawing (None: none) of its own."""
        made = [
            self.one(int(index), np.random.default_rng(seed), kind)
            for index, seed, kind in zip(indices, seeds, kinds)
        ]
        x0, drawing = (torch.from_numpy(np.stack(part)).permute(0, 3, 1, 2) for part in zip(*made))
        return Batch(
            x0=x0 / 127.5 - 1,
            drawing=drawing / 127.5 - 1,
            sketched=torch.tensor([kind is not None for kind in kinds]),
            labels=self.labels[torch.from_numpy(indices)],
        )

    def with_drawings(self) -> tuple[Batch, list[str | None]]:
        """Every picture once, with one drawing of it, always the same; and their kinds (None: no drawing)."""
        n = len(self.pixels)
        kinds = [list(SKETCHES)[i % len(SKETCHES)] for i in range(n)]
        last = [int(i * self.sketched) for i in range(n + 1)]  # grows where there is a drawing
        drawn = [kinds[i] if last[i] < last[i + 1] else None for i in range(n)]
        return self.of(np.arange(n), [(0, i) for i in range(n)], drawn), drawn

    def at(self, step: int) -> Batch:
        """The batch of one step, or this process' rows of it."""
        rng = np.random.default_rng((self.seed, step))
        indices = rng.choice(len(self.pixels), self.batch_size, p=self.chances)
        drawn = rng.choice(list(SKETCHES), self.batch_size, p=list(SKETCHES.values()))
        without = rng.uniform(size=self.batch_size) >= self.sketched
        kinds = [None if none else str(kind) for none, kind in zip(without, drawn)]
        seeds = [(self.seed, step, i) for i in range(self.batch_size)]
        return self.of(indices[self.rows], seeds[self.rows], kinds[self.rows])

    def since(self, step: int) -> Generator[Batch, None, None]:
        """The batches from this step on, see `made_ahead`."""
        return made_ahead(self.at, step, self.workers)


def made_ahead(at: Callable[[int], T], step: int, workers: int) -> Generator[T, None, None]:
    """at(step), at(step + 1), ... without end, made by threads; closing the generator ends them."""
    with ThreadPoolExecutor(workers, "batches") as pool:
        waiting = deque(pool.submit(at, step + i) for i in range(AHEAD))
        try:
            while True:
                yield waiting.popleft().result()
                step += 1
                waiting.append(pool.submit(at, step + AHEAD - 1))
        finally:
            for future in waiting:
                future.cancel()

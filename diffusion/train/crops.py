"""Small pieces of pictures, and what they should look like enlarged: what an upscaler learns from.

What goes in is what will go in: the mean of each block of the true pixels, in part a little blurred and noisy
(Ho et al. 2022, "Cascaded Diffusion Models", section 4: without, an upscaler sharpens the faults of what it
is given); and for the rest what the denoiser itself made of the picture (own_results.py).

A true picture is never one that was enlarged, for then sharp edges would be taught to be soft. So a photo of
fewer pixels than f R is learnt at its own size, a smaller picture going in: an outline of 25 pixels that
becomes one of 100 is sharp as well.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from .batches import made_ahead, moved, random_place
from .own_results import OwnResults

MOVED = 0.5  # share of the pictures that are turned and scaled, which costs their edges a little sharpness


@dataclass(frozen=True)
class Crops:
    """B pieces: `small` float32 (B, 3, C, C) and `truth` (B, 3, f C, f C), both in [-1, 1]."""

    small: Tensor
    truth: Tensor

    def to(self, device: torch.device) -> Crops:
        return Crops(self.small.to(device), self.truth.to(device))


@dataclass(frozen=True)
class Source:
    """Pictures of one size, and how often one of them is taken.

    Attributes:
        pixels: uint8 (N, 3, S, S).
        chances: float64 (N,), how likely each is among them, summing to 1; 0 for those held out.
        share: how likely one of them is to be taken at all.
    """

    pixels: Tensor
    chances: np.ndarray
    share: float

    def picture(self, index: int) -> np.ndarray:
        """uint8 (S, S, 3)."""
        return np.ascontiguousarray(self.pixels[index].permute(1, 2, 0).numpy())


def box(pixels: np.ndarray, factor: int) -> np.ndarray:
    """The mean of each block of factor x factor pixels: (f H, f W, 3) -> float32 (H, W, 3), 0 .. 255."""
    height, width = (side // factor for side in pixels.shape[:2])
    blocks = pixels[: height * factor, : width * factor].reshape(height, factor, width, factor, 3)
    return blocks.mean(axis=(1, 3), dtype=np.float32)


def cut(pixels: np.ndarray, y: int, x: int, side: int) -> np.ndarray:
    """The square of a picture that begins at row y and column x."""
    return pixels[y : y + side, x : x + side]


def degraded(small: np.ndarray, blur: float, noise: float, rng: np.random.Generator) -> np.ndarray:
    """Half of the pictures blurred, half noisy, 0 .. 255 as before.

    Args:
        blur: the largest standard deviation of the blur, in pixels.
        noise: the largest of the noise, in grey levels of 255.
    """
    if rng.uniform() < 0.5 and (sigma := rng.uniform(0, blur)) > 0.1:  # less changes nothing
        small = cv2.GaussianBlur(small, (0, 0), sigma)
    if rng.uniform() < 0.5:
        small = small + rng.normal(0, rng.uniform(0, noise), small.shape)
    return small.clip(0, 255)


class CropBatches:
    """Endless batches of crops, each depending on the seed and the number of its step alone.

    Args:
        sources: where true pictures are taken from.
        own: what the denoiser made of some of them; None for nothing.
        own_share: how often one of those is taken.
        factor: f.
        size: C, pixels on a side of what goes in.
        batch_size: B.
        blur, noise: see `degraded`.
    """

    def __init__(
        self,
        sources: list[Source],
        own: OwnResults | None,
        own_share: float,
        *,
        factor: int,
        size: int,
        batch_size: int,
        blur: float = 0.0,
        noise: float = 0.0,
        seed: int = 0,
        workers: int = 1,
    ) -> None:
        self.sources, self.own, self.own_share = sources, own, own_share if own else 0.0
        self.factor, self.size, self.batch_size = factor, size, batch_size
        self.blur, self.noise, self.seed, self.workers = blur, noise, seed, workers
        self.shares = np.array([source.share for source in sources]) / sum(s.share for s in sources)

    def one(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A piece, float32 (C, C, 3), and its truth, uint8 (f C, f C, 3), both 0 .. 255."""
        size, factor = self.size, self.factor
        if self.own and rng.uniform() < self.own_share:
            small, truth = self.own.pair(int(rng.integers(len(self.own))))
            y, x = rng.integers(0, len(small) - size, 2, endpoint=True)
            small = cut(small, y, x, size).astype(np.float32)
            truth = cut(truth, y * factor, x * factor, size * factor)
        else:
            source = self.sources[rng.choice(len(self.sources), p=self.shares)]
            truth = source.picture(int(rng.choice(len(source.chances), p=source.chances)))
            if rng.uniform() < MOVED:
                truth = moved(truth, random_place("drawing", rng))
            y, x = rng.integers(0, len(truth) - size * factor, 2, endpoint=True)
            truth = cut(truth, y, x, size * factor)
            small = degraded(box(truth, factor), self.blur, self.noise, rng)
        turns, mirrored = int(rng.integers(4)), rng.uniform() < 0.5
        small, truth = np.rot90(small, turns), np.rot90(truth, turns)
        return (small[:, ::-1], truth[:, ::-1]) if mirrored else (small, truth)

    def at(self, step: int) -> Crops:
        """The batch of one step."""
        made = [self.one(np.random.default_rng((self.seed, step, i))) for i in range(self.batch_size)]
        small, truth = (torch.from_numpy(np.stack(part)).permute(0, 3, 1, 2) for part in zip(*made))
        return Crops(small.float() / 127.5 - 1, truth.float() / 127.5 - 1)

    def since(self, step: int) -> Generator[Crops, None, None]:
        """The batches from this step on, see `made_ahead`."""
        return made_ahead(self.at, step, self.workers)

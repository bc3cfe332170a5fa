"""Between the pictures people see and what the model draws: encoded before it, decoded once at the end.

Here a model draws the pixels themselves. A latent space (Rombach et al. 2022) and an upscaler have their
place here: both are a codec of the checkpoint, of which nothing below those who call `edit` needs to know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


class Codec(Protocol):
    """What a checkpoint's model draws, in place of pixels."""

    def encode(self, pixels: Tensor) -> Tensor:
        """A drawing as the model knows it, float32 (B, 3, R, R) in [-1, 1] -> (B, C, R, R)."""

    def decode(self, x0: Tensor) -> Tensor:
        """What the model drew (B, C, R, R) -> float32 (B, 3, S, S) in [-1, 1], S pixels that people see."""


@dataclass(frozen=True)
class Pixels:
    """The pixels themselves: nothing to do."""

    def encode(self, pixels: Tensor) -> Tensor:
        return pixels

    def decode(self, x0: Tensor) -> Tensor:
        return x0

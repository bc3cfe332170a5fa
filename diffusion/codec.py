"""Between the pictures people see and what the model draws: encoded before it, decoded once at the end.

A model may draw the pixels themselves, or fewer of them, which an upscaler makes into more. A latent space
(Rombach et al. 2022) would have its place here as well: each is a codec of the checkpoint, of which nothing
below those who call `edit` needs to know.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from .upscaler import UpscalerError, load_upscaler


class Codec(Protocol):
    """What a checkpoint's model draws, in place of pixels."""

    @property
    def factor(self) -> int:
        """How many times longer the sides are of what people see than of what the model draws, S / R."""

    def encode(self, pixels: Tensor) -> Tensor:
        """A drawing as the model knows it, float32 (B, 3, R, R) in [-1, 1] -> (B, C, R, R).

        A codec with a factor above 1 takes fewer pixels too.
        """

    def decode(self, x0: Tensor) -> Tensor:
        """What the model drew (B, C, R, R) -> float32 (B, 3, S, S) in [-1, 1], S pixels that people see."""


@dataclass(frozen=True)
class Pixels:
    """The pixels themselves: nothing to do."""

    factor = 1

    def encode(self, pixels: Tensor) -> Tensor:
        return pixels

    def decode(self, x0: Tensor) -> Tensor:
        return x0


def codec_beside(path: str | Path, image_size: int, device: str | torch.device = "cpu") -> Codec:
    """The codec of a checkpoint: the upscaler for its size that lies in its folder, or else the pixels.

    It stands apart from the checkpoints, in upscaler/upscaler-R.safetensors for models of R x R pixels, since
    whoever looks for models takes every file beside them for one.

    Args:
        path: the checkpoint's file.
        image_size: R.

    Raises:
        UpscalerError: the file is damaged, or made for another size than its name says.
    """
    file = Path(path).parent / "upscaler" / f"upscaler-{image_size}.safetensors"
    if not file.exists():
        return Pixels()
    upscaled = load_upscaler(file, device)
    if upscaled.image_size != image_size:
        raise UpscalerError(f"{file} is for pictures of {upscaled.image_size} pixels.")
    return upscaled

"""Between the pictures people see and what the model draws: encoded before it, decoded once at the end.

A model may draw the pixels themselves, or fewer of them, which an upscaler makes into more, or in the latent
space of an autoencoder (autoencoder.py). Each is a codec of the checkpoint, of which nothing below those who
call `edit` needs to know.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from .autoencoder import AutoencoderError, load_autoencoder
from .upscaler import UpscalerError, load_upscaler


class Codec(Protocol):
    """What a checkpoint's model draws, in place of pixels."""

    @property
    def factor(self) -> int:
        """How many times longer the sides are of what people see than of what the model draws, S / R."""

    @property
    def in_pixels(self) -> bool:
        """Does the model draw pixels, in [-1, 1]? Latents have no bounds, and no meaning to the eye."""

    def encode(self, pixels: Tensor) -> Tensor:
        """A drawing as the model knows it, float32 (B, 3, R, R) in [-1, 1] -> (B, C, R, R).

        An upscaler takes fewer pixels too; an autoencoder takes S of them on a side.
        """

    def decode(self, x0: Tensor) -> Tensor:
        """What the model drew (B, C, R, R) -> float32 (B, 3, S, S) in [-1, 1], S pixels that people see."""

    def preview(self, x: Tensor) -> Tensor:
        """A state on the way (B, C, R, R) -> something to look at, float (B, 3, R or S, R or S)."""


@dataclass(frozen=True)
class Pixels:
    """The pixels themselves: nothing to do."""

    factor, in_pixels = 1, True

    def encode(self, pixels: Tensor) -> Tensor:
        return pixels

    def decode(self, x0: Tensor) -> Tensor:
        return x0

    def preview(self, x: Tensor) -> Tensor:
        return x


def autoencoder_beside(path: str | Path, image_size: int) -> Path:
    """Where the autoencoder of a checkpoint lies that draws latents of R x R places."""
    return Path(path).parent / "autoencoder" / f"autoencoder-{image_size}.safetensors"


def latents_beside(
    path: str | Path, shape: tuple[int, int, int], device: str | torch.device = "cpu"
) -> Codec:
    """The codec of a checkpoint that draws latents: the autoencoder that lies in its folder.

    Args:
        path: the checkpoint's file.
        shape: (C, R, R), what it draws.

    Raises:
        AutoencoderError: there is none, or it is damaged, or has other latents.
    """
    file, (channels, size, _) = autoencoder_beside(path, shape[1]), shape
    latents = load_autoencoder(file, device)
    if latents.shape != shape:
        raise AutoencoderError(
            f"{file} has not the {channels} x {size} x {size} latents of {Path(path).name}."
        )
    return latents


def codec_beside(path: str | Path, image_size: int, device: str | torch.device = "cpu") -> Codec:
    """The codec of a checkpoint that draws pixels: the upscaler for its size in its folder, or else nothing.

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

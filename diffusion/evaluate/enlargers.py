"""Ways to make a picture larger, and small pictures to try them on.

bicubic, lanczos   interpolation, Pillow's
enhanced           bicubic, and then OpenCV's detail enhancement
upscaler           the project's own, as an enlargement at strength 0
mended             the denoiser at a low strength before that, told no words
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from .. import images
from ..checkpoint import Checkpoint
from ..sampler import USUAL
from ..sdedit import edit
from ..upscaler import Upscaled
from .inputs import compressed

Enlarge = Callable[[Tensor], Tensor]  # (B, 3, n, n) in [-1, 1] -> (B, 3, S, S), n <= R

BATCH = 16
QUALITY = 30  # of a damaged input, as JPEG counts it


def eight_bits(x: Tensor) -> Tensor:
    """Pictures in [-1, 1] with the values that a file can hold."""
    return ((x.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1


def each(x: Tensor, change: Callable[[Image.Image], Image.Image]) -> Tensor:
    """Pictures (B, 3, H, W) in [-1, 1], changed one by one."""
    pictures = [np.asarray(change(images.to_pil(picture))) for picture in x]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2) / 127.5 - 1


def resized(way: Image.Resampling, side: int) -> Enlarge:
    """Pillow's enlargement, (B, 3, n, n) -> (B, 3, side, side)."""
    return lambda x: each(x, lambda picture: picture.resize((side, side), way))


def enhanced(side: int) -> Enlarge:
    """Bicubic, and the edge-aware filter of Gastal & Oliveira 2011 ("Domain Transform") to lift details."""

    def enhance(picture: Image.Image) -> Image.Image:
        larger = picture.resize((side, side), Image.Resampling.BICUBIC)
        return Image.fromarray(cv2.detailEnhance(np.asarray(larger), sigma_s=10, sigma_r=0.15))

    return lambda x: each(x, enhance)


def mended(checkpoint: Checkpoint, upscaled: Upscaled, strength: float, seed: int) -> Enlarge:
    """`--enlarge` at some strength."""

    def enlarge(x: Tensor) -> Tensor:
        larger = []
        for rows in torch.arange(len(x)).split(BATCH):
            generators = [torch.Generator().manual_seed(seed + int(i)) for i in rows]
            x0, sampling = upscaled.encode(x[rows]), replace(USUAL, strength=strength)
            *_, last = edit(checkpoint, x0, None, sampling, generators)
            larger.append(eight_bits(upscaled.decode(last.x0)))
        return torch.cat(larger)

    return enlarge


def ways(upscaled: Upscaled) -> dict[str, Enlarge]:
    """What needs no denoiser, by name."""
    side = upscaled.image_size * upscaled.factor

    def enlarge(x: Tensor) -> Tensor:
        return torch.cat([eight_bits(upscaled.decode(upscaled.encode(part))) for part in x.split(BATCH)])

    return {
        "bicubic": resized(Image.Resampling.BICUBIC, side),
        "lanczos": resized(Image.Resampling.LANCZOS, side),
        "enhanced": enhanced(side),
        "upscaler": enlarge,
    }


def small_inputs(truth: Tensor, image_size: int) -> dict[str, Tensor]:
    """Pictures averaged down to a quarter, half and all of R pixels, and the last through JPEG, by name."""
    found = {
        str(side): eight_bits(F.avg_pool2d(truth, truth.shape[-1] // side))
        for side in (image_size // 4, image_size // 2, image_size)
    }
    damaged = each(found[str(image_size)], lambda picture: compressed(picture, QUALITY))
    return {**found, f"{image_size}, JPEG {QUALITY}": damaged}

"""What people bring: drawings and bad pictures, made from good ones, so that results can be measured.

    strokes    a few flat colours in broad patches    (SDEdit's simulated strokes, Meng et al. 2022, appendix)
    outlines   black edges on white
    small      shrunk to a quarter of the side and enlarged again;  shrunk_and_blurred  is then blurred, too
    blurred, noisy, compressed

Each takes and returns a square RGB picture (PIL) of the same size. `crude` is strokes, outlines or a
thumbnail by chance, for training (`noise_over` in train.py).
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import torch
from PIL import Image, ImageFilter, ImageOps
from torch import Tensor

from ..images import PAPER
from ..lineart import colour_in


def strokes(image: Image.Image, colours: int = 6, brush: float = 23.0) -> Image.Image:
    """Simulated strokes: a median filter, `brush` pixels wide on 256, then a palette of `colours` colours."""
    width = max(3, round(image.width * brush / 256) | 1)  # odd, so that it has a middle
    smooth = cv2.medianBlur(np.asarray(image), width)
    flat = Image.fromarray(smooth).quantize(colours, dither=Image.Dither.NONE).convert("RGB")
    paper = smooth.min(axis=2, keepdims=True) >= PAPER  # nobody paints the page in cream
    return Image.fromarray(np.where(paper, np.uint8(255), np.asarray(flat)))


def outlines(image: Image.Image) -> Image.Image:
    """The silhouette and the strong inner edges (Canny), black on white, as wide as a pen on a page."""
    pixels = np.asarray(image)
    grey = cv2.cvtColor(cv2.medianBlur(pixels, 5), cv2.COLOR_RGB2GRAY)
    edges = cv2.Canny(grey, 80, 160)
    silhouette = (cv2.medianBlur(pixels, 5).min(axis=2) < PAPER).astype(np.uint8)
    contours, _ = cv2.findContours(silhouette, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(edges, contours, -1, 255)
    pen = max(1, round(image.width / 48))
    lines = cv2.dilate(edges, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (pen, pen)))
    return Image.fromarray(np.where(lines[..., None] > 0, 0, 255).repeat(3, axis=2).astype(np.uint8))


def small(image: Image.Image, factor: int = 4) -> Image.Image:
    """Averaged down to 1 / factor of the side, and bicubic up again: what an upscaler starts from."""
    side = image.width // factor
    return image.resize((side, side), Image.Resampling.BOX).resize(image.size, Image.Resampling.BICUBIC)


def blurred(image: Image.Image) -> Image.Image:
    """Gaussian blur, sigma a 32nd of the side."""
    return image.filter(ImageFilter.GaussianBlur(image.width / 32))


def shrunk_and_blurred(image: Image.Image) -> Image.Image:
    """A thumbnail that was enlarged, then blurred a little (sigma a 64th of the side)."""
    return small(image).filter(ImageFilter.GaussianBlur(image.width / 64))


def noisy(image: Image.Image, seed: int, sigma: float = 40.0) -> Image.Image:
    """Gaussian noise of standard deviation `sigma` grey levels of 255."""
    noise = np.random.default_rng(seed).normal(0, sigma, (*image.size[::-1], 3))
    return Image.fromarray((np.asarray(image) + noise).clip(0, 255).round().astype(np.uint8))


def compressed(image: Image.Image, quality: int = 10) -> Image.Image:
    """Through JPEG of this quality and back."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def wobbly(image: Image.Image, rng: np.random.Generator, amplitude: float = 0.03) -> Image.Image:
    """Bent as an unsure hand bends it: smooth random shifts of about `amplitude` of the side."""
    side = image.width
    coarse = rng.normal(0, amplitude * side, (2, 5, 5)).astype(np.float32)
    shift_x, shift_y = (cv2.resize(part, (side, side), interpolation=cv2.INTER_CUBIC) for part in coarse)
    x, y = np.meshgrid(np.arange(side, dtype=np.float32), np.arange(side, dtype=np.float32))
    bent = cv2.remap(
        np.asarray(image),
        x + shift_x,
        y + shift_y,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(255, 255, 255),
    )
    return Image.fromarray(bent)


def crude(image: Image.Image, rng: np.random.Generator, colours: Sequence[str] = ()) -> Image.Image:
    """What somebody might bring who means this picture: half the time strokes, else coloured-in outlines or
    an enlarged thumbnail. Drawings are bent a little, and vary in brush and palette.

    Args:
        image: RGB, square.
        rng: the source of all chance.
        colours: what outlines are coloured in with, see `lineart.colour_in`.
    """
    kind = rng.choice(["strokes", "outlines", "thumbnail"], p=[0.5, 0.25, 0.25])
    if kind == "thumbnail":
        radius = image.width / rng.uniform(48, 128)
        return small(image, int(rng.choice([2, 4, 8]))).filter(ImageFilter.GaussianBlur(radius))
    bent = wobbly(image, rng, rng.uniform(0, 0.03))
    if kind == "outlines":
        # On a larger page first: corners that the drawing cuts off from the page are not its inside.
        page = ImageOps.expand(outlines(bent), border=image.width // 8, fill="white")
        return ImageOps.crop(colour_in(page, colours), border=image.width // 8)
    return strokes(bent, int(rng.integers(3, 9)), rng.uniform(12, 36))


def crude_versions(pixels: Tensor, colours: Sequence[Sequence[str]], seed: int) -> Tensor:
    """One `crude` version of each picture, always the same for the same seed: uint8 (N, 3, S, S).

    Args:
        pixels: uint8 (N, 3, S, S).
        colours: N palettes.
    """
    done = torch.empty_like(pixels)

    def make(i: int) -> None:
        image = Image.fromarray(pixels[i].permute(1, 2, 0).numpy())
        version = crude(image, np.random.default_rng((seed, i)), colours[i])
        done[i] = torch.from_numpy(np.array(version)).permute(2, 0, 1)

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # OpenCV and Pillow let go of Python meanwhile
        list(pool.map(make, range(len(pixels))))
    return done


def denoised(image: Image.Image, strength: float = 10.0) -> Image.Image:
    """OpenCV's non-local means (Buades et al. 2005): a restoration to compare with, which learnt nothing."""
    bgr = np.asarray(image)[..., ::-1].copy()
    return Image.fromarray(cv2.fastNlMeansDenoisingColored(bgr, None, strength, strength)[..., ::-1].copy())

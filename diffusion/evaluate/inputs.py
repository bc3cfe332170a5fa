"""Drawings and bad pictures made from good ones, so that what becomes of them can be compared with the truth.

    strokes    a few flat colours in broad patches    (SDEdit's simulated strokes, Meng et al. 2022, appendix)
    outlines   black edges on white
    small      shrunk to a quarter of the side and enlarged again;  shrunk_and_blurred  is then blurred, too
    blurred, noisy, compressed
    denoised   a restoration to compare with

Each takes and returns a square RGB picture (PIL) of the same size.
"""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image, ImageFilter

from ..images import PAPER


def strokes(image: Image.Image, colours: int = 6, brush: float = 23.0) -> Image.Image:
    """Simulated strokes: a median filter, `brush` pixels wide on 256, then a palette of `colours` colours."""
    width = max(3, round(image.width * brush / 256) | 1)  # odd, so that it has a middle
    smooth = cv2.medianBlur(np.asarray(image), width)
    flat = Image.fromarray(smooth).quantize(colours, dither=Image.Dither.NONE).convert("RGB")
    paper = smooth.min(axis=2, keepdims=True) >= PAPER  # nearly white is the page, not a colour on it
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


def denoised(image: Image.Image, strength: float = 10.0) -> Image.Image:
    """OpenCV's non-local means (Buades et al. 2005): a restoration to compare with, which learnt nothing."""
    bgr = np.asarray(image)[..., ::-1].copy()
    return Image.fromarray(cv2.fastNlMeansDenoisingColored(bgr, None, strength, strength)[..., ::-1].copy())

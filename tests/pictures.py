"""Made-up drawings, and what is in a picture."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw

RED, BLUE = (200, 30, 30), (40, 60, 220)


def apple(
    canvas: int | tuple[int, int], left: float, top: float, size: float, mode: str = "RGB"
) -> Image.Image:
    """A red ellipse with a blue notch, `size` wide, on white or (RGBA) nothing; supersampled."""
    width, height = (canvas, canvas) if isinstance(canvas, int) else canvas
    image = Image.new(mode, (width * 4, height * 4), "white" if mode == "RGB" else (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse([v * 4 for v in (left, top, left + size, top + size * 0.8)], fill=RED)
    draw.rectangle([v * 4 for v in (left, top, left + size / 4, top + size / 4)], fill=BLUE)
    return image.resize((width, height), Image.Resampling.BOX)


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


def saved(image: Image.Image, format: str = "PNG", **options) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, format=format, **options)
    file.seek(0)
    return file

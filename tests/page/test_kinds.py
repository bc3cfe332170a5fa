"""Outlines, colours and photos are told apart, and photos painted without the bars beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("gradio")

from PIL import Image, ImageDraw

from conftest import apple_drawing, half_mask, tiny_checkpoint
from diffusion.images import load
from diffusion.kinds import COLOURED, OUTLINE, PHOTO, STRENGTHS, kind_of, photo_box
from diffusion.page.canvas_io import data_url
from diffusion.page.choices import STRENGTH_SAYS
from diffusion.page.drawing import read_drawing
from diffusion.page.session import Run, paint
from diffusion.page.settings import Settings

DRAWINGS = Path(__file__).parents[2] / "assets" / "drawings"


def photo(width: int, height: int, side: int = 512) -> Image.Image:
    """A picture of many colours as the canvas lays it: as large as it goes, in the middle of white."""
    y, x = np.mgrid[0:height, 0:width]
    colours = np.stack([x * 200 / width, y * 200 / height, 40 + 60 * np.sin(x / 17) * np.cos(y / 11)], 2)
    canvas = Image.new("RGB", (side, side), "white")
    canvas.paste(
        Image.fromarray(colours.clip(0, 255).astype(np.uint8)), ((side - width) // 2, (side - height) // 2)
    )
    return canvas


@pytest.mark.parametrize("size", [(512, 384), (384, 512), (512, 512), (512, 289)])
def test_a_photo_is_one_with_bars_and_without(size):
    assert kind_of(photo(*size)) == PHOTO
    left, top, right, bottom = photo_box(photo(*size))
    assert (right - left, bottom - top) == pytest.approx(size, abs=1)
    drawn_on = photo(*size)
    ImageDraw.Draw(drawn_on).line([(100, 250), (400, 260)], fill="red", width=24)
    assert kind_of(drawn_on) == PHOTO


@pytest.mark.parametrize("habit", ["pen", "thin", "thick", "doublestroke"])
def test_black_lines_are_outlines(habit):
    found = [kind_of(load(path)) for path in sorted((DRAWINGS / "hands").glob(f"*-{habit}-*.png"))]
    assert found and set(found) == {OUTLINE}


def test_what_is_full_of_colour_is_not(habit="coloured"):
    found = [kind_of(load(path)) for path in sorted((DRAWINGS / "hands").glob(f"*-{habit}-*.png"))]
    assert found.count(COLOURED) >= 0.8 * len(found) and PHOTO not in found
    assert kind_of(apple_drawing()) == COLOURED
    full = Image.new("RGB", (512, 512), (220, 40, 40))
    assert kind_of(full) == COLOURED, "a canvas that is filled has few colours"


def test_red_lines_are_outlines_and_black_surfaces_have_no_colour_to_keep():
    ring = Image.new("RGB", (512, 512), "white")
    ImageDraw.Draw(ring).ellipse([100, 100, 400, 400], outline="red", width=12)
    assert kind_of(ring) == OUTLINE
    ImageDraw.Draw(ring).ellipse([100, 100, 400, 400], fill=(30, 30, 34))
    assert kind_of(ring) == OUTLINE


def test_each_kind_has_its_strength_and_says_so():
    assert STRENGTHS[PHOTO] < STRENGTHS[COLOURED] < STRENGTHS[OUTLINE]
    assert all(f"{STRENGTHS[kind]:g}" in STRENGTH_SAYS[kind] for kind in (PHOTO, OUTLINE))


@pytest.mark.parametrize("size", [(512, 384), (384, 512)])
def test_the_bars_beside_a_photo_are_not_painted_over(size):
    settings = Settings("tiny", {"subject": "apple", "style": "photo"}, strength=1.0, steps=5)
    value = {"picture": data_url(photo(*size)), "keep": ""}
    drawing = read_drawing(value, tiny_checkpoint(), settings)
    assert drawing and drawing.picture.size == size
    run = Run(settings, drawing, list(paint(tiny_checkpoint(), drawing, settings)))
    assert run.picture().size == size, "the photo and nothing besides"
    assert drawing.shape == pytest.approx([side / 512 for side in size], abs=0.005)
    left, top, side = drawing.box
    assert (left, top, side) == pytest.approx((0, 0, 1), abs=0.005)


def test_what_is_kept_of_a_photo_is_cut_out_with_it():
    value = {"picture": data_url(photo(512, 384)), "keep": data_url(half_mask())}
    drawing = read_drawing(value, tiny_checkpoint(), Settings("tiny", {}))
    assert drawing and drawing.keep and drawing.keep.size == drawing.picture.size
    assert (
        drawing.keep.getpixel((10, 10))[:3] == (0, 0, 0)
        and drawing.keep.getpixel((500, 10))[:3] == (255,) * 3
    )

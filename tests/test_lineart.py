"""Outlines are coloured in; everything else is left alone."""

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from conftest import tiny_checkpoint
from diffusion import lineart
from diffusion.images import load
from diffusion.lineart import colour_in, enclosed_areas, is_ink, typical_colours

ORANGE, TEAL = "#f8b03f", "#109090"


def page(size=256):
    image = Image.new("RGB", (size, size), "white")
    return image, ImageDraw.Draw(image)


def ring(gap=0, ink="black", size=256):
    """A circle drawn with a line; `gap` degrees of it are missing."""
    image, draw = page(size)
    draw.arc([size * 0.2, size * 0.2, size * 0.8, size * 0.8], gap, 360, fill=ink, width=max(2, size // 40))
    return image


@pytest.mark.parametrize("size", [64, 256, 900])
def test_a_closed_outline_is_filled_and_the_page_is_not(size):
    got = colour_in(ring(size=size), [ORANGE, TEAL])
    assert got.getpixel((size // 2, size // 2)) == (0xF8, 0xB0, 0x3F)
    assert got.getpixel((2, 2)) == (255, 255, 255)
    pixels = np.asarray(got).reshape(-1, 3)
    inside = (pixels == (0xF8, 0xB0, 0x3F)).all(axis=1).mean()
    assert inside == pytest.approx(np.pi * 0.28**2, rel=0.08)  # the disc up to its line, no further


def test_the_lines_themselves_stay():
    before, after = np.asarray(ring()), np.asarray(colour_in(ring(), [ORANGE]))
    lines = before.min(axis=2) < 100
    assert (before[lines] == after[lines]).all()


def test_a_small_gap_is_bridged_and_a_large_one_is_open():
    assert colour_in(ring(gap=4), [ORANGE]).getpixel((128, 128)) == (0xF8, 0xB0, 0x3F)
    open_ring = ring(gap=60)
    assert colour_in(open_ring, [ORANGE]) is open_ring


def test_coloured_lines_fill_with_their_own_colour():
    assert colour_in(ring(ink="#d02020"), [TEAL]).getpixel((128, 128)) == (0xD0, 0x20, 0x20)


def test_small_areas_stay_white_and_all_large_ones_are_filled():
    image, draw = page()
    draw.rectangle([30, 30, 220, 220], outline="black", width=5)
    draw.line([30, 120, 220, 120], fill="black", width=5)
    draw.ellipse([60, 60, 72, 72], outline="black", width=3)
    got = colour_in(image, [ORANGE])
    assert got.getpixel((150, 60)) == got.getpixel((150, 180)) == (0xF8, 0xB0, 0x3F)
    assert got.getpixel((66, 66)) == (255, 255, 255)
    assert len(enclosed_areas(is_ink(image))) == 2


def test_without_typical_colours_it_is_grey_and_alpha_is_paper():
    outline = ring()
    clear = outline.convert("RGBA")
    clear.putalpha(Image.fromarray((np.asarray(outline.convert("L")) < 128).astype(np.uint8) * 255))
    assert colour_in(clear).getpixel((128, 128)) == (0x96, 0x96, 0x96)


def test_filled_drawings_photos_and_blank_pages_come_back_as_they_are():
    blank, _ = page()
    disc, draw = page()
    draw.ellipse([50, 50, 200, 200], fill="red")
    draw.ellipse([80, 80, 110, 110], fill="white")  # a highlight
    noise = torch.randint(0, 256, (64, 64, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    for image in (blank, disc, Image.fromarray(noise.numpy()), Image.new("RGB", (1, 1))):
        assert colour_in(image, [ORANGE]) is image


def test_of_the_shipped_drawings_just_the_outlines_are_coloured_in():
    from pathlib import Path

    drawings = sorted((Path(__file__).parents[1] / "assets" / "drawings").glob("*.png"))
    changed = {path.stem for path in drawings if (image := load(path)) is not colour_in(image, [ORANGE])}
    assert changed == {"cat-2", "star-2"}


def test_typical_colours_are_the_frequent_vivid_ones():
    pixels = torch.full((4, 3, 16, 16), 255, dtype=torch.uint8)
    for area, colour in (
        (slice(0, 8), (200, 30, 30)),
        (slice(8, 10), (30, 160, 40)),
        (slice(10, 14), (120, 118, 122)),
    ):
        pixels[:, :, area] = torch.tensor(colour, dtype=torch.uint8).reshape(1, 3, 1, 1)
    pixels[:, :, 15] = 10  # black lines do not count
    assert typical_colours(pixels) == ["#c81e1e", "#1ea028", "#78767a"]
    assert typical_colours(torch.full((1, 3, 8, 8), 255, dtype=torch.uint8)) == []


def test_a_checkpoint_knows_the_colours_of_a_label():
    checkpoint = tiny_checkpoint()
    checkpoint.colours = {"cat": [ORANGE]}
    assert checkpoint.colours_of({"subject": "cat", "style": "noto"}) == [ORANGE]
    assert checkpoint.colours_of({"subject": "apple"}) == checkpoint.colours_of({}) == []


def rings(side: int) -> np.ndarray:
    """Two shapes of outlines, as ink; the same at every size."""
    image = Image.new("L", (side, side), 255)
    draw, width = ImageDraw.Draw(image), max(1, side // 100)
    draw.ellipse([side * 0.1, side * 0.1, side * 0.6, side * 0.6], outline=0, width=width)
    draw.rectangle([side * 0.6, side * 0.7, side * 0.9, side * 0.9], outline=0, width=width)
    return np.asarray(image) < 128


def filled(ink: np.ndarray) -> np.ndarray:
    page = np.zeros(ink.shape, bool)
    for rows, columns, mask in lineart.enclosed_areas(ink):
        page[rows, columns] |= mask
    return page


@pytest.mark.parametrize("side", [1500, 2047])
def test_the_areas_of_a_large_drawing_are_found_in_few_pixels(side, monkeypatch) -> None:
    """Dilating with a brush that grows with the drawing costs the fourth power of its side."""
    brushes, make = [], cv2.getStructuringElement
    spy = lambda form, size: brushes.append(size) or make(form, size)
    monkeypatch.setattr(cv2, "getStructuringElement", spy)
    large = rings(side)
    found = filled(large)
    assert max(max(size) for size in brushes) <= lineart.GAP * 1024 + 2
    assert abs(found.mean() - filled(rings(500)).mean()) < 0.01
    assert not (found & large).any(), "lines stay"
    distance = cv2.distanceTransform((~(found | large)).astype(np.uint8), cv2.DIST_L1, 3)
    inside = np.zeros_like(large)
    inside[int(0.72 * side) : int(0.88 * side), int(0.62 * side) : int(0.88 * side)] = True
    assert distance[inside].max() == 0, "no white is left between an area and its lines"

"""Crude versions of pictures, for training."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from diffusion.train import degrade


@pytest.fixture
def ball() -> Image.Image:
    """A shaded ball with two eyes on white: many colours, some edges."""
    image = Image.new("RGB", (128, 128), "white")
    draw = ImageDraw.Draw(image)
    for i in range(50):
        draw.ellipse([14 + i, 14 + i, 114 - i, 114 - i], fill=(200, 40 + 2 * i, 3 * i))
    for x in (45, 75):
        draw.ellipse([x, 50, x + 6, 56], fill="black")
    return image


def error(a, b) -> float:
    return float(np.abs(np.asarray(a, float) - np.asarray(b, float)).mean())


def test_crude_versions_keep_paper_and_place_and_follow_the_seed(ball):
    rng = np.random.default_rng(0)
    versions = [degrade.crude(ball, rng, ["#c82828"]) for _ in range(24)]
    for version in versions:
        assert version.size == ball.size and version.mode == "RGB"
        assert min(version.getpixel((1, 1))) > 250
        assert 0 < error(version, ball) < 60
    assert len({version.tobytes() for version in versions}) == 24
    pixels = torch.from_numpy(np.array(ball)).permute(2, 0, 1).expand(6, 3, 128, 128)
    made = degrade.crude_versions(pixels, [["#c82828"]] * 6, seed=1)
    assert made.shape == pixels.shape and made.dtype == torch.uint8
    assert torch.equal(made, degrade.crude_versions(pixels, [["#c82828"]] * 6, seed=1))
    assert not torch.equal(made, degrade.crude_versions(pixels, [["#c82828"]] * 6, seed=2))
    assert len({one.numpy().tobytes() for one in made}) == 6


def test_outlines_that_touch_the_edge_do_not_enclose_the_page():
    """A bar across the picture cuts the page in two, and neither half is inside anything."""
    image = Image.new("RGB", (128, 128), "white")
    ImageDraw.Draw(image).rectangle([0, 50, 128, 78], fill=(90, 140, 200))
    for seed in range(40):
        made = degrade.crude(image, np.random.default_rng(seed), ["#c82828"])
        assert min(made.getpixel((64, 5))) > 230 and min(made.getpixel((64, 122))) > 230


def test_wobbling_bends_and_leaves_the_colours(ball):
    bent = degrade.wobbly(ball, np.random.default_rng(0))
    assert 0.5 < error(bent, ball) < 40
    assert degrade.wobbly(ball, np.random.default_rng(0), 0.0).tobytes() == ball.tobytes()

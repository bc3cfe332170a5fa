"""Drawings and bad pictures made from good ones."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from diffusion.evaluate import inputs
from diffusion.lineart import colour_in


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


def colours(image) -> int:
    return len(image.getcolors(100_000))


def error(a, b) -> float:
    return float(np.abs(np.asarray(a, float) - np.asarray(b, float)).mean())


def test_strokes_are_few_colours_in_broad_patches(ball):
    drawn = inputs.strokes(ball)
    assert drawn.size == ball.size and colours(drawn) <= 6 < colours(ball)
    assert min(drawn.getpixel((2, 2))) > 250  # paper stays paper
    assert np.asarray(drawn.convert("L")).min() > 30  # the eyes are smaller than the filter
    assert error(drawn, ball) < 15


def test_outlines_are_black_on_white_and_close_what_they_enclose(ball):
    drawn = inputs.outlines(ball)
    assert set(np.unique(np.asarray(drawn))) == {0, 255}
    ink = (np.asarray(drawn)[..., 0] == 0).mean()
    assert 0.02 < ink < 0.25
    filled = colour_in(drawn, ["#c82828"])
    assert filled.getpixel((64, 100)) == (200, 40, 40) and filled.getpixel((2, 2)) == (255, 255, 255)


def test_a_pale_thing_has_an_outline_too():
    """Too pale for an edge detector, but not paper."""
    pale = Image.new("RGB", (128, 128), "white")
    ImageDraw.Draw(pale).ellipse([30, 30, 100, 100], fill=(255, 255, 220))
    drawn = inputs.outlines(pale)
    assert colour_in(drawn, ["#c82828"]).getpixel((64, 64)) == (200, 40, 40)


def test_small_keeps_averages_and_drops_detail(ball):
    drawn = inputs.small(ball)
    assert drawn.size == ball.size and error(drawn, ball) > 0.5
    shrink = lambda image: image.resize((32, 32), Image.Resampling.BOX)
    assert error(shrink(drawn), shrink(ball)) < error(drawn, ball)
    checkerboard = Image.fromarray((np.indices((128, 128)).sum(0) % 2 * 255).astype(np.uint8)).convert("RGB")
    assert np.ptp(np.asarray(inputs.small(checkerboard))) <= 1


@pytest.mark.parametrize(
    "worse",
    [inputs.blurred, inputs.shrunk_and_blurred, inputs.compressed, lambda i: inputs.noisy(i, 0)],
)
def test_the_others_change_a_picture_but_not_its_size(ball, worse):
    drawn = worse(ball)
    assert (drawn.mode, drawn.size) == ("RGB", (128, 128))
    assert 0.5 < error(drawn, ball) < 60


def test_noise_is_seeded_and_of_its_size():
    grey = Image.new("RGB", (128, 128), (128, 128, 128))
    a, b = np.asarray(inputs.noisy(grey, 3), float), np.asarray(inputs.noisy(grey, 3), float)
    assert np.array_equal(a, b) and not np.array_equal(a, np.asarray(inputs.noisy(grey, 4), float))
    assert a.std() == pytest.approx(40, rel=0.05) and a.mean() == pytest.approx(128, abs=1)


def test_the_denoiser_takes_noise_away(ball):
    bad = inputs.noisy(ball, 0, sigma=15)
    assert error(inputs.denoised(bad, 20), ball) < error(bad, ball)

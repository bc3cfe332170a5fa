"""Drawings and bad pictures made from good ones."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from diffusion.lineart import colour_in
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


def colours(image) -> int:
    return len(image.getcolors(100_000))


def error(a, b) -> float:
    return float(np.abs(np.asarray(a, float) - np.asarray(b, float)).mean())


def test_strokes_are_few_colours_in_broad_patches(ball):
    drawn = degrade.strokes(ball)
    assert drawn.size == ball.size and colours(drawn) <= 6 < colours(ball)
    assert min(drawn.getpixel((2, 2))) > 250  # paper stays paper
    assert np.asarray(drawn.convert("L")).min() > 30  # the eyes are smaller than the filter
    assert error(drawn, ball) < 15


def test_outlines_are_black_on_white_and_close_what_they_enclose(ball):
    drawn = degrade.outlines(ball)
    assert set(np.unique(np.asarray(drawn))) == {0, 255}
    ink = (np.asarray(drawn)[..., 0] == 0).mean()
    assert 0.02 < ink < 0.25
    filled = colour_in(drawn, ["#c82828"])
    assert filled.getpixel((64, 100)) == (200, 40, 40) and filled.getpixel((2, 2)) == (255, 255, 255)


def test_a_pale_thing_has_an_outline_too():
    """Too pale for an edge detector, but not paper."""
    pale = Image.new("RGB", (128, 128), "white")
    ImageDraw.Draw(pale).ellipse([30, 30, 100, 100], fill=(255, 255, 220))
    drawn = degrade.outlines(pale)
    assert colour_in(drawn, ["#c82828"]).getpixel((64, 64)) == (200, 40, 40)


def test_small_keeps_averages_and_drops_detail(ball):
    drawn = degrade.small(ball)
    assert drawn.size == ball.size and error(drawn, ball) > 0.5
    shrink = lambda image: image.resize((32, 32), Image.Resampling.BOX)
    assert error(shrink(drawn), shrink(ball)) < error(drawn, ball)
    checkerboard = Image.fromarray((np.indices((128, 128)).sum(0) % 2 * 255).astype(np.uint8)).convert("RGB")
    assert np.ptp(np.asarray(degrade.small(checkerboard))) <= 1


@pytest.mark.parametrize(
    "worse",
    [degrade.blurred, degrade.shrunk_and_blurred, degrade.compressed, lambda i: degrade.noisy(i, 0)],
)
def test_the_others_change_a_picture_but_not_its_size(ball, worse):
    drawn = worse(ball)
    assert (drawn.mode, drawn.size) == ("RGB", (128, 128))
    assert 0.5 < error(drawn, ball) < 60


def test_noise_is_seeded_and_of_its_size():
    grey = Image.new("RGB", (128, 128), (128, 128, 128))
    a, b = np.asarray(degrade.noisy(grey, 3), float), np.asarray(degrade.noisy(grey, 3), float)
    assert np.array_equal(a, b) and not np.array_equal(a, np.asarray(degrade.noisy(grey, 4), float))
    assert a.std() == pytest.approx(40, rel=0.05) and a.mean() == pytest.approx(128, abs=1)


def test_the_denoiser_takes_noise_away(ball):
    bad = degrade.noisy(ball, 0, sigma=15)
    assert error(degrade.denoised(bad, 20), ball) < error(bad, ball)


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

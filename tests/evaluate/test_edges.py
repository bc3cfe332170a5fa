"""The width of edges is that of edges made to have it."""

import numpy as np
import pytest
import torch
from PIL import Image

from diffusion.evaluate.edges import edge_widths, mean_edge_width, strong_edges


def edge(width_sd: float, degrees: float = 0.0, low: float = 0.2, high: float = 0.9, side: int = 96):
    """A straight edge through the middle, blurred by a Gaussian of this standard deviation (0: a step)."""
    angle, fine = np.radians(degrees), 8
    y, x = (np.mgrid[: side * fine, : side * fine] + 0.5) / fine - side / 2
    across = x * np.cos(angle) + y * np.sin(angle)
    erf = torch.erf(torch.from_numpy(across) / (max(width_sd, 1e-6) * 2**0.5)).numpy()
    values = low + (high - low) * (erf + 1) / 2
    small = values.reshape(side, fine, side, fine).mean(axis=(1, 3))
    return Image.fromarray((small * 255).round().astype(np.uint8)).convert("RGB")


def median_width(picture, at=None) -> float:
    return float(np.median(edge_widths(picture, strong_edges(at or picture))))


def test_a_step_between_pixels_is_as_sharp_as_can_be():
    assert median_width(edge(0)) == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("degrees", [0, 17, 45, 200])
@pytest.mark.parametrize("sd", [1.0, 2.0, 3.0])
def test_a_blurred_edge_has_the_width_of_its_blur(sd, degrees):
    whole = (sd**2 + 1 / 12 + 1 / 12) ** 0.5  # a pixel's own area and reading between pixels blur as well
    assert median_width(edge(sd, degrees)) == pytest.approx(2.563 * whole, rel=0.05)


def test_contrast_does_not_matter_but_faint_edges_do_not_count():
    assert median_width(edge(2, low=0.4, high=0.8)) == pytest.approx(median_width(edge(2)), rel=0.03)
    assert not len(edge_widths(edge(2, low=0.5, high=0.6), strong_edges(edge(2))))


def test_versions_are_measured_where_the_reference_has_its_edges():
    x = torch.stack([torch.from_numpy(np.array(edge(sd))) for sd in (0, 2)]).permute(0, 3, 1, 2) / 127.5 - 1
    sharp, soft = (mean_edge_width(picture[None], at=x[:1]) for picture in x)
    assert sharp == pytest.approx(0.8, abs=0.02) and soft == pytest.approx(5.2, rel=0.05)


def test_a_blank_picture_has_no_edges():
    blank = torch.ones(1, 3, 64, 64)
    assert np.isnan(mean_edge_width(blank, at=blank))

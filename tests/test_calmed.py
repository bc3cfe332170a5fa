"""The slow part of the noise over a drawing is weakened, and nothing else of it."""

import pytest
import torch
import torch.nn.functional as F

from diffusion import Sampling
from diffusion.errors import DoodleError
from diffusion.sdedit import AREAS, calmed
from toys import seeded


def test_calmed_noise_is_quieter_over_areas_and_as_loud_between_pixels():
    noise = torch.randn(8, 3, 64, 64, generator=seeded())
    areas = {t: F.avg_pool2d(calmed(noise, t), 64 // 8) for t in (0.0, 0.5, 1.0)}
    beside = {t: calmed(noise, t).diff(dim=-1) for t in (0.0, 1.0)}
    assert torch.equal(calmed(noise, 1.0), noise)
    assert areas[0.0].std() < 0.3 * areas[1.0].std() and areas[0.5].std() < 0.7 * areas[1.0].std()
    assert beside[0.0].std() == pytest.approx(float(beside[1.0].std()), rel=0.05)
    torch.testing.assert_close(calmed(noise, 0.5), (noise + calmed(noise, 0.0)) / 2)


@pytest.mark.parametrize("side", [AREAS // 2, AREAS, AREAS + 4])
def test_small_noise_can_be_calmed(side):
    flat = torch.ones(1, 3, side, side)
    torch.testing.assert_close(calmed(flat, 0.25), 0.25 * flat)


@pytest.mark.parametrize("temperature", [-0.1, 1.5, float("nan")])
def test_a_temperature_out_of_range_is_refused(temperature):
    with pytest.raises(DoodleError, match="Temperature must be between 0 and 1"):
        Sampling(temperature=temperature)

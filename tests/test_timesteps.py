"""Which timesteps are walked: any spacing is a descending sub-sequence, and those of the papers."""

import pytest
import torch
from diffusers import DDIMScheduler
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import tiny_checkpoint
from diffusion.sampler import Sampling
from diffusion.schedule import NoiseSchedule
from diffusion.sdedit import edit, edit_timesteps
from diffusion.timesteps import SPACINGS, spaced_timesteps
from toys import gaussian_oracle, run


@settings(max_examples=300, deadline=None)
@given(n=st.integers(1, 1000), start=st.integers(0, 999), spacing=st.sampled_from(list(SPACINGS)))
def test_every_spacing_gives_as_many_different_timesteps_as_there_can_be(n, start, spacing):
    timesteps = spaced_timesteps(n, start, spacing)
    assert len(timesteps) == min(n, start + 1)
    assert all(a > b for a, b in zip(timesteps, timesteps[1:]))
    assert timesteps[-1] >= 0
    assert timesteps[0] <= start if spacing == "leading" else timesteps[0] == start
    if spacing != "trailing" and len(timesteps) > 1:
        assert timesteps[-1] == 0


@pytest.mark.parametrize("spacing", ["trailing", "leading", "linspace"])
@pytest.mark.parametrize("n", [2, 10, 50, 1000])
def test_timesteps_agree_with_diffusers(spacing, n):
    peer = DDIMScheduler(timestep_spacing=spacing)
    peer.set_timesteps(n)
    assert spaced_timesteps(n, 999, spacing) == peer.timesteps.tolist()


def test_a_single_step_starts_where_the_noise_is():
    assert [spaced_timesteps(1, 700, each) for each in SPACINGS] == [[700], [0], [700], [700]]


def test_quadratic_timesteps_are_squares():
    """tau_i = floor(c i^2): the square roots lie evenly, but near 0, where squares would coincide."""
    assert spaced_timesteps(11, 1000, "quadratic") == [10 * i**2 for i in range(10, -1, -1)]
    assert spaced_timesteps(5, 6, "quadratic") == [6, 3, 2, 1, 0]


@pytest.mark.parametrize("spacing", SPACINGS)
def test_any_spacing_leads_to_the_data(spacing):
    """A Gaussian data set again: DDIM maps noise to data by x -> a + b x."""
    schedule = NoiseSchedule("linear")
    x = torch.tensor([0.0, 1.0], dtype=torch.float64).reshape(2, 1, 1, 1)
    timesteps = spaced_timesteps(500, 999, spacing)
    a, a_plus_b = run(gaussian_oracle(schedule), schedule, x, timesteps, clip=False).flatten().tolist()
    assert a == pytest.approx(0.3, abs=2e-3)
    assert a_plus_b - a == pytest.approx(0.25, abs=5e-3)


def test_an_edit_walks_the_spacing_of_its_sampling():
    assert edit_timesteps(0.6, 10, 1000) == edit_timesteps(0.6, 10, 1000, "trailing")
    assert edit_timesteps(0.6, 10, 1000, "quadratic") == [599 * i**2 // 25 for i in range(5, -1, -1)]
    assert edit_timesteps(0.0, 10, 1000, "linspace") == []
    steps = edit(tiny_checkpoint(), None, None, Sampling(1.0, 4, spacing="linspace"))
    assert [step.t for step in steps] == [999, 666, 333, 0]


@pytest.mark.parametrize("n", [0, -3])
def test_step_counts_below_one_are_refused(n):
    with pytest.raises(ValueError, match="at least 1"):
        spaced_timesteps(n, 999)


def test_an_unknown_spacing_is_refused():
    with pytest.raises(ValueError, match="trailing, leading"):
        Sampling(spacing="random")

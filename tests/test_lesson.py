"""The lesson shows the method itself: each of its numbers and pictures is the sampler's own."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import tiny_checkpoint
from diffusion import Condition, Denoiser, NoiseSchedule, Sampling, edit, sample
from diffusion.bound import step_term
from diffusion.lesson import (
    bit_timesteps,
    first_step,
    noise_parts,
    picture_bits,
    schedule_curves,
    seeded_noise,
    start_timestep,
)
from diffusion.sdedit import edit_timesteps
from diffusion.solver import DDIM

SCHEDULES = [NoiseSchedule("cosine"), NoiseSchedule("linear")]
LABELS = {"subject": "cat", "style": "noto"}
PICTURE = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(9)) * 2 - 1


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def checkpoint():
    return tiny_checkpoint()


# ---- forward process


@given(t=st.integers(0, 999), schedule=st.sampled_from(SCHEDULES))
@settings(deadline=None, max_examples=50)
def test_the_two_parts_make_up_the_noised_picture_exactly(t, schedule):
    eps = seeded_noise(PICTURE, seed=3)
    parts = noise_parts(schedule, PICTURE, eps, t)
    assert torch.equal(parts.x_t, schedule.add_noise(PICTURE, eps, t))
    assert torch.equal((parts.signal + parts.noise).to(PICTURE.dtype), parts.x_t)
    assert 0 < parts.abar < 1 and 0 < parts.signal_scale < 1 and 0 < parts.noise_scale <= 1
    assert parts.signal_scale**2 + parts.noise_scale**2 == pytest.approx(1, abs=1e-12)
    assert parts.signal_scale**2 == pytest.approx(parts.abar)


@pytest.mark.parametrize("t", [-2, 1000])
def test_a_timestep_out_of_range_is_refused(checkpoint, t):
    with pytest.raises(ValueError):
        noise_parts(checkpoint.schedule, PICTURE, PICTURE, t)
    with pytest.raises(ValueError):
        first_step(checkpoint, PICTURE, t)


def test_the_noise_shown_is_the_noise_an_edit_starts_with(checkpoint, monkeypatch):
    seen = []

    def spy(x, *rest, forward=checkpoint.model.forward):
        seen.append(x.clone())
        return forward(x, *rest)

    monkeypatch.setattr(checkpoint.model, "forward", spy)
    next(iter(edit(checkpoint, PICTURE, LABELS, Sampling(0.6, guidance=1), seeded(5))))
    t0 = start_timestep(0.6, 1000)
    assert torch.equal(seen[0], noise_parts(checkpoint.schedule, PICTURE, seeded_noise(PICTURE, 5), t0).x_t)


# ---- schedule


def test_every_schedule_is_drawn_and_falls_from_1_to_0():
    curves = schedule_curves(1000)
    assert set(curves) == {"cosine", "linear", "straight"}
    for kind, abar in curves.items():
        assert torch.equal(abar, NoiseSchedule(kind).alphas_cumprod)
        assert 0.999 < abar[0] < 1 and 0 <= abar[-1] < 1e-3 and (abar.diff() < 0).all()


@given(strength=st.floats(0, 1), n=st.integers(1, 50))
def test_t0_is_the_first_timestep_of_an_edit_however_many_follow(strength, n):
    t0 = start_timestep(strength, 1000)
    assert edit_timesteps(strength, n, 1000)[:1] == ([t0] if t0 >= 0 else [])
    assert start_timestep(0, 1000) == -1 and start_timestep(1, 1000) == 999


# ---- one step


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("guidance", [1.0, 2.0])
@pytest.mark.parametrize("t", [0, 40, 599, 949])
def test_one_step_is_the_first_that_an_edit_yields(checkpoint, t, guidance, eta):
    sampling = Sampling((t + 1) / 1000, 20, guidance, eta)
    ours = first_step(checkpoint, PICTURE, t, LABELS, sampling, seeded(2))
    its = next(iter(edit(checkpoint, PICTURE, LABELS, sampling, seeded(2))))
    assert ours.t == its.t == t
    assert torch.equal(ours.x0, its.x0) and torch.equal(ours.x_prev, its.x)


def test_one_step_is_the_first_that_sample_yields(checkpoint):
    ours = first_step(checkpoint, PICTURE, 999, LABELS, Sampling(guidance=1.0), seeded(2))
    timesteps = edit_timesteps(1, 20, 1000)
    denoiser = Denoiser.of(checkpoint, Condition.of(checkpoint, LABELS))
    its = next(sample(denoiser, ours.x_t, timesteps, DDIM()))
    assert torch.equal(ours.x_prev, its.x) and ours.t_prev == timesteps[1]


@given(t=st.integers(0, 999), n=st.integers(1, 50), eta=st.floats(0, 1))
@settings(deadline=None, max_examples=30)
def test_the_numbers_of_a_step_make_its_picture(t, n, eta):
    step = first_step(tiny_checkpoint(), PICTURE, t, LABELS, Sampling(steps=n, eta=eta), seeded(1))
    assert all(0 <= scale <= 1 for scale in (step.x0_scale, step.eps_scale, step.sigma))
    # What comes from the picture, from the noise seen and from the fresh noise: variances that add up to 1.
    assert step.x0_scale**2 + step.eps_scale**2 + step.sigma**2 == pytest.approx(1)
    generator = seeded(1)
    torch.randn(PICTURE.shape, generator=generator)  # the noise of x_t
    fresh = torch.randn(PICTURE.shape, generator=generator)
    total = step.x0_scale * step.x0 + step.eps_scale * step.eps + step.sigma * fresh
    assert torch.allclose(step.x_prev, total, atol=1e-5)
    assert -1 <= step.t_prev < t and step.x0.abs().max() <= 1


def test_the_last_step_lands_on_the_clean_picture(checkpoint):
    step = first_step(checkpoint, PICTURE, 10, LABELS, Sampling(steps=5, eta=1.0))
    assert step.t_prev == -1 and (step.x0_scale, step.eps_scale, step.sigma) == (1, 0, 0)
    assert torch.equal(step.x_prev, step.x0)


def test_the_global_random_state_stays_untouched(checkpoint):
    before = torch.get_rng_state()
    first_step(checkpoint, PICTURE, 500, LABELS, Sampling(eta=1.0))
    assert torch.equal(before, torch.get_rng_state())


# ---- bits


def test_the_bits_of_a_picture_are_the_terms_of_its_bound(checkpoint):
    """One by one, of the picture in 256 levels under the same noise, told its labels and nothing else."""
    timesteps, eps = [0, 3, 40, 999], seeded_noise(PICTURE, 5)
    found = picture_bits(checkpoint, PICTURE, timesteps, LABELS, seeded(5))
    x0 = ((PICTURE + 1) * 127.5).round() / 127.5 - 1
    denoiser = Denoiser.of(checkpoint, Condition.of(checkpoint, LABELS), clip=True)
    for i, t in enumerate(timesteps):
        step = torch.tensor([t])
        x_t = checkpoint.schedule.add_noise(x0, eps, step)
        seen = denoiser.see(x_t, step).x0
        torch.testing.assert_close(found.seen[i : i + 1], seen)
        variance = checkpoint.schedule.log_variance(step, step - 1, x0)
        term = step_term(checkpoint.schedule, x0, x_t, step, seen, variance).double()
        torch.testing.assert_close(found.bits[i : i + 1], term, rtol=1e-3, atol=1e-6)
    other = picture_bits(checkpoint, PICTURE, timesteps, {}, seeded(5))
    assert not torch.allclose(found.bits, other.bits, rtol=1e-3), "labels are told"


@pytest.mark.parametrize("kind", ["cosine", "linear", "straight"])
def test_a_few_timesteps_say_what_all_steps_cost(kind):
    """Nearly what asking each of them says; and most of it is spent on few steps at small t."""
    told = replace(tiny_checkpoint(drawing=True), schedule=NoiseSchedule(kind, 200))
    few, all_of_them = (
        picture_bits(told, PICTURE, timesteps, LABELS)
        for timesteps in (bit_timesteps(200, 20), [*range(200)])
    )
    assert len(few.t) <= 20 and few.t[0] == 0 and few.t[-1] == 199
    torch.testing.assert_close(few.every[few.t], few.bits.clamp(min=1e-9))
    whole = float(all_of_them.bits.sum())
    assert float(few.every.sum()) == pytest.approx(whole, rel=0.05)
    assert float(few.sent[-1]) == pytest.approx(0) and (few.sent.diff() < 0).all()
    assert float(all_of_them.sent[20]) < whole / 4

"""The laws of the noise schedule."""

import math

import pytest
import torch
from diffusers import DDPMScheduler
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from diffusion.denoiser import Denoiser
from diffusion.prediction import PREDICTION_TYPES, to_x0_eps, training_target
from diffusion.schedule import SCHEDULES, VARIANCE_PRESERVING, NoiseSchedule


def add_noise_once(
    schedule: NoiseSchedule, x_prev: torch.Tensor, noise: torch.Tensor, t: int
) -> torch.Tensor:
    """q(x_t | x_{t-1}), one step of it, DDPM eq. 2: sqrt(1 - beta_t) x_{t-1} + sqrt(beta_t) eps."""
    beta = schedule.betas[t]
    return (1 - beta).sqrt() * x_prev + beta.sqrt() * noise


DIFFUSERS = {"linear": {"beta_schedule": "linear"}, "cosine": {"beta_schedule": "squaredcos_cap_v2"}}


def peer(kind: str) -> DDPMScheduler:
    return DDPMScheduler(num_train_timesteps=1000, clip_sample=False, **DIFFUSERS[kind])


@pytest.mark.parametrize("kind", VARIANCE_PRESERVING)
@pytest.mark.parametrize("steps", [50, 1000, 4000])
def test_tables(kind, steps):
    schedule = NoiseSchedule(kind, steps)
    assert schedule.betas.dtype == schedule.alphas_cumprod.dtype == torch.float64
    assert (schedule.betas > 0).all() and (schedule.betas <= 0.999).all()
    assert (schedule.alphas_cumprod.diff() < 0).all()
    assert 0 < schedule.alphas_cumprod[-1] < 1e-3


@pytest.mark.parametrize("kind", VARIANCE_PRESERVING)
def test_tables_agree_with_diffusers(kind):
    schedule = NoiseSchedule(kind)
    torch.testing.assert_close(schedule.betas, peer(kind).betas.double(), rtol=2e-5, atol=1e-7)
    torch.testing.assert_close(
        schedule.alphas_cumprod, peer(kind).alphas_cumprod.double(), rtol=1e-3, atol=1e-8
    )


def test_linear_ends_are_those_of_the_paper():
    betas = NoiseSchedule("linear").betas
    assert betas[0] == pytest.approx(1e-4) and betas[-1] == pytest.approx(0.02)


@pytest.mark.parametrize("kind", VARIANCE_PRESERVING)
def test_one_step_noising_composes_to_the_closed_form(kind):
    """Mean and variance of x_t after t single steps are those of DDPM eq. 4, to the last digits."""
    schedule = NoiseSchedule(kind)
    one, zero = torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    mean, variance = one, zero
    for t in range(1000):
        mean = add_noise_once(schedule, mean, zero, t)
        # Independent noise adds its variance: scale what is there, add what comes.
        variance = (
            add_noise_once(schedule, one, zero, t) ** 2 * variance
            + add_noise_once(schedule, zero, one, t) ** 2
        )
        if t in (0, 1, 250, 700, 999):
            torch.testing.assert_close(mean, schedule.add_noise(one, zero, t), rtol=1e-9, atol=0)
            torch.testing.assert_close(variance, schedule.add_noise(zero, one, t) ** 2, rtol=1e-9, atol=0)


@pytest.mark.parametrize("kind", VARIANCE_PRESERVING)
def test_add_noise_agrees_with_diffusers(kind):
    g = torch.Generator().manual_seed(0)
    x0, noise = torch.randn(2, 6, 3, 4, 4, generator=g).unbind(0)
    t = torch.tensor([0, 10, 200, 500, 900, 999])
    expected = peer(kind).add_noise(x0, noise, t)
    torch.testing.assert_close(NoiseSchedule(kind).add_noise(x0, noise, t), expected, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("t_prev_of", [lambda t: t - 1, lambda t: t // 2, lambda t: -1])
@pytest.mark.parametrize("t", [0, 1, 10, 400, 999])
def test_posterior_is_bayes_rule(t, t_prev_of):
    """q(x_prev | x_t, x0) from the product of q(x_prev | x0) and q(x_t | x_prev), written out."""
    schedule = NoiseSchedule("linear")
    t_prev = min(t_prev_of(t), t - 1)
    x0, x_t = torch.tensor([[0.3]], dtype=torch.float64), torch.tensor([[-0.8]], dtype=torch.float64)
    mean, variance = schedule.posterior(x0, x_t, t, t_prev)
    abar, abar_prev = float(schedule.abar(t)), float(schedule.abar(t_prev))
    if t_prev == -1:
        assert float(mean) == pytest.approx(0.3) and float(variance) == pytest.approx(0, abs=1e-12)
        return
    alpha = abar / abar_prev
    precision = 1 / (1 - abar_prev) + alpha / (1 - alpha)
    expected = (
        math.sqrt(abar_prev) * 0.3 / (1 - abar_prev) + math.sqrt(alpha) * -0.8 / (1 - alpha)
    ) / precision
    assert float(mean) == pytest.approx(expected, rel=1e-9)
    assert float(variance) == pytest.approx(1 / precision, rel=1e-9)


def test_posterior_steps_one_back_unless_told():
    x = torch.ones(1, 1, dtype=torch.float64)
    schedule = NoiseSchedule()
    assert schedule.posterior(x, x, 500) == schedule.posterior(x, x, 500, 499)
    assert schedule.posterior(x, x, 500) != schedule.posterior(x, x, 500, 498)


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(SCHEDULES),
    prediction_type=st.sampled_from(PREDICTION_TYPES),
    t=st.integers(0, 999),
    seed=st.integers(0, 2**31),
)
def test_a_perfect_prediction_gives_back_picture_and_noise(kind, prediction_type, t, seed):
    schedule = NoiseSchedule(kind)
    g = torch.Generator().manual_seed(seed)
    x0, noise = torch.randn(2, 2, 3, 4, 4, generator=g, dtype=torch.float64).unbind(0)
    x_t = schedule.add_noise(x0, noise, t)
    assume(not (schedule.straight and prediction_type == "epsilon"))
    output = training_target(prediction_type, schedule, x0, noise, t)
    got_x0, got_eps = to_x0_eps(prediction_type, schedule, output, x_t, t)
    torch.testing.assert_close(got_x0, x0, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(got_eps, noise, rtol=1e-6, atol=1e-7)


def test_velocity_agrees_with_diffusers():
    g = torch.Generator().manual_seed(0)
    x0, noise = torch.randn(2, 3, 3, 4, 4, generator=g).unbind(0)
    t = torch.tensor([0, 500, 999])
    expected = peer("linear").get_velocity(x0, noise, t)
    torch.testing.assert_close(NoiseSchedule("linear").velocity(x0, noise, t), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", VARIANCE_PRESERVING)
def test_alpha_and_sigma_are_the_scales_of_picture_and_noise(kind):
    schedule, t = NoiseSchedule(kind), torch.arange(-1, 1000)
    alpha, sigma = schedule.alpha(t), schedule.sigma(t)
    assert alpha.dtype == sigma.dtype == torch.float64
    torch.testing.assert_close(alpha**2 + sigma**2, torch.ones_like(alpha), rtol=1e-14, atol=0)
    torch.testing.assert_close(alpha[1:] ** 2, schedule.alphas_cumprod, rtol=1e-14, atol=0)
    assert (alpha[0], sigma[0], schedule.abar(-1)) == (1, 0, 1)
    like = torch.zeros(2, 3, 4, 4)
    assert schedule.alpha(500, like).shape == (1, 1, 1, 1)
    assert schedule.sigma(torch.tensor([1, 2]), like).flatten().tolist() == sigma[2:4].tolist()


@pytest.mark.parametrize("t", [-2, 1000])
@pytest.mark.parametrize("read", ["abar", "alpha", "sigma"])
def test_timesteps_outside_the_schedule_are_refused(t, read):
    with pytest.raises(ValueError, match="-1 to 999"):
        getattr(NoiseSchedule(), read)(t)


@pytest.mark.parametrize("arguments", [("quadratic",), ("linear", 1)])
def test_unknown_settings_are_refused(arguments):
    with pytest.raises(ValueError):
        NoiseSchedule(*arguments)


def test_unknown_prediction_types_are_refused():
    with pytest.raises(ValueError, match="score"):
        Denoiser(None, NoiseSchedule(), "score", None)


def test_config_rebuilds_the_schedule():
    schedule = NoiseSchedule("linear", 300)
    assert NoiseSchedule(**schedule.config()) == schedule


@pytest.mark.parametrize("kind", SCHEDULES)
def test_a_learnt_variance_lies_between_beta_and_the_posterior_s(kind):
    """iDDPM eq. 15, for single steps and longer ones; the last step has that of the one before."""
    schedule, x = NoiseSchedule(kind), torch.zeros(3, 1, 1, 1, dtype=torch.float64)
    t, t_prev = torch.tensor([999, 500, 7]), torch.tensor([998, 300, 6])
    small, large = schedule.posterior_variance(t, t_prev, x), schedule.step_variance(t, t_prev, x)
    if not schedule.straight:
        torch.testing.assert_close(large[[0, 2], 0, 0, 0], schedule.betas[[999, 7]])
    torch.testing.assert_close(schedule.log_variance(t, t_prev, x).exp(), small)
    torch.testing.assert_close(schedule.log_variance(t, t_prev, x, 1.0).exp(), large)
    share = torch.rand(3, 1, 1, 1, dtype=torch.float64)
    between = schedule.log_variance(t, t_prev, x, share).exp()
    torch.testing.assert_close(between, large**share * small ** (1 - share))
    first = schedule.log_variance(0, -1, x).exp()
    torch.testing.assert_close(first, schedule.posterior_variance(1, 0, x))


@pytest.mark.parametrize("kind", SCHEDULES)
def test_the_last_steps_are_noise_alone(kind):
    schedule = NoiseSchedule(kind)
    alone = schedule.noise_alone(torch.arange(-1, 1000))
    assert alone[-1] and not alone[:900].any() and (alone[1:] | ~alone[:-1]).all()
    ratio = (schedule.sigma(torch.arange(1000)) / schedule.alpha(torch.arange(1000)))[alone[1:]]
    assert float(ratio.min()) > 80

"""The laws of the variational bound: what it is made of, what a perfect model costs."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence

from diffusion.bound import normal_kl, pixel_log_likelihood, prior_term, step_term
from diffusion.schedule import SCHEDULES, VARIANCE_PRESERVING, NoiseSchedule
from toys import exact_share, gaussian_oracle, noise, seeded

LEVELS = torch.arange(256, dtype=torch.float64) / 255 * 2 - 1


def pixels(*shape, seed=0):
    """Pictures of 256 levels."""
    return LEVELS[torch.randint(256, shape, generator=seeded(seed))]


@pytest.mark.parametrize("mean", [-3.0, -0.2, 0.0, 0.9999, 40.0])
@pytest.mark.parametrize("deviation", [1e-3, 0.01, 0.5, 5.0])
def test_the_levels_of_a_pixel_share_a_probability_of_1(mean, deviation):
    variance = torch.tensor(deviation**2, dtype=torch.float64)
    found = pixel_log_likelihood(LEVELS, torch.tensor(mean, dtype=torch.float64), variance.log())
    assert torch.isfinite(found).all() and (found <= 0).all()
    assert float(found.exp().sum()) == pytest.approx(1, abs=1e-9)


def test_the_likelihood_of_a_pixel_is_eq_13():
    mean, deviation = 0.1, 0.02
    cumulative = Normal(torch.tensor(mean, dtype=torch.float64), deviation).cdf
    inner = cumulative(LEVELS + 1 / 255) - cumulative(LEVELS - 1 / 255)
    found = pixel_log_likelihood(LEVELS, torch.tensor(mean), torch.tensor(deviation**2).log()).exp()
    torch.testing.assert_close(found[1:-1], inner[1:-1], rtol=1e-4, atol=1e-7)
    far = torch.tensor(0.5, dtype=torch.float64)
    edges = pixel_log_likelihood(LEVELS[[0, -1]], torch.zeros(()), (far**2).log()).exp()
    beyond = Normal(torch.zeros((), dtype=torch.float64), 0.5).cdf(torch.tensor(1 / 255 - 1).double())
    torch.testing.assert_close(edges, beyond.expand(2), rtol=1e-6, atol=0)


def test_the_divergence_is_pytorch_s():
    mean_q, mean_p, q, p = noise(4, 50, dtype=torch.float64).unbind(0)
    peer = kl_divergence(Normal(mean_q, (q / 2).exp()), Normal(mean_p, (p / 2).exp()))
    torch.testing.assert_close(normal_kl(mean_q, q, mean_p, p), peer)


@pytest.mark.parametrize("kind", VARIANCE_PRESERVING)
def test_a_term_equals_a_hand_computation(kind):
    """DDPM eq. 7 and 13 written out in betas, with the large variance for p."""
    schedule = NoiseSchedule(kind)
    x0, wrong, eps = pixels(3, 1, 2, 2), pixels(3, 1, 2, 2, seed=1), noise(3, 1, 2, 2, dtype=torch.float64)
    t = torch.tensor([0, 1, 700])
    x_t = schedule.add_noise(x0, eps, t)
    log_variance = schedule.step_variance(t, t - 1, like=x0).log()
    found = step_term(schedule, x0, x_t, t, wrong, log_variance)
    before = torch.cat([torch.ones(1, dtype=torch.float64), schedule.alphas_cumprod])
    for i, step in enumerate(t.tolist()):
        beta, abar, abar_prev = float(schedule.betas[step]), before[step + 1], before[step]

        def mean(x, i=i, beta=beta, abar=abar, abar_prev=abar_prev):
            of_x0 = abar_prev.sqrt() * beta / (1 - abar)
            of_x_t = math.sqrt(1 - beta) * (1 - abar_prev) / (1 - abar)
            return of_x0 * x[i] + of_x_t * x_t[i]

        p = Normal(mean(wrong), math.sqrt(beta))
        if step:
            q = Normal(mean(x0), ((1 - abar_prev) / (1 - abar) * beta).sqrt())
            nats = kl_divergence(q, p)
        else:
            high = torch.where(x0[i] > 0.999, 1.0, p.cdf(x0[i] + 1 / 255))
            low = torch.where(x0[i] < -0.999, 0.0, p.cdf(x0[i] - 1 / 255))
            nats = -(high - low).log()
            assert ((nats == math.inf) | (nats < 700)).all()
            nats = torch.where(nats == math.inf, -pixel_log_likelihood(x0[i], p.mean, p.variance.log()), nats)
        assert float(found[i]) == pytest.approx(float(nats.mean()) / math.log(2), rel=1e-6)


def test_what_is_left_in_pure_noise_is_next_to_nothing():
    for kind in SCHEDULES:
        schedule, x0 = NoiseSchedule(kind), pixels(4, 3, 4, 4)
        alpha, sigma = schedule.alpha(999), schedule.sigma(999)
        peer = kl_divergence(Normal(alpha * x0, sigma), Normal(0 * x0, 1.0)).flatten(1).mean(1) / math.log(2)
        found = prior_term(schedule, x0)
        torch.testing.assert_close(found, peer, rtol=1e-4, atol=1e-12)
        assert (found >= 0).all() and float(found.max()) < 1e-4


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(SCHEDULES), seed=st.integers(0, 99), scale=st.floats(0, 3), share=st.floats(0, 1),
    times=st.lists(st.integers(0, 999), min_size=3, max_size=3),
)  # fmt: skip
def test_every_term_is_finite_and_not_negative(kind, seed, scale, share, times):
    schedule, t = NoiseSchedule(kind), torch.tensor(times)
    x0, eps = pixels(3, 3, 2, 2, seed=seed).float(), noise(3, 3, 2, 2, seed=seed)
    x_t = schedule.add_noise(x0, eps, t)
    small, large = schedule.log_variances(t, t - 1, like=x0)
    log_variance = share * large + (1 - share) * small
    terms = step_term(schedule, x0, x_t, t, x0 + scale * noise(3, 3, 2, 2, seed=seed + 1), log_variance)
    assert terms.shape == (3,) and torch.isfinite(terms).all() and (terms > -1e-12).all()


@pytest.mark.parametrize("kind", SCHEDULES)
def test_a_model_that_knows_the_picture_pays_for_its_last_step_alone(kind):
    """Data that are one single picture: the posterior is p, its KL 0."""
    schedule, t = NoiseSchedule(kind), torch.arange(1, 1000)
    x0 = pixels(1, 1, 2, 2).expand(999, -1, -1, -1)
    x_t = schedule.add_noise(x0, noise(999, 1, 2, 2, dtype=torch.float64), t)
    small, large = schedule.log_variances(t, t - 1, like=x0)
    assert float(step_term(schedule, x0, x_t, t, x0, small).abs().max()) < 1e-9
    assert float(step_term(schedule, x0, x_t, t, x0, large).min()) > 0, "of another variance it is not"


def test_a_perfect_model_costs_the_entropy_of_the_data():
    """N(0.3, 0.25^2) has its reverse process in closed form: with it the bound is -log p(x0) itself.

    The exact variance lies between beta and the posterior's, as a learnt one does.
    """
    schedule, generator = NoiseSchedule("linear", 100), seeded(1)
    oracle = gaussian_oracle(schedule)
    x0 = 0.3 + 0.25 * noise(8000, 1, 1, 1, dtype=torch.float64)
    x0 = ((x0[x0.flatten().abs() < 0.99] + 1) / 2 * 255).round() / 255 * 2 - 1
    total = prior_term(schedule, x0)
    for step in range(100):
        t = torch.full((len(x0),), step)
        x_t = schedule.add_noise(x0, torch.randn(x0.shape, generator=generator, dtype=torch.float64), t)
        seen = schedule.x0_from_eps(x_t, oracle(x_t, t), t)
        log_variance = schedule.log_variance(step, step - 1, x0, exact_share(schedule, step, step - 1))
        terms = step_term(schedule, x0, x_t, t, seen, log_variance)
        assert float(terms.min()) > -1e-12
        total = total + terms
    exact = (-Normal(torch.tensor(0.3).double(), 0.25).log_prob(x0) - math.log(2 / 255)) / math.log(2)
    difference = (total - exact.flatten()).mean()
    assert abs(float(difference)) < 4 * float((total - exact.flatten()).std()) / len(total) ** 0.5 < 0.1
    entropy = math.log2(0.25 * 127.5 * math.sqrt(2 * math.pi * math.e))
    assert float(total.mean()) == pytest.approx(entropy, abs=0.05)

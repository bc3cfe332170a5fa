"""Noise levels, noise over sketches, weights of the loss, learning rates."""

import pytest
import torch
import torch.nn.functional as F
from tiny import seeded

from diffusion import NoiseSchedule
from diffusion.prediction import PREDICTION_TYPES, training_target
from diffusion.solver import DDIM
from diffusion.train.config import TrainConfig, learning_rate
from diffusion.train.losses import (
    MAX_X0_WEIGHT,
    MIN_SNR_GAMMA,
    drop_labels,
    loss_weight,
    noise_over,
    sketch_timesteps,
    stratified_timesteps,
    variance_loss,
    x0_weight,
)
from toys import exact_share, gaussian_oracle, one_step


def test_labels_are_dropped_each_for_itself():
    labels, null = torch.zeros(20_000, 2, dtype=torch.long), torch.tensor([5, 3])
    dropped = drop_labels(labels, null, 0.1, seeded()) != 0
    assert (dropped.float().mean(0) - 0.1).abs().max() < 0.01
    assert float(dropped.all(1).float().mean()) == pytest.approx(0.01, abs=0.004)  # independent: 0.1 squared
    got = drop_labels(labels, null, 1.0, seeded())
    assert torch.equal(got, null.expand(20_000, 2))
    assert torch.equal(drop_labels(labels, null, 0.0, seeded()), labels)


def test_timesteps_are_uniform_and_spread_over_the_batch():
    g = seeded()
    draws = torch.stack([stratified_timesteps(10, 1000, g) for _ in range(2000)])
    assert draws.min() >= 0 and draws.max() <= 999
    assert (draws.sort(1).values // 100 == torch.arange(10)).float().mean() > 0.999  # one in each tenth
    counts = torch.bincount(draws.flatten() // 50, minlength=20) / draws.numel()
    assert (counts - 0.05).abs().max() < 0.005


def test_noise_over_a_sketch_is_what_an_edit_meets():
    """A picture under eps' is the noised sketch at t0, and where DDIM comes by below t0."""
    schedule = NoiseSchedule("cosine", 1000)
    x0, crude, noise = torch.randn(3, 2, 3, 4, 4, generator=seeded(), dtype=torch.float64).unbind(0)
    for t0, t in ((600, 600), (600, 240), (950, 17)):
        x = schedule.add_noise(crude, noise, t0)
        if t < t0:
            x = one_step(DDIM(), schedule, x, x0, t0, t)
        seeming = noise_over(x0, crude, noise, torch.tensor([t0, t0]), schedule)
        assert torch.allclose(schedule.add_noise(x0, seeming, t), x, atol=1e-12)
    assert torch.equal(noise_over(x0, x0, noise, torch.tensor([600, 3]), schedule), noise)


def test_sketches_start_at_or_above_each_timestep_at_usual_strengths():
    t = torch.arange(1000)
    t0 = torch.stack([sketch_timesteps(t, 1000, g) for g in [seeded()] for _ in range(300)])
    assert (t0 >= t).all() and (t0 >= 300).all() and t0.max() <= 999
    assert t0[:, :300].min() == 300 and t0[:, :300].max() == 950
    assert abs(float(t0[:, :300].double().mean()) - 625) < 5
    assert torch.equal(t0[0, 951:], t[951:])


def test_weighted_x0_loss_is_the_loss_of_v():
    """... wherever the weight is below its limit, which holds it down near t = 0."""
    schedule = NoiseSchedule("cosine", 1000)
    x0, wrong, noise = torch.randn(3, 2, 3, 4, 4, generator=seeded(), dtype=torch.float64).unbind(0)
    for t in (200, 500, 999):
        x_t = schedule.add_noise(x0, noise, t)
        v = schedule.velocity(x0, noise, t)
        wrong_v = schedule.velocity(wrong, schedule.eps_from_x0(x_t, wrong, t), t)
        weight = float(x0_weight(schedule.sigma(t)))
        assert weight * float(F.mse_loss(wrong, x0)) == pytest.approx(float(F.mse_loss(wrong_v, v)), rel=1e-6)
    weights = x0_weight(schedule.sigma(torch.arange(1000)))
    assert weights[0] == MAX_X0_WEIGHT and weights[-1] == pytest.approx(1)
    assert (weights.diff() <= 0).all()


def test_min_snr_is_one_loss_whatever_the_network_says():
    """min(SNR, 5) times the error of x0, read from eps, v or x0 alike."""
    x0, wrong, noise = torch.randn(3, 2, 3, 4, 4, generator=seeded(), dtype=torch.float64).unbind(0)
    for t in (5, 200, 500, 950):
        losses = []
        for prediction_type in PREDICTION_TYPES:
            schedule = NoiseSchedule("cosine", 1000)
            eps = schedule.eps_from_x0(schedule.add_noise(x0, noise, t), wrong, t)
            says = training_target(prediction_type, schedule, wrong, eps, t)
            wanted = training_target(prediction_type, schedule, x0, noise, t)
            weight = float(loss_weight("min-snr", prediction_type, schedule, torch.tensor(t)))
            losses.append(weight * float(F.mse_loss(says, wanted)))
        abar = float(schedule.abar(t))
        expected = min(abar / (1 - abar), MIN_SNR_GAMMA) * float(F.mse_loss(wrong, x0))
        assert losses == pytest.approx([expected] * 3, rel=1e-6)
    t = torch.arange(1000)
    assert torch.equal(loss_weight("plain", "sample", schedule, t), x0_weight(schedule.sigma(t)))
    for prediction_type in ("epsilon", "v_prediction"):
        assert (loss_weight("plain", prediction_type, schedule, t) == 1).all()


@pytest.mark.parametrize("prediction_type", PREDICTION_TYPES)
def test_the_variance_is_learnt_and_the_mean_left_alone(prediction_type):
    """Of data N(0.3, 0.25^2) with the exact x0, L_vlb is least at the exact variance."""
    schedule, n = NoiseSchedule("linear"), 100_000
    x0, noise = torch.randn(2, n, 1, 1, 1, generator=seeded(), dtype=torch.float64).unbind(0)
    x0, oracle = 0.3 + 0.25 * x0, gaussian_oracle(schedule)
    for step in (5, 300, 900):
        t = torch.full((n,), step)
        x_t = schedule.add_noise(x0, noise, t)
        eps = oracle(x_t, t)
        seen = schedule.x0_from_eps(x_t, eps, t)
        output = training_target(prediction_type, schedule, seen, eps, t).requires_grad_()
        exact = exact_share(schedule, step, step - 1)
        slopes, losses = [], []
        for share in (exact - 0.1, exact, exact + 0.1):
            said = torch.tensor(share, dtype=torch.float64, requires_grad=True)
            loss = variance_loss(schedule, prediction_type, output, said, x0, x_t, t).mean()
            loss.backward()
            slopes.append(float(said.grad))
            losses.append(float(loss.detach()))
        assert output.grad is None, "the mean is detached"
        assert slopes[0] < 0 < slopes[2] and abs(slopes[1]) < 0.2 * min(-slopes[0], slopes[2])
        assert losses[1] == min(losses)


def test_learning_rate_rises_stays_and_falls():
    config = TrainConfig(steps=1000, warmup=100, decay=0.2, lr=1.0)
    rates = [learning_rate(config, step) for step in range(1001)]
    assert rates[0] == pytest.approx(0.01) and rates[99] == 1.0
    assert set(rates[99:800]) == {1.0}
    assert rates[900] == pytest.approx(0.5) and rates[1000] == 0
    assert all(a >= b for a, b in zip(rates[800:], rates[801:]))

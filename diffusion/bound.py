"""The variational bound: how many bits a picture costs that is sent with the help of the model.

    L_T        KL( q(x_T | x0) || N(0, 1) )                        nothing of it is learnt
    L_{t-1}    KL( q(x_{t-1} | x_t, x0) || p(x_{t-1} | x_t) )      a term for each step
    L_0        -log p(x0 | x_1), x0 in 256 levels                  (DDPM eq. 13)

Their sum bounds -log p(x0) from above (DDPM eq. 5). All are in bits per dimension: divided by ln 2 and by the
number of values in a picture. p is the Gaussian that ancestral sampling draws from: its mean is the
posterior's (eq. 7) at the x0 that the network sees, its variance the posterior's or one that is learnt.

Timesteps count from 0 here: L_{t-1} of the papers is the term of our t - 1, L_0 that of our 0.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .schedule import NoiseSchedule, beside

LEVELS = 255  # steps between the lowest and the highest value of a pixel
OUTSIDE = 1e3  # stands for infinity, whose gradient is none


def in_levels(x0: Tensor) -> Tensor:
    """Pictures in [-1, 1] with each value at the nearest of the 256 levels, which eq. 13 is for."""
    return ((x0 + 1) / 2 * LEVELS).round() / LEVELS * 2 - 1


def bits_per_dimension(nats: Tensor) -> Tensor:
    """Nats of each value (B, ...) -> bits of a value on the average of each picture, (B,)."""
    return nats.flatten(1).mean(1) / math.log(2)


def normal_kl(mean_q: Tensor, log_variance_q: Tensor, mean_p: Tensor, log_variance_p: Tensor) -> Tensor:
    """KL(q || p) of normal distributions, in nats, value by value."""
    apart = (mean_q - mean_p) ** 2 * torch.exp(-log_variance_p)
    ratio = log_variance_q - log_variance_p
    return 0.5 * (torch.expm1(ratio) - ratio + apart)


def pixel_log_likelihood(x0: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """log p(x0) of pixels with 256 levels under a normal distribution, in nats, value by value (DDPM eq. 13).

    The probability of a level is that of all values nearer to it than to others, so that over the 256 levels
    it sums to 1.

    Args:
        x0: values in [-1, 1], each of the 256 levels or near one.
    """
    half, deviation = 1 / LEVELS, torch.exp(0.5 * log_variance)
    above = torch.where(x0 > 1 - half, OUTSIDE, x0 + half)
    below = torch.where(x0 < half - 1, -OUTSIDE, x0 - half)
    high, low = (above - mean) / deviation, (below - mean) / deviation
    # Far out on the right both lie close to 1, and their difference has no digits; on the left it has all.
    flip = low > 0
    high, low = torch.where(flip, -low, high), torch.where(flip, -high, low)
    log_high, log_low = torch.special.log_ndtr(high), torch.special.log_ndtr(low)
    return log_high + torch.log(-torch.expm1(log_low - log_high))


def prior_term(schedule: NoiseSchedule, x0: Tensor) -> Tensor:
    """L_T in bits per dimension: what is left of the pictures x0 (B, ...) in pure noise. (B,)"""
    last = schedule.num_train_timesteps - 1
    mean, log_variance = schedule.alpha(last, like=x0) * x0, 2 * schedule.sigma(last, like=x0).log()
    zero = torch.zeros_like(mean)
    return bits_per_dimension(normal_kl(mean, log_variance, zero, zero))


def step_term(
    schedule: NoiseSchedule, x0: Tensor, x_t: Tensor, t: Tensor, seen: Tensor, log_variance: Tensor
) -> Tensor:
    """The term of t for each picture, in bits per dimension: L_{t-1}, or L_0 where t is 0. (B,)

    Args:
        x0: clean pictures (B, ...), in [-1, 1].
        x_t: the same under noise, `add_noise(x0, noise, t)`.
        t: long (B,), in 0 .. T-1.
        seen: the x0 that the network sees in x_t, like x0.
        log_variance: of p, (B or 1, ...) or like x0.
    """
    x0, x_t, seen = (each.to(beside(t, like=x0).dtype) for each in (x0, x_t, seen))
    mean_q, _ = schedule.posterior(x0, x_t, t)
    mean_p, _ = schedule.posterior(seen, x_t, t)
    small, _ = schedule.log_variances(t, t - 1, like=x0)
    kl = normal_kl(mean_q, small, mean_p, log_variance)
    last = (t == 0).reshape(-1, *[1] * (x0.ndim - 1))
    return bits_per_dimension(torch.where(last, -pixel_log_likelihood(x0, mean_p, log_variance), kl))

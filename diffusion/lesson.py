"""The method taken apart, on one drawing: what noising, a schedule and one DDIM step each do.

The page's second tab shows what these functions return; they serve a notebook as well. The numbers come from
the schedule, the denoiser and the solver that paint the pictures; intermediate values are returned as well.

    noise_parts      x_t as the sum of its two parts                         DDPM eq. 4
    schedule_curves  abar_t of every schedule                                iDDPM figure 5
    first_step       the first step of an edit, with everything in it        DDIM eq. 12
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .checkpoint import Checkpoint
from .denoiser import Denoiser
from .sampler import USUAL, Sampling, randn
from .schedule import SCHEDULES, NoiseSchedule
from .sdedit import edit_condition, edit_timesteps
from .solver import DDIM

# ------------------------------------------------------------------------------------- forward process


@dataclass(frozen=True)
class NoiseParts:
    """x_t = alpha_t x0 + sigma_t eps (DDPM eq. 4), and what it is made of.

    Attributes:
        t: the timestep, in 0 .. T-1.
        abar: abar_t, the share of the picture in the variance of x_t, in (0, 1).
        signal_scale: alpha_t = sqrt(abar_t), in (0, 1).
        noise_scale: sigma_t = sqrt(1 - abar_t), in (0, 1).
        signal: signal_scale * x0, float64 (B, 3, R, R).
        noise: noise_scale * eps, float64 (B, 3, R, R).
        x_t: their sum, like x0: exactly what `NoiseSchedule.add_noise` returns.
    """

    t: int
    abar: float
    signal_scale: float
    noise_scale: float
    signal: Tensor
    noise: Tensor
    x_t: Tensor


def noise_parts(schedule: NoiseSchedule, x0: Tensor, eps: Tensor, t: int) -> NoiseParts:
    """Noise a picture up to step t and keep both parts.

    Args:
        schedule: says how much noise there is at t.
        x0: clean pictures (B, 3, R, R), in [-1, 1].
        eps: standard normal noise, the shape of x0.
        t: in 0 .. T-1.

    Raises:
        ValueError: for a timestep out of range.
    """
    alpha, sigma = schedule.alpha(t, like=x0), schedule.sigma(t, like=x0)
    return NoiseParts(
        t=t,
        abar=float(schedule.abar(t)),
        signal_scale=float(alpha),
        noise_scale=float(sigma),
        signal=alpha * x0,
        noise=sigma * eps,
        x_t=schedule.add_noise(x0, eps, t),
    )


def seeded_noise(x0: Tensor, seed: int) -> Tensor:
    """The eps that `edit` covers the drawing x0 (B, 3, R, R) with for this seed, at temperature 1."""
    return randn(x0.shape, torch.Generator().manual_seed(seed), like=x0)


# --------------------------------------------------------------------------------------------- schedule


def schedule_curves(num_train_timesteps: int) -> dict[str, Tensor]:
    """The abar_t of every schedule there is: {"cosine": float64 (T,), ...}, each falling from 1 to 0."""
    return {kind: NoiseSchedule(kind, num_train_timesteps).alphas_cumprod for kind in SCHEDULES}


def start_timestep(strength: float, num_train_timesteps: int) -> int:
    """t0, the timestep up to which `edit` noises a drawing, in 0 .. T-1; -1 at strength 0: not at all."""
    timesteps = edit_timesteps(strength, 1, num_train_timesteps)
    return timesteps[0] if timesteps else -1


# ------------------------------------------------------------------------------------------- a DDIM step


@dataclass(frozen=True)
class DDIMStep:
    """x_prev = x0_scale x0 + eps_scale eps + sigma noise (DDIM eq. 12), with everything in it.

    Attributes:
        t, t_prev: from where to where; t_prev is -1 where the step lands on the clean picture.
        x0_scale: alpha_prev, in (0, 1].
        eps_scale: sqrt(sigma_prev^2 - sigma^2), in [0, 1).
        sigma: deviation of the fresh noise (DDIM eq. 16), 0 at eta = 0; the mean of it where it is learnt.
        x_t: the noisy picture the step starts from (B, 3, R, R).
        x0: the clean picture the network sees in it, in [-1, 1].
        eps: the noise it sees in it.
        x_prev: the picture the step ends with.
    """

    t: int
    t_prev: int
    x0_scale: float
    eps_scale: float
    sigma: float
    x_t: Tensor
    x0: Tensor
    eps: Tensor
    x_prev: Tensor


def first_step(
    checkpoint: Checkpoint,
    image: Tensor,
    t: int,
    labels: dict[str, str | None] | None = None,
    sampling: Sampling = USUAL,
    generator: torch.Generator | None = None,
) -> DDIMStep:
    """Noise a drawing up to t and take one step back.

    Every t belongs to a strength, (t + 1) / T, and so to a list of timesteps: this is the first step of an
    `edit` of that strength at temperature 1. (At strength 1 that starts from noise alone; here the drawing is
    still in x_t, but by then its share is too small to see.)

    Args:
        checkpoint: a trained model.
        image: the drawing, float32 (B, 3, R, R) in [-1, 1].
        t: in 0 .. T-1.
        labels, generator: as for `edit`.
        sampling: its steps, guidance and eta; the strength is that of t.

    Raises:
        ValueError: for a timestep or a number of steps out of range.
        UnknownLabel: for a label the checkpoint has not learnt.
    """
    schedule = checkpoint.schedule
    total = schedule.num_train_timesteps
    timesteps = edit_timesteps((t + 1) / total, sampling.steps, total)
    t_prev = timesteps[1] if len(timesteps) > 1 else -1
    generator = generator or torch.Generator(device=image.device).manual_seed(0)
    x_t = schedule.add_noise(image, randn(image.shape, generator, like=image), t)
    condition = edit_condition(checkpoint, labels, image)
    denoiser = Denoiser.of(checkpoint, condition, sampling.guide())
    seen = denoiser.see(x_t, t)
    solver = DDIM(sampling.eta, sampling.variance)
    noise = randn(image.shape, generator, like=image) if solver.noisy and t_prev >= 0 else None
    scales = solver.scales(schedule, seen.share, t, t_prev, like=x_t)
    x0_scale, eps_scale, sigma = (float(scale.mean()) for scale in scales)
    return DDIMStep(
        t=t,
        t_prev=t_prev,
        x0_scale=x0_scale,
        eps_scale=eps_scale,
        sigma=sigma,
        x_t=x_t,
        x0=seen.x0,
        eps=seen.eps,
        x_prev=solver.step(denoiser, x_t, seen, t, t_prev, noise),
    )

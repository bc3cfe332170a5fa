"""The method taken apart, on one drawing: what noising, a schedule and one DDIM step each do.

The page's second tab shows what these functions return; they serve a notebook as well. The numbers come from
the schedule, the denoiser and the solver that paint the pictures; intermediate values are returned as well.

    noise_parts      x_t as the sum of its two parts                         DDPM eq. 4
    schedule_curves  abar_t of every schedule                                iDDPM figure 5
    first_step       the first step of an edit, with everything in it        DDIM eq. 12
    picture_bits     what each step has to say of a picture, in bits         DDPM eq. 5, section 4.3
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .bound import in_levels, step_term
from .checkpoint import Checkpoint
from .condition import Condition
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
    denoiser = Denoiser.of(checkpoint, condition, sampling.new_guidance(checkpoint.guide))
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


# ------------------------------------------------------------------------------------------------- bits

LEAST_BITS = 1e-9  # of a step, so that it has a logarithm


@dataclass(frozen=True)
class PictureBits:
    """What each step has to say of one picture that is sent from the largest t down (DDPM section 4.3).

    Attributes:
        t: the n timesteps that were asked, ascending from 0 to T-1.
        bits: L_{t-1} of the papers, L_0 at t = 0, in bits per dimension: float64 (n,).
        seen: the picture that the network sees under the noise of each, in [-1, 1]: (n, 3, R, R).
    """

    t: list[int]
    bits: Tensor
    seen: Tensor

    @property
    def every(self) -> Tensor:
        """The term of each t, in bits per dimension: float64 (T,).

        Between the timesteps that were asked they are interpolated, logarithm over logarithm.
        """
        logs = self.bits.clamp(min=LEAST_BITS).log().numpy()
        steps = np.arange(self.t[-1] + 1)
        return torch.from_numpy(np.exp(np.interp(np.log1p(steps), np.log1p(self.t), logs)))

    @property
    def sent(self) -> Tensor:
        """All that has been sent before the step of each t, in bits per dimension: float64 (T,).

        What is left of a picture in pure noise, L_T, is next to nothing, and not in it.
        """
        return self.every.flip(0).cumsum(0).flip(0) - self.every


def bit_timesteps(num_train_timesteps: int, count: int) -> list[int]:
    """At most `count` timesteps from 0 to T-1, equally far apart in log(t + 1): most bits lie near 0."""
    return sorted({round(t) for t in np.geomspace(1, num_train_timesteps, count) - 1})


def picture_bits(
    checkpoint: Checkpoint,
    image: Tensor,
    timesteps: list[int],
    labels: dict[str, str | None] | None = None,
    generator: torch.Generator | None = None,
) -> PictureBits:
    """The terms of the variational bound of one picture (DDPM eq. 5), from one call of the network.

    The network is told the labels alone: whoever is sent a picture does not have its drawing. It is not
    guided, and its x0 are clipped, as an evaluation measures the bound. All t share their noise.

    Args:
        checkpoint: a trained model that draws pixels.
        image: the picture, float32 (1, 3, R, R) in [-1, 1].
        timesteps: n of them, ascending, the last of them T-1.
        labels, generator: as for `edit`.

    Raises:
        UnknownLabel: for a label the checkpoint has not learnt.
    """
    schedule, t = checkpoint.schedule, torch.tensor(timesteps)
    x0 = in_levels(image).expand(len(t), -1, -1, -1)
    generator = generator or torch.Generator(device=image.device).manual_seed(0)
    x_t = schedule.add_noise(x0, randn(image.shape, generator, like=image).expand_as(x0), t)
    told = Condition.of(checkpoint, labels, len(t))
    seen = Denoiser.of(checkpoint, told, clip=True).see(x_t, t)
    log_variance = schedule.log_variance(t, t - 1, x0, 0.0 if seen.share is None else seen.share)
    bits = step_term(schedule, x0, x_t, t, seen.x0, log_variance).double()
    return PictureBits(timesteps, bits, seen.x0)

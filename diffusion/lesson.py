"""The method taken apart, on one drawing: what noising, a schedule, one DDIM step and two dials each do.

The page's second tab shows what these functions return; they serve a notebook as well. Nothing here is a
second implementation: every number comes from the schedule and the sampler that paint the pictures, and is
only kept where they throw it away.

    noise_parts      x_t as the sum of its two parts                         DDPM eq. 4
    schedule_curves  abar_t of every schedule                                iDDPM figure 5
    first_step       the first step of an edit, with everything in it        DDIM eq. 12
    compare          one drawing repainted under several settings at once
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .checkpoint import Checkpoint
from .sampler import Step, ddim_step, denoise, randn
from .schedule import KINDS, NoiseSchedule
from .sdedit import edit_timesteps

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
    """The eps that `edit` covers the drawing x0 (B, 3, R, R) with when it is given this seed."""
    return randn(x0.shape, torch.Generator().manual_seed(seed), like=x0)


# --------------------------------------------------------------------------------------------- schedule


def schedule_curves(num_train_timesteps: int) -> dict[str, Tensor]:
    """The abar_t of every schedule there is: {"cosine": float64 (T,), ...}, each falling from 1 to 0."""
    return {kind: NoiseSchedule(kind, num_train_timesteps).alphas_cumprod for kind in KINDS}


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
        x0_scale: sqrt(abar_prev), in (0, 1].
        eps_scale: sqrt(1 - abar_prev - sigma^2), in [0, 1).
        sigma: deviation of the fresh noise (DDIM eq. 16), 0 at eta = 0.
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
    num_inference_steps: int = 20,
    guidance_scale: float = 2.0,
    eta: float = 0.0,
    generator: torch.Generator | None = None,
) -> DDIMStep:
    """Noise a drawing up to t and take one step back.

    Every t belongs to a strength, (t + 1) / T, and so to a list of timesteps: this is the first step of an
    `edit` of that strength. (At strength 1 that starts from noise alone; here the drawing is still in x_t,
    but by then its share is too small to see.)

    Args:
        checkpoint: a trained model.
        image: the drawing, float32 (B, 3, R, R) in [-1, 1].
        t: in 0 .. T-1.
        labels, num_inference_steps, guidance_scale, eta, generator: as for `edit`.

    Raises:
        ValueError: for a timestep or a number of steps out of range.
        UnknownLabel: for a label the checkpoint has not learnt.
    """
    schedule = checkpoint.schedule
    total = schedule.num_train_timesteps
    timesteps = edit_timesteps((t + 1) / total, num_inference_steps, total)
    t_prev = timesteps[1] if len(timesteps) > 1 else -1
    generator = generator or torch.Generator(device=image.device).manual_seed(0)
    x_t = schedule.add_noise(image, randn(image.shape, generator, like=image), t)
    told = checkpoint.encode_labels(labels, len(image)).to(image.device)
    null = checkpoint.encode_labels({}, len(image)).to(image.device)
    x0, eps = denoise(checkpoint.model, schedule, x_t, t, told, null, guidance_scale, clip=True)
    noise = randn(image.shape, generator, like=image) if eta > 0 and t_prev >= 0 else None
    abar_prev = float(schedule.abar(t_prev))
    _, variance = schedule.posterior(x0, x_t, t, t_prev)
    sigma = eta * float(variance) ** 0.5  # eq. 16: eta times the deviation of DDPM's posterior
    return DDIMStep(
        t=t,
        t_prev=t_prev,
        x0_scale=abar_prev**0.5,
        eps_scale=max(0.0, 1 - abar_prev - sigma**2) ** 0.5,
        sigma=sigma,
        x_t=x_t,
        x0=x0,
        eps=eps,
        x_prev=ddim_step(schedule, x_t, x0, eps, t, t_prev, eta, noise),
    )


# --------------------------------------------------------------------------------------- guidance and eta


@dataclass(frozen=True)
class Setting:
    """What `compare` varies: the guidance scale w (1 = off) and eta (0 = DDIM .. 1 = DDPM)."""

    guidance_scale: float
    eta: float


def compare(
    checkpoint: Checkpoint,
    image: Tensor,
    labels: dict[str, str | None] | None,
    settings: Sequence[Setting],
    strength: float = 0.6,
    num_inference_steps: int = 20,
    generator: torch.Generator | None = None,
) -> Iterator[Step]:
    """Repaint one drawing under several settings, all of them in one batch and from the same noise.

    Args:
        checkpoint: a trained model.
        image: the drawing, float32 (1, 3, R, R) in [-1, 1].
        settings: one for each picture wanted, at least one.
        labels, strength, num_inference_steps, generator: as for `edit`.

    Yields:
        The Steps that `edit` would, with B = len(settings): picture i is what `edit` makes with settings[i],
        up to the last digits of float32.

    Raises:
        ValueError: for no settings, a strength, number of steps or eta out of range, or several drawings.
        UnknownLabel: for a label the checkpoint has not learnt.
    """
    if not settings or len(image) != 1:
        raise ValueError("A comparison needs one drawing and at least one setting.")
    if not all(0 <= setting.eta <= 1 for setting in settings):
        raise ValueError("eta must be between 0 and 1.")
    schedule, batch = checkpoint.schedule, len(settings)
    timesteps = edit_timesteps(strength, num_inference_steps, schedule.num_train_timesteps)
    told, null = checkpoint.encode_labels(labels, batch), checkpoint.encode_labels({}, batch)
    both = torch.cat([null, told]).to(image.device)
    if not timesteps:
        same = image.repeat(batch, 1, 1, 1)
        return (step for step in [Step(index=0, total=0, t=0, x=same, x0=same)])
    generator = generator or torch.Generator(device=image.device).manual_seed(0)
    scales = torch.tensor([setting.guidance_scale for setting in settings]).to(image).reshape(-1, 1, 1, 1)

    def model(x: Tensor, t: Tensor) -> Tensor:
        """Classifier-free guidance with a scale of its own for every picture."""
        out_null, out_told = checkpoint.model(torch.cat([x, x]), torch.cat([t, t]), both).chunk(2)
        return out_null + scales * (out_told - out_null)

    noise = randn(image.shape, generator, like=image)
    x = noise if strength == 1 else schedule.add_noise(image, noise, timesteps[0])
    etas = [setting.eta for setting in settings]
    return _walk(model, schedule, x.repeat(batch, 1, 1, 1), timesteps, etas, generator)


def _walk(model, schedule, x, timesteps, etas, generator) -> Iterator[Step]:
    """`sample`'s loop with an eta for each picture; the pictures share the fresh noise, scaled by theirs."""
    for i, t in enumerate(timesteps):
        t_prev = timesteps[i + 1] if i + 1 < len(timesteps) else -1
        x0, eps = denoise(model, schedule, x, t, None, None, 1.0, clip=True)
        noise = randn(x[:1].shape, generator, like=x) if max(etas) > 0 and t_prev >= 0 else None
        each = zip(x.split(1), x0.split(1), eps.split(1), etas)
        x = torch.cat([ddim_step(schedule, a, b, c, t, t_prev, eta, noise) for a, b, c, eta in each])
        yield Step(index=i + 1, total=len(timesteps), t=t, x=x, x0=x0)

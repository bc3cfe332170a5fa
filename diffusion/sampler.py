"""From noise to a picture: DDIM (Song, Meng, Ermon 2021), with DDPM as its noisy end, and guidance.

`sample` is a generator. Each denoising step is one yield, so whoever watches (a web page, a progress bar, a
GIF writer, a metric) sees every state without the sampler knowing of them, and closing the generator stops
the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .schedule import NoiseSchedule

Generators = torch.Generator | Sequence[torch.Generator] | None


@dataclass(frozen=True)
class Step:
    """One denoising step, just done.

    Attributes:
        index: how many steps are done, 1 .. total (0 only where there was nothing to do).
        total: how many there are.
        t: the timestep that was denoised, in 0 .. T-1.
        x: the noisy state after it (B, 3, R, R); after the last step, the result.
        x0: the clean picture as predicted in this step (B, 3, R, R), in [-1, 1].
    """

    index: int
    total: int
    t: int
    x: Tensor
    x0: Tensor


def trailing_timesteps(num_inference_steps: int, start: int) -> list[int]:
    """`num_inference_steps` timesteps, evenly spaced, from `start` down; the last lands on the clean picture.

    "Trailing" spacing (Lin et al. 2024, "Common Diffusion Noise Schedules", table 2): the first of them is
    `start` itself, so that a picture is denoised from exactly the noise level it was given.

    Args:
        num_inference_steps: at least 1; at most start + 1 different timesteps exist.
        start: the first timestep, in 0 .. T-1.
    """
    if num_inference_steps < 1:
        raise ValueError(f"The number of steps must be at least 1, not {num_inference_steps}.")
    count = min(num_inference_steps, start + 1)
    return [round((start + 1) * (count - i) / count) - 1 for i in range(count)]


def leading_timesteps(num_inference_steps: int, num_train_timesteps: int) -> list[int]:
    """Multiples of T // n from high to low, ending in 0: the tau of DDIM's appendix D.2, used by its code."""
    if not 1 <= num_inference_steps <= num_train_timesteps:
        raise ValueError(f"The number of steps must be between 1 and {num_train_timesteps}.")
    stride = num_train_timesteps // num_inference_steps
    return [i * stride for i in reversed(range(num_inference_steps))]


def randn(shape: Sequence[int], generator: Generators, like: Tensor | None = None) -> Tensor:
    """Standard normal noise (B, ...) from the caller's generator; global random state stays untouched.

    A list of B generators gives every picture a source of its own, so that it comes out the same whatever
    batch it is computed in.
    """
    if generator is None:
        raise ValueError("Random noise needs a torch.Generator, so that the result can be made again.")
    if isinstance(generator, torch.Generator):
        noise = torch.randn(shape, generator=generator, device=generator.device)
    else:
        if len(generator) != shape[0]:
            raise ValueError(f"{len(generator)} generators cannot serve {shape[0]} pictures.")
        noise = torch.stack([torch.randn(shape[1:], generator=g, device=g.device) for g in generator])
    return noise if like is None else noise.to(like)


def guided(
    model: Callable[..., Tensor],
    x: Tensor,
    t: Tensor,
    labels: Tensor | None,
    null: Tensor | None,
    scale: float,
) -> Tensor:
    """Classifier-free guidance (Ho & Salimans 2021, eq. 6, written with w = 1 for "off").

    out = out_null + w (out_labels - out_null), both from one call on a batch of 2B. The combination is
    linear, and so are eps, v and x0 in one another, so it does not matter which of them the model speaks.
    With w = 1, or without labels, the model is called once on a batch of B.
    """
    if labels is None:
        return model(x, t)
    if scale == 1 or null is None:
        return model(x, t, labels)
    out_null, out_labels = model(torch.cat([x, x]), torch.cat([t, t]), torch.cat([null, labels])).chunk(2)
    return out_null + scale * (out_labels - out_null)


def ddim_step(
    schedule: NoiseSchedule,
    x: Tensor,
    x0: Tensor,
    eps: Tensor,
    t: int,
    t_prev: int,
    eta: float = 0.0,
    noise: Tensor | None = None,
) -> Tensor:
    """x_{t_prev} from x_t: DDIM eq. 12.

        s        = eta sqrt((1 - abar_prev) / (1 - abar_t)) sqrt(1 - abar_t / abar_prev)          (eq. 16)
        x_prev   = alpha_prev x0 + sqrt(sigma_prev^2 - s^2) eps + s noise

    s is eta times the deviation of DDPM's posterior: eta = 0 is deterministic, eta = 1 is DDPM's ancestral
    sampling. With t_prev = -1, alpha_prev is 1 and sigma_prev 0, and x0 comes back as it is.
    """
    s = eta * schedule.posterior_variance(t, t_prev, like=x).sqrt()
    direction = (schedule.sigma(t_prev, like=x) ** 2 - s**2).clamp(min=0).sqrt()
    x_prev = schedule.alpha(t_prev, like=x) * x0 + direction * eps
    if eta > 0 and t_prev >= 0:
        x_prev = x_prev + s * noise
    return x_prev.to(x.dtype)


@torch.no_grad()
def denoise(
    model: Callable[..., Tensor],
    schedule: NoiseSchedule,
    x: Tensor,
    t: int,
    labels: Tensor | None,
    null: Tensor | None,
    guidance_scale: float,
    clip: bool,
) -> tuple[Tensor, Tensor]:
    """Ask the model about x_t once; returns (x0, eps). Clipping x0 to [-1, 1] derives eps again from it."""
    timesteps = torch.full((len(x),), t, device=x.device)
    output = guided(model, x, timesteps, labels, null, guidance_scale).to(x.dtype)
    x0, eps = schedule.to_x0_eps(output, x, t)
    if clip:
        x0 = x0.clamp(-1, 1)
        eps = schedule.eps_from_x0(x, x0, t)
    return x0, eps


def sample(
    model: Callable[..., Tensor],
    schedule: NoiseSchedule,
    x: Tensor,
    *,
    timesteps: Sequence[int],
    labels: Tensor | None = None,
    null_labels: Tensor | None = None,
    guidance_scale: float = 1.0,
    eta: float = 0.0,
    generator: Generators = None,
    clip: bool = True,
    constrain: Callable[[Tensor, int], Tensor] | None = None,
    done: int = 0,
) -> Iterator[Step]:
    """Denoise x along `timesteps`, one `Step` per model call.

    Args:
        model: model(x (B, 3, R, R), t (B,), labels (B, K)) -> (B, 3, R, R), in the schedule's
            `prediction_type`; called without labels when `labels` is None.
        schedule: the schedule the model was trained with.
        x: the state at timesteps[done] (B, 3, R, R); standard normal noise for a picture from nothing.
        timesteps: strictly descending, in 0 .. T-1. Any sub-sequence will do: the previous timestep is read
            from this list, never from a stride, and after the last one comes the clean picture.
        labels: long (B, K).
        null_labels: long (B, K), what `labels` are steered away from; needed when guidance_scale is not 1.
        guidance_scale: w of classifier-free guidance; 1 = off.
        eta: 0 deterministic (DDIM) .. 1 (DDPM), see `ddim_step`.
        generator: the source of noise, needed only when eta > 0; one, or one per picture.
        clip: keep the predicted x0 in [-1, 1].
        constrain: called as constrain(x_prev, t_prev) after each step, t_prev = -1 at the end; what it
            returns takes the place of x_prev. SDEdit's masks are made of it.
        done: how many of the steps an earlier run has taken: going on from its state, with a generator in
            the state that one began with, ends where that one would have ended.

    Raises:
        ValueError: for timesteps that do not descend, eta out of range, nothing left to do, or guidance
            without null labels.
    """
    timesteps = [int(t) for t in timesteps]
    if any(later >= earlier for earlier, later in zip(timesteps, timesteps[1:])):
        raise ValueError("Timesteps must strictly descend.")
    if not 0 <= eta <= 1:
        raise ValueError(f"eta must be between 0 and 1, not {eta}.")
    if guidance_scale != 1 and labels is not None and null_labels is None:
        raise ValueError("Guidance needs the null labels to steer away from.")
    if done and not 0 < done < len(timesteps):
        raise ValueError(f"After step {done} of {len(timesteps)} there is nothing left to do.")
    return _steps(
        model, schedule, x, timesteps, labels, null_labels, guidance_scale, eta, generator, clip, constrain,
        done,
    )  # fmt: skip


def _steps(
    model, schedule, x, timesteps, labels, null, guidance_scale, eta, generator, clip, constrain, done
):
    """The loop behind `sample`, apart from it so that bad arguments are refused at the call, not later.

    Nothing thread-local (no_grad, autocast) is held across a yield: a web server may run every step
    in another thread.
    """
    for i, t in enumerate(timesteps):
        t_prev = timesteps[i + 1] if i + 1 < len(timesteps) else -1
        noise = randn(x.shape, generator, like=x) if eta > 0 and t_prev >= 0 else None
        if i < done:  # its noise is drawn all the same: the steps to come get what they would have got
            continue
        x0, eps = denoise(model, schedule, x, t, labels, null, guidance_scale, clip)
        x = ddim_step(schedule, x, x0, eps, t, t_prev, eta, noise)
        if constrain is not None:
            x = constrain(x, t_prev)
            x0 = constrain(x0, -1)
        yield Step(index=i + 1, total=len(timesteps), t=t, x=x, x0=x0)

"""Classifier guidance (Dhariwal & Nichol 2021, arXiv 2105.05233): steered by a classifier of noisy pictures.

By Bayes' rule the conditional score is the network's own and the classifier's gradient together. So a network
that was never told a label can be steered towards it, and one that was told can be steered more:

    eps' = eps - s sigma_t grad log p(labels | x_t)                    (algorithm 2; s = 1 is Bayes' rule)

Algorithm 1, for ancestral sampling, moves the mean of a step by s Sigma grad instead. Under `DDPM` with the
large variance the eps' above moves it by s beta_t grad / sqrt(1 - beta_t), nearly the same, so that one
guidance serves every solver.

Where there is most noise the gradient is best left out (as Kynkaanniemi et al. 2024, arXiv 2404.07724, found
of classifier-free guidance): it knows next to nothing there, and sigma^2 / alpha makes much of it in x0.

A result that one classifier steered says nothing to the same one as its judge: it finds what it asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from .denoiser import Denoiser, Guidance, unguided
from .prediction import to_x0_eps, training_target
from .schedule import NoiseSchedule, PerPicture, beside


class SeesThroughNoise(Protocol):
    """A classifier that can be asked about noisy pictures."""

    def log_likelihood(self, x_t: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        """log p(labels | x_t) of pictures (B, 3, R, R) at timesteps, long (B,); gradients reach x_t. (B,)"""


@dataclass(frozen=True)
class ByClassifier:
    """A guidance (see guidance.py) by the gradient of a classifier, on top of another one.

    Attributes:
        classifier: asked for the labels of the denoiser's condition; a label that is not told does not count.
        scale: s, one or one for each picture; 0 is off.
        guidance: of the network's own answers.
        below: where it steers: at timesteps t < below T. 1 is everywhere.
    """

    classifier: SeesThroughNoise
    scale: PerPicture = 1.0
    guidance: Guidance = unguided
    below: float = 1.0

    def __call__(self, denoiser: Denoiser, x: Tensor, t: Tensor | int) -> Tensor:
        output = self.guidance(denoiser, x, t)
        condition = denoiser.condition
        scale = torch.as_tensor(self.scale, dtype=x.dtype)
        off = self.off(denoiser.schedule, t)
        if not scale.any() or off.all() or (condition.labels == condition.null).all():
            return output
        kind, schedule, channels = denoiser.prediction_type, denoiser.schedule, x.shape[1]
        scales = beside(scale, like=x) * beside(~off, like=x)
        gradient = self.gradient(denoiser, x, t) * scales.to(x)
        x0, eps = to_x0_eps(kind, schedule, output[:, :channels].to(x.dtype), x, t)
        alpha, sigma = schedule.alpha(t, like=x), schedule.sigma(t, like=x)
        # What moves eps moves x0 the other way, for x_t stays: alpha x0 + sigma eps.
        moved = torch.where(alpha > 0, sigma**2 / alpha, 0.0) * gradient
        x0, eps = x0 + moved, eps - sigma * gradient
        steered = training_target(kind, schedule, x0.to(x.dtype), eps.to(x.dtype), t)
        return torch.cat([steered, output[:, channels:].to(x.dtype)], dim=1)  # a learnt variance stays

    def gradient(self, denoiser: Denoiser, x: Tensor, t: Tensor | int) -> Tensor:
        """grad log p(labels | x_t) with respect to x_t, like x."""
        times = torch.as_tensor(t, device=x.device).expand(len(x))
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            log_p = self.classifier.log_likelihood(x, times, denoiser.condition.labels)
            (gradient,) = torch.autograd.grad(log_p.sum(), x)
        return gradient

    def off(self, schedule: NoiseSchedule, t: Tensor | int) -> Tensor:
        """Where it does not steer, bool like t: from `below` on, and in noise alone, which says nothing."""
        return schedule.noise_alone(t) | (torch.as_tensor(t) >= self.below * schedule.num_train_timesteps)

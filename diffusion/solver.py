"""Solvers: how to get from x_t to the next, less noisy state, once the denoiser has said what it sees in x_t.

    DDIM         (Song, Meng, Ermon 2021), with DDPM as its noisy end
    DPMSolver    DPM-Solver++(2M) (Lu et al. 2022), which remembers one step and needs fewer of them

A solver never changes: one that remembers comes back from `after` as another. So it may be shared between
runs, and a run can go on from any of its steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from .errors import DoodleError
from .schedule import NoiseSchedule, PerPicture, beside


class Solver(Protocol):
    """What `sample` needs of a solver."""

    @property
    def noisy(self) -> bool:
        """Whether its steps mix in fresh noise."""

    def step(
        self,
        schedule: NoiseSchedule,
        x: Tensor,
        x0: Tensor,
        eps: Tensor,
        t: int,
        t_prev: int,
        noise: Tensor | None = None,
    ) -> Tensor:
        """x_{t_prev} from x_t.

        Args:
            x, x0, eps: x_t and what the denoiser sees in it, (B, ...) each.
            t, t_prev: from where to where, t > t_prev; -1 is the clean picture.
            noise: standard normal, like x; needed only where the solver is `noisy` and t_prev is not -1.
        """

    def after(self, t: int, x0: Tensor) -> Solver:
        """The solver as it is once it has taken the step from t, where x0 was seen."""


@dataclass(frozen=True)
class DDIM:
    """DDIM eq. 12. eta, one or one for each picture: 0 is deterministic, 1 DDPM's ancestral sampling.

    Raises:
        DoodleError: for an eta outside [0, 1].
    """

    eta: PerPicture = 0.0

    def __post_init__(self) -> None:
        for eta in self._etas:
            if not 0 <= eta <= 1:
                raise DoodleError(f"eta must be between 0 and 1, not {eta}.")

    @property
    def _etas(self) -> tuple[float, ...]:
        return tuple(self.eta) if isinstance(self.eta, Sequence) else (self.eta,)

    @property
    def noisy(self) -> bool:
        return max(self._etas) > 0

    def scales(
        self, schedule: NoiseSchedule, t: int, t_prev: int, like: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The scales of x0, eps and fresh noise in x_prev, float64 (1 or B, 1, ...).

            s   = eta sqrt((1 - abar_prev) / (1 - abar_t)) sqrt(1 - abar_t / abar_prev)          (eq. 16)
            alpha_prev,   sqrt(sigma_prev^2 - s^2),   s                                          (eq. 12)

        s is eta times the deviation of DDPM's posterior.
        """
        eta = beside(torch.tensor(self._etas, dtype=torch.float64), like)
        s = eta * schedule.posterior_variance(t, t_prev, like).sqrt()
        rest = (schedule.sigma(t_prev, like) ** 2 - s**2).clamp(min=0).sqrt()
        return schedule.alpha(t_prev, like), rest, s

    def step(
        self,
        schedule: NoiseSchedule,
        x: Tensor,
        x0: Tensor,
        eps: Tensor,
        t: int,
        t_prev: int,
        noise: Tensor | None = None,
    ) -> Tensor:
        """x_prev = alpha_prev x0 + sqrt(sigma_prev^2 - s^2) eps + s noise; the last step returns x0."""
        alpha_prev, rest, s = self.scales(schedule, t, t_prev, like=x)
        x_prev = alpha_prev * x0 + rest * eps
        if self.noisy and t_prev >= 0:
            if noise is None:
                raise DoodleError("A step with an eta above 0 needs fresh noise.")
            x_prev = x_prev + s * noise
        return x_prev.to(x.dtype)

    def after(self, t: int, x0: Tensor) -> DDIM:
        return self


@dataclass(frozen=True, eq=False)
class DPMSolver:
    """DPM-Solver++(2M) (Lu et al. 2022, arXiv 2211.01095, algorithm 2): second order, deterministic.

    Attributes:
        last: the timestep of the step before and the x0 seen in it; None: there was none, or what it led to
            has been changed since. Then, and in the step that lands on the clean picture, its order is 1.
    """

    last: tuple[int, Tensor] | None = None
    noisy = False

    def step(
        self,
        schedule: NoiseSchedule,
        x: Tensor,
        x0: Tensor,
        eps: Tensor,
        t: int,
        t_prev: int,
        noise: Tensor | None = None,
    ) -> Tensor:
        """With lambda = ln(alpha / sigma), h = lambda_prev - lambda_t and r = (lambda_t - lambda_last) / h:

            D       = x0 + (x0 - x0_last) / (2 r)                   x0 at the middle of the step, extrapolated
            x_prev  = sigma_prev / sigma_t x_t - alpha_prev (exp(-h) - 1) D

        The second line is alpha_prev D + sigma_prev (x_t - alpha_t D) / sigma_t: DDIM's step, with D for x0.
        """
        if self.last is not None and t_prev >= 0:
            t_last, x0_last = self.last
            lambda_last, lambda_t, lambda_prev = (
                float((schedule.alpha(step) / schedule.sigma(step)).log()) for step in (t_last, t, t_prev)
            )
            r = (lambda_t - lambda_last) / (lambda_prev - lambda_t)
            x0 = x0 + (x0 - x0_last) / (2 * r)
            eps = schedule.eps_from_x0(x, x0, t)
        return (schedule.alpha(t_prev, like=x) * x0 + schedule.sigma(t_prev, like=x) * eps).to(x.dtype)

    def after(self, t: int, x0: Tensor) -> DPMSolver:
        return DPMSolver(last=(t, x0))

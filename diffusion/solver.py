"""Solvers: how to get from x_t to the next, less noisy state, once the denoiser has said what it sees in x_t.

    DDIM         (Song, Meng, Ermon 2021), with DDPM as its noisy end; on the straight path Euler's steps
    DDPM         ancestral sampling (Ho, Jain, Abbeel 2020), whose noise may have either variance
    Heun         (Karras et al. 2022, "EDM"), which asks the denoiser a second time in each step
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

from .denoiser import Denoiser
from .errors import DoodleError
from .prediction import Seen
from .schedule import NoiseSchedule, PerPicture, beside

VARIANCES = ("auto", "small", "large")


def check_variance(variance: str) -> None:
    """
    Raises:
        DoodleError: for one that is not in VARIANCES.
    """
    if variance not in VARIANCES:
        raise DoodleError(f"Unknown variance {variance!r}: choose one of {', '.join(VARIANCES)}.")


def fresh_variance(
    variance: str, schedule: NoiseSchedule, share: Tensor | None, t: int, t_prev: int, like: Tensor
) -> Tensor:
    """The variance of the noise that is mixed in between t and t_prev: (1, 1, ...), or like x_t where learnt.

    "small" is the posterior's, right for data that are one single picture; "large" is beta, right for data
    that are standard normal (DDPM section 3.2). Real data lie between, and the fewer the steps, the wider
    apart the two. "auto" is what the network says, where it has learnt to (iDDPM section 3.1), else "small".

    Args:
        share: as in `Seen`.
    """
    if variance == "auto" and share is not None:
        return schedule.log_variance(t, t_prev, like, share).exp()
    if variance == "large":
        return schedule.step_variance(t, t_prev, like)
    return schedule.posterior_variance(t, t_prev, like)


def with_noise(x_prev: Tensor, deviation: Tensor, noise: Tensor | None, t_prev: int) -> Tensor:
    """x_prev + deviation * noise, but for the step that lands on the clean picture.

    Raises:
        DoodleError: for no noise.
    """
    if t_prev < 0:
        return x_prev
    if noise is None:
        raise DoodleError("A step with fresh noise in it needs that noise.")
    return x_prev + deviation * noise


def denoised_to(schedule: NoiseSchedule, seen: Seen, t: int, like: Tensor) -> Tensor:
    """The state at t that is made of the picture and the noise seen, like `like`: DDIM's step with eta 0."""
    return (schedule.alpha(t, like=like) * seen.x0 + schedule.sigma(t, like=like) * seen.eps).to(like.dtype)


class Solver(Protocol):
    """What `sample` needs of a solver."""

    @property
    def noisy(self) -> bool:
        """Whether its steps mix in fresh noise."""

    def step(
        self,
        denoiser: Denoiser,
        x: Tensor,
        seen: Seen,
        t: int,
        t_prev: int,
        noise: Tensor | None = None,
    ) -> Tensor:
        """x_{t_prev} from x_t.

        Args:
            denoiser: with the schedule; and it may be asked again.
            x, seen: x_t (B, ...) and what the denoiser sees in it.
            t, t_prev: from where to where, t > t_prev; -1 is the clean picture.
            noise: standard normal, like x; needed only where the solver is `noisy` and t_prev is not -1.
        """

    def after(self, t: int, x0: Tensor) -> Solver:
        """The solver as it is once it has taken the step from t, where x0 was seen."""


@dataclass(frozen=True)
class DDIM:
    """DDIM eq. 12. eta, one or one for each picture: 0 is deterministic, 1 DDPM's ancestral sampling.

    On the straight path eta = 0 is Euler's step along the velocity, x_t + (s_prev - s) (eps - x0), as
    rectified flow is sampled: both go to where the same x0 and eps lead.

    Attributes:
        eta: in [0, 1].
        variance: of the noise at eta = 1, one of VARIANCES. The scale of eps goes by the small one, whichever
            it is, as at eta = 1 in DDPM; the large noise is what section 5 calls sigma hat.

    Raises:
        DoodleError: for an eta out of its range, or an unknown variance.
    """

    eta: PerPicture = 0.0
    variance: str = "auto"

    def __post_init__(self) -> None:
        check_variance(self.variance)
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
        self, schedule: NoiseSchedule, share: Tensor | None, t: int, t_prev: int, like: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The scales of x0, eps and fresh noise in x_prev, float64 (1 or B, 1, ...).

            s   = eta sqrt((1 - abar_prev) / (1 - abar_t)) sqrt(1 - abar_t / abar_prev)          (eq. 16)
            alpha_prev,   sqrt(sigma_prev^2 - s^2),   s                                          (eq. 12)

        s is eta times the deviation of DDPM's posterior, or in the last place of what `variance` says: where
        that is learnt, it is like x_t.
        """
        eta = beside(torch.tensor(self._etas, dtype=torch.float64), like)
        s = eta * schedule.posterior_variance(t, t_prev, like).sqrt()
        rest = (schedule.sigma(t_prev, like) ** 2 - s**2).clamp(min=0).sqrt()
        fresh = eta * fresh_variance(self.variance, schedule, share, t, t_prev, like).sqrt()
        return schedule.alpha(t_prev, like), rest, fresh

    def step(
        self,
        denoiser: Denoiser,
        x: Tensor,
        seen: Seen,
        t: int,
        t_prev: int,
        noise: Tensor | None = None,
    ) -> Tensor:
        """x_prev = alpha_prev x0 + sqrt(sigma_prev^2 - s^2) eps + s noise; the last step returns x0."""
        alpha_prev, rest, fresh = self.scales(denoiser.schedule, seen.share, t, t_prev, like=x)
        x_prev = alpha_prev * seen.x0 + rest * seen.eps
        if self.noisy:
            x_prev = with_noise(x_prev, fresh, noise, t_prev)
        return x_prev.to(x.dtype)

    def after(self, t: int, x0: Tensor) -> DDIM:
        return self


@dataclass(frozen=True)
class DDPM:
    """Ancestral sampling (DDPM algorithm 2): x_prev is drawn from p(x_prev | x_t).

    p is the Gaussian that q(x_prev | x_t, x0) is (eq. 7), at the x0 that the denoiser sees. With the small
    variance it is DDIM with eta = 1.

    Raises:
        DoodleError: for an unknown variance.
    """

    variance: str = "auto"
    noisy = True

    def __post_init__(self) -> None:
        check_variance(self.variance)

    def step(
        self,
        denoiser: Denoiser,
        x: Tensor,
        seen: Seen,
        t: int,
        t_prev: int,
        noise: Tensor | None = None,
    ) -> Tensor:
        """x_prev = mean + deviation noise (line 4); the last step returns x0."""
        mean, _ = denoiser.schedule.posterior(seen.x0, x, t, t_prev)
        variance = fresh_variance(self.variance, denoiser.schedule, seen.share, t, t_prev, like=x)
        return with_noise(mean, variance.sqrt(), noise, t_prev).to(x.dtype)

    def after(self, t: int, x0: Tensor) -> DDPM:
        return self


@dataclass(frozen=True)
class Heun:
    """EDM algorithm 1 (Karras et al. 2022, arXiv 2206.00364) on this schedule: second order, deterministic.

    In x~ = x / alpha and s = sigma / alpha the way is dx~ / ds = eps, as for DDIM, which walks along the eps
    at the beginning of a step. This one looks at its end as well, and walks along the mean of both. That
    takes a second call of the network in every step but the last. On the straight path the way is
    dx / ds = v, and it is the velocity of which the mean is taken.
    """

    noisy = False

    def step(
        self,
        denoiser: Denoiser,
        x: Tensor,
        seen: Seen,
        t: int,
        t_prev: int,
        noise: Tensor | None = None,
    ) -> Tensor:
        """x~_prev = x~ + (s_prev - s_t) (eps_t + eps_prev) / 2, lines 4 to 8.

        A step from noise alone (`NoiseSchedule.noise_alone`) is one of DDIM: there s_prev may be a small part
        of s_t, so that the end says nothing about the way. The straight path has no such place.
        """
        schedule = denoiser.schedule
        x_prev = denoised_to(schedule, seen, t_prev, like=x)
        if t_prev < 0 or (schedule.noise_alone(t) and not schedule.straight):
            return x_prev
        there = denoiser.see(x_prev, t_prev)
        eps = (seen.eps + there.eps) / 2
        if schedule.straight:
            v = eps - (seen.x0 + there.x0) / 2
            return denoised_to(schedule, Seen(*schedule.x0_eps_from_velocity(x, v, t)), t_prev, like=x)
        return denoised_to(schedule, Seen(schedule.x0_from_eps(x, eps, t), eps), t_prev, like=x)

    def after(self, t: int, x0: Tensor) -> Heun:
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
        denoiser: Denoiser,
        x: Tensor,
        seen: Seen,
        t: int,
        t_prev: int,
        noise: Tensor | None = None,
    ) -> Tensor:
        """With lambda = ln(alpha / sigma), h = lambda_prev - lambda_t and r = (lambda_t - lambda_last) / h:

            D       = x0 + (x0 - x0_last) / (2 r)                   x0 at the middle of the step, extrapolated
            x_prev  = sigma_prev / sigma_t x_t - alpha_prev (exp(-h) - 1) D

        The second line is alpha_prev D + sigma_prev (x_t - alpha_t D) / sigma_t: DDIM's step, with D for x0.
        """
        schedule = denoiser.schedule
        if self.last is not None and t_prev >= 0:
            t_last, x0_last = self.last
            lambda_last, lambda_t, lambda_prev = (
                float((schedule.alpha(step) / schedule.sigma(step)).log()) for step in (t_last, t, t_prev)
            )
            r = (lambda_t - lambda_last) / (lambda_prev - lambda_t)
            x0 = seen.x0 + (seen.x0 - x0_last) / (2 * r)
            seen = Seen(x0, schedule.eps_from_x0(x, x0, t))
        return denoised_to(schedule, seen, t_prev, like=x)

    def after(self, t: int, x0: Tensor) -> DPMSolver:
        return DPMSolver(last=(t, x0))

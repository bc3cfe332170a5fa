"""The noise schedule: how much of the picture is left at each of T steps, and the algebra around it.

Everything here is Gaussian arithmetic; no network appears. Symbols follow two papers:

    DDPM   Ho, Jain, Abbeel 2020, "Denoising Diffusion Probabilistic Models"
    iDDPM  Nichol, Dhariwal 2021, "Improved Denoising Diffusion Probabilistic Models"

and for the straight path of rectified flow

    RF     Liu, Gong, Liu 2023, "Flow Straight and Fast"
    FM     Lipman et al. 2023, "Flow Matching for Generative Modeling"

    beta_t              variance of the noise added in step t
    abar_t              the product of 1 - beta_0 .. 1 - beta_t, here `alphas_cumprod`   (DDPM section 2)
    alpha_t, sigma_t    sqrt(abar_t), sqrt(1 - abar_t): x_t = alpha_t x0 + sigma_t eps, DDPM eq. 4

DDPM calls 1 - beta_t alpha_t; here alpha and sigma are the scales of picture and noise, as in the papers on
solvers (DPM-Solver). All conversions below use these two alone, and so hold on the straight path as well.

Timesteps count from 0 (a little noise) to T - 1 (nothing but noise). The papers count from 1. The clean
picture is written as step -1, with abar = 1: it is where the last denoising step lands.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .errors import DoodleError, quoted, within

VARIANCE_PRESERVING = ("cosine", "linear")  # alpha^2 + sigma^2 = 1
SCHEDULES = (*VARIANCE_PRESERVING, "straight")
MOST_TIMESTEPS = 100_000
SIGMA_MAX = 80.0  # sigma / alpha above which x_t is noise alone; EDM begins there (Karras et al. 2022)
PerPicture = float | Sequence[float]  # one number, or one for each picture


def linear_betas(num_train_timesteps: int) -> Tensor:
    """The schedule of DDPM section 4: beta rises linearly from 1e-4 to 0.02 over 1000 steps.

    With another T the ends are scaled by 1000 / T (iDDPM's code does so), which leaves about the same total
    noise. Returns float64 (T,).
    """
    scale = 1000 / num_train_timesteps
    return torch.linspace(scale * 1e-4, scale * 0.02, num_train_timesteps, dtype=torch.float64).clamp(
        max=0.999
    )


def cosine_betas(num_train_timesteps: int, s: float = 0.008) -> Tensor:
    """The schedule of iDDPM eq. 17: abar follows a squared cosine, so that noise arrives evenly.

    The linear schedule destroys small pictures too early; most of its last quarter is already pure noise.
    `s` keeps the first steps from being too small, and beta is cut at 0.999 so that the last step stays
    finite, both as in the paper. Returns float64 (T,).
    """
    steps = torch.arange(num_train_timesteps + 1, dtype=torch.float64) / num_train_timesteps
    f = torch.cos((steps + s) / (1 + s) * math.pi / 2) ** 2
    return (1 - f[1:] / f[:-1]).clamp(max=0.999)


def straight_scales(num_train_timesteps: int) -> tuple[Tensor, Tensor]:
    """The path of rectified flow (RF eq. 1; FM eq. 22 with no noise left): x_s = (1 - s) x0 + s eps.

    Both papers count from noise to data; here s runs with the timesteps, s = (t + 1) / T, so that the last
    one is noise and nothing else. Returns alpha and sigma, float64 (T,).
    """
    s = torch.arange(1, num_train_timesteps + 1, dtype=torch.float64) / num_train_timesteps
    return 1 - s, s


def beside(value: Tensor, like: Tensor) -> Tensor:
    """One number, or one for each picture, shaped to multiply pictures `like` (B, ...): (1 or B, 1, ...).

    On their device and in float64, where that device has it.
    """
    dtype = torch.float32 if like.device.type == "mps" else torch.float64
    return value.to(like.device, dtype).reshape(-1, *[1] * (like.ndim - 1))


@dataclass(frozen=True)
class NoiseSchedule:
    """Tables for T steps and the conversions between x_t, x0, the noise eps and the velocity v.

    Args:
        kind: "cosine" (iDDPM eq. 17), "linear" (DDPM section 4) or "straight" (rectified flow).
        num_train_timesteps: T, from 2 to MOST_TIMESTEPS.

    Attributes:
        betas, alphas_cumprod: beta_t and abar_t, float64 (T,). On the straight path those of the
            variance-preserving schedule with the same alpha_t / sigma_t.

    Raises:
        DoodleError: for an unknown kind, or a T out of range.
    """

    kind: str = "cosine"
    num_train_timesteps: int = 1000
    betas: Tensor = field(init=False, repr=False, compare=False)
    alphas_cumprod: Tensor = field(init=False, repr=False, compare=False)
    _abar: Tensor = field(init=False, repr=False, compare=False)
    _alpha: Tensor = field(init=False, repr=False, compare=False)
    _sigma: Tensor = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.kind not in SCHEDULES:
            known = ", ".join(SCHEDULES)
            raise DoodleError(f"Unknown schedule {quoted(str(self.kind))}: choose one of {known}.")
        within(self, {"num_train_timesteps": (2, MOST_TIMESTEPS)})
        # The tables are float64: 1 - abar near t = 0 loses half its digits in float32.
        if self.straight:
            alpha, sigma = straight_scales(self.num_train_timesteps)
            abar = alpha**2 / (alpha**2 + sigma**2)
            betas = 1 - abar / torch.cat([abar.new_ones(1), abar[:-1]])
        else:
            make = {"cosine": cosine_betas, "linear": linear_betas}[self.kind]
            betas = make(self.num_train_timesteps)
            abar = torch.cumprod(1 - betas, dim=0)
            alpha, sigma = abar.sqrt(), (1 - abar).sqrt()
        tables = {"betas": betas, "alphas_cumprod": abar}
        clean = {"_abar": (abar, 1), "_alpha": (alpha, 1), "_sigma": (sigma, 0)}  # step -1: the last index
        tables |= {name: torch.cat([table, table.new_tensor([end])]) for name, (table, end) in clean.items()}
        for name, table in tables.items():
            object.__setattr__(self, name, table)

    @property
    def straight(self) -> bool:
        """Is it the straight path? Else it preserves the variance: alpha^2 + sigma^2 = 1."""
        return self.kind not in VARIANCE_PRESERVING

    def config(self) -> dict:
        """The constructor's arguments as a plain dict, ready for JSON."""
        return {"kind": self.kind, "num_train_timesteps": self.num_train_timesteps}

    def alpha(self, t: Tensor | int, like: Tensor | None = None) -> Tensor:
        """alpha_t, the picture's scale in x_t: float64, 1 for the clean picture (t = -1).

        sqrt(abar_t), or on the straight path 1 - s.

        Args:
            t: timesteps in -1 .. T-1, of any shape.
            like: pictures (B, ...): the result is shaped (B or 1, 1, ...) on their device, ready to multiply.

        Raises:
            DoodleError: for a timestep out of range.
        """
        return self._read(self._alpha, t, like)

    def sigma(self, t: Tensor | int, like: Tensor | None = None) -> Tensor:
        """sigma_t, sqrt(1 - abar_t) or s, the noise's scale in x_t: as `alpha`; 0 for the clean picture."""
        return self._read(self._sigma, t, like)

    def abar(self, t: Tensor | int, like: Tensor | None = None) -> Tensor:
        """abar_t, the share of the picture in the variance of x_t: as `alpha`."""
        return self._read(self._abar, t, like)

    def noise_alone(self, t: Tensor | int, like: Tensor | None = None) -> Tensor:
        """Is there next to nothing of a picture in x_t? As `alpha`, but bool.

        So it is at the end of every schedule, and there a small error of eps is an error of x0 of any size.
        """
        return self.sigma(t, like) > SIGMA_MAX * self.alpha(t, like)

    def _read(self, table: Tensor, t: Tensor | int, like: Tensor | None) -> Tensor:
        t = torch.as_tensor(t, dtype=torch.long)
        on_cpu = t.device.type == "cpu"  # looking at numbers on a GPU would make it wait
        if on_cpu and t.numel() and (t.min() < -1 or t.max() >= self.num_train_timesteps):
            raise DoodleError(f"Timesteps run from -1 to {self.num_train_timesteps - 1}.")
        if t.device.type == "mps":  # Apple's GPUs have no float64
            table = table.float()
        value = table.to(t.device)[t]
        return value if like is None else beside(value, like)

    # ------------------------------------------------------------------ forward process

    def add_noise(self, x0: Tensor, noise: Tensor, t: Tensor | int) -> Tensor:
        """q(x_t | x0) in closed form, DDPM eq. 4: x_t = alpha_t x0 + sigma_t eps.

        Args:
            x0: clean pictures (B, ...), in [-1, 1].
            noise: eps, standard normal, the shape of x0.
            t: one timestep, or one per picture (B,).
        """
        return (self.alpha(t, like=x0) * x0 + self.sigma(t, like=x0) * noise).to(x0.dtype)

    def noised_from(self, x: Tensor, noise: Tensor, t: int, t_next: int) -> Tensor:
        """q(x_{t_next} | x_t), t < t_next: DDPM eq. 2 over as many steps as there are between the two."""
        ratio = self.alpha(t_next, like=x) / self.alpha(t, like=x)
        return (ratio * x + self.step_variance(t_next, t, like=x).sqrt() * noise).to(x.dtype)

    # ------------------------------------------------------------------ reverse process

    def step_variance(self, t: Tensor | int, t_prev: Tensor | int, like: Tensor) -> Tensor:
        """The variance of q(x_t | x_{t_prev}), DDPM eq. 2: float64 (B or 1, 1, ...), as `posterior`.

        The noise that is new between the two steps, sigma_t^2 - (alpha_t / alpha_prev)^2 sigma_prev^2: beta_t
        where t_prev = t - 1.
        """
        ratio = self.alpha(t, like) / self.alpha(t_prev, like)
        return self.sigma(t, like) ** 2 - ratio**2 * self.sigma(t_prev, like) ** 2

    def posterior_variance(self, t: Tensor | int, t_prev: Tensor | int, like: Tensor) -> Tensor:
        """The variance of q(x_{t_prev} | x_t, x0), DDPM eq. 7: as `step_variance`.

        The noise that is new between the two steps, times the share of sigma_t^2 that is old.
        """
        old, all_of_it = self.sigma(t_prev, like) ** 2, self.sigma(t, like) ** 2
        return old / all_of_it * self.step_variance(t, t_prev, like)

    def log_variances(self, t: Tensor | int, t_prev: Tensor | int, like: Tensor) -> tuple[Tensor, Tensor]:
        """ln of `posterior_variance` and of `step_variance`, between which a step's variance should lie.

        The posterior of the step that lands on the clean picture has none, whose logarithm nothing can be
        made of: it is that of the step before (iDDPM's code does so).
        """
        t, t_prev = torch.as_tensor(t), torch.as_tensor(t_prev)
        lands = t_prev < 0
        small = self.posterior_variance(torch.where(lands, 1, t), torch.where(lands, 0, t_prev), like)
        return small.log(), self.step_variance(t, t_prev, like).log()

    def log_variance(
        self, t: Tensor | int, t_prev: Tensor | int, like: Tensor, share: Tensor | float = 0.0
    ) -> Tensor:
        """ln of the variance of p(x_{t_prev} | x_t), between the two of `log_variances` (iDDPM eq. 15).

        Args:
            share: of the larger one, the step's own; as in `Seen`, like `like` where it is learnt.
        """
        small, large = self.log_variances(t, t_prev, like)
        return share * large + (1 - share) * small

    def posterior(
        self, x0: Tensor, x_t: Tensor, t: Tensor | int, t_prev: Tensor | int | None = None
    ) -> tuple[Tensor, Tensor]:
        """q(x_{t_prev} | x_t, x0): the Gaussian that ancestral sampling draws from, DDPM eq. 6-7.

        Args:
            x0, x_t: (B, ...).
            t: the timestep of x_t, in 0 .. T-1.
            t_prev: any earlier timestep, -1 for the clean picture; t - 1 if left out. Skipping steps is
                exact: two Gaussian steps in a row are one larger Gaussian step.

        Returns:
            (mean, variance): mean like x_t, variance float (B or 1, 1, ...).
        """
        t_prev = torch.as_tensor(t) - 1 if t_prev is None else t_prev
        alpha_prev, sigma_prev = self.alpha(t_prev, like=x_t), self.sigma(t_prev, like=x_t)
        ratio = self.alpha(t, like=x_t) / alpha_prev
        share = ratio * sigma_prev**2 / self.sigma(t, like=x_t) ** 2  # of x_t in the mean
        mean = share * x_t + (alpha_prev - share * self.alpha(t, like=x_t)) * x0  # eq. 7
        return mean.to(x_t.dtype), self.posterior_variance(t, t_prev, like=x_t)

    # ------------------------------------------------------------------ eps, x0, v

    def x0_from_eps(self, x_t: Tensor, eps: Tensor, t: Tensor | int) -> Tensor:
        """DDPM eq. 15: (x_t - sigma_t eps) / alpha_t."""
        return ((x_t - self.sigma(t, like=x_t) * eps) / self.alpha(t, like=x_t)).to(x_t.dtype)

    def eps_from_x0(self, x_t: Tensor, x0: Tensor, t: Tensor | int) -> Tensor:
        """The noise that leads from x0 to x_t: (x_t - alpha_t x0) / sigma_t."""
        return ((x_t - self.alpha(t, like=x_t) * x0) / self.sigma(t, like=x_t)).to(x_t.dtype)

    def _speeds(self, t: Tensor | int, like: Tensor) -> tuple[Tensor, Tensor]:
        """How fast alpha and sigma change along the path: shaped like them.

        By the angle where they are its cosine and sine, else by s; alpha sigma' - sigma alpha' is always 1.
        """
        alpha, sigma = self.alpha(t, like), self.sigma(t, like)
        return (-torch.ones_like(alpha), torch.ones_like(sigma)) if self.straight else (-sigma, alpha)

    def velocity(self, x0: Tensor, eps: Tensor, t: Tensor | int) -> Tensor:
        """How x_t moves: v = alpha_t eps - sigma_t x0, or on the straight path v = eps - x0.

        (x_t, v) is (x0, eps) turned by an angle (Salimans & Ho 2022, appendix D), so v is well behaved at
        both ends: it asks for the noise where there is little of it, and for the picture where there is
        nothing but noise. On the straight path it is RF eq. 1's, the other way round: x1 - x0 from x0 to x1.
        """
        alpha_speed, sigma_speed = self._speeds(t, like=x0)
        return (sigma_speed * eps + alpha_speed * x0).to(x0.dtype)

    def x0_eps_from_velocity(self, x_t: Tensor, v: Tensor, t: Tensor | int) -> tuple[Tensor, Tensor]:
        """x_t and its velocity solved for x0 and eps: sigma' x_t - sigma_t v and alpha_t v - alpha' x_t.

        Turned back by the angle x0 = alpha_t x_t - sigma_t v and eps = sigma_t x_t + alpha_t v; on the
        straight path x0 = x_t - s v and eps = x_t + (1 - s) v.
        """
        alpha, sigma = self.alpha(t, like=x_t), self.sigma(t, like=x_t)
        alpha_speed, sigma_speed = self._speeds(t, like=x_t)
        x0, eps = sigma_speed * x_t - sigma * v, alpha * v - alpha_speed * x_t
        return x0.to(x_t.dtype), eps.to(x_t.dtype)

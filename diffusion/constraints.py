"""What must hold of every state of an edit: put right after each step, whatever the solver made of it.

A constraint is a callable (x, t) -> x, for a state at noise level t, or the clean picture where t is -1. It
compares with the drawing at the same level, q(x_t | drawing), so that the network finds one picture.

    kept        outside a mask, the drawing                             (SDEdit algorithm 2)
    low_passed  averages over blocks of pixels, the drawing's           (ILVR, Choi et al. 2021, eq. 8)
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .errors import DoodleError
from .sampler import Constraint
from .schedule import NoiseSchedule


def drawing_at(schedule: NoiseSchedule, image: Tensor, noise: Tensor, t: int) -> Tensor:
    """The drawing (B, 3, R, R) at noise level t, always under the same noise; itself at -1."""
    return image if t < 0 else schedule.add_noise(image, noise, t)


def kept(mask: Tensor, image: Tensor, noise: Tensor, schedule: NoiseSchedule) -> Constraint:
    """Where mask, {0, 1} (1 or B, 1, R, R), is 0: the drawing; exactly the drawing at the end."""

    def keep(x: Tensor, t: int) -> Tensor:
        return torch.where(mask > 0.5, x, drawing_at(schedule, image, noise, t))

    return keep


def block_means(x: Tensor, factor: int) -> Tensor:
    """phi_N: pictures (B, C, R, R) averaged down by N = factor and stretched again; twice is as once.

    Raises:
        DoodleError: R is no multiple of N.
    """
    if x.shape[-1] % factor:
        raise DoodleError(f"{x.shape[-1]} pixels cannot be parted into blocks of {factor}.")
    return F.interpolate(F.avg_pool2d(x, factor), scale_factor=factor, mode="nearest")


def low_passed(factor: int, image: Tensor, noise: Tensor, schedule: NoiseSchedule) -> Constraint:
    """x + phi_N(y) - phi_N(x), y the drawing at the same noise level (ILVR eq. 8).

    What has as many pixels as there are blocks is then kept, and what lies between them is free: the picture
    is one of those that the small one may have come from.
    """

    def keep(x: Tensor, t: int) -> Tensor:
        wanted = block_means(drawing_at(schedule, image, noise, t), factor)
        put_right = x + wanted - block_means(x, factor)
        return put_right.clamp(-1, 1) if t < 0 else put_right

    return keep


def both(first: Constraint, second: Constraint) -> Constraint:
    """One after the other."""
    return lambda x, t: second(first(x, t), t)

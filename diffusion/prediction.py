"""What a network's output means: the noise, the clean picture or the velocity, and how to read each as both.

"epsilon"         the noise                                   (DDPM eq. 14)
"sample"          the clean picture x0
"v_prediction"    the velocity, how x_t moves                 (Salimans & Ho 2022, appendix D; rectified flow)

A network may say besides how sure it is, in as many channels again: the variance of the step back
(Nichol & Dhariwal 2021, iDDPM, section 3.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .errors import DoodleError
from .schedule import NoiseSchedule

PREDICTION_TYPES = ("epsilon", "v_prediction", "sample")


@dataclass(frozen=True, eq=False)
class Seen:
    """What is seen in x_t.

    Attributes:
        x0, eps: the clean picture and the noise, each like x_t.
        share: where the variance of the step back lies, value by value: 0 at the posterior's, 1 at beta, see
            `NoiseSchedule.log_variance`; like x_t. None: the network says nothing of it.
    """

    x0: Tensor
    eps: Tensor
    share: Tensor | None = None

    @staticmethod
    def cat(parts: Sequence[Seen]) -> Seen:
        """Several batches in one."""
        shares = [part.share for part in parts if part.share is not None]
        x0, eps = torch.cat([part.x0 for part in parts]), torch.cat([part.eps for part in parts])
        return Seen(x0, eps, torch.cat(shares) if shares else None)


def check_prediction_type(prediction_type: str, schedule: NoiseSchedule) -> None:
    """
    Raises:
        DoodleError: for one that is not in PREDICTION_TYPES, or says nothing of the picture at some t.
    """
    if prediction_type not in PREDICTION_TYPES:
        known = ", ".join(PREDICTION_TYPES)
        raise DoodleError(f"Unknown prediction type {prediction_type!r}: choose one of {known}.")
    if prediction_type == "epsilon" and schedule.straight:
        raise DoodleError(
            "The straight path ends in nothing but noise, where to know it says nothing of the picture:"
            " take the prediction type v_prediction or sample."
        )


def split_output(output: Tensor, channels: int) -> tuple[Tensor, Tensor | None]:
    """A network's output (B, C or 2 C, R, R) -> what `to_x0_eps` reads, and the share of `Seen` or None.

    -1 and 1 stand for shares of 0 and 1, so that a network whose last layer is zero begins in the middle.

    Args:
        channels: C, of a picture.
    """
    if output.shape[1] == channels:
        return output, None
    output, variance = output.chunk(2, dim=1)
    return output, (variance + 1) / 2


def training_target(
    prediction_type: str, schedule: NoiseSchedule, x0: Tensor, noise: Tensor, t: Tensor | int
) -> Tensor:
    """What the network should answer to x_t = add_noise(x0, noise, t): like x0."""
    if prediction_type == "epsilon":
        return noise
    if prediction_type == "sample":
        return x0
    return schedule.velocity(x0, noise, t)


def to_x0_eps(
    prediction_type: str, schedule: NoiseSchedule, output: Tensor, x_t: Tensor, t: Tensor | int
) -> tuple[Tensor, Tensor]:
    """Read a network's answer to x_t as (x0, eps), each like x_t."""
    if prediction_type == "epsilon":
        return schedule.x0_from_eps(x_t, output, t), output
    if prediction_type == "sample":
        return output, schedule.eps_from_x0(x_t, output, t)
    return schedule.x0_eps_from_velocity(x_t, output, t)

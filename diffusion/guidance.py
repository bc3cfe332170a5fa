"""Guidance: how far the network is steered by what it is told.

A guidance is any callable (denoiser, x_t, t) -> network output, like x_t. The ones here call the network
once, on a batch that holds x_t under several conditions, which tell it more and less. The one that moves the
output along the gradient of a classifier stands in classifier_guidance.py.

    ClassifierFree     one scale for all labels                                (Ho & Salimans 2021)
    ByKind             a scale for each label kind                             (after InstructPix2Pix)
    LabelsAndDrawing   a scale for the labels and one for the drawing          (InstructPix2Pix eq. 3)
    Within             any of them, but only in an interval of t               (Kynkaanniemi et al. 2024)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .condition import Condition
from .denoiser import Denoiser, Guidance, unguided
from .schedule import PerPicture, beside


def what_counts(conditions: Sequence, scales: Sequence[PerPicture]) -> tuple[list, list[PerPicture]]:
    """`telescoped`'s arguments without what cancels: out_i between equal scales, and out_0 if w_1 is 1."""
    conditions, scales = list(conditions), list(scales)
    for i in reversed(range(1, len(scales))):
        if scales[i] == scales[i - 1]:
            del conditions[i], scales[i]
    if scales[0] == 1:
        del conditions[0], scales[0]
    return conditions, scales


def telescoped(
    denoiser: Denoiser,
    x: Tensor,
    t: Tensor | int,
    conditions: Sequence[Condition],
    scales: Sequence[PerPicture],
) -> Tensor:
    """out_0 + w_1 (out_1 - out_0) + w_2 (out_2 - out_1) + ..., all from one call of the network.

    out_i is its output for conditions[i], each of which tells more than the one before. The sum is linear,
    and so are eps, v and x0 in one another, so it does not matter which of them the network predicts.
    """
    conditions, scales = what_counts(conditions, scales)
    outputs = denoiser.ask(x, t, *conditions)
    guided = outputs[0]
    for scale, less, more in zip(scales, outputs, outputs[1:]):
        w = (
            scale
            if isinstance(scale, int | float)
            else beside(torch.tensor(scale, dtype=torch.float64), more)
        )
        guided = guided + w * (more - less)
    return guided


@dataclass(frozen=True)
class ClassifierFree:
    """Classifier-free guidance (Ho & Salimans 2021, eq. 6, written with w = 1 for "off").

        out = out_uncond + w (out_cond - out_uncond)

    With w = 1 the network is called on a batch of B, else on one of 2B.
    """

    scale: PerPicture

    def __call__(self, denoiser: Denoiser, x: Tensor, t: Tensor | int) -> Tensor:
        condition = denoiser.condition
        return telescoped(denoiser, x, t, [condition.without_labels(), condition], [self.scale])


@dataclass(frozen=True)
class ByKind:
    """A scale for each label kind, w_1 .. w_K.

        out = out_uncond + w_1 (out_1 - out_uncond) + w_2 (out_12 - out_1) + ...

    where out_1 was told the first kind alone, out_12 the first two, and so on. With equal scales it is
    `ClassifierFree`.
    """

    scales: tuple[float, ...]

    @property
    def calls(self) -> int:
        """How many pictures go through the network for one."""
        conditions, _ = what_counts(range(len(self.scales) + 1), self.scales)
        return len(conditions)

    def __call__(self, denoiser: Denoiser, x: Tensor, t: Tensor | int) -> Tensor:
        conditions = [denoiser.condition.first_kinds(count) for count in range(len(self.scales) + 1)]
        return telescoped(denoiser, x, t, conditions, self.scales)


@dataclass(frozen=True)
class LabelsAndDrawing:
    """Two dials (Brooks et al. 2023, "InstructPix2Pix", eq. 3): e(labels, drawing), 0 for what is not told.

    out = e(0, 0) + s_drawing (e(0, drawing) - e(0, 0)) + s_labels (e(labels, drawing) - e(0, drawing))
    """

    labels: float
    drawing: float

    def __call__(self, denoiser: Denoiser, x: Tensor, t: Tensor | int) -> Tensor:
        condition = denoiser.condition
        uncond = condition.without_labels()
        conditions = [uncond.without_drawing(), uncond, condition]
        return telescoped(denoiser, x, t, conditions, [self.drawing, self.labels])


@dataclass(frozen=True)
class Within:
    """Guidance for low <= t <= high, none elsewhere (Kynkaanniemi et al. 2024, arXiv 2404.07724).

    They found it harmful where there is most noise and useless where there is least.
    """

    guidance: Guidance
    low: int
    high: int

    def __call__(self, denoiser: Denoiser, x: Tensor, t: Tensor | int) -> Tensor:
        inside = torch.as_tensor((t >= self.low) & (t <= self.high))
        if not inside.any():
            return unguided(denoiser, x, t)
        guided = self.guidance(denoiser, x, t)
        if inside.all():
            return guided
        return torch.where(inside.reshape(-1, *[1] * (x.ndim - 1)), guided, unguided(denoiser, x, t))

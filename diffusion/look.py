"""A call of the denoiser that is about to be made, and several of them made as one.

A sampler says each of its calls before it makes it. Whoever runs several samplers may answer such looks
beforehand: one call of the network on all their pictures costs less than one for each. A picture comes out as
it would alone, but for the rounding of sums.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .classifier_guidance import ByClassifier
from .condition import Condition
from .denoiser import Denoiser, Guidance
from .guidance import ClassifierFree
from .prediction import Seen


@dataclass(eq=False)
class Look:
    """What a denoiser is about to be asked.

    Attributes:
        denoiser: the one that is asked.
        x: x_t (B, 3, R, R).
        t: its timestep.
        seen: the answer. While there is none, the sampler will ask for itself.
    """

    denoiser: Denoiser
    x: Tensor
    t: int
    seen: Seen | None = None

    def answer(self) -> Seen:
        """What the denoiser sees, asked now if nobody has asked before."""
        return self.denoiser.see(self.x, self.t) if self.seen is None else self.seen

    @property
    def kind(self) -> Hashable:
        """Looks of the same kind can be answered by one call; None: this one by none but its own."""
        asked, how = self.denoiser, _kind(self.denoiser.guidance)
        if how is None:
            return None
        about = id(asked.model), id(asked.schedule), asked.prediction_type, asked.clip
        return *about, asked.condition.drawing is None, how, self.x.shape[1:], self.x.dtype


def answer_together(looks: Sequence[Look]) -> None:
    """Answer looks of one kind by one call of the network, each picture at its own t, labels and scale."""
    if len(looks) == 1:
        looks[0].seen = looks[0].answer()
        return
    sizes = [len(look.x) for look in looks]
    every = replace(
        looks[0].denoiser,
        condition=Condition.cat([look.denoiser.condition for look in looks]),
        guidance=_joined([look.denoiser.guidance for look in looks], sizes),
    )
    t = torch.cat([torch.full((size,), look.t, device=look.x.device) for look, size in zip(looks, sizes)])
    seen = every.see(torch.cat([look.x for look in looks]), t)
    shares = [None] * len(looks) if seen.share is None else seen.share.split(sizes)
    for look, x0, eps, share in zip(looks, seen.x0.split(sizes), seen.eps.split(sizes), shares):
        look.seen = Seen(x0, eps, share)


def _kind(guidance: Guidance) -> Hashable:
    """Guidances of the same kind differ in their scales alone; None: not known to."""
    if isinstance(guidance, ByClassifier):
        free = _kind(guidance.guidance)
        return None if free is None else (id(guidance.classifier), guidance.below, free)
    return (guidance.scale == 1,) if isinstance(guidance, ClassifierFree) else None


def _joined(guidances: Sequence[Guidance], sizes: Sequence[int]) -> Guidance:
    """Guidances of one kind, each of so many pictures, as the one of all these pictures."""
    first = guidances[0]
    if first == ClassifierFree(1.0):
        return first
    if isinstance(first, ByClassifier):
        free = _joined([each.guidance for each in guidances], sizes)  # type: ignore[attr-defined]
        return replace(first, scale=_scales(guidances, sizes), guidance=free)
    return ClassifierFree(_scales(guidances, sizes))


def _scales(guidances: Sequence[Guidance], sizes: Sequence[int]) -> tuple[float, ...]:
    """The scale of each picture."""
    found: list[float] = []
    for guidance, size in zip(guidances, sizes):
        assert isinstance(guidance, ClassifierFree | ByClassifier)
        scale = guidance.scale
        found += (scale,) * size if isinstance(scale, int | float) else scale
    return tuple(found)

"""The denoiser: a network, what its output means, what it is told and how far it is steered by that.

`x0, eps = denoiser(x_t, t)` is all that a lesson or a metric asks; a solver is given the same as one `Seen`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .checkpoint import Checkpoint
from .condition import Condition
from .prediction import Seen, check_prediction_type, split_output, to_x0_eps
from .schedule import NoiseSchedule

Guidance = Callable[["Denoiser", Tensor, "Tensor | int"], Tensor]  # (denoiser, x_t, t) -> network output


def unguided(denoiser: Denoiser, x: Tensor, t: Tensor | int) -> Tensor:
    """What the network answers to the condition: one call on a batch of B."""
    (output,) = denoiser.ask(x, t, denoiser.condition)
    return output


@dataclass(frozen=True)
class Denoiser:
    """denoiser(x_t, t) -> (x0, eps): the clean picture and the noise that the network sees in x_t.

    Attributes:
        model: model(x (B, 3, R, R), t (B,), labels (B, K), drawing=(B, 4, R, R)) -> (B, 3, R, R); called
            without a drawing where the condition says nothing of one. (B, 6, R, R) with a learnt variance.
        schedule: the one that the network was trained with.
        prediction_type: what its output means, one of PREDICTION_TYPES.
        condition: what it is told.
        guidance: how its answers to the condition, and to less, make up the output; see guidance.py.
        clip: keep x0 in [-1, 1], and derive eps again from it.
    """

    model: Callable[..., Tensor]
    schedule: NoiseSchedule
    prediction_type: str
    condition: Condition
    guidance: Guidance = unguided
    clip: bool = True

    def __post_init__(self) -> None:
        check_prediction_type(self.prediction_type, self.schedule)

    @classmethod
    def of(
        cls, checkpoint: Checkpoint, condition: Condition, guidance: Guidance = unguided, clip: bool = True
    ) -> Denoiser:
        """A checkpoint's network, with its schedule and prediction type; latents are never clipped."""
        about = checkpoint.model, checkpoint.schedule, checkpoint.prediction_type
        return cls(*about, condition, guidance, clip and checkpoint.codec.in_pixels)

    def __call__(self, x: Tensor, t: Tensor | int) -> tuple[Tensor, Tensor]:
        """x_t (B, 3, R, R) and its timestep, or one for each picture (B,) -> (x0, eps), each like x_t."""
        seen = self.see(x, t)
        return seen.x0, seen.eps

    @torch.no_grad()
    def see(self, x: Tensor, t: Tensor | int) -> Seen:
        """The same, with all that the network says of x_t."""
        output, share = split_output(self.guidance(self, x, t).to(x.dtype), x.shape[1])
        x0, eps = to_x0_eps(self.prediction_type, self.schedule, output, x, t)
        if self.clip:
            x0 = x0.clamp(-1, 1)
            eps = self.schedule.eps_from_x0(x, x0, t)
        # Nothing keeps it between the two while it is learnt, nor where guidance extrapolates.
        return Seen(x0, eps, None if share is None else share.clamp(0, 1))

    def ask(self, x: Tensor, t: Tensor | int, *conditions: Condition) -> Sequence[Tensor]:
        """The network's outputs for x_t, one (B, 3, R, R) for each condition, from one call."""
        n, every = len(conditions), Condition.cat(conditions)
        times = torch.as_tensor(t, device=x.device).expand(len(x))
        drawing = {} if every.drawing is None else {"drawing": every.drawing}
        return self.model(torch.cat([x] * n), torch.cat([times] * n), every.labels, **drawing).chunk(n)

"""The exponential moving average of the weights, which is what gets sampled from and shipped.

The last weights of a run jitter with the last batches; their running average does not, and its pictures are
far better at no cost at inference (DDPM section 4 uses decay 0.9999).
"""

from __future__ import annotations

import copy
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from .errors import DoodleError

M = TypeVar("M", bound=nn.Module)


class EMA(Generic[M]):
    """Keeps `self.model`, a copy of a model whose weights follow it: ema <- d ema + (1 - d) weights.

    Args:
        model: the model being trained.
        decay: d in [0, 1). Early on the smaller (1 + step) / (10 + step) is used, so that the average does
            not drag the random starting weights along.
    """

    def __init__(self, model: M, decay: float = 0.9999) -> None:
        if not 0 <= decay < 1:
            raise DoodleError(f"The EMA's decay must be in [0, 1), not {decay}.")
        self.decay = decay
        self.step = 0
        self.model = copy.deepcopy(model).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Move the average towards the model's present weights; call once after each optimizer step."""
        decay = min(self.decay, (1 + self.step) / (10 + self.step))
        self.step += 1
        averages: list[Tensor] = list(self.model.parameters())
        weights: list[Tensor] = list(model.parameters())
        torch._foreach_lerp_(averages, weights, 1 - decay)
        for average, value in zip(self.model.buffers(), model.buffers()):
            average.copy_(value)

    def state_dict(self) -> dict:
        """The averaged weights and the step count, enough to go on exactly."""
        return {"step": self.step, "model": self.model.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        self.step = state["step"]
        self.model.load_state_dict(state["model"])

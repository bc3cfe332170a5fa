"""Which noise levels to learn from: those with large losses, drawn more often and counted less.

The mean of all losses is known best from few of them where t is drawn with p_t in proportion to
sqrt(E[L_t^2]), each loss counting 1 / (T p_t) (Nichol & Dhariwal 2021, iDDPM, section 3.3). Its expectation
stays that of the uniform draw. It helps where losses differ by orders of magnitude, as those of the bound do.
"""

from __future__ import annotations

import torch
from torch import Tensor

HISTORY = 10  # losses remembered at each timestep, as in the paper
UNIFORM = 0.001  # share of draws that are of any timestep alike, so that none is ever forgotten


class LossHistory:
    """The last losses at each of T timesteps.

    Attributes:
        losses: float64 (T, HISTORY), a ring for each timestep.
        count: long (T,), how many were ever added at each.
    """

    def __init__(self, num_train_timesteps: int) -> None:
        self.losses = torch.zeros(num_train_timesteps, HISTORY, dtype=torch.float64)
        self.count = torch.zeros(num_train_timesteps, dtype=torch.long)

    def probabilities(self) -> Tensor:
        """p_t, how often each timestep should be drawn: float64 (T,); uniform until each has its history."""
        total = len(self.count)
        if self.count.min() < HISTORY:
            return torch.full((total,), 1 / total, dtype=torch.float64)
        size = self.losses.square().mean(1).sqrt()
        return (1 - UNIFORM) * size / size.sum() + UNIFORM / total

    def add(self, t: Tensor, losses: Tensor) -> None:
        """Remember the loss (B,) of each timestep, long (B,)."""
        for step, loss in zip(t.tolist(), losses.tolist()):
            self.losses[step, self.count[step] % HISTORY] = loss
            self.count[step] += 1

    def state_dict(self) -> dict[str, Tensor]:
        return {"losses": self.losses, "count": self.count}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.losses, self.count = state["losses"].clone(), state["count"].clone()


def importance_weights(probabilities: Tensor, t: Tensor) -> Tensor:
    """What a loss counts whose t was drawn so: 1 / (T p_t), float64 (B,)."""
    return 1 / (len(probabilities) * probabilities[t.cpu()])

"""Muon: momentum whose every step is made orthogonal, for the matrices inside a network.

Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks". A step moves all directions of
a weight matrix alike, where Adam's and plain momentum's are dominated by a few. PyTorch's own version takes
matrices only; a U-Net's weights are convolutions, here flattened to (C_out, C_in k k).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import overload

import torch
from torch import Tensor, nn

# Five steps of this odd polynomial, a s + b s^3 + c s^5, bring singular values from (0, 1] near 1.
A, B, C = 3.4445, -4.7750, 2.0315
STEPS = 5
BETAS = (0.9, 0.99)  # of AdamW, wherever it is used here


def orthogonalized(matrix: Tensor) -> Tensor:
    """Nearly U V^T where matrix = U S V^T: float32 (m, n), by Newton-Schulz iteration.

    All steps are polynomials of the Gram matrix G = X X^T from the left, X <- (A + B G + C G^2) X, so only G
    is iterated and X is multiplied once: for a wide matrix a fifth of the work.
    """
    if len(matrix) > matrix.shape[1]:
        return orthogonalized(matrix.T).T
    x = matrix / (matrix.norm() + 1e-7)
    gram = x @ x.T
    eye = torch.eye(len(x), dtype=x.dtype, device=x.device)
    product = eye
    for _ in range(STEPS):
        factor = A * eye + B * gram + C * gram @ gram
        product = factor @ product
        gram = factor @ gram @ factor
    return product @ x


class Muon(torch.optim.Optimizer):
    """w <- (1 - lr decay) w - lr 0.2 sqrt(max(m, n)) orthogonalized(momentum).

    The factor gives a step the size that AdamW's usually have (Liu et al. 2025, "Muon is scalable for LLM
    training", eq. 4), so that both take the same learning rate.

    Args:
        params: tensors of at least two dimensions; all but the first are flattened.
        lr: learning rate.
        momentum: of the gradient's running sum, applied in Nesterov's way.
        weight_decay: decoupled, as in AdamW.
    """

    def __init__(
        self, params: Iterable[Tensor], lr: float, momentum: float = 0.95, weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Move every parameter that has a gradient; a `closure` computes the loss and the gradients first."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                momentum = state["momentum"].lerp_(weight.grad, 1 - group["momentum"])
                ahead = weight.grad.lerp(momentum, group["momentum"]).flatten(1)
                scale = 0.2 * max(ahead.shape) ** 0.5
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(orthogonalized(ahead).view_as(weight), alpha=-group["lr"] * scale)
        return loss


def inner_weights(model: nn.Module) -> list[Tensor]:
    """What of a U-Net Muon should move: the convolutions of its blocks, and between its levels.

    The first and the last convolution, embeddings, modulation, norms and biases stay with AdamW, as in Jordan
    et al. and in Luepke 2026 for diffusion: they are not maps between hidden features, or not matrices.
    """
    outer = ("input", "drawing_input", "output")
    return [
        module.weight
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d) and name not in outer
    ]


def muon_and_adamw(model: nn.Module, lr: float, weight_decay: float) -> list[torch.optim.Optimizer]:
    """AdamW for what Muon should not move, and Muon for the rest."""
    inner = inner_weights(model)
    chosen = {id(weight) for weight in inner}
    rest = [weight for weight in model.parameters() if id(weight) not in chosen]
    adamw = torch.optim.AdamW(rest, lr=lr, betas=BETAS, weight_decay=weight_decay)
    return [adamw, Muon(inner, lr, weight_decay=weight_decay)]


def new_optimizers(
    model: nn.Module, kind: str, lr: float, weight_decay: float
) -> list[torch.optim.Optimizer]:
    """AdamW for everything, or where kind is "muon", `muon_and_adamw`."""
    if kind == "muon":
        return muon_and_adamw(model, lr, weight_decay)
    return [torch.optim.AdamW(model.parameters(), lr=lr, betas=BETAS, weight_decay=weight_decay)]

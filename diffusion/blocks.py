"""What the U-Net is built of.

time_embedding   sinusoids of the timestep                 (Transformer, section 3.5; DDPM appendix B)
ResBlock         two convolutions, scaled by the embedding (iDDPM; AdaGN of ADM, Dhariwal & Nichol 2021)
Attention        every place looks at every other          (DDPM appendix B)
Upsample         to twice the resolution
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

M = TypeVar("M", bound=nn.Module)


def time_embedding(t: Tensor, dim: int, max_period: float = 10_000.0) -> Tensor:
    """Sinusoids of t at dim/2 frequencies from 1 down to 1/max_period. t (B,) -> float32 (B, dim)."""
    frequencies = torch.exp(-math.log(max_period) * torch.arange(dim // 2, device=t.device) / (dim // 2))
    angles = t.float()[:, None] * frequencies[None, :]
    return torch.cat([angles.cos(), angles.sin()], dim=1)


class _Normalized(torch.autograd.Function):
    """y = scale (x - mean) / deviation + shift, mean and deviation being those of each group of channels.

    x (B, C, H, W), scale and shift float32 (B or 1, C) -> like x, the channels of a place side by side.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, shift: Tensor, groups: int, eps: float) -> Tensor:
        places = _places(x)
        values = places.float()  # a difference of two sums would be lost in half precision
        mean = _of_groups(values.mean(1), groups)
        variance = _of_groups(values.square().mean(1), groups) - mean.square()
        inverse = (variance.clamp(min=0) + eps).rsqrt()
        scale = scale.unflatten(1, (groups, -1))
        factor = scale * inverse
        offset = shift - (mean * factor).flatten(1)
        ctx.save_for_backward(x, scale, mean, inverse)
        y = torch.addcmul(_to_each_place(offset, x), places, _to_each_place(factor, x))
        return y.unflatten(1, x.shape[2:]).permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, scale, mean, inverse = ctx.saved_tensors  # (B, C, H, W), then (B or 1, G, C / G), twice (B, G, 1)
        places, grads = _places(x), _places(grad)
        count, groups = places.shape[1], mean.shape[1]
        of_shift = grads.sum(1, dtype=torch.float32).unflatten(1, (groups, -1))
        of_scale = (grads * places).sum(1, dtype=torch.float32).unflatten(1, (groups, -1))
        of_scale = (of_scale - mean * of_shift) * inverse
        # With n normalized and g = scale grad: dx = (g - mean(g) - n mean(g n)) / deviation
        along = (scale * of_shift).mean(2, keepdim=True) / count
        across = (scale * of_scale).mean(2, keepdim=True) / count * inverse
        offset = ((mean * across - along) * inverse).expand_as(of_shift)
        of_x = (-across * inverse).expand_as(of_shift)
        dx = torch.addcmul(_to_each_place(offset, x), places, _to_each_place(of_x, x))
        dx = torch.addcmul(dx, grads, _to_each_place(scale * inverse, x))
        dx = dx.unflatten(1, x.shape[2:]).permute(0, 3, 1, 2)
        rows = (part.sum_to_size(scale.shape).flatten(1) for part in (of_scale, of_shift))
        return dx, *rows, None, None


def _places(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, H W, C), no copy where the channels of a place are side by side."""
    return x.permute(0, 2, 3, 1).flatten(1, 2)


def _of_groups(means: Tensor, groups: int) -> Tensor:
    """Means of channels (B, C) -> of groups of them (B, G, 1)."""
    return means.unflatten(1, (groups, -1)).mean(2, keepdim=True)


def _to_each_place(part: Tensor, x: Tensor) -> Tensor:
    """(B, C), or (B, G, C / G) -> (B, 1, C), as x."""
    return part.flatten(1)[:, None].to(x.dtype)


class GroupNorm(nn.GroupNorm):
    """Group norm whose scale and shift may differ from picture to picture.

    x (B, C, H, W), scale and shift (B, C): norm(x) (1 + scale) + shift; norm(x) without them.
    """

    def forward(self, x: Tensor, scale: Tensor | None = None, shift: Tensor | None = None) -> Tensor:
        weight, bias = self.weight.float()[None], self.bias.float()[None]
        if scale is not None and shift is not None:
            more = 1 + scale.float()
            weight, bias = weight * more, bias * more + shift.float()
        return _Normalized.apply(x, weight, bias, self.num_groups, self.eps)


def group_norm(width: int) -> GroupNorm:
    return GroupNorm(num_groups=math.gcd(32, width // 4), num_channels=width)


def zeroed(module: M) -> M:
    """Start a layer at zero, so that the block around it begins as the identity and training starts calm."""
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module


class ResBlock(nn.Module):
    """x + conv(act(scale, shift(norm(conv(act(norm(x))))))), scale and shift predicted from the embedding.

    (B, C_in, H, W), (B, E) -> (B, C_out, H, W)
    """

    def __init__(self, c_in: int, c_out: int, embed_dim: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = group_norm(c_in)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, padding=1)
        self.modulation = nn.Linear(embed_dim, 2 * c_out)
        self.norm2 = group_norm(c_out)
        self.dropout = nn.Dropout(dropout)
        self.conv2 = zeroed(nn.Conv2d(c_out, c_out, 3, padding=1))
        self.skip = nn.Conv2d(c_in, c_out, 1) if c_in != c_out else nn.Identity()

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        scale, shift = self.modulation(embedding).chunk(2, dim=1)
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.norm2(h, scale, shift)
        h = self.conv2(self.dropout(F.silu(h)))
        return self.skip(x) + h


class Attention(nn.Module):
    """Self-attention among the H x W places of a picture, added to it. (B, C, H, W) -> (B, C, H, W)."""

    def __init__(self, width: int, head_channels: int) -> None:
        super().__init__()
        self.heads = width // head_channels
        self.norm = group_norm(width)
        self.qkv = nn.Conv2d(width, 3 * width, 1)
        self.out = zeroed(nn.Conv2d(width, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        places = self.qkv(self.norm(x)).permute(0, 2, 3, 1)  # (B, H, W, 3 C)
        q, k, v = places.reshape(b, h * w, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4).contiguous()
        weights = (q * q.shape[-1] ** -0.5 @ k.transpose(-1, -2)).softmax(dim=-1)  # (B, heads, H W, H W)
        mixed = (weights @ v).transpose(1, 2).reshape(b, h, w, c)
        return x + self.out(mixed.permute(0, 3, 1, 2))


class Upsample(nn.Sequential):
    """Double the resolution: each place is repeated, then smoothed. (B, C_in, H, W) -> (B, C_out, 2H, 2W)."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__(nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(c_in, c_out, 3, padding=1))

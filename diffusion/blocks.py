"""What the U-Net is built of.

time_embedding   sinusoids of the timestep                 (Transformer, section 3.5; DDPM appendix B)
ResBlock         two convolutions, scaled by the embedding (iDDPM; AdaGN of ADM, Dhariwal & Nichol 2021)
Attention        every place looks at every other          (DDPM appendix B)
Upsample         to twice the resolution
"""

from __future__ import annotations

import math
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)


def time_embedding(t: Tensor, dim: int, max_period: float = 10_000.0) -> Tensor:
    """Sinusoids of t at dim/2 frequencies from 1 down to 1/max_period. t (B,) -> float32 (B, dim)."""
    frequencies = torch.exp(-math.log(max_period) * torch.arange(dim // 2, device=t.device) / (dim // 2))
    angles = t.float()[:, None] * frequencies[None, :]
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def group_norm(width: int) -> nn.GroupNorm:
    return nn.GroupNorm(num_groups=math.gcd(32, width // 4), num_channels=width)


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
        scale, shift = self.modulation(embedding)[:, :, None, None].chunk(2, dim=1)
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.norm2(h) * (1 + scale) + shift
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
        qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w)
        q, k, v = qkv.transpose(-1, -2).unbind(1)  # each (B, heads, H W, C / heads)
        mixed = F.scaled_dot_product_attention(q, k, v)
        return x + self.out(mixed.transpose(-1, -2).reshape(b, c, h, w))


class Upsample(nn.Sequential):
    """Double the resolution: each place is repeated, then smoothed. (B, C_in, H, W) -> (B, C_out, 2H, 2W)."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__(nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(c_in, c_out, 3, padding=1))

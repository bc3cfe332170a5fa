"""The network: a U-Net that is given a noisy picture, the time and labels, and predicts the clean picture.

    UNetConfig   its shape
    UNet         down, middle, up, with skip connections   (Ronneberger et al. 2015); its blocks: blocks.py
    Details      what is finer than a patch                (DiP, section 3.2)

It knows nothing of noise schedules: t is a number to it, and whether its output is x0, eps or v is agreed
elsewhere. A network with `drawing` also sees the drawing that the picture should follow, beside the noisy
picture in its first convolution (as SR3 and Palette are shown theirs; Saharia et al. 2021, 2022).

The picture may be cut into patches of p x p pixels first, each becoming one place with 3 p^2 channels. That
makes everything after it p^2 times cheaper, which is what lets 64 x 64 pixels run on two CPU cores. What is
finer than a patch, an eye or a leg, can be left to a few narrow blocks behind it, to which half a patch is a
place (`Details`; after the patch detailer head of DiP, Chen et al. 2025).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import Attention, ResBlock, Upsample, group_norm, time_embedding, zeroed
from .errors import DoodleError, within

# Smallest and largest: beyond these a file is damaged, or asks for more than a machine has.
LIMITS = {
    "image_size": (1, 1024), "patch_size": (1, 64), "channels": (1, 4096), "blocks": (1, 64),
    "head_channels": (1, 4096), "label_sizes": (0, 1_000_000), "image_channels": (1, 64),
    "detail_channels": (0, 4096),
}  # fmt: skip
MOST_LEVELS, MOST_PLACES = 8, 256**2


@dataclass(frozen=True)
class UNetConfig:
    """The shape of a U-Net; stored in every checkpoint.

    Args:
        image_size: R, pictures are R x R pixels.
        patch_size: p; the network works at R/p x R/p. 1 for no patching.
        channels: width of each level, finest first; each level halves the resolution of the one before.
        blocks: residual blocks per level on the way down (one more on the way up).
        attention: for each level, whether its blocks are followed by self-attention.
        head_channels: channels of one attention head.
        label_sizes: number of names of each label kind, e.g. (110, 8); () for no labels.
        dropout: probability inside residual blocks, in [0, 1).
        image_channels: 3 for RGB.
        drawing: whether the network has an input for a drawing.
        learned_variance: whether it also says how sure it is, in as many channels again (iDDPM section 3.1).
        detail_channels: width of the blocks that see half a patch's side; 0 for none.

    Raises:
        DoodleError: if the sizes do not fit each other.
    """

    image_size: int = 64
    patch_size: int = 4
    channels: tuple[int, ...] = (128, 256)
    blocks: int = 2
    attention: tuple[bool, ...] = (False, True)
    head_channels: int = 32
    label_sizes: tuple[int, ...] = ()
    dropout: float = 0.0
    image_channels: int = 3
    drawing: bool = False
    learned_variance: bool = False
    detail_channels: int = 0

    def __post_init__(self) -> None:
        for name in ("channels", "attention", "label_sizes"):  # JSON gives lists
            object.__setattr__(self, name, tuple(getattr(self, name)))
        within(self, LIMITS)
        self._check_switches()
        if len(self.channels) != len(self.attention):
            raise DoodleError("`channels` and `attention` need one entry for each level.")
        widths = (*self.channels, self.detail_channels)
        if any(width % self.head_channels for width in widths):
            raise DoodleError(f"Every width in {widths} must be a multiple of {self.head_channels}.")
        if self.detail_channels and self.patch_size % 2:
            raise DoodleError(f"Patches of {self.patch_size} pixels have no half for details.")
        coarsest = self.patch_size * 2 ** (len(self.channels) - 1)
        if self.image_size % coarsest:
            raise DoodleError(f"The image size {self.image_size} must be a multiple of {coarsest}.")
        if (self.image_size // self.patch_size) ** 2 > MOST_PLACES:
            raise DoodleError(f"{self.image_size} pixels need larger patches than {self.patch_size}.")

    def _check_switches(self) -> None:
        if not 1 <= len(self.channels) <= MOST_LEVELS:
            raise DoodleError(f"A network has 1 to {MOST_LEVELS} levels, not {len(self.channels)}.")
        if not all(isinstance(each, bool) for each in (*self.attention, self.drawing)):
            raise DoodleError("Each level has attention or not, and the network an input for a drawing.")
        if not isinstance(self.dropout, int | float) or not 0 <= self.dropout < 1:
            raise DoodleError("Dropout must be a number from 0, less than 1.")

    def to_dict(self) -> dict:
        """A plain dict, ready for JSON; UNetConfig(**d) brings it back."""
        return asdict(self)


class Block(nn.Module):
    """A residual block and, where the level has it, attention."""

    def __init__(self, c_in: int, c_out: int, embed_dim: int, config: UNetConfig, attention: bool) -> None:
        super().__init__()
        self.block = ResBlock(c_in, c_out, embed_dim, config.dropout)
        self.attention = Attention(c_out, config.head_channels) if attention else nn.Identity()

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        return self.attention(self.block(x, embedding))


class Details(nn.Module):
    """What is finer than a patch: a few blocks at twice the U-Net's resolution, which add to its answer.

    They see the noisy picture and the drawing again, besides what it made of each place, and begin as zero.
    features (B, C, R/p, R/p), seen (B, C_in, R, R), embedding (B, E) -> (B, C_out, R, R)
    """

    def __init__(self, config: UNetConfig, embed_dim: int, c_in: int, c_out: int) -> None:
        super().__init__()
        self.side, width = config.patch_size // 2, config.detail_channels
        self.features = nn.Conv2d(config.channels[0], 4 * width, 1)
        self.input = nn.Conv2d(c_in * self.side**2, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            ResBlock(width, width, embed_dim, config.dropout) for _ in range(config.blocks)
        )
        self.norm = group_norm(width)
        self.output = zeroed(nn.Conv2d(width, c_out * self.side**2, 3, padding=1))

    def forward(self, features: Tensor, seen: Tensor, embedding: Tensor) -> Tensor:
        h = self.input(F.pixel_unshuffle(seen, self.side)) + F.pixel_shuffle(self.features(features), 2)
        for block in self.blocks:
            h = block(h, embedding)
        return F.pixel_shuffle(self.output(F.silu(self.norm(h))), self.side)


class UNet(nn.Module):
    """model(x_t, t, labels): see `UNetConfig` for its shape and `NoiseSchedule` for what the output means."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        widths, embed_dim = config.channels, 4 * config.channels[0]
        in_channels = config.image_channels * config.patch_size**2

        self.time_mlp = nn.Sequential(
            nn.Linear(widths[0], embed_dim), nn.SiLU(), nn.Linear(embed_dim, embed_dim)
        )
        # One table per label kind, with one row more than it has names: the last row is its null label.
        self.label_tables = nn.ModuleList(nn.Embedding(n + 1, embed_dim) for n in config.label_sizes)

        self.input = nn.Conv2d(in_channels, widths[0], 3, padding=1)
        # A convolution of noisy picture and drawing side by side is the sum of one of each. The second starts
        # at zero, so that a network trained without drawings can be given this input and go on.
        drawing_channels = (config.image_channels + 1) * config.patch_size**2
        self.drawing_input = (
            zeroed(nn.Conv2d(drawing_channels, widths[0], 3, padding=1, bias=False))
            if config.drawing
            else None
        )
        self.down, self.downsample = nn.ModuleList(), nn.ModuleList()
        skips = [widths[0]]  # widths of what skips across
        width = widths[0]
        for level, c_out in enumerate(widths):
            if level:
                self.downsample.append(nn.Conv2d(width, width, 3, stride=2, padding=1))
                skips.append(width)
            blocks = nn.ModuleList()
            for _ in range(config.blocks):
                blocks.append(Block(width, c_out, embed_dim, config, config.attention[level]))
                width = c_out
                skips.append(width)
            self.down.append(blocks)

        self.middle = nn.ModuleList(
            Block(width, width, embed_dim, config, attention) for attention in (True, False)
        )

        self.up, self.upsample = nn.ModuleList(), nn.ModuleList()
        for level in reversed(range(len(widths))):
            blocks = nn.ModuleList()
            for _ in range(config.blocks + 1):
                blocks.append(
                    Block(width + skips.pop(), widths[level], embed_dim, config, config.attention[level])
                )
                width = widths[level]
            self.up.append(blocks)
            if level:
                self.upsample.append(Upsample(width, widths[level - 1]))
                width = widths[level - 1]

        self.output_norm = group_norm(width)
        out_channels = 2 * in_channels if config.learned_variance else in_channels
        self.output = zeroed(nn.Conv2d(width, out_channels, 3, padding=1))
        seen = config.image_channels + (config.image_channels + 1) * config.drawing
        per_pixel = config.image_channels * (1 + config.learned_variance)
        self.details = Details(config, embed_dim, seen, per_pixel) if config.detail_channels else None

    @property
    def null_labels(self) -> tuple[int, ...]:
        """The null label of each kind: n where the kind has n names."""
        return self.config.label_sizes

    def embed(self, t: Tensor, labels: Tensor | None) -> Tensor:
        """What modulates the blocks: time and labels, summed. t (B,), labels long (B, K) -> (B, E)."""
        sinusoids = time_embedding(t, self.config.channels[0])
        embedding = self.time_mlp(sinusoids.to(self.output.weight.dtype))
        if labels is None:
            labels = torch.tensor(self.null_labels, device=t.device).expand(len(t), -1)
        if labels.shape != (len(t), len(self.label_tables)):
            raise DoodleError(f"Labels must be (B, {len(self.label_tables)}), not {tuple(labels.shape)}.")
        for table, column in zip(self.label_tables, labels.unbind(1)):
            embedding = embedding + table(column)
        return F.silu(embedding)

    def forward(
        self, x: Tensor, t: Tensor, labels: Tensor | None = None, drawing: Tensor | None = None
    ) -> Tensor:
        """
        Args:
            x: noisy pictures (B, 3, R, R).
            t: timesteps (B,), in 0 .. T-1.
            labels: long (B, K), one column per label kind; None for all null.
            drawing: (B, 4, R, R): RGB in [-1, 1] and a plane of ones; all zeros, or None, for no drawing.

        Returns:
            (B, 3, R, R), of the type of x: x0, eps or v, whichever the network was trained to predict. With
            a learnt variance (B, 6, R, R): that of the step comes behind, see `prediction.split_output`.

        Raises:
            DoodleError: for labels of another shape, or a drawing where the network has no input for one.
        """
        embedding, dtype, patch = self.embed(t, labels), self.input.weight.dtype, self.config.patch_size
        noisy = x.to(dtype)
        h = self.input(F.pixel_unshuffle(noisy, patch))  # (B, C, R/p, R/p)
        if drawing is not None:
            if self.drawing_input is None:
                raise DoodleError("This network has no input for a drawing.")
            drawing = drawing.to(dtype)
            h = h + self.drawing_input(F.pixel_unshuffle(drawing, patch))
        skips = [h]
        down, up = (cast("Iterable[nn.ModuleList]", levels) for levels in (self.down, self.up))
        for level, blocks in enumerate(down):
            if level:
                h = self.downsample[level - 1](h)
                skips.append(h)
            for block in blocks:
                h = block(h, embedding)
                skips.append(h)
        for block in self.middle:
            h = block(h, embedding)
        for step, blocks in enumerate(up):
            for block in blocks:
                h = block(torch.cat([h, skips.pop()], dim=1), embedding)
            if step < len(self.upsample):
                h = self.upsample[step](h)
        features = F.silu(self.output_norm(h))
        answer = F.pixel_shuffle(self.output(features), patch)
        if self.details is not None:
            answer = answer + self.details(features, self._seen(noisy, drawing), embedding)
        return answer.to(x.dtype)

    def _seen(self, noisy: Tensor, drawing: Tensor | None) -> Tensor:
        """Noisy picture and drawing side by side; zeros for a drawing that there could be."""
        if not self.config.drawing:
            return noisy
        if drawing is None:
            drawing = noisy.new_zeros(len(noisy), self.config.image_channels + 1, *noisy.shape[2:])
        return torch.cat([noisy, drawing], dim=1)

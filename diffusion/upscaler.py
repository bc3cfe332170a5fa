"""From 64 pixels to 256: a compact network that enlarges a finished picture, and the codec made of it.

All of its convolutions work at the small size. The last one says the f x f pixels of each place at once, and
a pixel shuffle lays them out (sub-pixel convolution; Shi et al. 2016, "Real-Time Single Image and Video
Super-Resolution"). They are what is added to a plain enlargement of the picture, as in SRVGGNetCompact (Wang
et al. 2021, "Real-ESRGAN"), so a network whose last layer is zero begins as that enlargement.

The network sees *ink*, 1 - x, of which white paper has none: what the convolutions pad with is paper too. And
where a place and its eight neighbours are paper, paper is what comes out, exactly, whatever the weights say.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .errors import DoodleError, within
from .files import WeightsFormat, read_weights, write_weights
from .header import checked

LEAST_INK = 1 / 255  # half a grey level, in units of [-1, 1]: what has less is shown as pure white


class UpscalerError(DoodleError):
    """An upscaler's file that is missing, damaged, or for pictures of another size."""


FORMAT = WeightsFormat("doodle-upscaler 1", "upscaler", "diffusion.train.upscaler", UpscalerError)


@dataclass(frozen=True)
class UpscalerConfig:
    """The shape of an upscaler; stored in its file.

    Args:
        factor: f, how many times longer the sides become.
        channels: width of every convolution but the last.
        convolutions: their number, the first and the last among them; at least 2.
    """

    factor: int = 4
    channels: int = 48
    convolutions: int = 12

    def __post_init__(self) -> None:
        within(self, {"factor": (1, 16), "channels": (1, 4096), "convolutions": (2, 256)})


class Upscaler(nn.Module):
    """x (B, 3, R, R) in [-1, 1] -> (B, 3, f R, f R), which may overshoot [-1, 1] a little."""

    def __init__(self, config: UpscalerConfig) -> None:
        super().__init__()
        self.config = config
        widths = [3] + [config.channels] * (config.convolutions - 1)
        layers: list[nn.Module] = []
        for c_in, c_out in zip(widths, widths[1:]):
            layers += [nn.Conv2d(c_in, c_out, 3, padding=1), nn.PReLU(c_out)]
        layers.append(nn.Conv2d(widths[-1], 3 * config.factor**2, 3, padding=1))
        self.body = nn.Sequential(*layers)
        for layer in layers:
            if isinstance(layer, nn.Conv2d):  # He et al. 2015: a PReLU begins with a slope of 1/4
                nn.init.kaiming_normal_(layer.weight, a=0.25)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        nn.init.zeros_(layers[-1].weight)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        factor, ink = self.config.factor, (1 - x).clamp(0, 2)
        added = F.pixel_shuffle(self.body(ink), factor)
        inked = F.max_pool2d(ink.amax(dim=1, keepdim=True), 3, stride=1, padding=1) >= LEAST_INK
        inked = F.interpolate(inked.to(ink.dtype), scale_factor=factor, mode="nearest")
        return 1 - (enlarged(ink, factor) + added) * inked


def enlarged(x: Tensor, factor: int) -> Tensor:
    """What an untrained upscaler does: bicubic interpolation. (B, C, R, R) -> (B, C, f R, f R)."""
    return F.interpolate(x, scale_factor=factor, mode="bicubic", align_corners=False)


@dataclass(frozen=True, eq=False)
class Upscaled:
    """The codec in which the model draws R x R pixels and people see f R x f R (see codec.py).

    Attributes:
        network: in eval mode, float32.
        image_size: R, the model's.
        credits: where the training pictures come from, one line each.
        training: facts about the run, JSON values only.
    """

    network: Upscaler
    image_size: int
    credits: list[str] = field(default_factory=list)
    training: dict = field(default_factory=dict)

    in_pixels = True

    @property
    def factor(self) -> int:
        return self.network.config.factor

    def __post_init__(self) -> None:
        within(self, {"image_size": (1, 1024)})

    def encode(self, pixels: Tensor) -> Tensor:
        """A drawing at a multiple of R, float32 (B, 3, k R, k R) -> (B, 3, R, R), the mean of each block.

        A smaller one is decoded until it is large enough, and then averaged: that keeps edges sharper than
        interpolation does.

        Raises:
            DoodleError: for a side that is no multiple of R, nor smaller.
        """
        side = pixels.shape[-1]
        if side < self.image_size and self.factor > 1:
            while pixels.shape[-1] < self.image_size:
                pixels = self.decode(pixels)
            return F.adaptive_avg_pool2d(pixels, self.image_size)
        if side % self.image_size:
            raise DoodleError(f"A drawing of {side} pixels is no multiple of {self.image_size}.")
        return pixels if side == self.image_size else F.avg_pool2d(pixels, side // self.image_size)

    @torch.no_grad()
    def decode(self, x0: Tensor) -> Tensor:
        """What the model drew, float32 (B, 3, R, R) -> (B, 3, f R, f R) in [-1, 1]; white stays white."""
        return self.network(x0).clamp(-1, 1)

    def preview(self, x: Tensor) -> Tensor:
        """A state on the way as it is, (B, 3, R, R): only what is finished is worth enlarging."""
        return x


def save_upscaler(path: str | Path, upscaled: Upscaled, dtype: torch.dtype = torch.float16) -> None:
    """Write an upscaler with its weights as `dtype`; the file appears whole or not at all."""
    tensors = {name: value.detach().cpu().to(dtype) for name, value in upscaled.network.state_dict().items()}
    about = {"network": asdict(upscaled.network.config), "image_size": upscaled.image_size}
    write_weights(path, FORMAT, tensors, about | {"credits": upscaled.credits, "training": upscaled.training})


def load_upscaler(path: str | Path, device: str | torch.device = "cpu") -> Upscaled:
    """Read what `save_upscaler` wrote.

    Raises:
        UpscalerError: the file is missing, damaged, or not of this program.
    """

    def build(tensors: dict[str, Tensor], about: dict) -> Upscaled:
        about = checked(about)
        with torch.device("meta"):
            network = Upscaler(UpscalerConfig(**about["network"]))
        network.load_state_dict(tensors, assign=True)
        network = network.to(device).eval().requires_grad_(False)
        return Upscaled(network, about["image_size"], about["credits"], about["training"])

    return read_weights(path, FORMAT, build)

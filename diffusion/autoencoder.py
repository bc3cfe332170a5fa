"""A latent space: pictures of S pixels as S/f x S/f places of a few numbers each, and the codec made of it.

Diffusion in it costs f^2 times fewer places, and its network need not spend itself on what nobody looks at
(Rombach et al. 2022, "High-Resolution Image Synthesis with Latent Diffusion Models"). The autoencoder learns
first, by itself: to say of each place a mean and a variance (Kingma & Welling 2014), held a little towards
N(0, 1), from which the picture can be made again.

The network sees *ink*, 1 - x, as the upscaler does: what its convolutions pad with is white paper then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import group_norm, zeroed
from .errors import DoodleError, within
from .files import WeightsFormat, read_weights, write_weights
from .header import checked

AT_ONCE = 16  # pictures that are encoded in one go: what a large batch needs on the way is gigabytes
LOG_VARIANCE = -30.0, 20.0  # beyond these exp overflows, or says nothing


class AutoencoderError(DoodleError):
    """An autoencoder's file that is missing, damaged, or for pictures of another size."""


FORMAT = WeightsFormat("doodle-autoencoder 1", "autoencoder", "diffusion.train.autoencoder", AutoencoderError)


@dataclass(frozen=True)
class AutoencoderConfig:
    """The shape of an autoencoder; stored in its file.

    Args:
        image_size: S, pictures are S x S pixels.
        patch_size: p, pixels on a side of what becomes one place at first.
        channels: width of each level, finest first; each level halves the resolution of the one before.
        blocks: residual blocks per level, on the way in and on the way out.
        latent_channels: numbers in a place of the latent space.
    """

    image_size: int = 128
    patch_size: int = 2
    channels: tuple[int, ...] = (48, 96, 192)
    blocks: int = 1
    latent_channels: int = 4

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", tuple(self.channels))  # JSON gives lists
        bounds = {
            "image_size": (1, 1024),
            "patch_size": (1, 64),
            "blocks": (1, 64),
            "latent_channels": (1, 64),
        }
        within(self, bounds | {"channels": (4, 4096)})
        if not 1 <= len(self.channels) <= 8 or any(width % 4 for width in self.channels):
            raise DoodleError("An autoencoder has 1 to 8 levels, each a multiple of 4 wide.")
        if self.image_size % self.factor:
            raise DoodleError(f"The image size {self.image_size} must be a multiple of {self.factor}.")

    @property
    def factor(self) -> int:
        """f, how many times longer the sides of pictures are than those of the latent space."""
        return self.patch_size * 2 ** (len(self.channels) - 1)


class Residual(nn.Module):
    """x + conv(act(norm(conv(act(norm(x)))))). (B, C, H, W) -> (B, C, H, W)"""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = group_norm(width), group_norm(width)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = zeroed(nn.Conv2d(width, width, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        return x + self.conv2(F.silu(self.norm2(h)))


class Autoencoder(nn.Module):
    """x (B, 3, S, S) in [-1, 1] -> `encode` -> z (B, C, S/f, S/f) -> `decode` -> like x."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        widths, pixels = config.channels, 3 * config.patch_size**2

        def blocks(width: int) -> list[nn.Module]:
            return [Residual(width) for _ in range(config.blocks)]

        inwards: list[nn.Module] = [nn.Conv2d(pixels, widths[0], 3, padding=1), *blocks(widths[0])]
        for finer, coarser in zip(widths, widths[1:]):
            inwards += [nn.Conv2d(finer, coarser, 3, stride=2, padding=1), *blocks(coarser)]
        inwards += [group_norm(widths[-1]), nn.SiLU()]
        self.encoder = nn.Sequential(*inwards, nn.Conv2d(widths[-1], 2 * config.latent_channels, 1))

        outwards: list[nn.Module] = [nn.Conv2d(config.latent_channels, widths[-1], 3, padding=1)]
        outwards += blocks(widths[-1])
        for coarser, finer in zip(widths[::-1], widths[-2::-1]):
            outwards += [nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(coarser, finer, 3, padding=1)]
            outwards += blocks(finer)
        outwards += [group_norm(widths[0]), nn.SiLU()]
        self.decoder = nn.Sequential(*outwards, nn.Conv2d(widths[0], pixels, 3, padding=1))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures -> the mean and the log variance of q(z | x), each (B, C, S/f, S/f)."""
        ink = F.pixel_unshuffle(1 - x, self.config.patch_size)
        mean, log_variance = self.encoder(ink).chunk(2, dim=1)
        return mean, log_variance.clamp(*LOG_VARIANCE)

    def decode(self, z: Tensor) -> Tensor:
        """What z stands for; it may overshoot [-1, 1] a little."""
        return 1 - F.pixel_shuffle(self.decoder(z), self.config.patch_size)


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)) in nats, summed over each picture: (B, C, H, W) twice -> (B,).

    Kingma & Welling 2014, appendix B.
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=(1, 2, 3))


@dataclass(frozen=True, eq=False)
class Latents:
    """The codec in which the model draws in a latent space and people see S x S pixels (see codec.py).

    Latents are shifted and scaled to mean 0 and deviation 1, which noise schedules are made for.

    Attributes:
        network: in eval mode, float32.
        shift, scale: of each latent channel over the training pictures, C numbers.
        credits: where the training pictures come from, one line each.
        training: facts about the run, JSON values only.
    """

    network: Autoencoder
    shift: Sequence[float]
    scale: Sequence[float]
    credits: list[str] = field(default_factory=list)
    training: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        wanted = self.network.config.latent_channels
        numbers = [*self.shift, *self.scale]
        if len(self.shift) != wanted or len(self.scale) != wanted:
            raise DoodleError(f"An autoencoder with {wanted} channels has as many shifts and scales.")
        if not all(isinstance(x, int | float) and abs(x) < 1e6 for x in numbers) or min(self.scale) <= 0:
            raise DoodleError("An autoencoder's shifts and scales are numbers, and scales above 0.")

    in_pixels = False

    @property
    def factor(self) -> int:
        return self.network.config.factor

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, S/f, S/f), of what a model draws in it."""
        config = self.network.config
        side = config.image_size // config.factor
        return config.latent_channels, side, side

    def _channels(self, values: Sequence[float], like: Tensor) -> Tensor:
        return torch.tensor(values, dtype=like.dtype, device=like.device)[:, None, None]

    @torch.no_grad()
    def encode(self, pixels: Tensor) -> Tensor:
        """A drawing, float32 (B, 3, S, S) in [-1, 1] -> the mean of q(z | x), normalized.

        It is float32 (B, C, S/f, S/f), whatever the arithmetic.

        Raises:
            DoodleError: for another size.
        """
        size = self.network.config.image_size
        if pixels.shape[-1] != size:
            raise DoodleError(f"A drawing of {pixels.shape[-1]} pixels is not one of {size}.")
        mean = torch.cat([self.network.encode(part)[0].float() for part in pixels.split(AT_ONCE)])
        return (mean - self._channels(self.shift, mean)) / self._channels(self.scale, mean)

    @torch.no_grad()
    def decode(self, x0: Tensor) -> Tensor:
        """What the model drew, (B, C, S/f, S/f) -> float32 (B, 3, S, S) in [-1, 1]."""
        z = x0.float() * self._channels(self.scale, x0.float()) + self._channels(self.shift, x0.float())
        return self.network.decode(z).float().clamp(-1, 1)

    def preview(self, x: Tensor) -> Tensor:
        """What a noisy state looks like, (B, C, S/f, S/f) -> (B, 3, S, S)."""
        return self.decode(x)


def save_autoencoder(path: str | Path, latents: Latents, dtype: torch.dtype = torch.float16) -> None:
    """Write an autoencoder with its weights as `dtype`; the file appears whole or not at all."""
    tensors = {name: value.detach().cpu().to(dtype) for name, value in latents.network.state_dict().items()}
    about = {
        "network": asdict(latents.network.config),
        "shift": list(latents.shift),
        "scale": list(latents.scale),
    }
    write_weights(path, FORMAT, tensors, about | {"credits": latents.credits, "training": latents.training})


def load_autoencoder(path: str | Path, device: str | torch.device = "cpu") -> Latents:
    """Read what `save_autoencoder` wrote.

    Raises:
        AutoencoderError: the file is missing, damaged, or not of this program.
    """

    def build(tensors: dict[str, Tensor], about: dict) -> Latents:
        about = checked(about)
        with torch.device("meta"):  # no random start for weights about to be replaced
            network = Autoencoder(AutoencoderConfig(**about["network"]))
        network.load_state_dict(tensors, assign=True)
        network = network.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False)
        return Latents(network, about["shift"], about["scale"], about["credits"], about["training"])

    return read_weights(path, FORMAT, build)

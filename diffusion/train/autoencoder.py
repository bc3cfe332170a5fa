"""Train the autoencoder whose latent space a network may draw in:

    python -m diffusion.train.autoencoder --data emoji.tar --out runs/autoencoder
    python -m diffusion.train --data emoji.tar --autoencoder runs/autoencoder/autoencoder-16.safetensors \\
        --out runs/latent

What a run leaves in its folder: autoencoder-R.safetensors, R being the side of its latents; the rest as in
run.py. It learns crude drawings too, since they are what it is given on the page.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from .. import __version__, images
from ..autoencoder import Autoencoder, AutoencoderConfig, Latents, kl_divergence, save_autoencoder
from ..ema import EMA
from ..errors import DoodleError
from ..options import Parser, add_options, command, option
from .batches import AUGMENTATIONS, Batch, Batches
from .choose import evenly, sampling_weights
from .config import RunConfig, settle
from .data import PictureSet
from .learner import CodecTrainer
from .losses import restoration_loss
from .run import Leaves, Run, chosen_device, restore

HELD_OUT = 64  # held-out pictures that the validation loss is measured on
SHOWN = 8  # pictures on a sheet
MEASURED = 512  # pictures that mean and deviation of the latents are taken of


@dataclass(frozen=True)
class AutoencoderRunConfig(RunConfig):
    """Every setting of a run; each is a flag of the same name, and all of them go into the file."""

    out: str = option("runs/autoencoder", "folder for the autoencoder, logs and sheets")
    balance: float = option(0.7, "1: every subject equally often; 0: by its number of groups", low=0, high=1)
    augment: str = option("drawing", "how pictures are varied", choices=AUGMENTATIONS)
    sketched: float = option(0.3, "fraction of crude drawings among them", low=0, high=1)

    image_size: int = option(128, "pixels on a side", low=1, high=1024)
    patch_size: int = option(2, "pixels on a side of what becomes one place at first", low=1)
    channels: tuple[int, ...] = option((48, 96, 192), "width of each level, finest first", low=1)
    blocks: int = option(1, "residual blocks per level", low=1)
    latent_channels: int = option(4, "numbers in a place of the latent space", low=1)
    kl: float = option(1e-3, "how much the latents are held towards N(0, 1)", low=0)
    edges: float = option(0.1, "how much an error in the differences of neighbours counts", low=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.network()

    def network(self) -> AutoencoderConfig:
        """The shape of the network.

        Raises:
            DoodleError: the sizes do not fit each other.
        """
        shape = self.image_size, self.patch_size, self.channels, self.blocks, self.latent_channels
        return AutoencoderConfig(*shape)


class AutoencoderTrainer(CodecTrainer[AutoencoderRunConfig, Batch]):
    """Network, optimizer and average of one run, moved forward one step at a time.

    Args:
        config: the settings.
        pictures: all of them, held-out ones among them.
        device: where to train.

    Raises:
        DoodleError: no picture is left to train on.
    """

    model: Autoencoder
    batches: Batches

    def __init__(self, config: AutoencoderRunConfig, pictures: PictureSet, device: torch.device) -> None:
        super().__init__(config, device)
        if pictures.held_out.all():
            raise DoodleError("No picture is left to train on.")
        train, test, size = pictures.train(), pictures.test(), config.image_size
        self.batches = Batches(
            train, sampling_weights(train, config.balance), size, batch_size=config.batch_size,
            augment=config.augment, sketched=config.sketched, seed=config.seed, workers=config.workers,
        )  # fmt: skip
        self.known = train.subset(evenly(len(train), MEASURED)).x0(size)
        self.held_out = test.subset(evenly(len(test), HELD_OUT)).x0(size) if len(test) else None
        self.generator = torch.Generator(device).manual_seed(config.seed)
        with torch.random.fork_rng():  # layers draw from the global RNG; leave it as it was
            torch.manual_seed(config.seed)
            model = Autoencoder(config.network())
        self.model = model.to(device).to(memory_format=torch.channels_last).train()
        self.ema = EMA(self.model, config.ema_decay)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=config.lr, betas=(0.9, 0.99))

    def loss(self, model: Autoencoder, x: Tensor, generator: torch.Generator) -> Tensor:
        """How far pictures (B, 3, S, S) are from what comes back, and their latents from N(0, 1). Scalar.

        The bound of Kingma & Welling 2014, eq. 3, its divergence counted `kl` times and averaged over pixels;
        z is the mean and noise of its deviation (their eq. 10).
        """
        with self.autocast():
            mean, log_variance = (part.float() for part in model.encode(x))
            noise = torch.randn(mean.shape, generator=generator, device=x.device)
            made = model.decode(mean + (0.5 * log_variance).exp() * noise)
        divergence = kl_divergence(mean, log_variance).mean() / x[0].numel()
        return restoration_loss(made.float(), x, self.config.edges) + self.config.kl * divergence

    def batch_loss(self) -> Tensor:
        x = self.next_batch().drawing.to(self.device)  # the picture itself where there is no drawing of it
        return self.loss(self.model, x, self.generator)

    @torch.no_grad()
    def validation_loss(self) -> float:
        """The averaged weights' loss on held-out pictures, the same every time; NaN without any."""
        if self.held_out is None:
            return float("nan")
        generator, losses = torch.Generator(self.device).manual_seed(0), []
        for x in self.held_out.split(self.config.batch_size):
            losses += [float(self.loss(self.ema.model, x.to(self.device), generator))] * len(x)
        return sum(losses) / len(losses)

    @torch.no_grad()
    def latents(self, **facts: object) -> Latents:
        """The averaged weights as a codec; `facts` go into its `training` record."""
        parts = self.known.split(self.config.batch_size)
        means = torch.cat([self.ema.model.encode(x.to(self.device))[0].float().cpu() for x in parts])
        deviation, shift = torch.std_mean(means, dim=(0, 2, 3))
        config = asdict(self.config)
        for name in ("out", "class_names"):  # files travel; where things lay here should not
            config[name] = Path(config[name]).name
        config["data"] = [Path(source).name for source in self.config.data]
        training = {
            "version": __version__, "steps": self.step, "samples": self.step * self.config.batch_size,
            "config": config, **facts,
        }  # fmt: skip
        scale = deviation.clamp(min=1e-3).tolist()
        return Latents(self.ema.model, shift.tolist(), scale, list(self.config.credits), training)

    def sheet(self) -> Image.Image:
        """Pictures, and below each what comes back of it; held-out ones, or else known ones."""
        shown = self.known if self.held_out is None else self.held_out
        x, latents = shown[evenly(len(shown), SHOWN)].to(self.device), self.latents()
        rows = [torch.cat(list(row.cpu()), dim=2) for row in (x, latents.decode(latents.encode(x)))]
        return images.to_pil(torch.cat(rows, dim=1))

    def state_dict(self) -> dict:
        return {**super().state_dict(), "generator": self.generator.get_state()}

    def load_state_dict(self, state: dict) -> None:
        super().load_state_dict(state)
        self.generator.set_state(state["generator"].cpu())


def train(config: AutoencoderRunConfig, resume: bool = False) -> int:
    """Run (or resume) a training to its end, its time limit, or Ctrl-C. Returns the exit status.

    Raises:
        DoodleError: for pictures, weights or settings that cannot be used.
    """
    pictures = config.pictures(config.image_size)
    trainer = AutoencoderTrainer(config, pictures, chosen_device(config))
    if resume:
        restore(trainer, config)
    parameters = sum(p.numel() for p in trainer.model.parameters())
    print(
        f"{int((~pictures.held_out).sum())} pictures to train on, {int(pictures.held_out.sum())} held out; "
        f"{parameters / 1e6:.1f} M parameters on {trainer.device}."
    )
    name = f"autoencoder-{config.image_size // config.network().factor}.safetensors"
    leaves = Leaves(name, lambda path, facts: save_autoencoder(path, trainer.latents(**facts)), trainer.sheet)
    return Run(trainer, Path(config.out), leaves).to_the_end()


@command("autoencoder")
def main(argv: Sequence[str] | None = None) -> int:
    """The command line; errors are one line on stderr and exit status 2."""
    p = Parser("python -m diffusion.train.autoencoder", description="Train an autoencoder on pictures.")
    p.add_argument("--resume", action="store_true", help="go on from OUT/state.pt, with its settings")
    add_options(p, AutoencoderRunConfig)
    given = vars(p.parse_args(argv))
    resume = given.pop("resume")
    return train(settle(AutoencoderRunConfig, given, resume), resume)


if __name__ == "__main__":
    sys.exit(main())

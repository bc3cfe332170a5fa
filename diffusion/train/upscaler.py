"""Train the network that enlarges finished pictures, 64 pixels to 256:

    python -m diffusion.train.upscaler --data emoji.tar --photos fruits.tar \\
        --checkpoint checkpoints/doodle-64.safetensors --out runs/upscaler

What a run leaves in its folder: upscaler-R.safetensors, to be put into the folder `upscaler` beside the
checkpoint, and in own/ what the checkpoint made of the pictures; the rest as in run.py.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from .. import __version__, images
from ..checkpoint import load_checkpoint
from ..ema import EMA
from ..errors import DoodleError
from ..options import Parser, add_options, command, option
from ..upscaler import Upscaled, Upscaler, UpscalerConfig, enlarged, save_upscaler
from .choose import evenly, sampling_weights
from .config import RunConfig, settle
from .crops import CropBatches, Crops, Source
from .data import PictureSet, load_pictures
from .learner import CodecTrainer
from .losses import restoration_loss
from .own_results import OwnResults
from .run import Leaves, Run, chosen_device, restore

HELD_OUT = 128  # held-out crops that the validation loss is measured on
SHOWN = 6  # pictures on a sheet


@dataclass(frozen=True)
class UpscalerRunConfig(RunConfig):
    """Every setting of a run; each is a flag of the same name, and all of them go into the file."""

    data: tuple[str, ...] = option((), "folders or tars of pictures of at least image_size x factor pixels")
    out: str = option("runs/upscaler", "folder for the upscaler, logs and sample sheets")
    photos: tuple[str, ...] = option((), "folders or tars of smaller pictures, learnt at --photo-side pixels")
    photo_side: int = option(100, "pixels on a side of those", low=1, high=4096)
    photo_share: float = option(0.2, "how often one of them is taken", low=0, below=1)
    balance: float = option(0.7, "1: every subject equally often; 0: by its number of groups", low=0, high=1)

    checkpoint: str = option("", "the denoiser, whose own results are learnt to be mended")
    own_results: int = option(6000, "how many of them are made", low=0)
    own_share: float = option(0.5, "how often one of them is taken", low=0, high=1)
    blur: float = option(1.0, "largest blur of all other inputs, in pixels", low=0)
    noise: float = option(8.0, "largest noise of those, in grey levels of 255", low=0)
    crop: int = option(24, "pixels on a side of what goes in", low=1, high=4096)

    image_size: int = option(64, "pixels on a side of what the denoiser draws", low=1, high=1024)
    factor: int = option(4, "how many times longer the sides become", low=1)
    channels: int = option(48, "width of the convolutions", low=1)
    convolutions: int = option(12, "their number", low=2)
    edges: float = option(0.1, "how much an error in the differences of neighbours counts", low=0)

    steps: int = option(40_000, "optimizer steps", low=1)
    lr: float = option(5e-4, "peak learning rate", low=0)
    decay: float = option(0.6, "fraction of the steps, at the end, in which it falls to 0", low=0, high=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        UpscalerConfig(self.factor, self.channels, self.convolutions)  # refuses what is too large
        if self.own_results and not self.checkpoint:
            raise DoodleError("Say whose results are to be enlarged: --checkpoint FILE, or --own-results 0.")
        if self.crop * self.factor > (self.photo_side if self.photos else self.image_size * self.factor):
            raise DoodleError("--crop times --factor is more than the pictures have pixels.")


def _chances(pictures: PictureSet, held_out: bool, balance: float) -> np.ndarray:
    """How likely each picture is to be drawn, float64 (N,), of those held out or of all others."""
    weights = sampling_weights(pictures, balance).numpy() * (pictures.held_out.numpy() == held_out)
    return weights / max(weights.sum(), 1e-12)


class UpscalerTrainer(CodecTrainer[UpscalerRunConfig, Crops]):
    """Network, optimizer and average of one run, moved forward one step at a time.

    Args:
        config: the settings.
        pictures: stored at image_size x factor pixels.
        photos: smaller ones; None for none.
        device: where to train.

    Raises:
        DoodleError: no picture is left to train on, or the denoiser draws another size.
    """

    model: Upscaler

    def __init__(
        self, config: UpscalerRunConfig, pictures: PictureSet, photos: PictureSet | None, device: torch.device
    ) -> None:
        super().__init__(config, device)
        self.pictures = pictures
        if pictures.held_out.all():
            raise DoodleError("No picture is left to train on.")
        sets = [(pictures, 1.0 if photos is None else 1 - config.photo_share)]
        sets += [(photos, config.photo_share)] if photos is not None else []
        sources = [Source(p.pixels, _chances(p, False, config.balance), share) for p, share in sets]
        self.own = self._own_results(sources[0].chances) if config.own_results else None
        shape = {"factor": config.factor, "size": config.crop}
        self.batches = CropBatches(
            sources, self.own, config.own_share, batch_size=config.batch_size, blur=config.blur,
            noise=config.noise, seed=config.seed, workers=config.workers, **shape,
        )  # fmt: skip
        self.shown = pictures.pixels[pictures.held_out][evenly(int(pictures.held_out.sum()), SHOWN)]
        self.held_out: Crops | None = None
        if len(self.shown):
            test = [Source(pictures.pixels, _chances(pictures, True, config.balance), 1.0)]
            self.held_out = CropBatches(
                test, None, 0.0, batch_size=HELD_OUT, blur=config.blur, noise=config.noise, **shape
            ).at(0)  # fmt: skip

        with torch.random.fork_rng():  # layers draw from the global RNG; leave it as it was
            torch.manual_seed(config.seed)
            network = UpscalerConfig(config.factor, config.channels, config.convolutions)
            self.model = Upscaler(network).to(device).train()
        self.ema = EMA(self.model, config.ema_decay)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=config.lr, betas=(0.9, 0.99))

    def _own_results(self, chances: np.ndarray) -> OwnResults:
        config = self.config
        checkpoint = load_checkpoint(config.checkpoint, self.device).computing(self.precision)
        if checkpoint.image_size != config.image_size:
            raise DoodleError(f"{config.checkpoint} draws {checkpoint.image_size} pixels.")
        folder = Path(config.out) / "own"
        own = OwnResults(checkpoint, self.pictures, chances, config.own_results, folder, config.seed)
        own.make(self.device)
        return own

    def loss(self, model: Upscaler, crops: Crops) -> Tensor:
        """How far what `model` makes of the crops is from the truth. Scalar."""
        with self.autocast():
            made = model(crops.small)
        return restoration_loss(made.float(), crops.truth, self.config.edges)

    def batch_loss(self) -> Tensor:
        return self.loss(self.model, self.next_batch().to(self.device))

    @torch.no_grad()
    def validation_loss(self) -> float:
        """The averaged weights' loss on held-out crops, the same ones every time."""
        if self.held_out is None:
            return float("nan")
        return float(self.loss(self.ema.model, self.held_out.to(self.device)))

    def upscaled(self, **facts: object) -> Upscaled:
        """The averaged weights as a codec; `facts` go into its `training` record."""
        config = asdict(self.config)
        for name in ("out", "checkpoint", "class_names"):  # files travel; where things lay here should not
            config[name] = Path(config[name]).name
        for name in ("data", "photos"):
            config[name] = [Path(source).name for source in config[name]]
        samples = self.step * self.config.batch_size
        training = {"version": __version__, "steps": self.step, "samples": samples, "config": config}
        return Upscaled(
            self.ema.model, self.config.image_size, list(self.config.credits), {**training, **facts}
        )

    def sheet(self) -> Image.Image:
        """Held-out pictures, and below them the denoiser's: the input, enlarged, by this, the truth."""
        factor, upscaled = self.config.factor, self.upscaled()
        whole = self.shown.float() / 127.5 - 1
        pairs = list(zip(F.avg_pool2d(whole, factor), whole))
        if self.own is not None:
            for i in range(SHOWN):
                small, truth = (torch.tensor(x).permute(2, 0, 1) / 127.5 - 1 for x in self.own.pair(i))
                pairs.append((small, truth))
        rows = [torch.ones(3, 1, 4 * whole.shape[-1])]
        for small, truth in pairs:
            x = small[None].to(self.device)
            seen = [F.interpolate(x, scale_factor=factor, mode="nearest"), enlarged(x, factor)]
            rows.append(torch.cat([*(y[0].cpu() for y in [*seen, upscaled.decode(x)]), truth], dim=2))
        return images.to_pil(torch.cat(rows, dim=1))


def train(config: UpscalerRunConfig, resume: bool = False) -> int:
    """Run (or resume) a training to its end, its time limit, or Ctrl-C. Returns the exit status.

    Raises:
        DoodleError: for pictures, weights or settings that cannot be used.
    """
    pictures, photos = config.pictures(config.image_size * config.factor), None
    if config.photos:  # a set of its own, of which no name is looked at
        photos = load_pictures(config.photos, config.photo_side, config.hold_out, config.fit)
    trainer = UpscalerTrainer(config, pictures, photos, chosen_device(config))
    if resume:
        restore(trainer, config)
    parameters = sum(p.numel() for p in trainer.model.parameters())
    print(
        f"{int((~pictures.held_out).sum())} pictures to train on, {int(pictures.held_out.sum())} held out, "
        f"{len(photos or ())} photos; {parameters / 1e3:.0f} k parameters on {trainer.device}."
    )
    name = f"upscaler-{config.image_size}.safetensors"
    leaves = Leaves(
        name, lambda path, facts: save_upscaler(path, trainer.upscaled(**facts)), trainer.sheet
    )  # fmt: skip
    return Run(trainer, Path(config.out), leaves).to_the_end()


@command("upscaler")
def main(argv: Sequence[str] | None = None) -> int:
    """The command line; errors are one line on stderr and exit status 2."""
    p = Parser("python -m diffusion.train.upscaler", description="Train an upscaler on pictures.")
    p.add_argument("--resume", action="store_true", help="go on from OUT/state.pt, with its settings")
    add_options(p, UpscalerRunConfig)
    given = vars(p.parse_args(argv))
    resume = given.pop("resume")
    return train(settle(UpscalerRunConfig, given, resume), resume)


if __name__ == "__main__":
    sys.exit(main())

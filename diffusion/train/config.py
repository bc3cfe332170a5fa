"""The settings of a training run, which are also its flags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TypeVar

from .. import __version__
from ..autoencoder import load_autoencoder
from ..checkpoint import Checkpoint, CheckpointError, load_checkpoint
from ..errors import DoodleError
from ..files import FileError, read_state
from ..machine import PRECISIONS
from ..options import SEED, check_options, device, option
from ..prediction import PREDICTION_TYPES, check_prediction_type
from ..schedule import MOST_TIMESTEPS, SCHEDULES, NoiseSchedule
from ..unet import UNetConfig
from .batches import AUGMENTATIONS
from .class_names import read_class_names
from .data import PictureSet, load_pictures
from .sources import FITS, DataError
from .torchvision_sets import SETS


@dataclass(frozen=True)
class PictureConfig:
    """Which pictures are learnt, and how they are read; each is a flag of the same name."""

    data: tuple[str, ...] = option((), f"folders, tars, Mini-ImageNet's pickles, or {', '.join(SETS)}")
    hold_out: float = option(0.1, "fraction of each subject's groups held out", low=0, below=1)
    class_names: str = option("", "a file that says what folders such as n01440764 are called")
    fit: str = option("pad", "what is not square: white beside it, or its middle alone", choices=FITS)

    def pictures(self, side: int) -> PictureSet:
        """All of them, stored at `side` pixels, with names from `class_names`.

        Raises:
            DoodleError: they, or the file of names, cannot be read.
        """
        called = read_class_names(self.class_names)
        return load_pictures(self.data, side, self.hold_out, self.fit, called)


@dataclass(frozen=True)
class RunConfig(PictureConfig):
    """The settings that every training has; each is a flag of the same name."""

    out: str = option("runs/model", "folder for checkpoints, logs and sample sheets")
    credits: tuple[str, ...] = option((), "where the pictures come from; kept in the checkpoint")

    steps: int = option(20_000, "optimizer steps", low=1)
    batch_size: int = option(32, "pictures per optimizer step", low=1)
    lr: float = option(6e-4, "peak learning rate", low=0)
    warmup: int = option(300, "steps in which the learning rate rises", low=0)
    decay: float = option(0.3, "fraction of the steps, at the end, in which it falls to 0", low=0, high=1)
    grad_clip: float = option(1.0, "largest norm of the gradient", low=0)
    ema_decay: float = option(0.999, "of the average of the weights", low=0, below=1)

    device: str = option("", "cuda, cpu, ...; the best there is if left out", read=device)
    precision: str = option(
        "auto", "of the arithmetic; auto: the faster one here", choices=("auto", *PRECISIONS)
    )
    workers: int = option(2, "threads that make pictures and drawings", low=1, high=256)
    seed: int = option(0, "of everything random", **SEED)
    max_minutes: float = option(0.0, "stop in time and save; 0: no limit", low=0)
    save_every: int = option(1000, "steps between checkpoints", low=1)
    sample_every: int = option(2000, "steps between sample sheets and held-out losses", low=1)
    log_every: int = option(50, "steps between lines of loss.csv", low=1)

    def __post_init__(self) -> None:
        check_options(self)


@dataclass(frozen=True)
class TrainConfig(RunConfig):
    """Every setting of a run; each is a flag of the same name, and all of them go into the checkpoint."""

    init_from: str = option("", "start from this checkpoint: its weights, network and schedule")
    samples_before: int = option(-1, "samples its weights have seen; -1: what its record says", low=-1)
    names: str = option("", "a JSON file: what subjects are called besides, and their categories")
    only_class: str = option("", "train on pictures of this one name of the first label kind only")
    balance: float = option(0.7, "1: every subject equally often; 0: by its number of groups", low=0, high=1)
    augment: str = option("drawing", "how pictures are varied", choices=AUGMENTATIONS)
    sketched: float = option(0.85, "fraction of pictures that come with a crude drawing", low=0, high=1)
    noise_over: float = option(
        0.45, "fraction of pictures whose noise lies over their drawing, as in SDEdit", low=0, high=1
    )

    autoencoder: str = option("", "made by diffusion.train.autoencoder: draw in its latent space")
    image_channels: int = option(3, "numbers in a pixel, or in a place of the latent space", low=1, high=64)
    image_size: int = option(64, "pixels on a side, or places of the latent space", low=1)
    patch_size: int = option(4, "pixels on a side of a patch, 1 for none", low=1)
    channels: tuple[int, ...] = option((128, 256), "width of each level, finest first", low=1)
    blocks: int = option(2, "residual blocks per level", low=1)
    attention: tuple[int, ...] = option((0, 1), "attention in each level, 0 or 1", low=0, high=1)
    head_channels: int = option(32, "channels of one attention head", low=1)
    dropout: float = option(0.0, "dropout inside residual blocks", low=0, below=1)
    drawing: int = option(1, "whether the network has an input for the drawing, 0 or 1", low=0, high=1)

    detail_channels: int = option(0, "width of blocks for what is finer than a patch, 0 for none", low=0)
    learned_variance: int = option(
        0, "whether it learns the variance of its steps as well, 0 or 1", low=0, high=1
    )

    schedule: str = option("cosine", "noise schedule; straight: rectified flow's path", choices=SCHEDULES)
    num_train_timesteps: int = option(1000, "T, steps of the noise schedule", low=2, high=MOST_TIMESTEPS)
    prediction_type: str = option("sample", "what the network predicts", choices=PREDICTION_TYPES)
    loss: str = option("l2", "how the prediction is compared", choices=("l2", "l1"))
    weighting: str = option("plain", "how much each noise level counts", choices=("plain", "min-snr"))
    perceptual: str = option("", "a classifier to which predictions should look right; never their judge")
    perceptual_weight: float = option(0.1, "how much that counts", low=0)
    timesteps: str = option(
        "uniform", "which noise levels are drawn more often", choices=("uniform", "importance")
    )
    label_dropout: float = option(0.1, "how often each label is withheld, for guidance", low=0, high=1)

    accumulate: int = option(1, "pieces a batch is cut into, where memory is short", low=1)
    optimizer: str = option("adamw", "what moves the weights", choices=("adamw", "muon"))
    weight_decay: float = option(0.01, "decoupled weight decay", low=0)

    compile: str = option("auto", "torch.compile; auto: on a GPU", choices=("auto", "yes", "no"))

    def __post_init__(self) -> None:
        super().__post_init__()
        self.network(())
        check_prediction_type(self.prediction_type, NoiseSchedule(self.schedule, self.num_train_timesteps))
        if bool(self.autoencoder) != (self.image_channels != 3):
            raise DoodleError("--image-channels is 3, or what --autoencoder has, which is not 3.")
        if self.autoencoder and self.perceptual:
            raise DoodleError("--perceptual looks at pixels, and with --autoencoder there are none.")
        if self.noise_over > self.sketched:
            raise DoodleError("--noise-over cannot be more than --sketched: it lies over drawings.")

    @property
    def drawing_size(self) -> int:
        """Pixels on a side of the pictures that the network, or its autoencoder, is given.

        Raises:
            AutoencoderError: its file is missing or damaged.
        """
        if not self.autoencoder:
            return self.image_size
        return load_autoencoder(self.autoencoder).network.config.image_size

    def network(self, label_sizes: Sequence[int]) -> UNetConfig:
        """The shape of the network.

        Raises:
            DoodleError: the sizes do not fit each other.
        """
        return UNetConfig(
            image_size=self.image_size,
            patch_size=self.patch_size,
            channels=self.channels,
            blocks=self.blocks,
            attention=tuple(bool(a) for a in self.attention),
            head_channels=self.head_channels,
            label_sizes=tuple(label_sizes),
            dropout=self.dropout,
            image_channels=self.image_channels,
            drawing=bool(self.drawing),
            learned_variance=bool(self.learned_variance),
            detail_channels=self.detail_channels,
        )

    def record(self) -> dict:
        """All of them for a checkpoint's record, which travels: of files their names only."""
        paths = ("out", "init_from", "names", "class_names", "perceptual", "autoencoder")
        files = {name: Path(getattr(self, name)).name for name in paths}
        return {**asdict(self), **files, "data": [Path(source).name for source in self.data]}


C = TypeVar("C", bound=RunConfig)
STATE = "state.pt"  # in a run's folder: all that is needed to go on

# What may differ when a run is resumed; anything else would make it another run.
CHANGEABLE = {
    "data", "photos", "checkpoint", "out", "init_from", "names", "steps", "decay", "max_minutes",
    "save_every", "sample_every", "log_every", "device", "precision", "compile", "workers", "perceptual",
    "perceptual_weight", "autoencoder",
}  # fmt: skip
# Settings that there have not always been, and what runs that began without them had.
SINCE = {
    "perceptual": "", "perceptual_weight": 0.1, "learned_variance": 0, "timesteps": "uniform",
    "class_names": "", "fit": "pad", "detail_channels": 0, "autoencoder": "", "image_channels": 3,
}  # fmt: skip


def learning_rate(config: RunConfig, step: int) -> float:
    """Rises over `warmup` steps, stays, and falls linearly to 0 over the last `decay` share of the steps.

    Staying flat for most of the run (unlike a cosine) leaves the end open: a run may be resumed with more or
    fewer steps and still wind down properly.
    """
    left = (config.steps - step) / max(1.0, config.decay * config.steps)
    return config.lr * min(1.0, (step + 1) / max(1, config.warmup), max(0.0, left))


def inherited(start: Checkpoint) -> dict:
    """The settings that a checkpoint's network and schedule were made with."""
    network, schedule = start.model.config, start.schedule
    return {
        "image_channels": network.image_channels,
        "image_size": network.image_size,
        "patch_size": network.patch_size,
        "channels": tuple(network.channels),
        "blocks": network.blocks,
        "attention": tuple(int(a) for a in network.attention),
        "head_channels": network.head_channels,
        "dropout": network.dropout,
        "learned_variance": int(network.learned_variance),
        "detail_channels": network.detail_channels,
        "schedule": schedule.kind,
        "num_train_timesteps": schedule.num_train_timesteps,
        "prediction_type": start.prediction_type,
    }


def configure(given: dict, resume: bool) -> TrainConfig:
    """The settings of a run from its flags, see `settle`.

    A run that starts from a checkpoint takes over its network and schedule, and one in a latent space its
    shape; a place there is a patch of pixels already.
    """
    if resume:
        return settle(TrainConfig, given, resume)
    known = inherited(load_checkpoint(given["init_from"])) if given.get("init_from") else {}
    if given.get("autoencoder"):
        channels, size, _ = load_autoencoder(given["autoencoder"]).shape
        if known.get("image_channels") != channels:
            known |= {"patch_size": 1, "detail_channels": 0}
        given = given | {"image_channels": channels, "image_size": size}
    return settle(TrainConfig, known | given, resume)


def settle(kind: type[C], given: dict, resume: bool) -> C:
    """Settings from flags; when resuming, those of the run, in which only CHANGEABLE flags may differ.

    Raises:
        DoodleError: for no pictures, or a folder that holds a run already (none, when resuming).
    """
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    out = Path(given.get("out", kind.out))
    if resume:
        return _resumed(kind, given, out)
    config = kind(**given)
    if not config.data:
        raise DataError(f"Say what to train on: --data with folders, tars or {', '.join(SETS)}.")
    if (out / STATE).exists():
        raise DoodleError(f"{out} holds a run already: go on with --resume, or choose another --out.")
    return config


def remedy(kind: type[RunConfig], out: str | Path) -> str:
    """What to do where a run cannot go on."""
    reached = f" from what it reached, --init-from {Path(out) / 'checkpoint.safetensors'}"
    return "start anew" + (reached if hasattr(kind, "init_from") else "")


def stored_state(out: str | Path, mmap: bool = False) -> dict:
    """What a run's folder says of how to go on.

    Args:
        mmap: read tensors only when they are looked at.

    Raises:
        CheckpointError: nothing, or what is there is damaged.
    """
    path = Path(out) / STATE
    if not path.is_file():
        raise CheckpointError(f"There is nothing to resume in {out}.")
    try:
        return read_state(path, mmap)
    except FileError as error:
        raise CheckpointError(f"{str(error).rstrip('.')}: start anew.") from error


def _resumed(kind: type[C], given: dict, out: Path) -> C:
    begun = stored_state(out, mmap=True)
    if not isinstance(begun.get("config"), dict):
        raise CheckpointError(f"{out / STATE} is damaged: start anew.")
    stored = {name: value for name, value in SINCE.items() if hasattr(kind, name)} | begun["config"]
    stored = {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}
    if stored.keys() != {f.name for f in fields(kind)}:  # a default would make it another run
        version = f"version {begun['version']}" if "version" in begun else "an earlier version"
        said = f"{out} was begun by {version} of this program, this is {__version__}"
        raise CheckpointError(f"{said}: {remedy(kind, out)}.")
    for name, value in given.items():
        if name not in CHANGEABLE and stored[name] != value:
            raise DoodleError(
                f"This run was started with {name} = {stored[name]}; --resume cannot change that."
            )
    return kind(**{**stored, **given})

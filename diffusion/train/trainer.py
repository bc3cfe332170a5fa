"""Train a U-Net from pictures: `python -m diffusion.train --data FOLDER_OR_TAR ... --out runs/NAME`.

The idea fits in one function, `Trainer.loss`: noise a picture to a random timestep, ask the network what was
done to it, and compare (DDPM algorithm 1). `noise_over` chooses some of the noise so that it hides a drawing.
The rest is what a long run needs: an average of the weights, a learning rate that warms up and winds down,
logs, sample sheets, and stopping and resuming without a trace.

What a run leaves in its folder:

    checkpoint.safetensors   the averaged weights, ready for the app and the command line
    state.pt                 everything needed to go on exactly: weights, optimizer, average, RNG, step
    loss.csv, loss.png       the loss, on training and held-out pictures
    samples-NNNNNN.png       pictures from fixed seeds and labels, to see it learn
"""

from __future__ import annotations

import argparse
import copy
import csv
import difflib
import os
import signal
import sys
import time
import typing
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from .. import images
from ..checkpoint import Checkpoint, CheckpointError, load_checkpoint, save_checkpoint
from ..condition import Condition
from ..denoiser import PREDICTION_TYPES, training_target
from ..ema import EMA
from ..lineart import typical_colours
from ..sampler import Sampling
from ..schedule import KINDS, NoiseSchedule
from ..sdedit import edit
from ..unet import UNet, UNetConfig
from .data import DataError, PictureSet, augment, few_of_each, load_pictures, sampling_weights
from .degrade import crude_versions


def option(default, help: str, **extra):
    """A setting that is also a command-line flag."""
    return field(default=default, metadata={"help": help, **extra})


@dataclass(frozen=True)
class TrainConfig:
    """Every setting of a run; each is a flag of the same name, and all of them go into the checkpoint."""

    data: tuple[str, ...] = option((), "folders, tars, cifar10 or cifar100")
    out: str = option("runs/model", "folder for checkpoints, logs and sample sheets")
    init_from: str = option("", "start from this checkpoint: its weights, network, schedule and label table")
    only_class: str = option("", "train on pictures of this one name of the first label kind only")
    credits: tuple[str, ...] = option((), "where the pictures come from; kept in the checkpoint")
    hold_out: float = option(0.1, "share of each subject's things that training never sees")
    balance: float = option(0.7, "1: every subject equally often; 0: by how many things it has")
    augment: str = option("drawing", "how pictures are varied", choices=("drawing", "flip", "none"))
    sketched: float = option(
        0.4, "how often the noise is put over a crude version of a picture, as in SDEdit"
    )

    image_size: int = option(64, "pixels on a side")
    patch_size: int = option(4, "pixels on a side of a patch, 1 for none")
    channels: tuple[int, ...] = option((128, 256), "width of each level, finest first")
    blocks: int = option(2, "residual blocks per level")
    attention: tuple[int, ...] = option((0, 1), "attention in each level, 0 or 1")
    head_channels: int = option(32, "channels of one attention head")
    dropout: float = option(0.0, "dropout inside residual blocks")

    schedule: str = option("cosine", "noise schedule", choices=KINDS)
    num_train_timesteps: int = option(1000, "T, steps of the noise schedule")
    prediction_type: str = option("sample", "what the network says", choices=PREDICTION_TYPES)
    loss: str = option("l2", "how it is compared", choices=("l2", "l1"))
    weighting: str = option("plain", "how much each noise level counts", choices=("plain", "min-snr"))
    label_dropout: float = option(0.1, "how often each label is withheld, so that guidance works")

    steps: int = option(20_000, "optimizer steps")
    batch_size: int = option(32, "pictures per optimizer step")
    accumulate: int = option(1, "pieces a batch is cut into, where memory is short")
    lr: float = option(6e-4, "peak learning rate of AdamW")
    warmup: int = option(300, "steps in which the learning rate rises")
    decay: float = option(0.3, "share of the steps, at the end, in which it falls to 0")
    weight_decay: float = option(0.01, "of AdamW")
    grad_clip: float = option(1.0, "largest norm of the gradient")
    ema_decay: float = option(0.999, "of the average of the weights")

    device: str = option("", "cuda, cpu, ...; the best there is if left out")
    precision: str = option("bf16", "of the arithmetic", choices=("bf16", "fp32"))
    compile: str = option("auto", "torch.compile; auto: on a GPU", choices=("auto", "yes", "no"))
    seed: int = option(0, "of everything random")
    max_minutes: float = option(0.0, "stop in time and save; 0: no limit")
    save_every: int = option(1000, "steps between checkpoints")
    sample_every: int = option(2000, "steps between sample sheets and held-out losses")
    log_every: int = option(50, "steps between lines of loss.csv")


MAX_X0_WEIGHT = 20.0
FAINTEST_SKETCH, BOLDEST_SKETCH = 0.3, 0.95  # strengths between which training puts noise over sketches
MIN_SNR_GAMMA = 5.0  # where Hang et al. 2023 cut

# What may differ when a run is resumed; anything else would make it another run.
CHANGEABLE = {
    "out",
    "steps",
    "decay",
    "max_minutes",
    "save_every",
    "sample_every",
    "log_every",
    "device",
    "compile",
}


def learning_rate(config: TrainConfig, step: int) -> float:
    """Rises over `warmup` steps, stays, and falls linearly to 0 over the last `decay` share of the steps.

    Staying flat for most of the run (unlike a cosine) leaves the end open: a run may be resumed with more or
    fewer steps and still wind down properly.
    """
    left = (config.steps - step) / max(1.0, config.decay * config.steps)
    return config.lr * min(1.0, (step + 1) / max(1, config.warmup), max(0.0, left))


def drop_labels(labels: Tensor, null: Tensor, rate: float, generator: torch.Generator) -> Tensor:
    """Replace each label, for itself, by its null with probability `rate` (Ho & Salimans 2021, algorithm 1).

    Args:
        labels: long (B, K).
        null: long (K,), the null label of each kind.
    """
    dropped = torch.rand(labels.shape, generator=generator, device=labels.device) < rate
    return torch.where(dropped, null, labels)


def stratified_timesteps(batch: int, num_train_timesteps: int, generator: torch.Generator) -> Tensor:
    """Timesteps, long (B,): uniform each, but spread over the batch, which makes the loss less noisy.

    One random offset shifts B evenly spaced points (Kingma et al. 2021, "Variational Diffusion Models",
    appendix I.1).
    """
    offset = torch.rand((), generator=generator, device=generator.device)
    points = (torch.arange(batch, device=generator.device) + offset) / batch
    return (points * num_train_timesteps).long().clamp(max=num_train_timesteps - 1)


def x0_weight(abar: Tensor) -> Tensor:
    """How much an error in a predicted x0 counts at noise level abar: 1 / (1 - abar), at most MAX_X0_WEIGHT.

    An x0 that is off by d is a v that is off by d / sqrt(1 - abar), so this is the loss of v (Salimans & Ho
    2022, section 4: "SNR + 1" weighting), spoken in pictures. Clean pictures lie on a low-dimensional
    surface and noise does not, so a network whose patches are large learns to say x0 much faster than v or
    eps (Li & He 2025, "Back to Basics"). The limit keeps nearly clean inputs from drowning all others.
    """
    return (1 / (1 - abar)).clamp(max=MAX_X0_WEIGHT)


def sketch_timesteps(t: Tensor, num_train_timesteps: int, generator: torch.Generator) -> Tensor:
    """For each t the t0 >= t that an edit might have begun at, uniformly from the usual strengths.

    Args:
        t: long (B,).

    Returns:
        long (B,): at least t and FAINTEST_SKETCH's timestep, at most BOLDEST_SKETCH's; t itself above that.
    """
    low, high = (round(strength * num_train_timesteps) for strength in (FAINTEST_SKETCH, BOLDEST_SKETCH))
    low = t.clamp(min=low)
    share = torch.rand(t.shape, generator=generator, device=t.device)
    return (low + share * (high - low + 1).clamp(min=0)).long().clamp(max=num_train_timesteps - 1)


def noise_over(x0: Tensor, crude: Tensor, noise: Tensor, t0: Tensor, schedule: NoiseSchedule) -> Tensor:
    """The noise that x0 seems to be under where in truth `noise` was put over a crude version of it.

    SDEdit noises a drawing d to t0 and hopes that the model takes it for a noised picture x0. It is one, of

        eps' = eps + sqrt(abar_t0 / (1 - abar_t0)) (d - x0),

    for then sqrt(abar_t0) x0 + sqrt(1 - abar_t0) eps' = sqrt(abar_t0) d + sqrt(1 - abar_t0) eps. DDIM with
    eta = 0 carries eps' down with it (eq. 12), so training on x0 under eps' at all t <= t0 shows the model
    what it meets on the way from that drawing to that picture, whatever it is trained to predict.

    Args:
        x0, crude, noise: (B, 3, R, R); where crude equals x0 the noise comes back as it is.
        t0: long (B,), where the edit began.

    Returns:
        eps' (B, 3, R, R).
    """
    abar = schedule.abar(t0, like=x0)
    return noise + (abar / (1 - abar)).sqrt().to(x0) * (crude - x0)


def loss_weight(weighting: str, prediction_type: str, abar: Tensor) -> Tensor:
    """What a squared error of the network's answer is multiplied by at noise level abar, like abar.

    "plain" leaves eps and v as they are (DDPM eq. 14, L_simple) and weighs x0 by `x0_weight`. "min-snr"
    counts an error of x0 min(SNR, gamma) times, SNR = abar / (1 - abar), in whatever way the network says x0
    (Hang et al. 2023, "Efficient Diffusion Training via Min-SNR Weighting Strategy", section 3.4): an x0 that
    is off by d is an eps off by sqrt(SNR) d and a v off by sqrt(SNR + 1) d.
    """
    if weighting == "min-snr":
        snr = abar / (1 - abar)
        squared = {"sample": torch.ones_like(snr), "epsilon": snr, "v_prediction": snr + 1}
        return snr.clamp(max=MIN_SNR_GAMMA) / squared[prediction_type]
    return x0_weight(abar) if prediction_type == "sample" else torch.ones_like(abar)


class Trainer:
    """Model, optimizer, average and RNG of one run, moved forward one step at a time.

    Args:
        config: the settings.
        pictures: all pictures, held-out ones among them.
        device: where to train; the pictures are held there whole, as uint8.
    """

    def __init__(self, config: TrainConfig, pictures: PictureSet, device: torch.device) -> None:
        self.config, self.device = config, device
        self.start = load_checkpoint(config.init_from) if config.init_from else None
        if self.start:
            pictures = pictures.relabelled(self.start.label_names)
        self.label_names = pictures.label_names
        if config.only_class:
            pictures = only(pictures, config.only_class)
        train, test = pictures.train(), pictures.test()
        self.pairs = train.combinations()
        few = few_of_each(train)
        first = next(iter(self.label_names.values()))
        self.colours = {
            name: typical_colours(few.pixels[few.labels[:, 0] == i])
            for i, name in enumerate(first)
            if (few.labels[:, 0] == i).any()
        }
        self.pixels, self.labels = train.pixels.to(device), train.labels.to(device)
        self.crude = None
        if config.sketched:
            palettes = [self.colours[first[i]] for i in train.labels[:, 0].tolist()]
            self.crude = crude_versions(train.pixels, palettes, config.seed).to(device)
        self.weights = sampling_weights(train, config.balance).to(device)
        self.held_out = test.subset(evenly(len(test), 256))

        self.schedule = NoiseSchedule(config.schedule, config.num_train_timesteps)
        self.generator = torch.Generator(device).manual_seed(config.seed)
        self.model = self._new_model().to(device)
        if device.type == "cuda":  # on a CPU, oneDNN's own layouts were a quarter faster than this
            self.model = self.model.to(memory_format=torch.channels_last)
        self.ema = EMA(self.model, config.ema_decay)
        compiled = config.compile == "yes" or (config.compile == "auto" and device.type == "cuda")
        self.forward = torch.compile(self.model) if compiled else self.model
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=config.lr, betas=(0.9, 0.99), weight_decay=config.weight_decay
        )
        self.null = torch.tensor(self.model.null_labels, device=device)
        self.step = 0

    def _new_model(self) -> UNet:
        config = self.config
        shape = UNetConfig(
            image_size=config.image_size,
            patch_size=config.patch_size,
            channels=config.channels,
            blocks=config.blocks,
            attention=tuple(bool(a) for a in config.attention),
            head_channels=config.head_channels,
            label_sizes=tuple(len(names) for names in self.label_names.values()),
            dropout=config.dropout,
        )
        if self.start:
            theirs = (self.start.model.config, self.start.schedule, self.start.prediction_type)
            if theirs != (shape, self.schedule, config.prediction_type):
                raise CheckpointError(f"{config.init_from} has another network or schedule than this run.")
            return copy.deepcopy(self.start.model).train().requires_grad_(True)
        with torch.random.fork_rng():  # layers draw from the global RNG; leave it as it was
            torch.manual_seed(config.seed)
            return UNet(shape)

    def autocast(self):
        """Matrix products in bfloat16, everything delicate in float32."""
        if self.config.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    def batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """Draw pictures by their sampling weights.

        Returns:
            x0, float32 (B, 3, R, R) in [-1, 1]; crude, the same but for some crude versions;
            labels, long (B, K).
        """
        config, generator = self.config, self.generator
        index = torch.multinomial(self.weights, config.batch_size, replacement=True, generator=generator)
        pixels = self.pixels[index]
        if self.crude is not None:  # as six channels, so that both are turned and moved alike
            chance = torch.rand(len(index), generator=generator, device=self.device)
            chosen = (chance < config.sketched)[:, None, None, None]
            pixels = torch.cat([pixels, torch.where(chosen, self.crude[index], pixels)], dim=1)
        pictures = augment(pixels, config.image_size, config.augment, generator)
        labels = drop_labels(self.labels[index], self.null, config.label_dropout, generator)
        return pictures[:, :3], pictures[:, -3:], labels

    def loss(self, model, x0: Tensor, labels: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """DDPM algorithm 1, line 5: how far the network's answer about x_t is from the truth. Scalar."""
        x_t = self.schedule.add_noise(x0, noise, t)
        target = training_target(self.config.prediction_type, self.schedule, x0, noise, t)
        with self.autocast():
            output = model(x_t, t, labels)
        compare = F.mse_loss if self.config.loss == "l2" else F.l1_loss
        losses = compare(output.float(), target, reduction="none").mean(dim=(1, 2, 3))
        weight = loss_weight(self.config.weighting, self.config.prediction_type, self.schedule.abar(t))
        return (losses * weight.to(losses)).mean()

    def train_step(self) -> Tensor:
        """One optimizer step; returns the mean loss of its batch (a scalar tensor, not waited for)."""
        config = self.config
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(config, self.step)
        x0, crude, labels = self.batch()
        # All random numbers are drawn for the whole batch, so that cutting it up changes nothing.
        t = stratified_timesteps(len(x0), config.num_train_timesteps, self.generator)
        noise = torch.randn(x0.shape, generator=self.generator, device=self.device)
        if self.crude is not None:
            t0 = sketch_timesteps(t, config.num_train_timesteps, self.generator)
            noise = noise_over(x0, crude, noise, t0, self.schedule)
        total = torch.zeros((), device=self.device)
        pieces = [part.chunk(config.accumulate) for part in (x0, labels, t, noise)]
        for piece in zip(*pieces):
            loss = self.loss(self.forward, *piece) * (len(piece[0]) / len(x0))
            loss.backward()
            total += loss.detach()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.grad_clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.ema.update(self.model)
        self.step += 1
        return total

    @torch.no_grad()
    def validation_loss(self) -> float:
        """The averaged weights' loss on held-out pictures, on the same timesteps and noise every time."""
        if not len(self.held_out):
            return float("nan")
        generator = torch.Generator().manual_seed(0)
        n, size = len(self.held_out), self.config.image_size
        x0 = augment(self.held_out.pixels, size, "none", generator)
        t = stratified_timesteps(n, self.config.num_train_timesteps, generator)
        t = t[torch.randperm(n, generator=generator)]
        noise = torch.randn(x0.shape, generator=generator)
        parts = [part.to(self.device).split(64) for part in (x0, self.held_out.labels, t, noise)]
        losses = [self.loss(self.ema.model, *piece) * len(piece[0]) for piece in zip(*parts)]
        return float(torch.stack(losses).sum() / n)

    def checkpoint(self, **facts) -> Checkpoint:
        """The averaged weights with everything needed to use them; `facts` go into its `training` record."""
        config = asdict(self.config)
        for name in ("out", "init_from"):  # checkpoints travel; where things lay on this machine should not
            config[name] = Path(config[name]).name
        config["data"] = [Path(source).name for source in config["data"]]
        training = {
            "steps": self.step,
            "samples": self.step * self.config.batch_size,
            "config": config,
            **facts,
        }
        pairs, colours, credits = list(self.pairs), self.colours, list(self.config.credits)
        if self.start:  # what the weights have seen before counts as well
            pairs = sorted({*self.start.pairs, *pairs})
            colours = self.start.colours | colours
            credits = list(dict.fromkeys([*self.start.credits, *credits]))
        return Checkpoint(
            model=self.ema.model,
            schedule=self.schedule,
            prediction_type=self.config.prediction_type,
            label_names=self.label_names,
            pairs=pairs,
            colours=colours,
            credits=credits,
            training=training,
        )

    def sample_sheet(self, columns: int = 8, rows: int = 6):
        """Pictures from pure noise, sampled as is usual, always of the same seeds and labels: PIL."""
        about, size = self.checkpoint(), self.config.image_size
        count = columns * rows
        chosen = [self.pairs[i * len(self.pairs) // count] for i in range(count)]
        labels = torch.cat([about.encode_labels(dict(zip(self.label_names, pair))) for pair in chosen])
        told = Condition.of(about, labels).to(self.device)
        with self.autocast():
            *_, last = edit(about, None, told, Sampling(strength=1.0))
        x = last.x0.float().reshape(rows, columns, 3, size, size).permute(2, 0, 3, 1, 4)
        return images.to_pil(x.reshape(3, rows * size, columns * size))

    def state_dict(self) -> dict:
        return {
            "config": asdict(self.config),
            "step": self.step,
            "model": self.model.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "rng": torch.get_rng_state(),  # dropout draws from the global RNG
            "cuda_rng": torch.cuda.get_rng_state_all(),
        }

    def load_state_dict(self, state: dict) -> None:
        self.step = state["step"]
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"].cpu())
        torch.set_rng_state(state["rng"].cpu())
        if self.device.type == "cuda" and state["cuda_rng"]:
            torch.cuda.set_rng_state_all([s.cpu() for s in state["cuda_rng"]])


def only(pictures: PictureSet, name: str) -> PictureSet:
    """The pictures of one name of the first label kind; the label table stays whole.

    Raises:
        DataError: there are none.
    """
    kind, names = next(iter(pictures.label_names.items()))
    chosen = pictures.labels[:, 0] == names.index(name) if name in names else torch.zeros(0)
    if not chosen.any():
        near = " or ".join(difflib.get_close_matches(name, names)) or ", ".join(names[:8])
        raise DataError(f"There are no pictures of the {kind} {name!r}. Did you mean {near}?")
    return pictures.subset(chosen)


def evenly(n: int, most: int) -> Tensor:
    """bool (n,): at most `most` of n, evenly spread."""
    keep = torch.zeros(n, dtype=torch.bool)
    if n:
        keep[torch.linspace(0, n - 1, min(n, most)).round().long()] = True
    return keep


class LossLog:
    """loss.csv, a line every so often, and loss.png drawn from it.

    On resuming, lines later than the step resumed from are dropped: that stretch will be run again.
    """

    COLUMNS = ("step", "loss", "validation_loss", "lr", "images_per_second", "minutes")

    def __init__(self, folder: Path, step: int) -> None:
        self.path, self.plot_path = folder / "loss.csv", folder / "loss.png"
        self.rows: list[dict] = []
        if step and self.path.exists():
            with self.path.open() as file:
                self.rows = [row for row in csv.DictReader(file) if int(row["step"]) <= step]
        self.minutes = float(self.rows[-1]["minutes"]) if self.rows else 0.0
        self._write()

    def _write(self) -> None:
        with self.path.open("w", newline="") as file:
            writer = csv.DictWriter(file, self.COLUMNS)
            writer.writeheader()
            writer.writerows(self.rows)

    def add(self, **row) -> None:
        """Append a line; columns left out stay empty."""
        self.rows.append({column: str(row.get(column, "")) for column in self.COLUMNS})
        self._write()

    def plot(self, width: int = 900, height: int = 500, margin: int = 60) -> None:
        """Training (grey) and held-out (red) loss against steps, the loss on a logarithmic axis."""
        picture = np.full((height, width, 3), 255, np.uint8)
        curves = {"loss": (160, 160, 160), "validation_loss": (40, 40, 220)}  # OpenCV's order: blue first
        points = {
            name: [(int(r["step"]), float(r[name])) for r in self.rows if r[name] not in ("", "nan")]
            for name in curves
        }
        values = [value for series in points.values() for _, value in series if value > 0]
        if not values:
            return
        low, high = np.log10(min(values)), np.log10(max(values)) + 1e-9
        last = max(step for series in points.values() for step, _ in series)

        def place(step: float, value: float) -> tuple[int, int]:
            x = margin + (width - 2 * margin) * step / max(1, last)
            y = margin + (height - 2 * margin) * (high - np.log10(value)) / (high - low)
            return round(x), round(float(y))

        text = {"fontFace": cv2.FONT_HERSHEY_SIMPLEX, "fontScale": 0.45, "lineType": cv2.LINE_AA}
        for value in np.geomspace(10**low, 10**high, 6):
            x, y = place(0, value)
            cv2.line(picture, (x, y), (width - margin, y), (235, 235, 235))
            cv2.putText(picture, f"{value:.3g}", (8, y + 4), color=(90, 90, 90), **text)
        for step in np.linspace(0, last, 6):
            x, _ = place(step, 10**low)
            cv2.putText(picture, f"{step:.0f}", (x - 15, height - 30), color=(90, 90, 90), **text)
        for column, (name, colour) in enumerate(curves.items()):
            line = np.array([place(*point) for point in points[name] if point[1] > 0], np.int32)
            if len(line):
                cv2.polylines(picture, [line.reshape(-1, 1, 2)], False, colour, 2, cv2.LINE_AA)
            cv2.putText(picture, name.replace("_", " "), (margin + 160 * column, 35), color=colour, **text)
        cv2.imwrite(str(self.plot_path), picture)


def best_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def save_state(path: Path, state: dict) -> None:
    """Write a state whole or not at all: a run killed while saving keeps the one before."""
    partial = path.with_name(path.name + ".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def train(config: TrainConfig, resume: bool = False) -> int:
    """Run (or resume) a training to its end, its time limit, or Ctrl-C. Returns the exit status.

    Raises:
        DataError, CheckpointError, ValueError: for pictures, weights or settings that cannot be used.
    """
    started = time.monotonic()
    folder = Path(config.out)
    state = None
    if resume:
        if not (folder / "state.pt").is_file():
            raise CheckpointError(f"There is nothing to resume in {folder}.")
        state = torch.load(folder / "state.pt", map_location="cpu", weights_only=True)
    device = torch.device(config.device) if config.device else best_device()
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
    torch.manual_seed(config.seed)  # for dropout, which draws from the global RNG; all else has a generator
    # Turned pictures stay sharp when there is more of them; others need no resizing back and forth.
    side = config.image_size * (2 if config.augment == "drawing" else 1)
    pictures = load_pictures(config.data, side, config.hold_out)
    trainer = Trainer(config, pictures, device)
    if state is not None:
        trainer.load_state_dict(state)
    folder.mkdir(parents=True, exist_ok=True)
    log = LossLog(folder, trainer.step)
    parameters = sum(p.numel() for p in trainer.model.parameters())
    print(
        f"{len(trainer.pixels)} pictures to train on, {int(pictures.held_out.sum())} held out, "
        f"{', '.join(f'{len(v)} {k} labels' for k, v in pictures.label_names.items())}; "
        f"{parameters / 1e6:.1f} M parameters on {device}."
    )

    stop = {"signal": 0}
    handlers = {
        s: signal.signal(s, lambda number, _: stop.update(signal=number))
        for s in (signal.SIGINT, signal.SIGTERM)
    }
    bar = tqdm(total=config.steps, initial=trainer.step, unit="step", dynamic_ncols=True)
    recent, since, images_per_second = [], time.monotonic(), 0.0

    def minutes() -> float:
        return log.minutes + (time.monotonic() - started) / 60

    def save() -> None:
        save_state(folder / "state.pt", trainer.state_dict())
        facts = {"minutes": round(minutes(), 1), "device": device_name(device), "parameters": parameters}
        facts["images_per_second"] = round(images_per_second, 1)
        for name in ("loss", "validation_loss"):
            known = [row[name] for row in log.rows if row[name]]
            facts[name] = float(known[-1]) if known else None
        save_checkpoint(folder / "checkpoint.safetensors", trainer.checkpoint(**facts), torch.float16)

    def report() -> None:
        trainer.sample_sheet().save(folder / f"samples-{trainer.step:06d}.png")
        log.add(
            step=trainer.step,
            validation_loss=round(trainer.validation_loss(), 6),
            minutes=round(minutes(), 2),
        )
        log.plot()

    try:
        while trainer.step < config.steps:
            recent.append(trainer.train_step())
            bar.update()
            step = trainer.step
            if step % config.log_every == 0 or step == config.steps:
                loss = float(torch.stack(recent).mean())  # the only place that waits for the device
                images_per_second = len(recent) * config.batch_size / (time.monotonic() - since)
                bar.set_postfix(loss=f"{loss:.4f}", images_per_s=f"{images_per_second:.0f}")
                rate = learning_rate(config, step)
                log.add(
                    step=step,
                    loss=round(loss, 6),
                    lr=f"{rate:.3g}",
                    images_per_second=round(images_per_second, 1),
                    minutes=round(minutes(), 2),
                )
                if not np.isfinite(loss):
                    raise ValueError(f"The loss is no longer a number at step {step}: try a smaller --lr.")
                recent, since = [], time.monotonic()
            out_of_time = config.max_minutes and time.monotonic() - started > 60 * config.max_minutes
            done = step == config.steps or out_of_time or stop["signal"]
            if step % config.sample_every == 0 or (done and not stop["signal"]):
                report()
                since = time.monotonic()
            if step % config.save_every == 0 or done:
                save()
                since = time.monotonic()
            if done:
                break
    finally:
        bar.close()
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if trainer.step < config.steps:
        print(f"Stopped at step {trainer.step}, saved in {folder}. Go on with --resume.")
    else:
        print(f"Done: {folder / 'checkpoint.safetensors'}")
    return 128 + stop["signal"] if stop["signal"] else 0


def device_name(device: torch.device) -> str:
    """What the run was trained on, for its record."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, {torch.get_num_threads()} threads"


def parser() -> argparse.ArgumentParser:
    """One flag for each field of TrainConfig; flags not given are absent from the result."""
    p = argparse.ArgumentParser(
        "python -m diffusion.train", description="Train a diffusion model on pictures."
    )
    p.add_argument("--resume", action="store_true", help="go on from OUT/state.pt, with its settings")
    types = typing.get_type_hints(TrainConfig)
    for f in fields(TrainConfig):
        many = typing.get_origin(types[f.name]) is tuple
        kind = typing.get_args(types[f.name])[0] if many else types[f.name]
        shown = " ".join(map(str, f.default)) if many else f.default
        p.add_argument(
            "--" + f.name.replace("_", "-"),
            type=kind,
            nargs="+" if many else None,
            default=argparse.SUPPRESS,
            choices=f.metadata.get("choices"),
            help=f.metadata["help"] + (f" (default: {shown})" if shown not in ("", ()) else ""),
        )
    return p


def inherited(start: Checkpoint) -> dict:
    """The settings that a checkpoint's network and schedule were made with."""
    network, schedule = start.model.config, start.schedule
    return {
        "image_size": network.image_size,
        "patch_size": network.patch_size,
        "channels": tuple(network.channels),
        "blocks": network.blocks,
        "attention": tuple(int(a) for a in network.attention),
        "head_channels": network.head_channels,
        "dropout": network.dropout,
        "schedule": schedule.kind,
        "num_train_timesteps": schedule.num_train_timesteps,
        "prediction_type": start.prediction_type,
    }


def configure(given: dict, resume: bool) -> TrainConfig:
    """Settings from flags; when resuming, those of the run, in which only CHANGEABLE flags may differ.

    A run that starts from a checkpoint takes over its network and schedule.
    """
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    if given.get("init_from") and not resume:
        given = inherited(load_checkpoint(given["init_from"])) | given
    config = replace(TrainConfig(), **given)
    state = Path(config.out) / "state.pt"
    if not resume:
        if not config.data:
            raise DataError("Say what to train on: --data with folders, tars, cifar10 or cifar100.")
        if state.exists():
            raise ValueError(
                f"{config.out} holds a run already: go on with --resume, or choose another --out."
            )
        return config
    if not state.is_file():
        raise CheckpointError(f"There is nothing to resume in {config.out}.")
    stored = torch.load(state, map_location="cpu", weights_only=True, mmap=True)["config"]
    stored = {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}
    if stored.keys() != {f.name for f in fields(TrainConfig)}:  # a default would make it another run
        raise CheckpointError(
            f"{config.out} was begun by another version of this program: start anew from what it reached, "
            f"--init-from {Path(config.out) / 'checkpoint.safetensors'}"
        )
    for name, value in given.items():
        if name not in CHANGEABLE and stored[name] != value:
            raise ValueError(
                f"This run was started with {name} = {stored[name]}; --resume cannot change that."
            )
    return TrainConfig(**{**stored, **given})


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; errors are one line on stderr and exit status 2."""
    given = vars(parser().parse_args(argv))
    resume = given.pop("resume")
    try:
        return train(configure(given, resume), resume)
    except (DataError, CheckpointError, ValueError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 2

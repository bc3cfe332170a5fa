"""Train a U-Net from pictures: `python -m diffusion.train --data FOLDER_OR_TAR ... --out runs/NAME`.

What a run leaves in its folder:

    checkpoint.safetensors   the averaged weights, ready for the app and the command line
    autoencoder/             the one that it draws in the latent space of, if it does
    state.pt                 everything needed to go on exactly: weights, optimizers, average, RNG, step
    loss.csv, loss.png       the loss, on training and held-out pictures
    samples-NNNNNN.png       pictures from fixed seeds and labels, to see it learn
"""

from __future__ import annotations

import math
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from tqdm import tqdm

from ..checkpoint import CheckpointError, save_checkpoint
from ..codec import autoencoder_beside
from ..errors import DoodleError
from ..files import whole, write_state
from ..machine import keep_memory
from ..options import Parser, add_options, command
from .config import STATE, RunConfig, TrainConfig, configure, learning_rate, remedy, stored_state
from .learner import Learner
from .log import LossLog
from .ranks import ALONE, Ranks, joined
from .sheets import sample_sheet
from .trainer import Trainer

CHECKPOINT = "checkpoint.safetensors"  # in a run's folder: the weights


def best_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_name(device: torch.device) -> str:
    """What the run was trained on, for its record."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, {torch.get_num_threads()} threads"


def restore(trainer: Learner, config: RunConfig) -> None:
    """Bring a trainer to where the run in its folder stopped.

    Raises:
        CheckpointError: the state there is missing, damaged, or of another network.
        DataError: the pictures are others.
    """
    path = Path(config.out) / STATE
    state = stored_state(config.out)
    try:
        trainer.load_state_dict(state)
        if not isinstance(trainer.step, int) or trainer.step < 0:
            raise TypeError("step")
    except DoodleError:
        raise
    except Exception as error:  # it may be wrong in any way
        raise CheckpointError(f"{path} is damaged: {remedy(type(config), config.out)}.") from error


def chosen_device(config: RunConfig, ranks: Ranks = ALONE) -> torch.device:
    """Where a run computes, made ready for it."""
    device = torch.device(config.device) if config.device else best_device()
    if device.type == "cuda":
        if ranks.world > 1:
            device = torch.device("cuda", ranks.local)
            torch.cuda.set_device(device)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
    return device


def begin(config: TrainConfig, resume: bool, ranks: Ranks = ALONE) -> Trainer:
    """A trainer with its pictures loaded, at the step where the run begins or goes on."""
    device = chosen_device(config, ranks)
    # For dropout, which draws from the global RNG; all else has a generator.
    torch.manual_seed(config.seed + ranks.rank)
    # Turned pictures stay sharp when there is more of them; others need no resizing back and forth.
    side = config.drawing_size * (2 if config.augment == "drawing" else 1)
    with ranks.one_by_one():
        pictures = config.pictures(side)
    trainer = Trainer(config, pictures, device, ranks)
    if resume:
        restore(trainer, config)
    if not ranks.main:
        return trainer
    if config.autoencoder:  # a checkpoint that draws latents finds it there
        with whole(autoencoder_beside(Path(config.out) / CHECKPOINT, config.image_size)) as partial:
            shutil.copyfile(config.autoencoder, partial)
    together = f" in {ranks.world} processes" if ranks.world > 1 else ""
    labels = ", ".join(f"{len(names)} {kind} labels" for kind, names in trainer.label_names.items())
    parameters = sum(p.numel() for p in trainer.model.parameters())
    print(
        f"{len(trainer.batches.pixels)} pictures to train on, {int(pictures.held_out.sum())} held out, "
        f"{labels}; {parameters / 1e6:.1f} M parameters on {device}{together}."
    )
    return trainer


@dataclass(frozen=True)
class Leaves:
    """What a kind of training leaves behind, besides its log and its state.

    Attributes:
        file: the name of the weights' file.
        save: writes the averaged weights there, with facts about the run.
        sheet: pictures that show what has been learnt.
    """

    file: str
    save: Callable[[Path, dict], None]
    sheet: Callable[[], Image.Image]


class Run:
    """A run as it goes: when to log, to draw, to save, to stop. Of several processes rank 0 writes.

    Args:
        trainer: at the step to go on from.
        folder: where everything is written.
        leaves: what is written besides the log and the state.
    """

    def __init__(self, trainer: Learner, folder: Path, leaves: Leaves) -> None:
        self.trainer, self.config, self.folder, self.leaves = trainer, trainer.config, folder, leaves
        self.started = self.since = time.monotonic()
        self.ranks = trainer.ranks
        folder.mkdir(parents=True, exist_ok=True)
        self.log = LossLog(folder, trainer.step, self.ranks.main)
        self.recent: list[torch.Tensor] = []
        self.images_per_second = 0.0
        self.signal = 0

    def minutes(self) -> float:
        """How long the run has taken, with those before it was resumed."""
        return self.log.minutes + (time.monotonic() - self.started) / 60

    def save(self) -> None:
        trainer = self.trainer
        write_state(self.folder / STATE, trainer.state_dict())
        facts: dict = {
            "minutes": round(self.minutes(), 1),
            "device": device_name(trainer.device) + (f", {n} of them" if (n := self.ranks.world) > 1 else ""),
            "precision": trainer.precision,
            "parameters": sum(p.numel() for p in trainer.model.parameters()),
            "images_per_second": round(self.images_per_second, 1),
        }
        for name in ("loss", "validation_loss"):
            known = [row[name] for row in self.log.rows if row[name]]
            facts[name] = float(known[-1]) if known else None
        self.leaves.save(self.folder / self.leaves.file, facts)

    def report(self) -> None:
        """A sample sheet, the held-out loss, and the curve up to now."""
        trainer = self.trainer
        with whole(self.folder / f"samples-{trainer.step:06d}.png") as partial:
            self.leaves.sheet().save(partial, format="PNG")
        loss = round(trainer.validation_loss(), 6)
        self.log.add(step=trainer.step, validation_loss=loss, minutes=round(self.minutes(), 2))
        self.log.plot()

    def mean_loss(self) -> float:
        """Of the steps since the last line of the log; waits for the device.

        Raises:
            DoodleError: it is not a number any more: nothing is to be saved of that.
        """
        loss, step = float(torch.stack(self.recent).mean()), self.trainer.step
        if not math.isfinite(loss):
            raise DoodleError(f"The loss is no longer a number at step {step}: try a smaller --lr.")
        return loss

    def record(self, bar: tqdm) -> None:
        """A line of the log."""
        step, loss = self.trainer.step, self.mean_loss()
        if not self.ranks.main:
            self.recent = []
            return
        seconds = time.monotonic() - self.since
        self.images_per_second = len(self.recent) * self.config.batch_size / seconds
        bar.set_postfix(loss=f"{loss:.4f}", images_per_s=f"{self.images_per_second:.0f}")
        self.log.add(
            step=step,
            loss=round(loss, 6),
            lr=f"{learning_rate(self.config, step):.3g}",
            images_per_second=round(self.images_per_second, 1),
            minutes=round(self.minutes(), 2),
        )
        self.recent, self.since = [], time.monotonic()

    def step(self, bar: tqdm) -> bool:
        """One step and what is due behind it; returns whether the run is over."""
        config, trainer = self.config, self.trainer
        self.recent.append(trainer.train_step())
        bar.update()
        step = trainer.step
        if step % config.log_every == 0 or step == config.steps:
            self.record(bar)
        late = bool(config.max_minutes) and time.monotonic() - self.started > 60 * config.max_minutes
        self.signal, out_of_time = self.ranks.agreed(self.signal, int(late))
        done = bool(step == config.steps or out_of_time or self.signal)
        reporting = step % config.sample_every == 0 or (done and not self.signal)
        saving = step % config.save_every == 0 or done
        if self.recent and (reporting or saving):
            self.mean_loss()
        if reporting and self.ranks.main:
            self.report()
        if saving and self.ranks.main:
            self.save()
        if reporting or saving:
            self.since = time.monotonic()
        return done

    def to_the_end(self) -> int:
        """Go on to the last step, the time limit, or Ctrl-C; returns the exit status."""
        keep_memory()
        trainer, steps = self.trainer, self.config.steps
        handlers = {
            s: signal.signal(s, lambda number, _: setattr(self, "signal", number))
            for s in (signal.SIGINT, signal.SIGTERM)
        }
        quiet = not self.ranks.main
        bar = tqdm(total=steps, initial=trainer.step, unit="step", dynamic_ncols=True, disable=quiet)
        try:
            while trainer.step < steps and not self.step(bar):
                pass
        finally:
            bar.close()
            trainer.close()
            for number, handler in handlers.items():
                signal.signal(number, handler)
        if quiet:
            return 128 + self.signal if self.signal else 0
        if trainer.step < steps:
            print(f"Stopped at step {trainer.step}, saved in {self.folder}. Go on with --resume.")
        else:
            if not (self.folder / self.leaves.file).exists():  # resumed behind its end
                self.save()
            print(f"Done: {self.folder / self.leaves.file}")
        return 128 + self.signal if self.signal else 0


def train(config: TrainConfig, resume: bool = False) -> int:
    """Run (or resume) a training to its end, its time limit, or Ctrl-C. Returns the exit status.

    Raises:
        DoodleError: for pictures, weights or settings that cannot be used.
    """
    with joined(config.batch_size) as ranks:
        trainer = begin(config, resume, ranks)

        def save(path: Path, facts: dict) -> None:
            save_checkpoint(path, trainer.checkpoint(**facts), torch.float16)

        leaves = Leaves(CHECKPOINT, save, lambda: sample_sheet(trainer))
        return Run(trainer, Path(config.out), leaves).to_the_end()


def parser() -> Parser:
    """One flag for each field of TrainConfig; flags not given are absent from the result."""
    p = Parser("python -m diffusion.train", description="Train a diffusion model on pictures.")
    p.add_argument("--resume", action="store_true", help="go on from OUT/state.pt, with its settings")
    add_options(p, TrainConfig)
    return p


@command("train")
def main(argv: Sequence[str] | None = None) -> int:
    """The command line; errors are one line on stderr and exit status 2."""
    given = vars(parser().parse_args(argv))
    resume = given.pop("resume")
    return train(configure(given, resume), resume)

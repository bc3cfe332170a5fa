"""Which settings are worth having? Each changed alone, measured, and compared with what chance would do.

    python -m diffusion.evaluate.ablate training --data DATA ... --judge JUDGE --out FOLDER
    python -m diffusion.evaluate.ablate sampling CHECKPOINT --data DATA ... --judge JUDGE --out FOLDER
    python -m diffusion.evaluate.ablate page --out FOLDER

`training` trains a small network for each variant of TrainConfig, all on the same number of pictures, and the
base with several seeds: a variant must beat the difference between those. A run whose checkpoint is in the
folder is not trained again. `sampling` draws with one checkpoint in many ways, always from the same noise.
Both write their numbers to the folder as JSON and as the page ABLATIONS.md; `page` writes that page alone.
"""

from __future__ import annotations

import argparse
import json
import platform
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from .. import __version__
from ..checkpoint import load_checkpoint
from ..classifier import ClassifierError, load_classifier
from ..errors import DoodleError
from ..files import write_text
from ..options import REQUIRED, Parser, add_options, command, option, settings_from
from ..train.data import load_pictures
from . import ablate_training
from .ablate_sampling import sampling
from .ablate_training import training
from .fit import check_fit, check_held_out
from .report import check_packages, write_ablations
from .study import Study
from .verdicts import finite


@dataclass(frozen=True)
class PageSettings:
    """Where the page stands."""

    out: str = option(REQUIRED, "folder for ABLATIONS.md and its numbers")


@dataclass(frozen=True)
class CommonSettings(PageSettings):
    """What both kinds of ablations need."""

    data: tuple[str, ...] = option(REQUIRED, "the data the judge was trained on")
    judge: str = option(REQUIRED, "made by diffusion.evaluate.judge, for the same labels")
    hold_out: float = option(
        0.1, "fraction of each subject's groups held out, as in training", low=0, below=1
    )


@dataclass(frozen=True)
class TrainingSettings(CommonSettings):
    """How much is trained and drawn."""

    samples: int = option(40_000, "pictures each run sees", low=1)
    seeds: int = option(4, "runs of the base", low=2)
    count: int = option(256, "pictures each network draws", low=1)


@dataclass(frozen=True)
class SamplingSettings(CommonSettings):
    """What is drawn with, and how much."""

    checkpoint: str = option(REQUIRED, "the model to draw with", positional=True)
    count: int = option(128, "pictures from noise, each way", low=1)
    drawings: int = option(64, "inputs of each kind", low=1)


SETTINGS: dict[str, tuple[type[PageSettings], str]] = {
    "training": (TrainingSettings, "train a small network for each variant"),
    "sampling": (SamplingSettings, "draw with one checkpoint in different ways"),
    "page": (PageSettings, "write ABLATIONS.md again from the numbers in a folder"),
}


def machine() -> str:
    """What this runs on: the processor's name where it is known, threads, and PyTorch's version."""
    names = Path("/proc/cpuinfo")
    lines = names.read_text().splitlines() if names.exists() else []
    found = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    threads = torch.get_num_threads()
    name = found[0] if found else platform.machine()
    return f"{name}, {threads} thread{'s' * (threads > 1)}, PyTorch {torch.__version__}"


def portable(path: str) -> str:
    """A path as it may be published: from the working folder down, or else its last name."""
    full, here = Path(path).resolve(), Path.cwd()
    return str(full.relative_to(here)) if full.is_relative_to(here) else full.name


def command_line(what: str, settings: TrainingSettings | SamplingSettings) -> str:
    """The command line that was given, without the machine's paths."""
    words = ["python", "-m", "diffusion.evaluate.ablate", what]
    if isinstance(settings, SamplingSettings):
        words.append(portable(settings.checkpoint))
    words += ["--data", *map(portable, settings.data), "--judge", portable(settings.judge)]
    words += ["--out", portable(settings.out)]
    for name in ("samples", "seeds", "count", "drawings", "hold_out"):
        if hasattr(settings, name):
            words += [f"--{name.replace('_', '-')}", f"{getattr(settings, name):g}"]
    return shlex.join(words)


def parser() -> argparse.ArgumentParser:
    p = Parser("python -m diffusion.evaluate.ablate", description="Change one setting at a time.")
    whats = p.add_subparsers(dest="what", required=True)
    for what, (settings, help) in SETTINGS.items():
        add_options(whats.add_parser(what, help=help), settings)
    return p


def start(settings: TrainingSettings | SamplingSettings) -> Iterator[dict]:
    """Load what the settings name; what comes back does the work."""
    return start_training(settings) if isinstance(settings, TrainingSettings) else start_sampling(settings)


def start_training(settings: TrainingSettings) -> Iterator[dict]:
    base = ablate_training.BASE
    if settings.samples < base.batch_size:
        raise DoodleError(f"--samples must be at least {base.batch_size}, one step, not {settings.samples}.")
    classifier = load_classifier(settings.judge)
    pictures = load_pictures(settings.data, 2 * base.image_size, settings.hold_out)
    if classifier.label_names != pictures.label_names:
        raise ClassifierError(
            "The judge knows other labels than the pictures have: train it on the same data."
        )
    check_held_out(pictures)
    base = replace(base, steps=settings.samples // base.batch_size)
    return training(pictures, classifier, base, settings.seeds, settings.count, Path(settings.out))


def start_sampling(settings: SamplingSettings) -> Iterator[dict]:
    checkpoint, classifier = load_checkpoint(settings.checkpoint), load_classifier(settings.judge)
    pictures = load_pictures(settings.data, 2 * checkpoint.drawing_size, settings.hold_out)
    check_fit(checkpoint, classifier, pictures)
    return sampling(Study(checkpoint, classifier, pictures, count=settings.count), settings.drawings)


@command("ablate")
def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    args = parser().parse_args(argv)
    settings = settings_from(SETTINGS[args.what][0], args)
    out, started = Path(settings.out), time.monotonic()
    check_packages()
    if isinstance(settings, (TrainingSettings, SamplingSettings)):
        about = {"version": __version__, "command": command_line(args.what, settings), "machine": machine()}
        for result in start(settings):
            # After each part, so that a run that is stopped leaves what it knows.
            minutes = {"minutes": round((time.monotonic() - started) / 60, 1)}
            text = json.dumps(finite(about | minutes | result), indent=1)
            write_text(out / f"ablations-{args.what}.json", text + "\n")
    write_ablations(out)
    print(f"Done: {out / 'ABLATIONS.md'}")


if __name__ == "__main__":
    sys.exit(main())

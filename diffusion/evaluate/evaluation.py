"""An evaluation from its settings to its files: which study, which parts, what is written.

It leaves evaluation.json, EVALUATION.md and pictures; and pictures.json, the figures of drawings picture by
picture, which compare.py reads.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from .. import __version__
from ..checkpoint import load_checkpoint
from ..classifier import load_classifier
from ..errors import DoodleError
from ..files import write_text
from ..machine import PRECISIONS, chosen_precision
from ..options import REQUIRED, SEED, option
from ..sampler import USUAL
from ..train.class_names import read_class_names
from ..train.data import load_pictures
from ..train.growth import read_names
from .fit import check_fit, check_translated
from .parts import OF_PIXELS, PARTS, TRANSLATED
from .report import write_evaluation
from .study import Study
from .targets import targets
from .verdicts import finite

HANDS = "assets/drawings/hands"
COLOUR_IN: dict[str, bool | None] = {"auto": None, "yes": True, "no": False}
SAMPLING = tuple(
    "count steps guidance temperature steering steered_below precision seed cells strengths".split()
)


@dataclass(frozen=True)
class DrawnSettings:
    """With what checkpoints are measured, and on how many drawings."""

    data: tuple[str, ...] = option(REQUIRED, "all the data the checkpoint was trained on")
    judge: str = option(REQUIRED, "made by diffusion.evaluate.judge, for the same labels and size")
    out: str = option(REQUIRED, "folder for numbers, page and pictures")
    class_names: str = option("", "a file that says what folders such as n01440764 are called")
    drawings: str = option(HANDS, "folder of drawings by hand")
    names: str = option(
        "", "concepts.json, for a checkpoint that knows things by what they were called before"
    )
    colour_in: str = option(
        "auto", "outlines; auto: for a network that is not told the drawing", choices=tuple(COLOUR_IN)
    )
    cells: int = option(96, "held-out pictures that crude drawings are made of", low=1)
    strengths: tuple[float, ...] = option((0.6, 0.8, 1.0), "at which these are painted", low=0, high=1)
    hold_out: float = option(
        0.1, "fraction of each subject's groups held out, as in training", low=0, below=1
    )
    precision: str = option(
        "auto", "of the sampling; auto: the faster one here", choices=("auto", *PRECISIONS)
    )
    steering: float = option(
        USUAL.steering, "of classifier guidance, where there is a guide beside the checkpoint", low=0
    )
    steered_below: float = option(
        USUAL.steered_below, "share of the noise levels at which it steers", low=0, high=1
    )
    temperature: float = option(USUAL.temperature, "of the noise over drawings, see sdedit.py", low=0, high=1)
    seed: int = option(0, "of everything random", **SEED)


@dataclass(frozen=True)
class MeasureSettings(DrawnSettings):
    """The same, for parts that sample in one way."""

    parts: tuple[str, ...] = option(tuple(PARTS), "what to measure", choices=tuple(PARTS))
    count: int = option(256, "pictures from noise; other parts in proportion", low=1)
    steps: int = option(USUAL.steps, "steps of a run of strength 1", low=1)
    guidance: float = option(USUAL.guidance, "classifier-free guidance scale, 1 = off", low=0)


@dataclass(frozen=True)
class EvaluateSettings(MeasureSettings):
    """What is measured, with what, on how much."""

    checkpoint: str = option(REQUIRED, "the model to measure", positional=True)


def hands_folder(name: str) -> Path | None:
    """The folder of drawings by hand; None where it is the usual one and not there.

    Raises:
        DoodleError: another one is not there.
    """
    folder = Path(name)
    if folder.is_dir():
        return folder
    if name != HANDS:
        raise DoodleError(f"There is no folder of drawings at {name}.")
    return None


def open_study(settings: DrawnSettings, checkpoint_file: str, strict: bool) -> Study:
    """All that a study needs, read and checked.

    Args:
        strict: must the checkpoint have the labels of the pictures?

    Raises:
        DoodleError: something is missing, or does not fit the rest.
    """
    checkpoint, classifier = load_checkpoint(checkpoint_file), load_classifier(settings.judge)
    hands, names = hands_folder(settings.drawings), read_names(settings.names)
    fit = checkpoint.training.get("config", {}).get("fit", "pad")
    called, side = read_class_names(settings.class_names), 2 * checkpoint.drawing_size
    pictures = load_pictures(settings.data, side, settings.hold_out, fit, called)
    check = check_fit if strict else check_translated
    check(checkpoint, classifier, pictures)
    study = Study(checkpoint, classifier, pictures)
    sampling = {name: getattr(settings, name) for name in SAMPLING if hasattr(settings, name)}
    sampling["precision"] = chosen_precision(settings.precision)
    if not checkpoint.guide:
        sampling["steering"] = 0.0
    told = names or checkpoint.names
    return replace(study, **sampling, names=told, hands=hands, colour_in=COLOUR_IN[settings.colour_in])


def evaluate(study: Study, parts: Sequence[str], about: dict, out: Path) -> dict:
    """Run the parts, write evaluation.json, EVALUATION.md and pictures to `out`; returns the numbers.

    Args:
        about: what stands at the head of the numbers.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "pictures.json").unlink(missing_ok=True)  # an earlier evaluation's would be taken for this one's
    study.out = out
    result: dict = {**about, "targets": [], "seconds": {}}
    for name in (bar := tqdm([name for name in PARTS if name in parts])):
        bar.set_description(name)
        started = time.monotonic()
        result[name] = finite(PARTS[name](study))
        result["seconds"][name] = round(time.monotonic() - started)
        result["targets"] = targets(result)
        # After each part, so that a run that is stopped leaves what it knows.
        write_text(out / "evaluation.json", json.dumps(result, indent=1) + "\n")
        if study.each:
            write_text(out / "pictures.json", json.dumps(finite({**about, "each": study.each})) + "\n")
        write_evaluation(result, out)
    return result


def of_latents(study: Study, parts: Sequence[str]) -> tuple[list[str], dict]:
    """Which parts can be measured of a checkpoint that may draw latents; and what is to be said of those.

    Raises:
        DoodleError: none of them can.
    """
    if study.checkpoint.codec.in_pixels:
        return list(parts), {}
    left = [part for part in parts if part not in OF_PIXELS]
    if not left:
        raise DoodleError(
            f"This checkpoint draws latents, of which {' and '.join(parts)} cannot be measured."
        )
    left_out = [part for part in parts if part in OF_PIXELS]
    return left, {"latents": {"decoded": study.drawing_size, "judged": study.size, "left_out": left_out}}


def measure(settings: MeasureSettings, checkpoint_file: str, out: Path) -> dict:
    """An evaluation of a file, from its settings to what is written to `out`; returns the numbers."""
    study = open_study(settings, checkpoint_file, strict=not set(settings.parts) <= set(TRANSLATED))
    parts, latents = of_latents(study, settings.parts)
    checkpoint, judge = study.checkpoint, study.classifier.training
    about = {
        "version": __version__,
        "checkpoint": Path(checkpoint_file).name,
        "judge": {"file": Path(settings.judge).name, "accuracy": judge.get("accuracy", {})},
        "trained": {
            k: checkpoint.training[k] for k in ("version", "steps", "samples") if k in checkpoint.training
        },
        "settings": {name: getattr(study, name) for name in SAMPLING},
    }
    return evaluate(study, parts, about | latents, out)

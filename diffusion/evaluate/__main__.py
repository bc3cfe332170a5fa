"""How good is a checkpoint? Measured on held-out pictures, written as JSON and as one page of Markdown.

    python -m diffusion.evaluate CHECKPOINT --data FOLDER_OR_TAR ... --judge JUDGE --out FOLDER

A `Study` (study.py) makes the pictures, each part (parts.py) returns plain numbers about them (metrics.py) as
the judge sees them (classifier.py), targets.py says which are good enough, report.py writes the page.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tqdm import tqdm

from .. import __version__
from ..checkpoint import load_checkpoint
from ..files import write_text
from ..options import REQUIRED, command, option, parse
from ..sampler import USUAL
from ..train.data import load_pictures
from .classifier import load_classifier
from .parts import PARTS
from .report import check_packages, write_evaluation
from .study import Study, check_fit
from .targets import targets
from .verdicts import finite


@dataclass(frozen=True)
class EvaluateSettings:
    """What is measured, with what, on how much."""

    checkpoint: str = option(REQUIRED, "the model to measure", positional=True)
    data: tuple[str, ...] = option(REQUIRED, "all the data the checkpoint was trained on")
    judge: str = option(REQUIRED, "made by diffusion.evaluate.judge, for the same labels and size")
    out: str = option(REQUIRED, "folder for evaluation.json, EVALUATION.md and pictures")
    parts: tuple[str, ...] = option(tuple(PARTS), "what to measure", choices=tuple(PARTS))
    count: int = option(256, "pictures from noise; other parts in proportion", low=1)
    steps: int = option(USUAL.steps, "steps of a run of strength 1", low=1)
    guidance: float = option(USUAL.guidance, "classifier-free guidance scale, 1 = off", low=0)
    hold_out: float = option(
        0.1, "fraction of each subject's groups held out, as in training", low=0, below=1
    )
    precision: str = option("bf16", "of the sampling", choices=("bf16", "fp32"))
    seed: int = option(0, "of everything random", low=0)


def evaluate(study: Study, parts: Sequence[str], about: dict, out: Path) -> dict:
    """Run the parts, write evaluation.json, EVALUATION.md and pictures to `out`; returns the numbers.

    Args:
        about: what stands at the head of the numbers.
    """
    out.mkdir(parents=True, exist_ok=True)
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
        write_evaluation(result, out)
    return result


@command("evaluate")
def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    settings = parse(EvaluateSettings, "python -m diffusion.evaluate", "Measure a checkpoint.", argv)
    check_packages()
    checkpoint, classifier = load_checkpoint(settings.checkpoint), load_classifier(settings.judge)
    pictures = load_pictures(settings.data, 2 * checkpoint.image_size, settings.hold_out)
    check_fit(checkpoint, classifier, pictures)
    sampling = {
        name: value
        for name, value in asdict(settings).items()
        if name in ("count", "steps", "guidance", "precision", "seed")
    }
    study = Study(checkpoint, classifier, pictures, **sampling)
    about = {
        "version": __version__,
        "checkpoint": Path(settings.checkpoint).name,
        "judge": {"file": Path(settings.judge).name, "accuracy": classifier.training.get("accuracy", {})},
        "trained": {k: v for k, v in checkpoint.training.items() if k in ("version", "steps", "samples")},
        "settings": sampling,
    }
    out = Path(settings.out)
    result = evaluate(study, settings.parts, about, out)
    for target in result["targets"]:
        verdict, sign = "met" if target["met"] else "MISSED", ">=" if target["above"] else "<="
        print(f"{verdict:6} {target['name']}: {target['value']:.3g} ({sign} {target['bound']:.3g})")
    print(f"Done: {out / 'EVALUATION.md'}")


if __name__ == "__main__":
    sys.exit(main())

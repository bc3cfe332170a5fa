"""What becomes of few calls of the network? Checkpoints of any schedule side by side, from the same noise.

    python -m diffusion.evaluate.few_calls CHECKPOINT ... --out FOLDER

Each row is a checkpoint and a solver, each column a number of calls, each cell pictures from the same seeds
and labels. "apart" is the root mean square distance, in units of [-1, 1], from what the same checkpoint makes
with FINE calls of DDIM: a straight way is one that few steps follow (Liu et al. 2023, section 2.2). With
--judge and --data the KID to held-out pictures as well. What draws latents is compared when decoded, and
averaged down for the judge. Leaves few-calls.png and FEW_CALLS.md.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from .. import images
from ..checkpoint import Checkpoint, load_checkpoint
from ..classifier import load_classifier
from ..condition import Condition
from ..errors import DoodleError
from ..files import whole, write_text
from ..grid import contact_sheet
from ..machine import PRECISIONS, chosen_precision
from ..options import REQUIRED, SEED, command, option, parse
from ..sampler import SOLVERS, USUAL, Sampling
from ..sdedit import edit
from ..train.choose import evenly
from ..train.data import load_pictures
from .figures import apart_from
from .fit import check_size
from .metrics import kid
from .tables import table

FINE = 100  # calls of the run that "apart" is measured from
BATCH = 64
SHOWN = 9  # pictures in a cell of the sheet, three by three


@dataclass(frozen=True)
class FewSettings:
    """Which checkpoints, in how many calls."""

    checkpoints: tuple[str, ...] = option(REQUIRED, "the models to compare", positional=True)
    out: str = option(REQUIRED, "folder for few-calls.png and FEW_CALLS.md")
    calls: tuple[int, ...] = option((1, 2, 4, 8, 20), "of the network, for one picture", low=1, high=FINE)
    solvers: tuple[str, ...] = option(("ddim",), "to compare", choices=tuple(SOLVERS))
    count: int = option(64, "pictures of each", low=2)
    guidance: float = option(USUAL.guidance, "classifier-free guidance scale, 1 = off", low=0)
    judge: str = option("", "whose features KID is measured in, made by diffusion.evaluate.judge")
    data: tuple[str, ...] = option((), "real pictures for KID: those held out of it")
    hold_out: float = option(0.1, "fraction of each subject's groups held out", low=0, below=1)
    precision: str = option("auto", "of the sampling", choices=("auto", *PRECISIONS))
    seed: int = option(0, "picture i is made with seed + i", **SEED)

    def __post_init__(self) -> None:
        if bool(self.judge) != bool(self.data):
            raise DoodleError("KID takes both --judge and --data.")


def steps_for(solver: str, calls: int) -> int:
    """The most steps that take no more than so many calls: Heun asks twice in all but the last."""
    return (calls + 1) // 2 if solver == "heun" else calls


def labels_of(checkpoint: Checkpoint, count: int) -> Tensor:
    """Label combinations that were trained, spread over all there are: long (count, K)."""
    if not checkpoint.pairs:
        return checkpoint.encode_labels(batch=count)
    pairs = [checkpoint.pairs[i * len(checkpoint.pairs) // count] for i in range(count)]
    return torch.cat([checkpoint.encode_labels(dict(zip(checkpoint.label_names, pair))) for pair in pairs])


def made(checkpoint: Checkpoint, settings: FewSettings, solver: str, steps: int) -> Tensor:
    """Pictures from pure noise, (count, 3, S, S)."""
    labels, found = labels_of(checkpoint, settings.count), []
    sampling = Sampling(1.0, steps, settings.guidance, solver=solver)
    for rows in torch.arange(settings.count).split(BATCH):
        generators = [torch.Generator().manual_seed(settings.seed + int(i)) for i in rows]
        *_, last = edit(checkpoint, None, Condition.of(checkpoint, labels[rows]), sampling, generators)
        found.append(checkpoint.codec.preview(last.x.float()))
    return torch.cat(found)


def name_of(path: Path) -> str:
    """A checkpoint's own name, or that of its run's folder."""
    return path.resolve().parent.name if path.stem == "checkpoint" else path.stem


def mosaic(x0: Tensor) -> Image.Image:
    """The first SHOWN pictures, three in a row."""
    side = round(SHOWN**0.5)
    rows = [torch.cat([*x0[i : i + side]], dim=2) for i in range(0, min(SHOWN, len(x0)) // side * side, side)]
    return images.to_pil(torch.cat(rows or [x0[0]], dim=1))


class Real:
    """Real pictures to which KID is measured."""

    def __init__(self, settings: FewSettings) -> None:
        self.judge = load_classifier(settings.judge)
        size = self.judge.image_size
        pictures = load_pictures(settings.data, size, settings.hold_out)
        test = pictures.test() if bool(pictures.held_out.any()) else pictures
        test = test.subset(evenly(len(test), max(256, settings.count)))
        self.features = self.judge.features(test.x0(size))

    def kid(self, x0: Tensor) -> str:
        x0 = F.avg_pool2d(x0, x0.shape[-1] // self.judge.image_size)
        value, error = kid(self.judge.features(x0.clamp(-1, 1)), self.features)
        return f", KID {value:.3f} ± {error:.3f}"


@command("few_calls")
def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    about = "Compare checkpoints and solvers at few calls of the network."
    settings = parse(FewSettings, "python -m diffusion.evaluate.few_calls", about, argv)
    real, out = Real(settings) if settings.judge else None, Path(settings.out)
    cells, names, rows = [], [], []
    for path in settings.checkpoints:
        checkpoint = load_checkpoint(path, upscaler=False).computing(chosen_precision(settings.precision))
        if real:
            check_size(checkpoint, real.judge)
        fine = made(checkpoint, settings, "ddim", FINE)
        for solver in settings.solvers:
            name = f"{name_of(Path(path))}, {checkpoint.schedule.kind}, {solver}"
            results = [
                made(checkpoint, settings, solver, steps_for(solver, n))
                for n in tqdm(settings.calls, desc=name)
            ]
            cells.append([mosaic(x0) for x0 in (*results, fine)])
            names.append(name.replace(", ", "\n"))
            figures = [f"{float(apart_from(x0, fine).mean()):.3f}" for x0 in results] + ["0"]
            kids = [real.kid(x0) for x0 in (*results, fine)] if real else [""] * len(figures)
            rows.append((name, *(f"{figure}{more}" for figure, more in zip(figures, kids))))
    heads = [*map(str, settings.calls), f"{FINE} (ddim)"]
    out.mkdir(parents=True, exist_ok=True)
    with whole(out / "few-calls.png") as partial:
        contact_sheet(cells, names, [f"{n} calls" for n in heads], cell=160).save(partial, format="PNG")
    shown = table(["apart, by calls", *heads], rows)
    write_text(out / "FEW_CALLS.md", f"# Few calls\n\n{settings.count} pictures each.\n\n{shown}\n")
    print(shown)


if __name__ == "__main__":
    sys.exit(main())

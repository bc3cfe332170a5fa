"""How few calls of the network make the same picture? Cheaper ways to sample, beside DDIM as it is.

    python -m diffusion.evaluate.calls CHECKPOINT --data FOLDER_OR_TAR ... --judge JUDGE --out FOLDER

All solvers, numbers of steps and intervals of guidance that are named, on the inputs of sweep.py and the same
seeds. What a cheaper way loses is the paired difference from the usual way's figures; "apart" is the root
mean square distance from what DDIM makes in many steps, in units of [-1, 1], which the usual way has too.
Leaves calls.json and CALLS.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from torch import Tensor
from tqdm import tqdm

from ..denoiser import Guidance
from ..errors import DoodleError
from ..files import write_text
from ..guidance import Within
from ..options import REQUIRED, command, option, parse
from ..sampler import SOLVERS, USUAL
from .compare import differences
from .drawn_tables import comparison_table
from .evaluation import DrawnSettings, open_study
from .figures import Drawings, apart_from, figures, painted, record
from .study import Study
from .sweep import inputs
from .verdicts import finite

FINE = 100  # steps of the run that "apart" is measured from
HEAD = """# Fewer calls: {name}

At most {cells} pictures of each input, seeds from {seed}. A: the usual way, DDIM in {steps} steps guided at
every t. B: the row's. "calls": pictures that go through the network for one.
"""


@dataclass(frozen=True)
class CallsSettings(DrawnSettings):
    """Which ways, on how much."""

    checkpoint: str = option(REQUIRED, "the model to measure", positional=True)
    out: str = option(REQUIRED, "folder for calls.json and CALLS.md")
    cells: int = option(24, "pictures of each input", low=1)
    strengths: tuple[float, ...] = option((USUAL.strength,), "at which these are painted", low=0, high=1)
    solvers: tuple[str, ...] = option(tuple(SOLVERS), "to compare", choices=tuple(SOLVERS))
    step_counts: tuple[int, ...] = option((8, 12, 20), "steps of a run of strength 1", low=1)
    intervals: tuple[str, ...] = option(
        ("0-1",), "of t/T in which labels are guided, as 0.2-0.8; 0-1 is everywhere"
    )


def interval(text: str) -> tuple[float, float]:
    """ "0.2-0.8" -> (0.2, 0.8).

    Raises:
        DoodleError: it is not two numbers in order, in [0, 1].
    """
    try:
        low, high = (float(end) for end in text.split("-"))
    except ValueError:
        low, high = 1.0, 0.0
    if not 0 <= low < high <= 1:
        raise DoodleError(f"{text!r} is no interval in [0, 1], such as 0.2-0.8.")
    return low, high


@dataclass(frozen=True)
class Way:
    """One way to sample: guided where low <= t/T <= high."""

    solver: str = USUAL.solver
    steps: int = USUAL.steps
    low: float = 0.0
    high: float = 1.0

    def __str__(self) -> str:
        everywhere = (self.low, self.high) == (0, 1)
        return f"{self.solver}, {self.steps}" + ("" if everywhere else f", {self.low:g}-{self.high:g}")

    def guidance(self, num_train_timesteps: int) -> Guidance:
        low, high = (round(share * num_train_timesteps) for share in (self.low, self.high))
        return Within(USUAL.new_guidance(None), low, high)


def made(
    study: Study, drawn: dict[str, Drawings], way: Way, strength: float
) -> tuple[dict[str, Tensor], float]:
    """What the checkpoint makes of each kind of input in this way, (N, 3, R, R), and how many pictures went
    through the network for one."""
    guidance = way.guidance(study.checkpoint.schedule.num_train_timesteps)
    changed = replace(study, solver=way.solver, steps=way.steps, guidance=guidance)
    asked: list[int] = []
    counting = study.painter.model.register_forward_pre_hook(lambda _, args: asked.append(len(args[0])))
    try:
        results = {kind: painted(changed, some, strength, kind) for kind, some in drawn.items()}
    finally:
        counting.remove()
    return results, sum(asked) / max(1, sum(map(len, drawn.values())))


def judged(study: Study, results: dict[str, Tensor], drawn: dict[str, Drawings], fine: dict) -> dict:
    """Their figures picture by picture, as `compare.differences` takes them."""
    study.each.clear()
    for kind, x0 in results.items():
        found = figures(study, x0, drawn[kind])
        found["apart"] = apart_from(x0, fine[kind])
        record(study, kind, found, drawn[kind])
    return dict(study.each)


def ways(settings: CallsSettings) -> Iterator[Way]:
    """Those that are named, without the usual one."""
    ends = [interval(text) for text in settings.intervals]
    for solver, steps, (low, high) in product(settings.solvers, settings.step_counts, ends):
        if Way(solver, steps, low, high) != Way():
            yield Way(solver, steps, low, high)


def compared(study: Study, others: Sequence[Way]) -> dict[str, dict[str, dict]]:
    """{kind of input, strength: {way and its calls: as in `differences`}}."""
    drawn = inputs(study)
    found: dict[str, dict[str, dict]] = {}
    for strength in study.strengths:
        fine, _ = made(study, drawn, Way(steps=FINE), strength)
        usual = judged(study, made(study, drawn, Way(), strength)[0], drawn, fine)
        for way in tqdm(others, desc=f"strength {strength:g}"):
            results, calls = made(study, drawn, way, strength)
            one = differences(usual, judged(study, results, drawn, fine))
            for kind, row in one.items():
                found.setdefault(f"{kind}, {strength:g}", {})[f"{way} ({calls:g} calls)"] = row
    return found


@command("calls")
def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    about = "Try cheaper ways to sample."
    settings = parse(CallsSettings, "python -m diffusion.evaluate.calls", about, argv)
    others = list(ways(settings))
    study = open_study(settings, settings.checkpoint, strict=False)
    found = finite(compared(study, others))
    name, out = Path(settings.checkpoint).name, Path(settings.out)
    result = {"checkpoint": name, "precision": study.precision, "inputs": found}
    write_text(out / "calls.json", json.dumps(result, indent=1) + "\n")
    head = HEAD.format(name=name, steps=USUAL.steps, cells=settings.cells, seed=settings.seed)
    shown = "\n\n".join(f"## {kind}\n\n{comparison_table(rows)}" for kind, rows in found.items())
    write_text(out / "CALLS.md", f"{head}\n{shown}\n")
    print(shown)


if __name__ == "__main__":
    sys.exit(main())

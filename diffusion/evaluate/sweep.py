"""Which strength, guidance and steps for which input? All combinations, on the same drawings and seeds.

    python -m diffusion.evaluate.sweep CHECKPOINT --data FOLDER_OR_TAR ... --judge JUDGE --out FOLDER

Inputs: outlines, filled drawings and bad pictures of held-out cells, and the project's own drawings, each in
the first of its styles. Leaves sweep.json and SWEEP.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import torch
from tqdm import tqdm

from ..files import write_text
from ..options import REQUIRED, command, option, parse
from ..train.choose import evenly
from .drawings import cells, crude
from .drawn_tables import sweep_table
from .evaluation import DrawnSettings, open_study
from .figures import Drawings, figures, painted, summary
from .hands import by_hand
from .study import Study
from .verdicts import finite

KINDS = {"outline": "outline", "filled": "filled", "bad picture": "spoilt"}
HEAD = """# Sweep of {name}

Each cell: named as asked by the judge (± standard error), lines kept, invented edges, and the distance to the
true picture where there is one. **Bold**: within one standard error of the best as asked of the column. Seeds
from {seed}; {cells} pictures of each input at most.
"""


@dataclass(frozen=True)
class SweepSettings(DrawnSettings):
    """Which combinations, on how much."""

    checkpoint: str = option(REQUIRED, "the model to measure", positional=True)
    out: str = option(REQUIRED, "folder for sweep.json and SWEEP.md")
    cells: int = option(24, "pictures of each input", low=1)
    guidances: tuple[float, ...] = option((1.5, 2.0, 3.0), "guidance scales", low=0)
    step_counts: tuple[int, ...] = option((10, 20), "steps of a run of strength 1", low=1)


def inputs(study: Study) -> dict[str, Drawings]:
    """What is painted, by kind."""
    pictures = cells(study)
    found = {name: crude(study, pictures, kind)[0] for name, kind in KINDS.items()}
    drawn, _, _ = by_hand(study)
    first = torch.tensor([thing not in drawn.of[:i] for i, thing in enumerate(drawn.of)], dtype=torch.bool)
    drawn = drawn.subset(first)
    found["by hand"] = drawn.subset(evenly(len(drawn), study.cells))
    return {kind: drawn for kind, drawn in found.items() if len(drawn)}


def sweep(study: Study, guidances: Sequence[float], counts: Sequence[int]) -> list[dict]:
    """{"strength", "guidance", "steps", "inputs": {kind: figures}} of each combination."""
    drawn, rows = inputs(study), []
    for strength, guidance, steps in tqdm([*product(study.strengths, guidances, counts)], desc="sweep"):
        changed = replace(study, guidance=guidance, steps=steps)
        found = {
            kind: summary(figures(study, painted(changed, some, strength, kind), some), some.of)
            for kind, some in drawn.items()
        }
        rows.append({"strength": strength, "guidance": guidance, "steps": steps, "inputs": found})
    return rows


@command("sweep")
def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    about = "Try strengths, guidance scales and numbers of steps."
    settings = parse(SweepSettings, "python -m diffusion.evaluate.sweep", about, argv)
    study = open_study(settings, settings.checkpoint, strict=False)
    rows = finite(sweep(study, settings.guidances, settings.step_counts))
    out, name = Path(settings.out), Path(settings.checkpoint).name
    shown = sweep_table(rows, list(rows[0]["inputs"]))
    write_text(out / "sweep.json", json.dumps({"checkpoint": name, "rows": rows}, indent=1) + "\n")
    head = HEAD.format(name=name, seed=settings.seed, cells=settings.cells)
    write_text(out / "SWEEP.md", f"{head}\n{shown}\n")
    print(shown)


if __name__ == "__main__":
    sys.exit(main())

"""How good is a checkpoint? Measured on held-out pictures, written as JSON and as one page of Markdown.

    python -m diffusion.evaluate CHECKPOINT --data FOLDER_OR_TAR ... --judge JUDGE --out FOLDER
    python -m diffusion.evaluate --compare A B --out FOLDER [--data ... --judge ...]     (compare.py)

A `Study` (study.py) makes the pictures, each part (parts.py) returns plain numbers about them (metrics.py) as
the judge sees them (../classifier.py), targets.py says which are good enough, report.py writes the page.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ..options import command, parse
from . import compare
from .evaluation import EvaluateSettings, measure
from .report import check_packages


@command("evaluate")
def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    argv = sys.argv[1:] if argv is None else argv
    if "--compare" in argv:
        return compare.run([word for word in argv if word != "--compare"])
    settings = parse(EvaluateSettings, "python -m diffusion.evaluate", "Measure a checkpoint.", argv)
    check_packages()
    out = Path(settings.out)
    result = measure(settings, settings.checkpoint, out)
    for target in result["targets"]:
        verdict, sign = "met" if target["met"] else "MISSED", ">=" if target["above"] else "<="
        print(f"{verdict:6} {target['name']}: {target['value']:.3g} ({sign} {target['bound']:.3g})")
    print(f"Done: {out / 'EVALUATION.md'}")


if __name__ == "__main__":
    sys.exit(main())

"""Which of two checkpoints paints drawings better? The same drawings, the same seeds, picture by picture.

    python -m diffusion.evaluate --compare A B --out FOLDER [--data ... --judge ... and other settings]

A and B are checkpoints, which are then evaluated in FOLDER/a and FOLDER/b, or folders of evaluations done
before with the same judge and seed. Most of what a figure may be off by is in both, for the drawings are the
same, and falls out of the difference; its standard error is that of the paired differences.

Where their tables of labels differ, each is told its own name of the thing, the judge decides by the names of
the pictures, and what one of them has no word for is left out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ..errors import DoodleError
from ..files import read_json, write_text
from ..options import REQUIRED, option, parse
from .drawn_tables import comparison_table
from .evaluation import MeasureSettings, measure
from .figures import averaged
from .parts import TRANSLATED
from .report import check_packages
from .verdicts import finite


@dataclass(frozen=True)
class CompareSettings(MeasureSettings):
    """What is compared, with what, on how much."""

    a: str = option(REQUIRED, "a checkpoint, or the folder of an evaluation", positional=True)
    b: str = option(REQUIRED, "the other one", positional=True)
    data: tuple[str, ...] = option((), "all the data the newer checkpoint was trained on")
    judge: str = option("", "made by diffusion.evaluate.judge, for the labels of the data")
    parts: tuple[str, ...] = option(("drawings", "hands"), "what to compare", choices=TRANSLATED)


def read_pictures(folder: Path) -> dict:
    """What an evaluation found picture by picture.

    Raises:
        DoodleError: it is missing or damaged.
    """
    path = folder / "pictures.json"
    if not path.exists():
        raise DoodleError(f"Cannot read {path}: No such file or directory. Was a part about drawings run?")
    found = read_json(path)
    try:
        for what in found["each"].values():
            rows = {len(what["names"]), len(what["of"]), *map(len, what["figures"].values())}
            numbers = [each for figure in what["figures"].values() for each in figure]
            if len(rows) != 1 or not all(isinstance(each, int | float | None) for each in numbers):
                raise ValueError
            hash((*what["names"], *what["of"]))
        str(found["checkpoint"]), found["judge"], found["settings"]["seed"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DoodleError(f"{path} is damaged: it has no figures picture by picture.") from error
    return found


def check_alike(a: dict, b: dict) -> None:
    """Raises DoodleError where two evaluations were made with other judges or seeds."""
    for what, of in {"judges": lambda r: r["judge"], "seeds": lambda r: r["settings"]["seed"]}.items():
        if of(a) != of(b):
            raise DoodleError(f"The two evaluations have different {what}: they cannot be compared.")


def differences(a: dict, b: dict) -> dict[str, dict]:
    """What `figures.record` kept of two checkpoints -> their means and B - A, by what was painted.

    Returns:
        {what: {"pictures": in both, "figures": {name: {"a", "b", "difference"}}}}, each {"value", "error"}.
    """
    found = {}
    for what in a:
        if what not in b:
            continue
        place = {name: i for i, name in enumerate(b[what]["names"])}
        rows = [(i, place[name]) for i, name in enumerate(a[what]["names"]) if name in place]
        of = [a[what]["of"][i] for i, _ in rows]
        figures: dict[str, dict] = {}
        for name in a[what]["figures"]:
            if name not in b[what]["figures"] or not rows:
                continue
            pairs = [(a[what]["figures"][name][i], b[what]["figures"][name][j]) for i, j in rows]
            nan = float("nan")
            both = torch.tensor([(nan, nan) if None in pair else pair for pair in pairs], dtype=torch.float64)
            difference = averaged(both[:, 1] - both[:, 0], of)
            if difference:
                figures[name] = {
                    "a": averaged(both[:, 0], of), "b": averaged(both[:, 1], of), "difference": difference
                }  # fmt: skip
        if figures:
            found[what] = {"pictures": len(rows), "figures": figures}
    return found


def evaluated(settings: CompareSettings, name: str, out: Path) -> dict:
    """The figures of a checkpoint, or of the evaluation in a folder.

    Raises:
        DoodleError: it is neither, or data and judge are missing where they are needed.
    """
    path = Path(name)
    if path.is_dir():
        return read_pictures(path)
    if not settings.data or not settings.judge:
        raise DoodleError(f"To evaluate {name}, --data and --judge are needed.")
    measure(settings, name, out)
    return read_pictures(out)


def run(argv: Sequence[str]) -> None:
    """The command line: A B and the settings."""
    about = "Compare two checkpoints on the same drawings."
    settings = parse(CompareSettings, "python -m diffusion.evaluate --compare", about, argv)
    check_packages()
    out = Path(settings.out)
    a, b = (evaluated(settings, name, out / which) for which, name in (("a", settings.a), ("b", settings.b)))
    check_alike(a, b)
    found = differences(a["each"], b["each"])
    if not found:
        raise DoodleError("The two evaluations have no picture in common.")
    result = {"a": a["checkpoint"], "b": b["checkpoint"], "settings": [a["settings"], b["settings"]]}
    write_text(out / "comparison.json", json.dumps(finite({**result, "each": found}), indent=1) + "\n")
    print(f"A: {a['checkpoint']}, B: {b['checkpoint']}. B - A ± its standard error, **bold** from two on.\n")
    print(comparison_table(found))
    print(f"\nDone: {out / 'comparison.json'}")

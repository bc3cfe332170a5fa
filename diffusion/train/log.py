"""The loss of a run, in numbers and as a picture."""

from __future__ import annotations

import sys
from pathlib import Path

from ..errors import DoodleError, require
from ..files import whole, write_text

COLUMNS = ("step", "loss", "validation_loss", "lr", "images_per_second", "minutes")
CURVES = {"loss": ("training", "#a0a0a0"), "validation_loss": ("held out", "#d62728")}


def read_row(line: str) -> dict[str, str] | None:
    """A line of loss.csv behind its first, or None where it is not whole: "4,0.25,,0.0006,81.3,0.5\\n"."""
    values = line.rstrip("\r\n").split(",")
    if not line.endswith("\n") or len(values) != len(COLUMNS):
        return None
    try:
        int(values[0]), float(values[-1]), *(float(value) for value in values[1:-1] if value)
    except ValueError:
        return None
    return dict(zip(COLUMNS, values))


class LossLog:
    """loss.csv, a row every so often, and loss.png drawn from it, where matplotlib is installed.

    On resuming, rows later than the step resumed from are dropped: that stretch will be run again. So are
    rows that cannot be read, since a run that was killed may have left half of one.

    Args:
        folder: where they lie.
        step: to go on from.
        write: whether this process is the one that does.

    Attributes:
        rows: column -> text, as in the file.
        minutes: what the run had taken when it was last stopped.
    """

    def __init__(self, folder: Path, step: int, write: bool = True) -> None:
        self.path, self.plot_path = folder / "loss.csv", folder / "loss.png"
        self.rows: list[dict[str, str]] = []
        if step and self.path.exists():
            text = self.path.read_bytes().decode(errors="replace")
            read = [read_row(line) for line in text.splitlines(keepends=True)]
            self.rows = [row for row in read if row is not None and int(row["step"]) <= step]
        self.minutes = float(self.rows[-1]["minutes"]) if self.rows else 0.0
        if not write:
            return
        write_text(self.path, "".join(",".join(line) + "\n" for line in (COLUMNS, *self._values())))
        try:
            self.figure = require("matplotlib.figure", "matplotlib").Figure
        except DoodleError as error:
            print(f"There will be no {self.plot_path.name}. {error}", file=sys.stderr)
            self.figure = None

    def _values(self) -> list[list[str]]:
        return [list(row.values()) for row in self.rows]

    def add(self, **row: object) -> None:
        """Append a row; columns left out stay empty, `step` and `minutes` are needed."""
        self.rows.append({column: str(row.get(column, "")) for column in COLUMNS})
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.write(",".join(self._values()[-1]) + "\n")

    def plot(self) -> None:
        """Training and held-out loss against steps, the loss on a logarithmic axis."""
        if self.figure is None:
            return
        figure = self.figure(figsize=(9, 5), layout="constrained")
        axis = figure.subplots()
        for column, (label, colour) in CURVES.items():
            points = [(int(row["step"]), float(row[column])) for row in self.rows if row[column]]
            axis.plot(*zip(*points), label=label, color=colour)
        axis.set(yscale="log", xlabel="step", ylabel="loss")
        axis.grid(color="#e4e4e4")
        axis.legend(frameon=False)
        with whole(self.plot_path) as partial:
            figure.savefig(partial, format="png", dpi=100)

"""What an ablation measured, as Markdown tables; the text around them is templates/ablations.md."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import require
from .tables import bold, table, with_error


def t_95(n: int) -> float:
    """Student's t for n values: 95 % of its distribution lie within this many standard deviations."""
    return float(require("scipy.stats", "scipy").t.ppf(0.975, n - 1))


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean, standard deviation, and how far from the mean one more value lies at most, 95 times in 100.

    That is the prediction interval of a normal distribution, mean +- t s sqrt(1 + 1 / n), t with n - 1
    degrees of freedom; for two values or more.
    """
    n, mean = len(values), sum(values) / len(values)
    s = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1))
    return mean, s, t_95(n) * s * math.sqrt(1 + 1 / n)


@dataclass(frozen=True)
class Column:
    """One measure: where it stands in a run's numbers, and how it is printed.

    Attributes:
        read: a run -> {"value", "error"} or a plain number.
        unit: printed numbers are in this: 0.01 for percent.
        digits: behind the point.
    """

    read: Callable[[dict], dict | float]
    unit: float = 1.0
    digits: int = 3

    def value(self, run: dict) -> float:
        found = self.read(run)
        return found["value"] if isinstance(found, dict) else found

    def show(self, value: float, error: float | None = None, extra: int = 0, sign: str = "") -> str:
        """`extra` digits behind the point; `sign` "+" for differences, those of percent are points."""
        digits, unit = self.digits + extra, " %" if self.unit == 0.01 and not sign else ""
        by = "" if error is None else f" ± {error / self.unit:.{digits}f}"
        return f"{value / self.unit:{sign}.{digits}f}{by}{unit}"

    def cell(self, run: dict) -> str:
        found = self.read(run)
        return self.show(found["value"], found["error"]) if isinstance(found, dict) else self.show(found)


def share(kind: str) -> Column:
    """The classifier's accuracy."""
    return Column(lambda row: row["accuracy"][kind], unit=0.01, digits=0)


def of_pictures(run: dict, guidance: str) -> dict[str, Column]:
    """The measures of pictures from noise drawn with this guidance."""
    found = run["guidance"][guidance]
    columns = {"KID": Column(lambda row: row["kid"])}
    if found["frechet"] is not None:
        columns["Frechet"] = Column(lambda row: row["frechet"], digits=2)
    columns |= {kind: share(kind) for kind in found["accuracy"]}

    def inside(column: Column) -> Column:
        return Column(lambda run: column.read(run["guidance"][guidance]), column.unit, column.digits)

    return {name: inside(column) for name, column in columns.items()}


def of_errors(run: dict) -> dict[str, Column]:
    """The error of x0 in each band of the noise level."""
    n = len(run["x0"])

    def column(band: int) -> Column:
        return Column(lambda run: run["x0"][band]["value"], digits=4)

    return {f"{band / n:g} to {(band + 1) / n:g}": column(band) for band in range(n)}


def against_the_base(runs: Sequence[dict], columns: dict[str, Column]) -> str:
    """The base's mean and spread, then each variant; bold where one more seed of the base would rarely be."""
    base = [run for run in runs if run["name"] == "base"]
    spreads = {name: spread([c.value(run) for run in base]) for name, c in columns.items()}

    def line(which: int) -> list[str]:
        return [c.show(spreads[name][which], extra=1) for name, c in columns.items()]

    def cell(name: str, column: Column, run: dict) -> str:
        middle, _, reach = spreads[name]
        return bold(column.cell(run), abs(column.value(run) - middle) > reach)

    rows = [
        (f"base, mean of {len(base)} seeds", *line(0)),
        ("standard deviation between seeds", *line(1)),
        ("one more seed: within ±", *line(2)),
    ]
    for run in runs:
        if run["name"] != "base":
            rows.append((run["name"], *(cell(name, c, run) for name, c in columns.items())))
    return table(["", *columns], rows)


def against_the_usual_average(part: dict, columns: dict[str, Column]) -> str:
    """Other decays less the base's own within the same runs: mean over seeds and its standard error."""
    base = {run["seed"]: run for run in part["runs"] if run["name"] == "base"}
    rows = []
    for decay in dict.fromkeys(run["ema_decay"] for run in part["averages"]):
        of = [run for run in part["averages"] if run["ema_decay"] == decay]
        cells = []
        for column in columns.values():
            middle, s, _ = spread([column.value(run) - column.value(base[run["seed"]]) for run in of])
            error = s / math.sqrt(len(of))
            text = column.show(middle, error, extra=1, sign="+")
            cells.append(bold(text, abs(middle) > t_95(len(of)) * error))
        rows.append((f"{decay:g}", *cells))
    return table(["decay", *columns], rows)


def yardsticks(real: dict) -> str:
    """The same measures of real pictures."""
    kinds = [share(kind) for kind in real["training"]["accuracy"]]
    rows = [
        ("training", with_error(real["training"]["kid"]), *(c.cell(real["training"]) for c in kinds)),
        ("held out", "", *(c.cell(real["held out"]) for c in kinds)),
    ]
    return table(["real pictures", "KID", *real["training"]["accuracy"]], rows)


def training_facts(part: dict) -> dict:
    """What the template says of the training ablation in numbers."""
    runs, first = part["runs"], part["runs"][0]
    seconds = sum(run["seconds"] for run in runs)
    seeds = sum(run["name"] == "base" for run in runs)
    by_guidance, errors = {scale: of_pictures(first, scale) for scale in first["guidance"]}, of_errors(first)
    measured = sum(map(len, by_guidance.values())) + len(errors)
    return {
        "base": part["base"],
        "first": first,
        "seeds": seeds,
        "seconds": seconds / len(runs),
        "speed": sum(run["samples"] for run in runs) / max(1, seconds),
        "slowest": (1 + part["base"]["steps"]) / (10 + part["base"]["steps"]),  # what ema.EMA has come to
        "by_guidance": by_guidance,
        "last_guidance": list(first["guidance"])[-1],
        "errors": errors,
        "comparisons": measured * (len(runs) - seeds),
    }


def with_difference(value: float, column: Column, by: dict) -> str:
    """A number and, in brackets, its difference to another ± standard error; bold from two of them on."""
    error = by["error"]
    sure = error is not None and by["value"] != 0 and abs(by["value"]) >= 2 * error
    return f"{column.show(value)} ({bold(column.show(by['value'], error, sign='+'), sure)})"


def row_of(row: dict, names: Sequence[str]) -> list[str]:
    """KID and accuracies with what they differ by."""
    columns = {"kid": Column(lambda row: row["kid"])} | {name: share(name) for name in names}
    differences = {"kid": row["difference"]["kid"]} | row["difference"]["accuracy"]
    return [with_difference(c.value(row), c, differences[name]) for name, c in columns.items()]


def variations_table(part: dict) -> str:
    """Every way of sampling, with its differences to the usual one."""
    usual, names = part["usual"], list(part["usual"]["accuracy"])
    shares = [share(name) for name in names]
    rows = [("as usual", with_error(usual["kid"]), *(c.cell(usual) for c in shares), usual["calls"])]
    for what, values in part["varied"].items():
        rows += [(f"{what} {value}", *row_of(row, names), row["calls"]) for value, row in values.items()]
    rows.append(("real, held out", "", *(c.cell(part["real"]) for c in shares), ""))
    return table(["", "KID", *names, "calls"], rows)


def strength_table(curve: dict, names: Sequence[str]) -> str:
    """One kind of input over the strengths."""
    rows = [
        (
            bold(strength, float(strength) == curve["best"]),
            *row_of(row, list(names)),
            with_error(row["l2"]),
            row["calls"],
        )
        for strength, row in curve["strengths"].items()
    ]
    return table(["strength", "KID", *names, "L2", "calls"], rows)

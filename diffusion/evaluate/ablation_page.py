"""What `ablate` measured, as one page of Markdown. Numbers in, text out.

Whatever stands above the page's MARK is written by hand, and stays when the rest is written again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .report import table, with_error

MARK = "<!-- Written by hand above this line, below it by python -m diffusion.evaluate.ablate. -->"
# Student's t: 95 % of its distribution lie within this many standard deviations, by degrees of freedom.
T95 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}


# ---------------------------------------------------------------------- numbers


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean, standard deviation, and how far from the mean one more value lies at most, 95 times in 100.

    That is the prediction interval of a normal distribution, mean +- t s sqrt(1 + 1 / n), t with n - 1
    degrees of freedom; for two to ten values.
    """
    n, mean = len(values), sum(values) / len(values)
    s = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1))
    return mean, s, T95[n - 1] * s * math.sqrt(1 + 1 / n)


def bold(text: str, yes: bool) -> str:
    return f"**{text}**" if yes else text


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
    """The judge's accuracy."""
    return Column(lambda row: row["accuracy"][kind], unit=0.01, digits=0)


# ---------------------------------------------------------------------- training


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
    names = [f"{band / n:g} to {(band + 1) / n:g}" for band in range(n)]
    return {
        name: Column(lambda run, band=band: run["x0"][band]["value"], digits=4)
        for band, name in enumerate(names)
    }


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
            cells.append(bold(text, abs(middle) > T95[len(of) - 1] * error))
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


def training_section(part: dict) -> str:
    runs, first = part["runs"], part["runs"][0]
    base, seeds = part["base"], sum(run["name"] == "base" for run in runs)
    size, patch, channels = base["image_size"], base["patch_size"], " and ".join(map(str, base["channels"]))
    if seeds < 2:
        return f"## Training\n\n    {part['command']}\n\nNot far enough yet: one run of the base is done."
    seconds = sum(run["seconds"] for run in runs)
    speed = sum(run["samples"] for run in runs) / max(1, seconds)
    slowest = (1 + base["steps"]) / (10 + base["steps"])  # what ema.EMA has come to at the end of a run
    by_guidance = {scale: of_pictures(first, scale) for scale in first["guidance"]}
    errors, last = of_errors(first), list(first["guidance"])[-1]
    measured = sum(map(len, by_guidance.values())) + len(errors)
    text = (
        "## Training\n\n"
        f"    {part['command']}\n\n"
        f"{part['machine']}. Every row is one run of a small network ({size} x {size} pixels in patches of "
        f"{patch} x {patch}, {channels} channels) on {first['samples']} pictures, {base['batch_size']} a "
        f"step: {seconds / len(runs):.0f} s each, {speed:.0f} pictures a second. A row differs "
        "from the base in what its name says and in nothing else, so each has the base's learning rate. The "
        "base is what diffusion.train does by default: cosine schedule, x0, its loss weighed like v's up to "
        "20, labels withheld 10 % of the time, pictures moved about as people place drawings, noise put over "
        f"crude versions of them {100 * base['sketched']:.0f} % of the time, no dropout.\n\n"
        f"{part['pictures']} pictures from noise (20 DDIM steps, the same noise for all), told the labels of "
        f"as many held-out ones: KID ± jackknife error in the judge's {part['features']} features, and the "
        "judge's accuracy ± standard error. All pictures, real ones too, are enlarged to the judge's size "
        "and framed as the app frames drawings.\n\n"
        "**Bold**: outside the range in which one more seed of the base would be 95 times in 100 (Student's "
        f"t). All else is a tie; and of {measured * (len(runs) - seeds)} comparisons one in twenty would "
        "be bold by chance.\n\n" + yardsticks(part["real"])
    )
    for scale, columns in by_guidance.items():
        off = " (off)" if scale == "1" else ""
        text += f"\n\n### From noise, guidance {scale}{off}\n\n" + against_the_base(runs, columns)
    text += (
        "\n\n### Error of the predicted x0\n\n"
        "Mean squared error on the same held-out pictures under the same noise, clipped as in sampling, by "
        "noise level: 0 is the picture, 1 nothing but noise; abar = cos²(level π / 2) for every schedule.\n\n"
        + against_the_base(runs, errors)
        + "\n\n### Averaging the weights\n\n"
        "The runs of the base once more, with averages of other decays (0: the last weights themselves) less "
        f"those of {first['ema_decay']:g}: mean over {seeds} seeds ± standard error, guidance {last}. An "
        "average begins with the decay (1 + n) / (10 + n) after n steps, so in runs as short as these all "
        f"decays above {slowest:.3f} are the same. **Bold**: the seeds agree (t test, 95 %).\n\n"
        + against_the_usual_average(part, by_guidance[last])
        + "\n\nThe error of x0 by noise level, likewise:\n\n"
        + against_the_usual_average(part, errors)
    )
    return text


# ---------------------------------------------------------------------- sampling


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


def sampling_section(part: dict) -> str:
    usual, names = part["usual"], list(part["usual"]["accuracy"])
    shares = [share(name) for name in names]
    rows = [("as usual", with_error(usual["kid"]), *(c.cell(usual) for c in shares), usual["calls"])]
    for what, values in part["varied"].items():
        rows += [(f"{what} {value}", *row_of(row, names), row["calls"]) for value, row in values.items()]
    rows.append(("real, held out", "", *(c.cell(part["real"]) for c in shares), ""))
    text = (
        "## Sampling\n\n"
        f"    {part['command']}\n\n"
        f"{part['machine']}; {part['minutes']:g} minutes. {part['pictures']} pictures from noise in each "
        "row, told the labels of as many held-out ones, always from the same noise. As usual is 20 DDIM "
        "steps, guidance 2, eta 0; each row changes one of them. *Calls*: how often a picture goes through "
        f"the network. KID in the judge's {part['features']} features to the held-out pictures, placed as in "
        "training; the judge's accuracy. In brackets the difference to the row as usual, same labels and "
        "same noise, ± the standard error of that difference: **bold** from two of them on. All else is a "
        "tie, and one comparison in twenty would be bold by chance.\n\n"
        "Guidance by one label kind, the other at 2: out = null + w₁ (first kind told - null) + w₂ (both "
        "told - first), as in [InstructPix2Pix](https://arxiv.org/abs/2211.09800), eq. 3. The app has one "
        "scale for both.\n\n" + table(["", "KID", *names, "calls"], rows)
    )
    if part["inputs"]:
        text += strengths_section(part, names)
    return text


def strengths_section(part: dict, names: Sequence[str]) -> str:
    picks = [(kind, f"{c['lowest']:g}", f"**{c['best']:g}**") for kind, c in part["inputs"].items()]
    text = (
        "\n\n### Strength\n\n"
        f"{part['drawings']} inputs of each kind made from held-out pictures, repainted with their labels. "
        "The rule, fixed before these runs: **the smallest strength whose KID is at most one standard error "
        "above the lowest of the strengths 0.1 to 0.8** (the error of the difference; same labels and "
        "noise). Below it, pictures are measurably less real; above 0.8 the drawing's layout goes. In "
        "brackets the difference to the strength of the lowest KID. L2 is to the input, both averaged to 8 x "
        "8. Strength 0 is the input itself.\n\n" + table(["input", "lowest KID at", "by the rule"], picks)
    )
    for kind, curve in part["inputs"].items():
        rows = [
            (
                bold(strength, float(strength) == curve["best"]),
                *row_of(row, names),
                with_error(row["l2"]),
                row["calls"],
            )
            for strength, row in curve["strengths"].items()
        ]
        text += f"\n\n{kind.capitalize()}:\n\n" + table(["strength", "KID", *names, "L2", "calls"], rows)
    return text


# ---------------------------------------------------------------------- the page


def write_page(folder: Path) -> None:
    """Write ABLATIONS.md from the numbers in the folder, keeping what stands above its MARK.

    Raises:
        ValueError: there are no numbers.
    """
    sections = {"training": training_section, "sampling": sampling_section}
    files = {name: folder / f"ablations-{name}.json" for name in sections}
    parts = [sections[name](json.loads(path.read_text())) for name, path in files.items() if path.exists()]
    if not parts:
        raise ValueError(f"There are no numbers of ablations in {folder}.")
    page = folder / "ABLATIONS.md"
    by_hand = "# Ablations"
    if page.exists() and MARK in page.read_text():
        by_hand = page.read_text().split(MARK)[0].strip()
    page.write_text("\n\n".join([by_hand, MARK, *parts]) + "\n")

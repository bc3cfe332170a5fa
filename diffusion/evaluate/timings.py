"""How long things take on a machine that others use: in turns, as medians, compared as ratios."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch.utils.flop_counter import FlopCounterMode

Calls = dict[str, Callable[[], object]]


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        what: was measured.
        value: in `unit`.
        ratio: of it, or of its inverse, to another; `to` says which.
    """

    what: str
    value: float
    unit: str
    ratio: float | None = None
    to: str = ""


def gflop(call: Callable[[], object]) -> float:
    """Floating-point operations of a call, in units of 10^9; a multiply-add counts as two."""
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops() / 1e9


def seconds_in_turns(calls: Calls, repeats: int) -> dict[str, float]:
    """Median seconds of each call, A B A B ..., after one uncounted turn."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats + 1):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            if turn:
                times[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in times.items()}


def table(rows: Sequence[Row]) -> str:
    """Markdown."""
    lines = ["| | | | |", "|---|---|---|---|"]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f} {row.to}"
        lines.append(f"| {row.what} | {row.value:.4g} | {row.unit} | {ratio} |")
    return "\n".join(lines)

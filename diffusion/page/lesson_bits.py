"""The lesson's last part: what a picture costs that is sent step by step, over t and in pictures."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from .. import lesson
from ..checkpoint import Checkpoint
from .choices import shown
from .lesson_text import DDPM, EXAMPLE, OWN, PLOT, X0_HAT, Example, _figure, _figures
from .worker import in_model_thread

BITS = rf"""## 7. What a picture costs, in bits
A model that can paint can also send a picture: from pure noise down, each step says what the network does not
know yet. The bits that this takes are the terms of the variational bound ({DDPM}, eq. 5).

$$\begin{{aligned}}
L ={{}}& D_{{\mathrm{{KL}}}}\big(q(x_T|x_0)\,\|\,p(x_T)\big) \\
&+ \textstyle\sum_{{t>1}} D_{{\mathrm{{KL}}}}\big(q(x_{{t-1}}|x_t,x_0)\,\|\,p_\theta(x_{{t-1}}|x_t)\big) \\
&- \log p_\theta(x_0|x_1)
\end{{aligned}}$$

Most bits are spent at small $t$, after the picture has long looked finished: on details that no eye sees
(section 4.3, figure 5). The pictures are what the network sees, with the bits sent by then.
"""
COUNT = "Count the bits"
RAW = "A picture as it is has 8 bits a value; a network that learnt to paint, not to count, may take more."
ASKED = 20  # timesteps, all in one call of the network
PICTURES = 4
DECADES = (-6, 1)  # of the bits that the plot always shows; what is less lies at its bottom


@dataclass(frozen=True)
class Counted:
    """What the plot and the pictures show.

    Attributes:
        t: the timesteps that the network was asked, ascending.
        seen: the picture that it sees at each, (1, 3, R, R).
        bits, sent: of each step there is, what it costs and all that is sent before it.
    """

    t: Sequence[int]
    seen: Sequence[torch.Tensor]
    bits: Sequence[float]
    sent: Sequence[float]

    @property
    def total(self) -> float:
        """All that is sent in the end."""
        return self.sent[0] + self.bits[0]


def _count(checkpoint: Checkpoint, example: Example) -> Counted:
    timesteps = lesson.bit_timesteps(checkpoint.schedule.num_train_timesteps, ASKED)
    (seed,) = example.seeds(1)
    found = lesson.picture_bits(checkpoint, example.x0, timesteps, {**example.settings.labels}, seed)
    return Counted(found.t, found.seen.split(1), found.every.tolist(), found.sent.tolist())


def explain_bits(checkpoints: dict[str, Checkpoint], example: Example) -> str:
    """Part 7: the plot and the pictures."""
    checkpoint = checkpoints[example.settings.model].computing(example.settings.precision)
    return bits_html(checkpoint, example, in_model_thread(_count, checkpoint, example))


def bits_html(checkpoint: Checkpoint, example: Example, counted: Counted | None = None) -> str:
    """A plot and a row of pictures; axes and empty frames before anything is counted."""
    plot = _plot(checkpoint.schedule.num_train_timesteps, example.settings.strength, counted)
    if counted is None:
        empty = [_figure(None, "", "")] * PICTURES
        return plot + _figures(*empty, row_class="four")
    last = len(counted.t) - 1
    places = [round(last * i / (PICTURES - 1)) for i in reversed(range(PICTURES))]
    figures = [
        _figure(
            picture,
            f"{X0_HAT} at <i>t</i> = {t}: {_bits(counted.sent[t])}",
            f"What the network sees at timestep {t}",
        )
        for t, picture in ((counted.t[i], counted.seen[i]) for i in places)
    ]
    words = ", ".join(shown(*label) for label in example.settings.labels.items())
    whose = OWN if example.canvas else EXAMPLE
    said = f"Sent: {whose}. Told: {words or 'no word'}, but not the drawing; no guidance."
    return plot + _figures(*figures, row_class="four", note=html.escape(f"{said} {RAW}"))


def _bits(value: float) -> str:
    """Two digits and "bits": 0.0012 bits, 29 bits."""
    digits = 0 if value < 1e-6 else max(0, 1 - math.floor(math.log10(value)))
    return f"{value:.{digits}f} bits"


def _power(decade: int) -> str:
    """ "0.1", "1", "10", or smaller ones as a power of ten; an SVG has no <sup>."""
    if -2 <= decade <= 3:
        return f"{10.0**decade:g}"
    return "10" + str(decade).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _plot(total: int, strength: float, counted: Counted | None) -> str:
    """The bits of each step against t, both axes by powers of ten, with the first tab's t0 marked."""
    left, right, top, bottom = PLOT.values()
    low, high = DECADES
    if counted is not None:
        high = max(high, math.ceil(math.log10(max(counted.bits))))

    def place(step: float, bits: float) -> tuple[float, float]:
        decade = max(low, math.log10(max(bits, 1e-30)))
        x = left + (right - left) * math.log1p(step) / math.log(total)
        return round(x, 1), round(bottom - (bottom - top) * (decade - low) / (high - low), 1)

    shapes, legend = [], []
    for decade in range(low, high + 1):
        _, y = place(0, 10.0**decade)
        shapes.append(f'<path class="grid" d="M{left} {y}H{right}"/>')
        shapes.append(f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{_power(decade)}</text>')
    powers = [10**i for i in range(9) if 2 * 10**i < total]
    for step in [0, *powers, total - 1]:
        x, _ = place(step, 1)
        shapes.append(f'<text x="{x}" y="{bottom + 20}" text-anchor="middle">{step}</text>')
    shapes.append(f'<path class="axis" d="M{left} {top}V{bottom}H{right}"/>')
    shapes.append(f'<text class="name" x="{left}" y="{top - 12}" text-anchor="middle">bits</text>')
    shapes.append(f'<text class="name" x="{right + 8}" y="{bottom + 4}">t</text>')
    alt = "Bits of each step against t"
    if counted is not None:
        points = " ".join("{},{}".format(*place(t, counted.bits[t])) for t in counted.t)
        shapes.append(f'<polyline class="own" points="{points}"/>')
        legend.append(f'<li><i class="own"></i>bits a value in one step; {_bits(counted.total)} in all</li>')
        t0 = lesson.start_timestep(strength, total)
        if t0 >= 0:
            x, y = place(t0, counted.bits[t0])
            shapes.append(f'<path class="start" d="M{x} {bottom}V{top}"/>')
            shapes.append(f'<circle class="start" cx="{x}" cy="{y}" r="8" data-t="{t0}"/>')
            where = (
                f"<i>t</i><sub>0</sub> = {t0} for strength {strength:g}: {_bits(counted.sent[t0])} by then"
            )
            legend.append(f'<li><i class="start"></i><span>{where}</span></li>')
        alt += f"; {_bits(counted.total)} in all"
    return (
        f'<svg class="plot" viewBox="0 0 600 276" role="img" aria-label="{alt}">{"".join(shapes)}</svg>'
        f'<ul class="legend">{"".join(legend)}</ul>'
    )

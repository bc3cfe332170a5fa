"""The page's lesson as text: equations with their numbers filled in, pictures and a plot as HTML and SVG.

The numbers and the pictures come from diffusion/lesson.py; lesson_tab.py puts the text on the page.
"""

from __future__ import annotations

import contextlib
import html
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np
import torch

from .. import images, lesson
from ..checkpoint import Checkpoint
from ..sampler import Step
from ..schedule import NoiseSchedule
from ..sdedit import edit
from .canvas_io import data_url
from .choices import shown
from .settings import Settings
from .worker import ahead, in_model_thread

DDPM = "[DDPM](https://arxiv.org/abs/2006.11239)"
IMPROVED_DDPM = "[improved DDPM](https://arxiv.org/abs/2102.09672)"
SDEDIT = "[SDEdit](https://arxiv.org/abs/2108.01073)"
DDIM = "[DDIM](https://arxiv.org/abs/2010.02502)"
GUIDANCE = "[classifier-free guidance](https://arxiv.org/abs/2207.12598)"
NOISING = rf"""## 1. A drawing drowns in noise
Your drawing $x_0$ is mixed with random noise $\epsilon$, in a proportion that the timestep $t$ alone decides
({DDPM}, eq. 4). *Strength* picks the $t_0$ at which the network takes over ({SDEDIT}): it will follow what
can still be seen there.
"""
NOISING_EQUATION = r"""$$\begin{aligned}
x_t &= \sqrt{\bar\alpha_t}\;x_0 + \sqrt{1-\bar\alpha_t}\;\epsilon \\
x_{%(t)s} &= \sqrt{%(abar)s}\;x_0 + \sqrt{%(rest)s}\;\epsilon \\
&= %(signal)s\;x_0 + %(noise)s\;\epsilon
\end{aligned}$$"""
NOISING_STRAIGHT = r"""$$\begin{aligned}
x_t &= (1-s)\;x_0 + s\;\epsilon, \qquad s = (t+1)/T \\
x_{%(t)s} &= %(signal)s\;x_0 + %(noise)s\;\epsilon
\end{aligned}$$"""
SCHEDULE = rf"""## 2. The schedule: how much is left
$\bar\alpha_t$ is the drawing's share in the variance of $x_t$. With {DDPM}'s linear schedule hardly anything
is left over the last third of the steps; the cosine schedule of {IMPROVED_DDPM} (eq. 17) falls more evenly,
so that every step has something to do. On the straight path of rectified flow drawing and noise change
places evenly.
"""
STEP = rf"""## 3. One step back
The network tells the noise $\hat\epsilon$ in $x_t$ from the picture $\hat x_0$ it believes to be underneath.
A step of {DDIM} (eq. 12) mixes the two again as they would stand at $t'$, the next timestep of the run, where
there is less noise. $z$ is fresh noise, used only where eta is above 0.
"""
STEP_EQUATION = r"""$$\begin{aligned}
x_{t'} &= \sqrt{\bar\alpha_{t'}}\;\hat x_0 + \sqrt{1-\bar\alpha_{t'}-\sigma^2}\;\hat\epsilon + \sigma z \\
x_{%(t)s} &= %(x0)s\;\hat x_0 + %(eps)s\;\hat\epsilon + %(sigma)s\,z
\end{aligned}$$"""
DIALS = rf"""## 4. Two dials: guidance and eta
Each step asks the network twice, with your words and without, and goes $w$ times the way from the second
answer to the first ({GUIDANCE}): 1 is off, more follows the words more and gets harsher. *Eta* is how much
fresh noise each step mixes in: 0 is {DDIM}, 1 is {DDPM}.
"""
COMPARE = "Paint all six"
TIME_INFO = "0: hardly any noise, {last}: nothing else. The papers count from 1."
OWN, EXAMPLE = "your drawing", "an example, because your canvas is blank"
GUIDANCES, ETAS = (1.0, 2.0, 4.0), (0.0, 0.5, 1.0)  # what the comparison varies, the rest as on the page
INLINE_LATEX: list[dict[str, str | bool]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "$", "right": "$", "display": False},
]


@dataclass(frozen=True)
class Example:
    """What the lesson is about: the drawing and the settings of the first tab, when the second was opened."""

    settings: Settings
    canvas: str  # a digest of its value, "" where an example drawing takes the place of a blank one
    pixels: np.ndarray = field(compare=False)  # x0; no tensor, since Gradio copies it in any thread

    @property
    def x0(self) -> torch.Tensor:
        """float32 (1, 3, R, R) in [-1, 1]."""
        return torch.from_numpy(self.pixels)

    def seeds(self, count: int) -> list[torch.Generator]:
        """The same noise for each of `count` pictures: that of the first tab."""
        return [torch.Generator().manual_seed(self.settings.seed) for _ in range(count)]


def _timestep(schedule: NoiseSchedule, t: object) -> int:
    """What the slider says, whose box may be empty and whose end may belong to a longer schedule."""
    last = schedule.num_train_timesteps - 1
    return int(min(max(t, 0), last)) if isinstance(t, int | float) and t == t else 0


def _noised(schedule: NoiseSchedule, example: Example, t: int) -> lesson.NoiseParts:
    noise = lesson.seeded_noise(example.x0, example.settings.seed)
    return lesson.noise_parts(schedule, example.x0, noise, t)


def explain_noising(checkpoints: dict[str, Checkpoint], example: Example, t: object) -> tuple[str, str, str]:
    """Parts 1 and 2 of the lesson at timestep t: the equation, its pictures, the plotted schedules."""
    schedule = checkpoints[example.settings.model].schedule
    t = _timestep(schedule, t)
    parts = in_model_thread(_noised, schedule, example, t)
    signal, noise = _latex(parts.signal_scale), _latex(parts.noise_scale)
    equation = (NOISING_STRAIGHT if schedule.straight else NOISING_EQUATION) % {
        "t": t, "abar": _latex(parts.abar), "rest": _latex(1 - parts.abar), "signal": signal, "noise": noise
    }  # fmt: skip
    whose = OWN if example.canvas else EXAMPLE
    pictures = _figures(
        _figure(parts.signal, f"{_number(parts.signal_scale)} {X0}", f"What is left of {whose}"), "+",
        _figure(parts.noise, f"{_number(parts.noise_scale)} {EPS}", "The noise"), "=",
        _figure(parts.x_t, _x(t), f"Both together at timestep {t}"),
        row_class="sum", note="" if example.canvas else f"This is {EXAMPLE}.",
    )  # fmt: skip
    return equation, pictures, in_model_thread(_plot, schedule, t, example.settings.strength)


def explain_step(checkpoints: dict[str, Checkpoint], example: Example, t: object) -> tuple[str, str]:
    """Part 3 at timestep t: the equation and its pictures."""
    now = example.settings
    checkpoint = checkpoints[now.model].computing(now.precision)
    t, (seed,) = _timestep(checkpoint.schedule, t), example.seeds(1)
    step = in_model_thread(lesson.first_step, checkpoint, example.x0, t, {**now.labels}, now.sampling, seed)
    equation = STEP_EQUATION % {
        "t": step.t_prev, "x0": _latex(step.x0_scale), "eps": _latex(step.eps_scale),
        "sigma": _latex(step.sigma),
    }  # fmt: skip
    end = " (the clean picture)" if step.t_prev < 0 else ""
    return equation, _figures(
        _figure(step.x_t, f"{_x(t)}: where the step starts", f"The noisy picture at timestep {t}"),
        _figure(step.eps, f"{EPS_HAT}: noise, says the network", "The predicted noise"),
        _figure(step.x0, f"{X0_HAT}: picture, says the network", "The predicted clean picture"),
        _figure(step.x_prev, f"{_x(step.t_prev)}: where it ends{end}", f"The picture at {step.t_prev}"),
        row_class="four",
    )


def explain_dials(checkpoints: dict[str, Checkpoint], example: Example) -> Iterator[str]:
    """Part 4: the pictures with each guidance and each eta, after every step of painting them."""
    checkpoint = checkpoints[example.settings.model].computing(example.settings.precision)
    with contextlib.closing(ahead(_paint_all(checkpoint, example))) as batches:
        for step in chain.from_iterable(batches):
            yield dials_html(example, step.x0.split(1), f"Step {step.index} of {step.total}.")


def _paint_all(checkpoint: Checkpoint, example: Example) -> Generator[Step]:
    """One picture for each of GUIDANCES and of ETAS, all at once."""
    now, count = example.settings, len(GUIDANCES) + len(ETAS)
    guidances = (*GUIDANCES, *[now.guidance] * len(ETAS))
    etas = (*[now.eta] * len(GUIDANCES), *ETAS)
    # Only DDIM has an eta.
    sampling = replace(now.sampling, guidance=guidances, eta=etas, solver="ddim")
    drawings = example.x0.expand(count, -1, -1, -1)
    yield from edit(checkpoint, drawings, {**now.labels}, sampling, example.seeds(count))


def dials_html(example: Example, pictures: Sequence[torch.Tensor | None] = (None,) * 6, say: str = "") -> str:
    """Two rows of three pictures; empty frames before they are painted."""

    def row(name: str, symbol: str, values: tuple, now: float, pictures: Sequence) -> str:
        figures = [
            _figure(
                picture,
                f"{symbol} = {value:g}" + (", as set" if value == now else ""),
                f"Painted with {name.lower()} {value:g}",
                smooth=True,
            )
            for value, picture in zip(values, pictures)
        ]
        return _figures(*figures, row_class="three", title=name)

    now = example.settings
    words = html.escape(", ".join(shown(*label) for label in now.labels.items()))
    same = f"{words}; strength {now.strength:g}, seed {now.seed}. {say}"
    count = len(GUIDANCES)
    guidances = row("Guidance", "<i>w</i>", GUIDANCES, now.guidance, pictures[:count])
    return guidances + row("Eta", "eta", ETAS, now.eta, pictures[count:]) + f'<p class="note">{same}</p>'


# Symbols in captions, where there is no KaTeX.
X0, EPS = "<i>x</i><sub>0</sub>", "<i>ε</i>"
X0_HAT, EPS_HAT = "<i>x̂</i><sub>0</sub>", "<i>ε̂</i>"


def _x(t: int) -> str:
    return f"<i>x</i><sub>{t}</sub>"


def _number(value: float, power: str = "·10<sup>{}</sup>") -> str:
    """Three decimals; small values get two digits and a power of ten: 0.345, 1, 2.4·10<sup>-9</sup>."""
    if value in (0, 1):
        return f"{value:g}"
    if value >= 0.001:
        return f"{value:.3f}"
    digits, exponent = f"{value:.1e}".split("e")
    return digits + power.format(int(exponent))


def _latex(value: float) -> str:
    return _number(value, power=r"\cdot 10^{{{}}}")


def _figure(x: torch.Tensor | None, caption: str, alt: str, smooth: bool = False) -> str:
    """A picture with a line under it; x (1, 3, R, R), or None for an empty frame."""
    image = '<div class="empty"></div>'
    if x is not None:
        scaling = "smooth" if smooth else "pixelated"
        # Decoded at once, so that nothing flickers while t is being dragged.
        source = f'src="{data_url(images.to_pil(x))}" decoding="sync"'
        image = f'<img class="{scaling}" alt="{alt}" {source} draggable="false">'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"


def _figures(*parts: str, row_class: str, title: str = "", note: str = "") -> str:
    """Figures in a row; "+" and "=" may stand between them. `row_class` stands in lesson.css."""
    row = "".join(part if part.startswith("<") else f'<span class="sign">{part}</span>' for part in parts)
    title = title and f"<h3>{title}</h3>"
    note = note and f'<p class="note">{note}</p>'
    return f'{title}<div class="figures {row_class}">{row}</div>{note}'


PLOT = {"left": 42, "right": 580, "top": 28, "bottom": 250}  # the axes, in units of the SVG


def _plot(schedule: NoiseSchedule, t: int, strength: float) -> str:
    """abar_t against t for every schedule as SVG, with the chosen t and the first tab's t0 marked."""
    total = schedule.num_train_timesteps
    left, right, top, bottom = PLOT.values()

    def place(step: float, abar: float) -> tuple[float, float]:
        x, y = left + (right - left) * step / total, bottom - (bottom - top) * abar
        return round(x, 1), round(y, 1)

    legend, shapes = [], []
    for share in (0, 0.25, 0.5, 0.75, 1):
        x, y = place(share * total, share)
        shapes.append(f'<path class="grid" d="M{left} {y}H{right}"/>')
        shapes.append(f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{share:g}</text>')
        shapes.append(f'<text x="{x}" y="{bottom + 20}" text-anchor="middle">{share * total:.0f}</text>')
    shapes.append(f'<path class="axis" d="M{left} {top}V{bottom}H{right}"/>')
    shapes.append(f'<text class="name" x="{left}" y="{top - 12}" text-anchor="middle">ᾱ</text>')
    shapes.append(f'<text class="name" x="{right + 8}" y="{bottom + 4}">t</text>')
    for kind, abar in lesson.schedule_curves(total).items():
        own = "own" if kind == schedule.kind else "other"
        steps = [*range(0, total, max(1, total // 125)), total - 1]
        points = " ".join("{},{}".format(*place(step, abar[step].item())) for step in steps)
        shapes.append(f'<polyline class="{own}" points="{points}"/>')
        name = f"{kind}, this network's" if own == "own" else kind
        legend.append(f'<li><i class="{own}"></i>{name}</li>')
    t0 = lesson.start_timestep(strength, total)
    for name, step, radius in (("start", t0, 8), ("now", t, 5)):
        if step >= 0:
            x, y = place(step, schedule.abar(step).item())
            shapes.append(f'<path class="{name}" d="M{x} {bottom}V{top}"/>')
            shapes.append(f'<circle class="{name}" cx="{x}" cy="{y}" r="{radius}" data-t="{step}"/>')
    left_now = schedule.abar(t).item()
    where = f"<i>t</i><sub>0</sub> = {t0}" if t0 >= 0 else "no noise"
    legend += [
        f'<li><i class="now"></i><span><i>t</i> = {t}, <i>ᾱ</i> = {_number(left_now)}</span></li>',
        f'<li><i class="start"></i><span>{where} for strength {strength:g}</span></li>',
    ]
    alt = f"abar against t for every schedule; at t = {t} it is {left_now:.2g}"
    return (
        f'<svg class="plot" viewBox="0 0 600 276" role="img" aria-label="{alt}">{"".join(shapes)}</svg>'
        f'<ul class="legend">{"".join(legend)}</ul>'
    )

"""The end of the lesson: what the network is told, and one drawing under several solvers, step by step."""

from __future__ import annotations

import contextlib
import html
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import torch
import torch.nn.functional as F

from ..checkpoint import Checkpoint
from ..sampler import Step
from ..sdedit import edit
from .choices import shown
from .lesson_text import DDIM, DDPM, EXAMPLE, OWN, Example, _figure, _figures
from .worker import ahead

DPM = "[DPM-Solver++](https://arxiv.org/abs/2211.01095)"
FLOW = "[rectified flow](https://arxiv.org/abs/2209.03003)"
TOLD = """## 5. What the network is told
Beside the noisy picture and the timestep it gets the words, each as a row of numbers that it has learnt. A
network made for it gets the drawing itself, too, in channels of its own: strength says how much of the
drawing's *pixels* is left, and this is how its *lines* are known at every strength.
"""
WAYS = rf"""## 6. One drawing, several ways
The same drawing, words, seed and steps, and what the network believes to be underneath, on the way. {DDIM}
walks along the noise that it sees; {DDPM} throws some of it away in each step and takes fresh noise; {DPM}
looks at its last step as well. On the straight path of {FLOW}, for a model that was trained on it, DDIM's
steps are Euler's.
"""
WALK = "Walk them all"
FRAMES = 4  # pictures of each way
SOLVERS_SHOWN = {"ddim": "DDIM", "ddpm": "DDPM", "dpm++": "DPM-Solver++(2M)"}


@dataclass(frozen=True)
class Way:
    """One row: a model and a solver."""

    name: str
    checkpoint: Checkpoint
    solver: str


def ways(checkpoints: dict[str, Checkpoint], model: str) -> list[Way]:
    """Those of the model that is picked, and Euler's steps of each other one on the straight path."""
    own = [Way(name, checkpoints[model], solver) for solver, name in SOLVERS_SHOWN.items()]
    straight = {
        name: other for name, other in checkpoints.items() if other.schedule.straight and name != model
    }
    return own + [Way(f"Rectified flow ({name}), Euler", other, "ddim") for name, other in straight.items()]


def told_html(checkpoint: Checkpoint, example: Example) -> str:
    """The words and the drawing, as the network of the model gets them."""
    words = [shown(*label) for label in example.settings.labels.items()]
    told = ", ".join(words) or "no word: what it is, is up to the network"
    picture = example.x0 if checkpoint.takes_lines else None
    whose = OWN if example.canvas else EXAMPLE
    caption = whose if checkpoint.takes_lines else "this network has no input for a drawing"
    numbers = " and ".join(
        f"{kind} {checkpoint.label_names[kind].index(name)} of {len(checkpoint.label_names[kind])}"
        for kind, name in example.settings.labels.items()
        if name in checkpoint.label_names.get(kind, [])
    )
    note = html.escape(f"Words: {told}" + (f" ({numbers})." if numbers else "."))
    return _figures(_figure(picture, html.escape(caption), "The drawing that is told"), row_class="three",
                    note=note)  # fmt: skip


def _steps(way: Way, example: Example) -> Generator[Step]:
    """The run of one way; a smaller model gets the drawing smaller, and the words that it knows."""
    now, checkpoint = example.settings, way.checkpoint.computing(example.settings.precision)
    labels = {kind: name for kind, name in now.labels.items() if checkpoint.name_of(kind, name)}
    drawing, side = example.x0, checkpoint.image_size
    if drawing.shape[-1] != side:
        drawing = F.interpolate(drawing, (side, side), mode="bilinear", antialias=True)
    sampling = replace(now.sampling, solver=way.solver, eta=0.0)
    yield from edit(checkpoint, drawing, {**labels}, sampling, example.seeds(1))


def _some(steps: Sequence[Step]) -> list[torch.Tensor]:
    """FRAMES pictures of a run, evenly from its first to its last step."""
    last = len(steps) - 1
    return [steps[round(last * i / (FRAMES - 1))].x0[:1] for i in range(FRAMES)]


def ways_html(names: Sequence[str], rows: Sequence[Sequence[torch.Tensor]], say: str = "") -> str:
    """A row of pictures for each way; empty frames before they are painted."""
    captions = ["first step", *["on the way"] * (FRAMES - 2), "the picture"]
    parts = []
    for i, name in enumerate(names):
        pictures = rows[i] if i < len(rows) else [None] * FRAMES
        shown_ones = [
            _figure(picture, caption, f"{html.escape(name)}, {caption}", smooth=True)
            for picture, caption in zip(pictures, captions)
        ]
        parts.append(_figures(*shown_ones, row_class="four", title=html.escape(name)))
    return "".join(parts) + f'<p class="note">{html.escape(say)}</p>'


def explain_ways(checkpoints: dict[str, Checkpoint], example: Example) -> Iterator[str]:
    """Part 6: a row after each way that has been walked."""
    settings = example.settings
    if settings.strength == 0:  # nothing is walked
        example = replace(example, settings=replace(settings, strength=1 / settings.steps))
    chosen = ways(checkpoints, settings.model)
    rows: list[list[torch.Tensor]] = []
    for way in chosen:
        with contextlib.closing(ahead(_steps(way, example))) as batches:
            rows.append(_some(list(chain.from_iterable(batches))))
        said = f"{len(rows)} of {len(chosen)}; strength {settings.strength:g}, seed {settings.seed}."
        yield ways_html([each.name for each in chosen], rows, said)

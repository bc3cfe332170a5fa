"""Runs, and what the server remembers of one open tab: which run is wanted, and the last few that ended.

paint     a drawing and its settings -> Looks and Steps, for one seed or several at once
Run       what is kept of a run, and the pictures that can be had from it
go_on     denoising on from one of its steps
Session   which run is wanted, of all that one person asked for
"""

from __future__ import annotations

import io
import math
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor

from .. import images
from ..checkpoint import Checkpoint
from ..codec import Codec, Pixels
from ..look import Look
from ..sampler import Step
from ..sdedit import StrengthSearch, edit_walk
from .drawing import Drawing
from .settings import Settings
from .shelf import SHELF

RESULT_SIDE = 512  # pixels of the finished picture
LARGE_SIDE = 1024  # of one that is saved large
# Animations are GIFs: a WebP is a third as large, but many places that people share to do not play it.
GIF_SIDE = 320
NOISY_FRAMES = 12  # at most; they are nearly all of the file, some 55 kB each
FRAME_MS, DRAWING_MS = 110, 700
KEPT_RUNS = 16  # of each open tab; of all of them shelf.py keeps so many bytes

TOO_OLD = "That picture was made too long ago, its steps are gone. Please generate it again."
OTHER_MODEL = "That picture was made with another model. Choose that model, or generate it again."


def paint(
    checkpoint: Checkpoint,
    drawing: Drawing | None,
    settings: Settings,
    count: int = 1,
    after: Step | None = None,
    renoise: bool = False,
) -> Generator[Look | Step]:
    """Run the model on a drawing, `count` seeds at once; without a drawing it imagines from pure noise.

    Before each Step comes the Look that it needs, for `worker.ahead` to answer.

    The last Step's x0 is the finished picture, decoded; all others are as the model draws them.
    Nothing is computed, nor refused, before the first step is asked for: this may be called in any thread.
    """
    sampling, codec = settings.sampling, checkpoint.codec
    x0: Tensor | None = None
    mask: Tensor | None = None
    if drawing:
        x0 = codec.encode(drawing.prepared.x0).expand(count, -1, -1, -1)
    if drawing and drawing.keep:
        mask = images.prepare_mask(drawing.keep, drawing.prepared, checkpoint.image_size)
    steps = edit_walk(
        checkpoint.computing(settings.precision),
        x0,
        {**settings.labels},
        sampling if drawing else replace(sampling, strength=1.0),
        generator=[torch.Generator().manual_seed(settings.nth_seed(k)) for k in range(count)],
        mask=mask,
        after=after,
        renoise=renoise,
    )
    for item in steps:
        if isinstance(item, Step) and item.index == item.total:
            item = replace(item, x0=codec.decode(item.x0))
        yield item


@dataclass
class Run:
    """A run that has ended: what made it, and the states it went through."""

    settings: Settings
    drawing: Drawing | None
    steps: list[Step]  # x and x0 (B, 3, R, R): B pictures, with seeds as `Settings.nth_seed` counts them
    drawn: int = 0  # the number of the run that the drawing came with
    codec: Codec = Pixels()  # of the checkpoint: the steps are as its model draws them

    @property
    def nbytes(self) -> int:
        """What it takes in memory: one of nine pictures in 50 steps 44 MB, the usual one 1 MB."""
        states = [x for step in self.steps for x in (step.x, step.x0)]
        drawn = [self.drawing.picture, self.drawing.keep] if self.drawing else []
        pixels = [image.width * image.height * len(image.getbands()) for image in drawn if image]
        return sum(x.numel() * x.element_size() for x in states) + sum(pixels)

    @property
    def lined(self) -> bool:
        """Do the drawing's lines stay over the picture? Only outlines have lines that are no colours."""
        wanted = self.settings.lines and not self.settings.enlarge
        return wanted and self.drawing is not None and self.drawing.is_outline

    def seen(self, step: Step) -> Step:
        """One of its steps as something to look at; the x0 of the last one is that already."""
        finished = step.index == step.total
        x0 = step.x0 if finished else self.codec.preview(step.x0)
        return replace(step, x=self.codec.preview(step.x), x0=x0)

    def only(self, k: int) -> Run:
        """The same run for its k-th picture alone."""
        steps = [replace(step, x=step.x[k : k + 1], x0=step.x0[k : k + 1]) for step in self.steps]
        return replace(self, settings=replace(self.settings, seed=self.settings.nth_seed(k)), steps=steps)

    def picture(self, side: int | None = None) -> Image.Image:
        """The result, standing where the drawing stood.

        Args:
            side: the longer one of the result, in pixels. None: as many as the drawing has, or RESULT_SIDE
                where there is none, or it has only few and is enlarged.
        """
        drawing = self.drawing
        if side is None and self.settings.enlarge:
            side = RESULT_SIDE
        if side is not None and drawing is not None:
            width, height = drawing.picture.size
            drawing = drawing.resized(max(1, round(side * width / max(width, height))))
        return self._stand(images.to_pil(self.steps[-1].x0[:1], side or RESULT_SIDE), drawing)

    def animation(self) -> list[Image.Image]:
        """The drawing, noisy states on their way to the picture, and the picture, all in its place."""
        drawing = self.drawing.resized(GIF_SIDE) if self.drawing else None
        apart = max(1, math.ceil((len(self.steps) - 1) / NOISY_FRAMES))
        noisy = [images.to_pil(self.codec.preview(step.x[:1]), GIF_SIDE) for step in self.steps[:-1:apart]]
        last = images.to_pil(self.steps[-1].x0[:1], GIF_SIDE)
        start = [drawing.picture] if drawing else []
        return start + [self._stand(picture, drawing) for picture in [*noisy, last]]

    def gif(self) -> bytes:
        """The animation as a file."""
        buffer = io.BytesIO()
        first_ms = DRAWING_MS if self.drawing else FRAME_MS
        images.save_gif(self.animation(), buffer, ms=FRAME_MS, first_ms=first_ms)
        return buffer.getvalue()

    def _stand(self, painted: Image.Image, drawing: Drawing | None) -> Image.Image:
        if drawing is None:
            return painted
        whole = images.paste_back(painted, drawing.prepared, drawing.picture, drawing.keep)
        return images.with_lines(whole, drawing.picture) if self.lined else whole


class Place(NamedTuple):
    """A step of a kept run's k-th picture, as the browser names it; `go_on` checks that there is one."""

    run: object
    k: object
    step: object


@dataclass(frozen=True)
class Ticket:
    """What a run is asked for. Tickets stay on the server; the browser gets the run's number only."""

    count: int = 1
    after: Place | None = None  # where to go on from, if it is to go on from somewhere
    drawing: bool = False  # asked for by a stroke: more of them may follow


@dataclass
class Session:
    """What the server remembers of one open tab: which run is wanted, and the last few that ended.

    Runs are numbered. Whoever wants one asks first, outside the queue, which raises `wanted` at once; a run
    that is no longer wanted sees that after its current step and ends. The number travels to the page and
    back, together with the drawing: a drawing that comes with the newest number is at least as new as the
    request for it, so the newest drawing always wins.
    """

    wanted: int = 0  # the newest run asked for
    taken: int = 0  # the newest run begun, or called off
    ticket: Ticket = Ticket()  # of the newest run asked for
    runs: dict[int, Run] = field(default_factory=dict)
    search: StrengthSearch | None = None

    def ask(self, ticket: Ticket = Ticket()) -> int:
        """The number of a new run, which ends the one that is going on."""
        self.wanted += 1
        self.ticket = ticket
        return self.wanted

    def take(self, number: int) -> Ticket | None:
        """What that run is to do, if it may begin: not if a newer one is wanted, or it has begun already."""
        if number != self.wanted or number <= self.taken:
            return None
        self.taken = number
        return self.ticket

    def call_off(self) -> int:
        self.taken = self.ask()
        return self.taken

    def keep(self, number: int, run: Run) -> None:
        self.runs[number] = run
        for oldest in sorted(self.runs)[:-KEPT_RUNS]:
            del self.runs[oldest]
        SHELF.put(self, number)

    def kept(self, number: object, k: object) -> Run:
        """The k-th picture of a run that has ended, both as the browser names them.

        Raises:
            ValueError: it is not kept any longer.
        """
        run = self.runs.get(_whole(number))
        if run is None or not 0 <= _whole(k) < len(run.steps[0].x):
            raise ValueError(TOO_OLD)
        return run.only(_whole(k))


def _whole(value: object) -> int:
    """The value, if it is a whole number; else -1, which numbers nothing."""
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def go_on(
    session: Session, checkpoint: Checkpoint, settings: Settings, place: Place
) -> tuple[Run, Generator[Look | Step]]:
    """Denoise on from a kept step, with what is chosen now: words, guidance, eta or a new seed.

    Strength, step count, model and drawing, enlarged or not, are the old run's: they belong to the state.

    Raises:
        ValueError: there is no such step, or it is another model's.
    """
    old, step = session.kept(place.run, place.k), _whole(place.step)
    if not 1 <= step <= len(old.steps):
        raise ValueError(TOO_OLD)
    if settings.model != old.settings.model:
        raise ValueError(OTHER_MODEL)
    was = old.settings
    settings = replace(settings, strength=was.strength, steps=was.steps, enlarge=was.enlarge)
    renoise = settings.seed != old.settings.seed
    stream = paint(checkpoint, old.drawing, settings, after=old.steps[step - 1], renoise=renoise)
    return replace(old, settings=settings, steps=old.steps[:step]), stream

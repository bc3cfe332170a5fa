"""The endpoint that paints beside what must stay: inpainting, outpainting, averages kept."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import gradio as gr
from PIL import Image

from .. import images
from ..checkpoint import Checkpoint
from ..outpaint import widened
from ..sampler import USUAL, Sampling
from .drawing import Drawing
from .handlers import in_a_sentence
from .request import File, Request
from .settings import BAD_NUMBER, DEFAULTS, Settings

LIMITS = {"resample": (1, 20), "jump": (1, 50), "low_pass": (0, 64)}
WIDEST = 2.0  # of a margin, in shares of the drawing's longer side


@dataclass(frozen=True)
class FillSettings(Settings):
    """What a picture is made with of which something must stay, see `Sampling`."""

    resample: int = USUAL.resample
    jump: int = USUAL.jump
    low_pass: int = USUAL.low_pass
    told: bool = True

    @property
    def sampling(self) -> Sampling:
        own = {name: getattr(self, name) for name in ("resample", "jump", "low_pass", "told")}
        return replace(super().sampling, **own)


def _number(name: str, value: object, low: float, high: float, default: float) -> float:
    """A number that was sent; None is the default.

    Raises:
        ValueError: it is none, or out of its range.
    """
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        said = name.replace("_", "-").capitalize()
        raise ValueError(BAD_NUMBER.format(said, int(low), int(high), f"{value!r:.40}"))
    return value


def filling_inputs() -> dict[str, gr.components.Component]:
    """A component that nobody sees for each parameter that other endpoints do not have."""
    own = {"strength": 1.0, "left": 0, "top": 0, "right": 0, "bottom": 0}
    own |= {name: getattr(USUAL, name) for name in LIMITS}
    return {name: gr.Number(value, visible=False, label=name.capitalize()) for name, value in own.items()}


class Filling:
    """The function that programs call, for the checkpoints of one page."""

    def __init__(self, checkpoints: dict[str, Checkpoint]) -> None:
        self.checkpoints = checkpoints

    @in_a_sentence
    def fill(
        self,
        picture: File | None = None,
        subject: str = "",
        style: str = "",
        strength: float = 1.0,
        steps: int = DEFAULTS.steps,
        guidance: float = DEFAULTS.guidance,
        seed: int = DEFAULTS.seed,
        model: str = "",
        keep: File | None = None,
        steering: float = DEFAULTS.steering,
        left: float = 0.0,
        top: float = 0.0,
        right: float = 0.0,
        bottom: float = 0.0,
        resample: int = USUAL.resample,
        jump: int = USUAL.jump,
        low_pass: int = USUAL.low_pass,
    ) -> Image.Image:
        """Paint where a picture may change, or around it: the rest stays as it is.

        Args:
            picture: The picture, a file.
            subject: What it should be, a name from /labels; empty leaves it to the model.
            style: How it should look, a name from /labels; empty leaves it to the model.
            strength: 0 keeps the picture as it is, 1 repaints all that may change.
            steps: How many steps a run of strength 1 takes.
            guidance: How much the words count, 1 is off.
            seed: The same seed gives the same picture.
            model: A name from /labels; empty takes the first.
            keep: A mask of the picture's shape: what is black in it stays as it is. May be left out.
            steering: How much a classifier steers towards the words, where the model has one; 0 is off.
            left: How much wider to paint on the left, in shares of the picture's longer side, 0 to 2.
            top: The same above it.
            right: The same on the right.
            bottom: The same below it.
            resample: How often each step is taken, 1 to 20, so that what is new fits what is kept.
            jump: How many steps are gone back over at once.
            low_pass: 0, or the side of the blocks of the model's pixels whose averages stay.
        """
        request = Request.read(
            self.checkpoints, picture, keep, subject, style, model,
            strength=1.0 if strength is None else strength, steps=steps, guidance=guidance, seed=seed,
            steering=steering,
        )  # fmt: skip
        drawing, sent = request.needed_drawing(), {"resample": resample, "jump": jump, "low_pass": low_pass}
        sides = {"left": left, "top": top, "right": right, "bottom": bottom}
        margins = [_number(name, value, 0, WIDEST, 0) for name, value in sides.items()]
        if any(margins):
            page, free = widened(drawing.picture, margins, drawing.keep)
            whole = images.prepare(page, request.checkpoint.drawing_size, frame=False)
            drawing = Drawing(page, free, whole)
        dials: dict[str, Any] = {name: round(_number(name, value, *LIMITS[name], getattr(USUAL, name)))
                 for name, value in sent.items()}  # fmt: skip
        usual: dict[str, Any] = {each.name: getattr(request.settings, each.name) for each in fields(Settings)}
        settings = FillSettings(**usual, **dials, told=not any(margins))
        *_, run = replace(request, settings=settings, drawing=drawing).run()
        return run.picture()

"""What Python tells the browser of a run: one kind of message, read by assets/web/result/main.js."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from typing import TypedDict

from .. import images
from ..sampler import Step
from .canvas_io import data_url
from .session import Run

FAILED = "Something went wrong while painting, please try again."
WAIT = "Getting ready..."
STOPPED = "Stopped."


class Frame(TypedDict):
    """One step of a run, with the pictures of a batch side by side as data URLs."""

    say: str
    x0: str  # the picture predicted
    x: str  # the noisy state


class Message(TypedDict, total=False):
    """The value of the result's component. assets/web/types.js has the same list, as `Message`.

    Every message has a nonce; all but those with a file have run, phase and say.
    """

    run: int  # the newest number that this is news of; the page ignores news of older ones
    phase: str  # wait, run, done, chosen or idle
    say: str  # the line under the picture
    nonce: float  # tells a message from another that says the same, and from itself when it comes twice
    # while a run goes on, and when it is done:
    start: int  # the number it began with; `run` may be higher, where Stop raised it since
    count: int  # of pictures
    box: list[float]  # where they belong: left, top and side in shares of the canvas's side
    shape: list[float]  # width and height in such shares of the drawing, which lies in the canvas's middle
    lined: bool  # do the drawing's lines stay over what is painted?
    progress: float  # from 0 to 1
    frames: list[Frame]  # those that are new
    # when it is done:
    drawn: int  # the number that its drawing was sent with
    settings: dict  # what it was made with
    # the k-th picture of the run that began as `of`, finished:
    of: int
    k: int
    picture: str  # a data URL
    name: str  # of its file, without an extension
    link: str  # the query of a link to its settings
    # and a file that a button asked for, a data URL: the animation, or the picture with more pixels
    gif: str
    large: str


def message(run: int, phase: str, say: str, more: Message | None = None) -> Message:
    """News of a run, with more of the fields of `Message`."""
    news: Message = {"run": run, "phase": phase, "say": say, "nonce": random.random()}
    return {**news, **(more or {})}


# For the browser, where the server did not answer: `run` is the newest number it has heard of.
FAILED_JS = f"(run) => ({{ run, phase: 'idle', say: {json.dumps(FAILED)}, nonce: Math.random() }})"


def frame_message(step: Step) -> Frame:
    """One step for the page."""
    say = f"Step {step.index} of {step.total}" if step.total else ""
    x0, x = (data_url(images.side_by_side(pictures)) for pictures in (step.x0, step.x))
    return {"say": say, "x0": x0, "x": x}


def finished(run: Run, number: int, k: int) -> Message:
    """The fields of a message that make the only picture of `run` a finished one.

    Args:
        number, k: the picture is the k-th of the run that began with this number.
    """
    return {
        "of": number,
        "k": k,
        "lined": run.lined,
        "picture": data_url(run.picture(), run.settings),
        "name": run.settings.name,
        "settings": asdict(run.settings),
        "link": run.settings.to_query(),
    }


def summary(run: Run, seconds: float) -> str:
    """The small print under a result."""
    last, settings = run.steps[-1], run.settings
    if last.total == 0 and settings.enlarge:
        return f"Enlarged in {seconds:.1f} s, strength 0: nothing is repainted."
    if last.total == 0:
        return "Strength 0: this is your drawing as the network sees it."
    count = len(last.x)
    steps = (
        f"{last.total} steps"
        if last.index == last.total
        else f"Stopped after {last.index} of {last.total} steps"
    )
    seeds = (
        f"seed {settings.seed}" if count == 1 else f"seeds {settings.seed} to {settings.nth_seed(count - 1)}"
    )
    text = f"{steps} in {seconds:.1f} s, {seeds}."
    text = f"Pure imagination: {text}" if run.drawing is None else text
    return f"{text} Click one." if count > 1 else text

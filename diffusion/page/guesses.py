"""What a drawing may be: its kind, and names that the judge finds likely, proposed while a person draws."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

from .. import images
from ..checkpoint import Checkpoint
from ..classifier import Classifier, load_classifier
from ..errors import DoodleError
from ..kinds import kind_for
from .canvas_io import read_canvas
from .choices import pretty
from .settings import find_model
from .worker import in_model_thread

MOST = 5  # of the drawings by hand 44 % are the first, 62 % among three, 68 % among five: checkpoints/judge

Guesser = Callable[[dict], "Guesses"]


class Guess(TypedDict):
    """A name that a drawing may have, as guesses.js shows it."""

    name: str
    shown: str


class Guesses(TypedDict):
    """The answer: one of `kinds.STRENGTHS`, "" where nothing is drawn, and names, likeliest first."""

    kind: str
    names: list[Guess]


NOTHING: Guesses = {"kind": "", "names": []}


def find_judge(folder: Path) -> tuple[Classifier | None, list[str]]:
    """The classifier in the folder "judge" beside the checkpoints, if any, and what is wrong with it."""
    for path in sorted((folder / "judge").glob("*.safetensors")):
        try:
            return in_model_thread(load_classifier, path), []
        except DoodleError as error:
            return None, [str(error).replace(f"{folder}/", "")]
    return None, []


def guesser(checkpoints: dict[str, Checkpoint], judge: Classifier) -> Guesser:
    """The function that the browser asks, outside of the queue: it waits for a step of a run at most."""

    def guess(asked: dict[str, Any]) -> Guesses:
        """{"model": name, "drawing": value of the canvas} -> names that the model knows, likeliest first.

        Nothing where nothing is drawn, or what was sent makes no sense: a run says what is wrong.
        """
        try:
            checkpoint = checkpoints[find_model(checkpoints, asked.get("model"))]
            picture, _ = read_canvas(asked.get("drawing"))
        except (ValueError, AttributeError):
            return NOTHING
        drawn = images.prepare(picture, judge.image_size) if picture else None
        if picture is None or drawn is None or drawn.blank:
            return NOTHING
        kind, known = next(iter(checkpoint.label_names.items()), ("", []))
        names = in_model_thread(judge.likeliest, drawn.x0, kind, known, MOST)[0]
        shown: list[Guess] = [{"name": name, "shown": pretty(name)} for name in names]
        return {"kind": kind_for(picture, checkpoint.takes_lines), "names": shown}

    return guess

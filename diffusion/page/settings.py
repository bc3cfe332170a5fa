"""What a picture is made with: its settings, their bounds and defaults, and how they travel.

Whatever comes from outside, from a browser or a program, becomes `Settings` in `Settings.read` alone and is
checked there. Links and files are read by `known_settings`, which leaves out what it cannot read.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any
from urllib.parse import urlencode

from ..checkpoint import Checkpoint
from ..machine import PRECISIONS, best_precision, multiplies_bf16
from ..sampler import SOLVERS, USUAL, Sampling

MAX_SEED = 2**31 - 1
DRAWING_STEPS = 4  # of a run while somebody draws, whatever its strength: fewer are dull at low ones
MAX_PICTURES = 9  # at once
LONGEST_WORD = 40  # characters of a label in a file's name
PNG_KEY = "doodle-diffusion"  # the text chunk with a picture's settings

BAD_NAME = "A model or a label is chosen by its name, not by {}."
BAD_NUMBER = "{} must be a number from {} to {}, not {}."  # all bounds are whole
BAD_COUNT = "Ask for 1 to {} pictures, not {}."
BAD_WORD = "{} must be {}, not {}."
BAD_SWITCH = "{} must be true or false, not {}."


def _number(default: Any, low: float, high: float) -> Any:
    """A field of `Settings` that takes numbers from low to high; whole ones where these are whole."""
    return field(default=default, metadata={"range": (low, high)})


@dataclass(frozen=True)
class Settings:
    """All that makes a picture again, but for the drawing."""

    model: str
    labels: dict[str, str]
    strength: float = _number(USUAL.strength, 0.0, 1.0)
    steps: int = _number(12, 5, 50)
    guidance: float = _number(USUAL.guidance, 1.0, 6.0)
    eta: float = _number(USUAL.eta, 0.0, 1.0)
    seed: int = _number(7, 0, MAX_SEED)
    colour: bool = True
    precision: str = field(default_factory=best_precision)  # of the arithmetic
    solver: str = "dpm++"  # in 12 steps what DDIM is in 20: see "Fewer calls" in the checkpoint's card
    temperature: float = _number(USUAL.temperature, 0.0, 1.0)
    steering: float = _number(USUAL.steering, 0.0, 20.0)
    enlarge: bool = False  # a picture with few pixels, rather than paint a drawing: without words
    lines: bool = True  # of outlines, over what was painted: nothing that the model knows of

    @classmethod
    def read(cls, model: str, labels: Mapping[str, object], **chosen: object) -> Settings:
        """Settings from values that a browser or a program sent, of whatever type they are.

        Args:
            model: the name of a checkpoint that exists.
            labels: kind -> name; without a name the kind is left out, and all are where it only enlarges.
            chosen: values of the other fields. One that is None, or missing, is the default.

        Raises:
            ValueError: a value of another type, or out of its range.
        """
        named = {kind: _name(name) for kind, name in labels.items() if name not in (None, "")}
        numbers: dict[str, Any] = {name: read_number(name, chosen.get(name)) for name in RANGES}
        switches: dict[str, Any] = {name: _read_switch(name, chosen.get(name)) for name in SWITCHES}
        words: dict[str, Any] = {name: read(chosen.get(name)) for name, read in WORDS.items()}
        if chosen.get("solver") in (None, ""):
            words["solver"] = usual_solver(numbers["eta"])
        return cls(model, {} if switches["enlarge"] else named, **numbers, **switches, **words)

    @property
    def sampling(self) -> Sampling:
        """The part of them that says how to sample."""
        eta = self.eta if self.solver == "ddim" else 0.0  # the others are deterministic
        return Sampling(
            self.strength, self.steps, self.guidance, eta, self.solver,
            temperature=self.temperature, steering=self.steering,
        )  # fmt: skip

    @property
    def while_drawing(self) -> Settings:
        """For a picture that the next stroke replaces: nearly the same one in DRAWING_STEPS steps.

        Solvers without fresh noise walk towards one picture, DPM-Solver++ in the fewest steps. Of one with
        fresh noise it would be another picture: these stay as they are, and so does what is as short already.
        """
        if self.sampling.new_solver().noisy or self.strength * self.steps <= DRAWING_STEPS:
            return self
        low, _ = RANGES["steps"]
        return replace(self, solver="dpm++", steps=max(int(low), round(DRAWING_STEPS / self.strength)))

    def nth_seed(self, k: int) -> int:
        """The seed of the k-th of several pictures. They count up, and after the last one begin at 0: a seed
        that the controls cannot have would make a picture that nobody gets again."""
        return (self.seed + k) % (MAX_SEED + 1)

    @property
    def name(self) -> str:
        """A file name without its extension; labels come from a file and may say anything, also ../../x."""
        words = ["enlarged"] if self.enlarge else self.labels.values()
        plain = (re.sub(r"[^\w.]+", "-", word).strip("-.")[:LONGEST_WORD] for word in words)
        return "-".join([*filter(None, plain), str(self.seed)])

    def to_query(self) -> str:
        """The query part of a link that sets the page's controls; `known_settings` reads it."""
        parts = asdict(self) | {name: int(getattr(self, name)) for name in SWITCHES}
        for name in ("enlarge", "lines", "temperature", "steering"):  # links stay as they were
            if getattr(self, name) == getattr(DEFAULTS, name):
                del parts[name]
        labels = parts.pop("labels")
        model = {"model": parts.pop("model")}
        return urlencode(
            {key: str(value).removesuffix(".0") for key, value in (model | labels | parts).items()}
        )


RANGES: dict[str, tuple[float, float]] = {  # of the numbers among the settings
    each.name: each.metadata["range"] for each in fields(Settings) if each.metadata
}
SWITCHES = ("colour", "enlarge", "lines")
DEFAULTS = Settings("", {})


def read_number(name: str, value: object) -> float:
    """The number of that name among the settings, from a value that was sent; None is the default.

    Raises:
        ValueError: no number, or one out of its range.
    """
    if value is None:
        return getattr(DEFAULTS, name)
    low, high = RANGES[name]
    number = _between(value, low, high)
    if number is None:
        raise ValueError(BAD_NUMBER.format(name.capitalize(), int(low), int(high), _shown(value)))
    return round(number) if isinstance(low, int) else float(number)


def read_precision(value: object) -> str:
    """The precision of the arithmetic, from a value that was sent; None is the best one here.

    Where bfloat16 would take a hundred times as long, it is float32.

    Raises:
        ValueError: another value than "bf16" and "fp32".
    """
    if value is None:
        return best_precision()
    wanted = _one_of("Precision", PRECISIONS, value)
    return wanted if multiplies_bf16() else "fp32"


def _read_switch(name: str, value: object) -> bool:
    """The switch of that name among the settings, from a value that was sent; None is the default."""
    if value is None:
        return getattr(DEFAULTS, name)
    if value not in (True, False):
        raise ValueError(BAD_SWITCH.format(name.capitalize(), _shown(value)))
    return bool(value)


def usual_solver(eta: float) -> str:
    """The solver that is meant where none is named: eta is DDIM's alone."""
    return "ddim" if eta else DEFAULTS.solver


def read_solver(value: object) -> str:
    """The name of a solver, from a value that was sent; None, or no name, is the default.

    Raises:
        ValueError: there is none of that name.
    """
    if value in (None, ""):
        return DEFAULTS.solver
    return _one_of("Solver", SOLVERS, value)


def _one_of(what: str, known: Iterable[str], value: object) -> str:
    """The value, if it is one of the words known."""
    known = list(known)
    if value not in known:
        raise ValueError(BAD_WORD.format(what, " or ".join(known), _shown(value)))
    return str(value)


WORDS: dict[str, Callable[[object], str]] = {"precision": read_precision, "solver": read_solver}


def read_count(value: object, default: int) -> int:
    """How many pictures are wanted at once, from a value that was sent; None is the default.

    Raises:
        ValueError: not a number from 1 to 9.
    """
    if value is None:
        return default
    number = _between(value, 1, MAX_PICTURES)
    if number is None:
        raise ValueError(BAD_COUNT.format(MAX_PICTURES, _shown(value)))
    return round(number)


def _between(value: object, low: float, high: float) -> float | None:
    """The value, if it is a number and from low to high."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if low <= value <= high else None


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(BAD_NAME.format(_shown(value)))
    return value


def _shown(value: object) -> str:
    """A value that was sent, short enough for a sentence."""
    return f"{value!r:.40}"


def find_model(checkpoints: dict[str, Checkpoint], name: object) -> str:
    """The name of a checkpoint; without a name the first.

    Raises:
        ValueError: there is none of that name.
    """
    name = next(iter(checkpoints)) if name in (None, "") else _name(name)
    if name not in checkpoints:
        raise ValueError(f"There is no model {_shown(name)}; there are: {', '.join(checkpoints)}.")
    return name


def known_settings(wishes: Mapping, checkpoints: dict[str, Checkpoint], model: str) -> dict:
    """What of a link or of a file's text can be had here: names that exist, numbers brought into their range.

    Links get cut, edited and old, so whatever cannot be read is left out without a word.

    Args:
        wishes: as in `Settings`; values may be text, labels may stand beside the others or in "labels".
        model: the one picked now, whose labels are meant where no other that exists here is named.
    """
    labels = wishes.get("labels")
    wishes = {**(labels if isinstance(labels, Mapping) else {}), **wishes}
    found = {}
    if wishes.get("model") in list(checkpoints):
        found["model"] = model = wishes["model"]
    kinds = checkpoints[model].label_names
    if known := {kind: wishes[kind] for kind, names in kinds.items() if wishes.get(kind) in names}:
        found["labels"] = known
    for key, (low, high) in RANGES.items():
        with contextlib.suppress(TypeError, ValueError, OverflowError):  # no number, or not one at all
            number = min(max(float(wishes.get(key, "")), low), high)
            if not math.isnan(number):
                found[key] = round(number) if isinstance(low, int) else number
    for key in SWITCHES:
        switch = str(wishes.get(key)).lower()
        if switch in ("0", "1", "false", "true"):
            found[key] = switch in ("1", "true")
    for name, read in WORDS.items():
        with contextlib.suppress(ValueError):
            if wishes.get(name) is not None:
                found[name] = read(wishes[name])
    if found.get("eta"):
        found.setdefault("solver", usual_solver(found["eta"]))
    if not checkpoints[model].enlarges:
        found.pop("enlarge", None)
    return found


def read_settings(text: str) -> dict:
    """The settings that travel in a PNG, as they stand there; {} where the text is none of ours."""
    try:
        settings = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return {}
    return settings if isinstance(settings, dict) else {}

"""Command lines: the settings of a command are a dataclass, each of its fields is a flag of the same name.

    @dataclass(frozen=True)
    class Settings:
        data: tuple[str, ...] = option(REQUIRED, "folders or tars of pictures")
        batch_size: int = option(32, "pictures per optimizer step", low=1)

    @command("train")
    def main(argv=None):
        settings = parse(Settings, "python -m diffusion.train", "Train a diffusion model.", argv)
        ...

A wrong value is refused, in one sentence, before anything is read.
"""

from __future__ import annotations

import argparse
import functools
import math
import sys
import typing
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, field, fields
from typing import Any, NoReturn, TypeVar

import torch

from .errors import DoodleError, quoted
from .machine import use_cores

S = TypeVar("S")
REQUIRED = MISSING
MOST = 10**9  # whole numbers that have no limit of their own
LONGEST_SENTENCE = 600  # characters; words that were given may be of any length
SEED: dict[str, Any] = {"low": 0, "high": 2**63 - 1}  # what PyTorch's generators take, of whatever needs one


def option(
    default: Any,
    help: str,
    *,
    choices: Sequence[str] | None = None,
    low: float | None = None,
    high: float | None = None,
    below: float | None = None,
    read: Callable[[str], Any] | None = None,
    positional: bool = False,
) -> Any:
    """A field that is also a flag.

    Args:
        default: REQUIRED where there is none.
        help: one line.
        choices: the values there are.
        low, high: the smallest and the largest number allowed.
        below: numbers must be less than this.
        read: text -> value, raising `argparse.ArgumentTypeError`, where the field's type is not enough.
        positional: a word of its own, without a flag.
    """
    about: dict[str, Any] = {"help": help, "choices": choices, "positional": positional}
    about |= {"read": read, "limits": (low, high, below)}
    return field(default=default, kw_only=True, metadata=about)


def number(
    type_: type, low: float | None = None, high: float | None = None, below: float | None = None
) -> Callable[[str], float]:
    """An argparse type: a finite int or float within limits, see `option`."""
    most = MOST if type_ is int and high is None else high
    limits = "" if low is None else f" of at least {low}"
    if high is not None:
        limits = f" from {low} to {high}" if low is not None else f" of at most {high}"
    if below is not None:
        limits += f"{' and' if limits else ''} less than {below}"

    def read(text: str) -> float:
        try:
            value = type_(text)
        except ValueError:
            value = math.nan
        inside = (low is None or value >= low) and (most is None or value <= most)
        finite = isinstance(value, int) or math.isfinite(value)
        if not (finite and inside and (below is None or value < below)):
            what = "a whole number" if type_ is int else "a number"
            raise argparse.ArgumentTypeError(f"must be {what}{limits}, not {quoted(text)}")
        return value

    return read


def device(text: str) -> str:
    """An argparse type: the name of a device that PyTorch can compute on here."""
    try:
        torch.zeros(1, device=text).cpu()
    except (RuntimeError, AssertionError, NotImplementedError, ValueError) as error:
        there = "cpu, cuda" if torch.cuda.is_available() else "cpu"
        said = f"PyTorch has no {quoted(text)} here; there is {there}"
        raise argparse.ArgumentTypeError(said) from error
    return text


class Parser(argparse.ArgumentParser):
    """Raises DoodleError with the sentence, where argparse would print its usage and exit."""

    def error(self, message: str) -> NoReturn:
        raise DoodleError(message)


def add_options(parser: argparse.ArgumentParser, settings: type) -> None:
    """One flag for each field of the dataclass `settings`; flags not given are absent from the result."""
    types = typing.get_type_hints(settings)
    for f in fields(settings):
        many = typing.get_origin(types[f.name]) is tuple
        words: dict[str, Any] = {
            "type": _reader(f, typing.get_args(types[f.name])[0] if many else types[f.name])
        }
        words |= {"choices": f.metadata["choices"], "nargs": "+" if many else None, "help": _help(f)}
        if f.metadata["positional"]:
            parser.add_argument(f.name, **words)
            continue
        flag = "--" + f.name.replace("_", "-")
        parser.add_argument(flag, **words, required=f.default is REQUIRED, default=argparse.SUPPRESS)


def _reader(f: Field, type_: type) -> Callable[[str], Any]:
    if f.metadata["read"]:
        return f.metadata["read"]
    return number(type_, *f.metadata["limits"]) if type_ in (int, float) else type_


def check_options(settings: Any) -> None:
    """Check values that do not come from a command line, but a file or a program, like those that do.

    Raises:
        DoodleError: one of another type, or that the option does not allow.
    """
    types = typing.get_type_hints(type(settings))
    for f in fields(settings):
        value, many = getattr(settings, f.name), typing.get_origin(types[f.name]) is tuple
        type_ = typing.get_args(types[f.name])[0] if many else types[f.name]
        accepted = (int, float) if type_ is float else type_
        low, high, below = f.metadata["limits"]
        for each in value if many and isinstance(value, tuple) else (value,):
            good = isinstance(each, accepted) and not isinstance(each, bool)
            if good and type_ in (int, float):
                most = MOST if type_ is int and high is None else high
                good = isinstance(each, int) or math.isfinite(each)
                good = good and (low is None or each >= low) and (most is None or each <= most)
                good = good and (below is None or each < below)
            if not good or (f.metadata["choices"] and each not in f.metadata["choices"]):
                raise DoodleError(f"The setting {f.name} cannot be {quoted(repr(each))}.")


def _help(f: Field) -> str:
    shown = " ".join(map(str, f.default)) if isinstance(f.default, tuple) else f.default
    text = f.metadata["help"] + ("" if shown in ("", REQUIRED) else f" (default: {shown})")
    return text.replace("%", "%%")


def settings_from(settings: type[S], args: argparse.Namespace) -> S:
    """The dataclass `settings` from parsed arguments, with defaults where a flag was not given."""
    given = {f.name: getattr(args, f.name) for f in fields(settings) if hasattr(args, f.name)}  # type: ignore
    return settings(**{name: tuple(v) if isinstance(v, list) else v for name, v in given.items()})


def parse(settings: type[S], prog: str, description: str, argv: Sequence[str] | None = None) -> S:
    """The settings on a command line (None: this program's own).

    Raises:
        DoodleError: an unknown flag, or a value that is not allowed.
    """
    parser = Parser(prog, description=description)
    add_options(parser, settings)
    return settings_from(settings, parser.parse_args(argv))


def command(name: str) -> Callable[[Callable[..., int | None]], Callable[..., int]]:
    """Makes a function the whole of a command line: it returns the exit status and raises nothing.

    0 (or what the function returns); 2 after an error, which is one line on stderr behind `name`; 130 after
    Ctrl-C. Characters that the terminal or pipe cannot show are written as escapes.
    """

    def decorate(main: Callable[..., int | None]) -> Callable[..., int]:
        @functools.wraps(main)
        def run(*args: Any, **kwargs: Any) -> int:
            for stream in (sys.stdout, sys.stderr):
                if hasattr(stream, "reconfigure"):
                    stream.reconfigure(errors="backslashreplace")
            use_cores()
            try:
                return main(*args, **kwargs) or 0
            except (DoodleError, OSError) as error:
                print(f"{name}: {sentence(error)}", file=sys.stderr)
                return 2
            except (MemoryError, RuntimeError) as error:
                if not is_short_of_memory(error):
                    raise
                print(f"{name}: There is not enough memory for that: ask for less at once.", file=sys.stderr)
                return 2
            except KeyboardInterrupt:
                print(f"{name}: stopped.", file=sys.stderr)
                return 130

        return run

    return decorate


def is_short_of_memory(error: Exception) -> bool:
    """Does an error say that memory is short? PyTorch says so on the CPU with no error of its own."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return any(
        words in str(error) for words in ("can't allocate memory", "Storage size calculation overflow")
    )


def sentence(error: Exception) -> str:
    """An error in one line."""
    if isinstance(error, OSError):
        what = error.strerror or error
        return f"Cannot use {error.filename}: {what}." if error.filename is not None else f"{what}."
    said = " ".join(str(error).split()) or type(error).__name__
    return said if len(said) <= LONGEST_SENTENCE else said[:LONGEST_SENTENCE] + "..."

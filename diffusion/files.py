"""Files that appear whole or not at all, and the one format that weights are kept in.

That is safetensors: plain numbers and a JSON header. Nothing in it is ever executed, unlike a pickle, so a
file from a stranger can be opened safely.
"""

from __future__ import annotations

import glob
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .errors import DoodleError

T = TypeVar("T")
ABANDONED = 3600  # seconds that nobody has written to a file that is being written


class FileError(DoodleError):
    """A file that cannot be written, or read."""


def _remove_abandoned(path: Path) -> None:
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.partial"):
        with suppress(OSError):  # its own writer, or another, may be quicker
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink()


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Write a file under another name and put it in its place when it is complete.

        with whole("picture.png") as partial:
            picture.save(partial, format="PNG")

    If anything goes wrong, a file that was there before stays as it was and nothing else is left behind. Two
    programs that write the same file do not mix: the last one's stays. What a program left that was killed
    while writing is removed by the next one that writes that file, an hour later. The file's folder is made
    where there is none.

    Yields:
        a path in the same folder, with another suffix.

    Raises:
        FileError: the disk is full, the folder cannot be written to, ...
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident():x}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path)
        try:
            yield partial
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        about = {str(name) for name in (error.filename, error.filename2) if name is not None}
        if about and not about & {str(partial), str(path), str(path.parent)}:
            raise  # another file, which the caller was reading meanwhile
        raise FileError(f"Cannot write {path}: {error.strerror or error}.") from error


def write_text(path: str | Path, text: str) -> None:
    """Write a text file whole or not at all, in UTF-8."""
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def read_text(path: str | Path) -> str:
    """What a file of text says.

    Raises:
        FileError: it is missing or no text.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is no text"
        raise FileError(f"Cannot read {path}: {said}.") from error


def read_json(path: str | Path) -> Any:
    """What a JSON file holds.

    Raises:
        FileError: it is missing, or damaged.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"Cannot read {path}: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path} is damaged, or not JSON: {error}.") from error


def check_finite(value: Any, what: str = "") -> None:
    """Look through all tensors of a state, in dicts and lists.

    Raises:
        FileError: one of them holds a number that is none, or has no end.
    """
    if isinstance(value, Tensor):
        if value.is_floating_point() and not value.isfinite().all():
            raise FileError(f"{what} holds numbers that are none any more (NaN or infinite)")
    elif isinstance(value, Mapping):
        for key, each in value.items():
            check_finite(each, f"{what}.{key}" if what else str(key))
    elif isinstance(value, list | tuple):
        for i, each in enumerate(value):
            check_finite(each, f"{what}.{i}")


@contextmanager
def _only_numbers(path: str | Path) -> Iterator[None]:
    try:
        yield
    except FileError as error:
        raise FileError(f"{path} is not written, it stays as it was: {error}.") from error


def read_state(path: str | Path, mmap: bool = False) -> dict[str, Any]:
    """What `write_state` wrote, on the CPU.

    Args:
        mmap: read tensors only when they are looked at.

    Raises:
        FileError: the file is missing, damaged, or not such a file.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
    except FileNotFoundError as error:
        raise FileError(f"There is no {path}.") from error
    except Exception as error:  # PyTorch raises almost anything on a damaged file
        raise FileError(f"{path} is damaged.") from error
    if not isinstance(state, dict):
        raise FileError(f"{path} is damaged.")
    return state


def write_state(path: str | Path, state: dict) -> None:
    """`torch.save`, whole or not at all: a run that is killed while saving keeps the state before.

    Raises:
        FileError: the disk is full, ..., or a tensor of the state is not finite.
    """
    with _only_numbers(path):
        check_finite(state)
    with whole(path) as partial:
        try:
            torch.save(state, partial)
        except RuntimeError as error:  # what PyTorch makes of a full disk
            raise OSError("the disk may be full") from error


@dataclass(frozen=True)
class WeightsFormat:
    """One kind of weights file.

    Attributes:
        name: stands in the header as "format".
        key: the header's entry for the facts about the weights, as JSON; also what such a file is called.
        made_by: the module that writes such files.
        error: raised for a file that cannot be used.
        hint: what to do where there is no such file, a sentence.
    """

    name: str
    key: str
    made_by: str
    error: type[DoodleError]
    hint: str = ""


def write_weights(
    path: str | Path, form: WeightsFormat, tensors: dict[str, Tensor], about: dict[str, Any]
) -> None:
    """Write tensors and facts about them (JSON values) to one safetensors file, whole or not at all.

    Raises:
        FileError: the disk is full, ..., or a tensor is not finite.
    """
    with _only_numbers(path):
        check_finite(tensors)
    metadata = {"format": form.name, form.key: json.dumps(about)}
    with whole(path) as partial:
        try:
            save_file({name: value.contiguous() for name, value in tensors.items()}, partial, metadata)
        except SafetensorError as error:
            raise OSError(str(error).removeprefix("Error while serializing: ")) from error


def read_weights(
    path: str | Path, form: WeightsFormat, build: Callable[[dict[str, Tensor], dict[str, Any]], T]
) -> T:
    """Read what `write_weights` wrote.

    Args:
        build: (tensors as float32, facts) -> what they make.

    Raises:
        form.error: the file is missing, damaged, or not of this format.
    """
    path = Path(path)
    if not path.is_file():
        raise form.error(f"There is no {form.key} at {path}. {form.hint}".rstrip())
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError) as error:
        raise form.error(f"{path} is damaged or not a safetensors file.") from error
    if metadata.get("format") != form.name:
        raise form.error(f"{path} was not made by {form.made_by} (no {form.name!r} in its header).")
    try:
        tensors = {name: value.float() for name, value in tensors.items()}
        check_finite(tensors)
        return build(tensors, json.loads(metadata[form.key]))
    except DoodleError as error:
        raise form.error(f"{path} is damaged or of another program: {str(error).rstrip('.')}.") from error
    except Exception as error:  # the header is a stranger's: it may be wrong in any way
        raise form.error(f"{path} is damaged: its header and its weights do not fit.") from error

"""Arrays in a pickle, without running it: Mini-ImageNet's files.

    {"image_data": uint8 (N, 84, 84, 3), "class_dict": {"n01532829": [0, 1, ...], ...}}

A pickle is a program: whoever reads it with `pickle.load` runs whatever its author wrote. Here the few calls
that NumPy's arrays are written with build plain records instead, whose bytes are read once all is over, and
any other call is refused.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..errors import DoodleError, quoted

MODULES = ("numpy", "numpy.core.multiarray", "numpy._core.multiarray", "numpy.core.numeric",
           "numpy._core.numeric")  # fmt: skip
MOST_NUMBERS = 10**11  # in one array


class PickleError(DoodleError):
    """A pickle that is damaged, or holds more than plain arrays."""


class _Type:
    """Stands for numpy.dtype: its name, as "u1", and byte order."""

    def __init__(self, name: Any, *_: Any) -> None:
        self.name = name.decode("ascii") if isinstance(name, bytes) else str(name)
        self.order = "|"

    def __setstate__(self, state: Any) -> None:
        order = state[1]
        self.order = order.decode("ascii") if isinstance(order, bytes) else str(order)

    def real(self) -> np.dtype:
        """The type itself, where it is one of numbers."""
        if self.name[:1] not in "uif" or not self.name[1:].isdigit() or self.order not in "<>|=":
            raise PickleError(f"it has arrays of the type {quoted(self.name)}")
        return np.dtype((self.order if self.order in "<>" else "") + self.name)


class _Array:
    """Stands for an array: shape, type and bytes, of which nothing is made before `real`."""

    def __init__(self, *_: Any) -> None:
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def real(self) -> np.ndarray:
        _, shape, type_, columns_first, content = self.state
        if isinstance(content, str):  # a pickle of Python 2, whose bytes were text
            content = content.encode("latin1")
        shape = tuple(int(n) for n in shape)
        dtype, count = type_.real(), int(np.prod([max(0, n) for n in shape], dtype=object))
        if count > MOST_NUMBERS or not isinstance(content, bytes) or len(content) != count * dtype.itemsize:
            raise PickleError("it has an array whose bytes do not fit its shape")
        flat = np.frombuffer(content, dtype)
        return flat.reshape(shape, order="F" if columns_first else "C")


def _from_buffer(content: Any, type_: Any, shape: Any, order: Any) -> _Array:
    """numpy's _frombuffer, with which pickles of protocol 5 write arrays."""
    array = _Array()
    array.state = (1, shape, type_, order == "F", bytes(content))
    return array


def _text(text: str, _: str) -> bytes:
    """_codecs.encode(text, "latin1"), as Python 3 writes bytes for Python 2."""
    return text.encode("latin1")


class _Unpickler(pickle.Unpickler):
    """Makes lists, dicts, numbers, text and the records above, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if module in MODULES and name in ("_reconstruct", "ndarray"):
            return _Array
        if module in MODULES and name == "_frombuffer":
            return _from_buffer
        if module in MODULES and name == "dtype":
            return _Type
        if (module, name) == ("_codecs", "encode"):
            return _text
        raise PickleError(f"it calls {quoted(f'{module}.{name}')}")


def _plain(value: Any) -> Any:
    """Records made arrays, and text of Python 2 words."""
    if isinstance(value, _Array):
        return value.real()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dict):
        return {_plain(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def read_arrays(file: BinaryIO) -> Any:
    """What a pickle of lists, dicts and arrays of numbers holds.

    Raises:
        PickleError: anything else, as the end of a sentence about it.
    """
    try:
        return _plain(_Unpickler(file, encoding="latin1").load())
    except PickleError:
        raise
    except Exception as error:  # a damaged pickle raises almost anything
        raise PickleError("it is damaged") from error


def mini_imagenet(source: Path) -> list[tuple[str, int, np.ndarray]]:
    """(class, number, picture uint8 (H, W, 3)) of each picture in a pickle of Mini-ImageNet's form.

    Raises:
        PickleError: it is not of that form.
    """
    try:
        with source.open("rb") as file:
            found = read_arrays(file)
        pixels, classes = found["image_data"], found["class_dict"]
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] != 3:
            raise PickleError("its pictures are not uint8 (N, height, width, 3)")
        rows = [(str(name), int(i), pixels[int(i)]) for name, members in classes.items() for i in members]
    except PickleError as error:
        raise PickleError(
            f"{source} is not read, since {error}: save its pictures as <class>/<picture>.png with the"
            " program that made it, and train on that folder."
        ) from error
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        raise PickleError(
            f"{source} is no Mini-ImageNet: that is a dict of image_data, uint8 (N, height, width, 3), and"
            " class_dict, class -> numbers of pictures."
        ) from error
    return rows

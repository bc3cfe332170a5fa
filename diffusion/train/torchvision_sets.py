"""Data sets that torchvision fetches to data/ and reads: what they call their test set is held out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from PIL import Image

from ..errors import require
from .sources import DataError

ROOT = "data"
Picture = tuple[str, str, bool, Image.Image]  # class, name, held out, the picture


def _pictures(kind: str, parts: dict[str, tuple[dict[str, Any], bool]]) -> Iterator[Picture]:
    """
    Args:
        kind: of torchvision.datasets.
        parts: a prefix of names -> (the constructor's arguments, whether it is held out).
    """
    sets = require("torchvision.datasets", "torchvision")
    for prefix, (arguments, held_out) in parts.items():
        try:
            part = getattr(sets, kind)(root=ROOT, download=True, **arguments)
        except (OSError, RuntimeError) as error:
            raise DataError(f"{kind} could not be downloaded to {ROOT}/: {error}") from error
        for i in range(len(part)):
            picture, label = part[i]
            yield part.classes[int(label)], f"{prefix}{i}", held_out, picture


def _cifar(kind: str) -> Iterator[Picture]:
    return _pictures(kind, {"True": ({"train": True}, False), "False": ({"train": False}, True)})


def _flowers() -> Iterator[Picture]:
    """Flowers-102: 2,040 pictures to train and validate on, and 6,149 to test."""
    require("scipy.io", "scipy")  # its labels are MATLAB's
    parts = {split: ({"split": split}, split == "test") for split in ("train", "val", "test")}
    return _pictures("Flowers102", parts)


SETS: dict[str, Callable[[], Iterator[Picture]]] = {
    "cifar10": lambda: _cifar("CIFAR10"),
    "cifar100": lambda: _cifar("CIFAR100"),
    "fashion-mnist": lambda: _cifar("FashionMNIST"),
    "flowers102": _flowers,
}

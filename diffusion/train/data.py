"""Pictures and their labels, from wherever they lie, as one uint8 tensor.

The sets this project trains on are small enough to sit in memory (or on the GPU) whole, so there is no data
loader: a batch is an index into a tensor, and turning and shifting happens on the device. Layouts understood:

    <class>/<picture>                     one label kind, "class"
    <subject>/<style>/<picture>           two label kinds, "subject" and "style"
    train/<class>/..., test/<class>/...   as above; what stands under test/ is held out

in a folder or in a .tar (also .tar.xz, .tar.gz), or in many: see shards.py. Some sets are fetched by their
names (torchvision_sets.py); Mini-ImageNet's pickles are read without being run (pickled.py). What folders are
called, where their names are numbers as ImageNet's, a file says (class_names.py).

What shows nearly the same must not be split between training and testing, or the test is of memory, so a
*group* is held out whole or not at all: all pictures of one subject in one family of styles (styles whose
names agree up to a "-": fluent-3d, fluent-color), and among them the frames of one film (file names that
agree up to a trailing "-<number>": one fruit turning, "kiwi-12_100.jpg"). A test then asks for a subject in a
style in which training has not seen it, though it has seen both. Where a subject has too few families for
that, a group is a file name, the same in every style.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..errors import quoted
from ..header import HeaderError, check_labels
from .class_names import ClassNames, named
from .pickled import mini_imagenet
from .shards import expanded
from .sources import DataError, decoded, picture_files, squared
from .torchvision_sets import SETS

KINDS_BY_DEPTH = {1: ("class",), 2: ("subject", "style")}
# What numbers the frames of one film: "-12", "-12_100", and "-r2_12_100" for a fruit turned another way.
FRAME = re.compile(r"-(r\d*_)?\d+(_\d+)?$")
FEWEST_GROUPS = 4  # of a subject with fewer nothing is held out
SPLITS = {"train": False, "test": True, "val": True, "valid": True, "validation": True}


@dataclass
class PictureSet:
    """N pictures in memory.

    Attributes:
        pixels: uint8 (N, 3, S, S), RGB on white.
        labels: long (N, K), one column per kind.
        label_names: kind -> names, in column order.
        groups: (N,) what each picture shows, see the module's text.
        held_out: bool (N,), True for pictures that training never sees.
    """

    pixels: Tensor
    labels: Tensor
    label_names: dict[str, list[str]]
    groups: list[str]
    held_out: Tensor

    def __len__(self) -> int:
        return len(self.pixels)

    def subset(self, keep: Tensor) -> PictureSet:
        """The pictures for which `keep`, bool (N,), is True; names and label numbers stay as they are."""
        groups = [group for group, kept in zip(self.groups, keep.tolist()) if kept]
        return PictureSet(self.pixels[keep], self.labels[keep], self.label_names, groups, self.held_out[keep])

    def x0(self, size: int) -> Tensor:
        """The pictures as they are, for a model of R x R pixels: float32 (N, 3, R, R) in [-1, 1].

        Args:
            size: R; the stored side must be a multiple of it, for averaging blocks is the exact way down.
        """
        whole = self.pixels.float() / 127.5 - 1
        return torch.nn.functional.avg_pool2d(whole, whole.shape[-1] // size)

    def train(self) -> PictureSet:
        return self.subset(~self.held_out)

    def test(self) -> PictureSet:
        return self.subset(self.held_out)

    def relabelled(self, label_names: dict[str, list[str]]) -> PictureSet:
        """The same pictures with label numbers of another table, say a checkpoint's.

        Raises:
            DataError: a kind or a name here is not in that table.
        """
        if list(label_names) != list(self.label_names):
            raise DataError(
                f"These pictures have the labels {' and '.join(self.label_names)}, "
                f"not {' and '.join(label_names) or 'none'}."
            )
        columns = []
        for (kind, names), column in zip(self.label_names.items(), self.labels.unbind(1)):
            if unknown := [name for name in names if name not in label_names[kind]]:
                raise DataError(f"The checkpoint to start from knows no {kind} {unknown[0]!r}.")
            numbers = torch.tensor([label_names[kind].index(name) for name in names])
            columns.append(numbers[column])
        return replace(self, labels=torch.stack(columns, dim=1), label_names=label_names)

    def combinations(self) -> list[tuple[str, ...]]:
        """The label combinations that occur, as names, sorted."""
        kinds = list(self.label_names.values())
        rows = torch.unique(self.labels, dim=0).tolist()
        return sorted(tuple(names[i] for names, i in zip(kinds, row)) for row in rows)


class Row(NamedTuple):
    """One picture as it was found."""

    labels: tuple[str, ...]
    stem: str  # of its file's name
    held_out: bool | None  # None: nothing there says so
    pixels: np.ndarray  # uint8 (3, S, S)


def _rows(source: str, size: int, fit: str) -> Iterator[Row]:
    """The pictures of one source.

    Raises:
        DataError: see `load_pictures`.
    """
    if source in SETS:
        for label, stem, test, picture in SETS[source]():
            yield Row((label,), stem, test, squared(picture, size, fit))
        return
    path = Path(source)
    if path.suffix.lower() in (".pkl", ".pickle"):
        for label, number, pixels in mini_imagenet(path):
            yield Row((label,), str(number), None, squared(Image.fromarray(pixels), size, fit))
        return
    files = list(picture_files(path))
    # "train" is a split only beside nothing but splits: it may also be a subject.
    is_split = all(name.parts[0] in SPLITS for name, _ in files)
    for name, content in files:
        split = SPLITS[name.parts[0]] if is_split else None
        labels = name.parts[1:-1] if is_split else name.parts[:-1]
        if len(labels) not in KINDS_BY_DEPTH:
            layout = "<class>/<picture> or <subject>/<style>/<picture>"
            raise DataError(f"{path}: {quoted(str(name))} should be {layout}.")
        yield Row(labels, name.stem, split, decoded(content, size, f"{path}: {name}", fit))


def load_pictures(
    sources: Sequence[str | Path],
    size: int,
    hold_out: float = 0.1,
    fit: str = "pad",
    class_names: ClassNames | None = None,
) -> PictureSet:
    """Read all sources into one set, with groups held out for testing.

    Args:
        sources: folders, tars, Mini-ImageNet's pickles, or names in SETS, also many in short (shards.py). All
            must have the same label kinds.
        size: S, the side the pictures are stored at. Twice the model's image size keeps pictures sharp that
            are turned and shrunk in training.
        hold_out: fraction of each subject's groups that is held out, in [0, 1), on average; none where a
            subject has fewer than FEWEST_GROUPS. Which ones depends on their names alone.
        fit: of what is not square, see `squared`.
        class_names: what the folders of the first label kind are called.

    Raises:
        DataError: if a source is missing, holds no pictures, or mixes layouts.
    """
    rows = [row for source in expanded(sources) for row in _rows(source, size, fit)]
    if class_names:
        rows = [row._replace(labels=named(row.labels, class_names)) for row in rows]
    depths = {len(labels) for labels, *_ in rows}
    if len(depths) != 1:
        raise DataError(
            "All training pictures need the same label kinds: do not mix one and two folders deep."
        )
    kinds = KINDS_BY_DEPTH[depths.pop()]
    names = {kind: sorted({labels[k] for labels, *_ in rows}) for k, kind in enumerate(kinds)}
    try:
        check_labels(names)
    except HeaderError as error:
        raise DataError(f"These pictures cannot be used: {error}.") from error
    numbers = [{name: i for i, name in enumerate(names[kind])} for kind in kinds]
    groups = _groups([(labels, stem) for labels, stem, *_ in rows])
    free = [(labels[0], group) for (labels, _, split, _), group in zip(rows, groups) if split is None]
    held = _held_out_groups(free, hold_out)
    return PictureSet(
        pixels=torch.from_numpy(np.stack([pixels for *_, pixels in rows])),
        labels=torch.tensor([[numbers[k][name] for k, name in enumerate(labels)] for labels, *_ in rows]),
        label_names=names,
        groups=groups,
        held_out=torch.tensor(
            [group in held if split is None else split for (_, _, split, _), group in zip(rows, groups)]
        ),
    )


def _groups(rows: Sequence[tuple[Sequence[str], str]]) -> list[str]:
    """What each picture, (labels, file's stem), is held out together with: see the module's text."""
    films = [FRAME.sub("", stem) for _, stem in rows]
    fine, coarse = [], []
    for (labels, stem), film in zip(rows, films):
        family = "/".join(label.partition("-")[0] for label in labels[1:])
        fine.append(f"{labels[0]}/{film}")
        coarse.append(f"{labels[0]}/{family}" + (f"/{film}" if film != stem else ""))
    families = defaultdict(set)
    for (labels, _), group in zip(rows, coarse):
        families[labels[0]].add(group)
    return [
        one if len(families[labels[0]]) < FEWEST_GROUPS else other
        for (labels, _), one, other in zip(rows, fine, coarse)
    ]


def _hashed(name: str) -> float:
    """A number in [0, 1) that depends on a name alone."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:12], 16) / 16**12


def _held_out_groups(pairs: Sequence[tuple[str, str]], share: float) -> set[str]:
    """Choose groups to hold out, subject by subject, by a hash of their names: no seed, no order.

    Of a subject with n groups, share * n are held out, rounded up or down so that it is right on average; of
    one with fewer than FEWEST_GROUPS none.
    """
    by_subject = defaultdict(set)
    for subject, group in pairs:
        by_subject[subject].add(group)
    held = set()
    for subject, groups in by_subject.items():
        if len(groups) >= FEWEST_GROUPS:
            count = int(share * len(groups) + _hashed(subject))
            held.update(sorted(groups, key=_hashed)[:count])
    return held

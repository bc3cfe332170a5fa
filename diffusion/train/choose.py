"""Which pictures of a set: how often each is drawn, a few of each label, those of one name."""

from __future__ import annotations

from collections import Counter, defaultdict

import torch
from torch import Tensor

from ..errors import did_you_mean, quoted
from ..header import same_name
from ..lineart import typical_colours
from .data import DataError, PictureSet


def sampling_weights(pictures: PictureSet, balance: float) -> Tensor:
    """How likely each picture is to be drawn: float64 (N,), summing to 1.

    Subjects (the first label kind) are drawn with probability in proportion to (their number of groups) to
    the power 1 - balance: with balance 1 all equally often, with 0 as often as they have things to show.
    Within a subject each combination with the other kinds is as likely as the next, and within that each
    picture, so that a subject's thousand film frames do not outweigh its fourteen drawings.
    """
    combos = [tuple(row) for row in pictures.labels.tolist()]
    per_combo = Counter(combos)
    combos_of = Counter(combo[0] for combo in per_combo)
    groups_of = Counter(subject for subject, _ in {(c[0], g) for c, g in zip(combos, pictures.groups)})
    shares = [groups_of[c[0]] ** (1 - balance) / combos_of[c[0]] / per_combo[c] for c in combos]
    weights = torch.tensor(shares, dtype=torch.float64)
    return weights / weights.sum()


def few_of_each(pictures: PictureSet, most: int = 8) -> PictureSet:
    """At most `most` pictures, evenly spread, of each label combination."""
    rows: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for i, row in enumerate(pictures.labels.tolist()):
        rows[tuple(row)].append(i)
    keep = torch.zeros(len(pictures), dtype=torch.bool)
    for members in rows.values():
        keep[members[:: -(-len(members) // most)]] = True
    return pictures.subset(keep)


def colours_of(pictures: PictureSet) -> dict[str, list[str]]:
    """The typical colours of each name of the first label kind that occurs."""
    few = few_of_each(pictures)
    first = few.labels[:, 0]
    names = next(iter(pictures.label_names.values()))
    return {
        name: typical_colours(few.pixels[first == i]) for i, name in enumerate(names) if (first == i).any()
    }


def only(pictures: PictureSet, name: str) -> PictureSet:
    """The pictures of one name of the first label kind; the label table stays whole.

    Raises:
        DataError: there are none.
    """
    kind, names = next(iter(pictures.label_names.items()))
    known = {same_name(each): i for i, each in enumerate(names)} | {each: i for i, each in enumerate(names)}
    number = known.get(name, known.get(same_name(name)))
    chosen = torch.zeros(0) if number is None else pictures.labels[:, 0] == number
    if not chosen.any():
        raise DataError(f"There are no pictures of the {kind} {quoted(name)}. {did_you_mean(name, names)}")
    return pictures.subset(chosen)


def evenly(n: int, most: int) -> Tensor:
    """bool (n,): at most `most` of n, evenly spread."""
    keep = torch.zeros(n, dtype=torch.bool)
    if n:
        keep[torch.linspace(0, n - 1, min(n, most)).round().long()] = True
    return keep

"""Part `drawings`: crude drawings of held-out pictures, painted as the page paints them.

A cell is a subject in one family of styles, see train/data.py: the checkpoint has seen the subject in other
styles, and other subjects in this one. Every figure of the results stands beside the same figure of the
drawing itself, of the nearest training picture of the subject, and of the true picture: a judge that can read
drawings names a result right that is no more than its drawing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import torch
from PIL import Image, ImageChops, ImageOps
from torch import Tensor

from .. import images
from ..files import whole
from ..images import Box
from ..train.batches import Batches
from ..train.choose import few_of_each
from ..train.data import PictureSet
from ..train.sketches import CANVAS
from .figures import (
    Drawings,
    by_chance,
    colours_in,
    figures,
    framed,
    painted,
    record,
    summary,
    usual_strength,
)
from .fit import Vocabulary
from .study import Study, as_x0

KINDS = ("outline", "filled", "flat", "unfinished")
PART = 64  # pictures that are drawn at once


def cells(study: Study) -> PictureSet:
    """One held-out picture of each cell, `study.cells` of them, the last label kind's names taken in turn."""
    test = study.pictures.test()
    order = torch.randperm(len(test), generator=torch.Generator().manual_seed(study.seed)).tolist()
    one_of_each: dict[str, int] = {}
    for i in order:
        one_of_each.setdefault(test.groups[i], i)
    so_far: Counter[int] = Counter()
    turns = []
    for i in one_of_each.values():
        style = int(test.labels[i, -1])
        turns.append((so_far[style], style, i))
        so_far[style] += 1
    keep = torch.zeros(len(test), dtype=torch.bool)
    keep[[i for *_, i in sorted(turns)[: study.cells]]] = True
    return test.subset(keep)


def seen(picture: Image.Image, box: Box, size: int) -> Image.Image:
    """The part of a picture that a frame shows, white beyond its edges: RGB, size x size."""
    ink = ImageChops.invert(picture).crop(box)
    return ImageChops.invert(ink.resize((size, size), Image.Resampling.BILINEAR))


def sketched(
    pictures: PictureSet, wanted: Tensor, kind: str, seed: int
) -> Iterator[tuple[Image.Image, Image.Image]]:
    """The wanted pictures, bool (N,), each with a drawing of it that depends on its place among the N.

    Both with paper around, as people draw; a bad picture ("spoilt") fills its frame, as it did.
    """
    border = 0 if kind == "spoilt" else CANVAS // 4
    for start in range(0, len(pictures), PART):
        part = torch.zeros(len(pictures), dtype=torch.bool)
        part[start : start + PART] = True
        batch = Batches.once(pictures.subset(part), CANVAS, "none", kind, seed + start)
        for i, yes in enumerate(wanted[part].tolist()):
            if yes:
                picture, drawing = (images.to_pil(x[i]) for x in (batch.x0, batch.drawing))
                yield ImageOps.expand(picture, border, "white"), ImageOps.expand(drawing, border, "white")


def crude(study: Study, pictures: PictureSet, kind: str) -> tuple[Drawings, Tensor]:
    """A drawing of this kind of each picture whose labels the checkpoint has words for; which these are.

    Both are seen through the frame that the page puts around the drawing.

    Returns:
        the drawings, with truth; bool (N,), the pictures that they are of.
    """
    told, known = Vocabulary(study.checkpoint, study.names).rows(pictures.labels, pictures.label_names)
    numbers = torch.nonzero(known)[:, 0].tolist()
    subjects = study.checkpoint.label_names[study.kinds[0]]
    views = [torch.zeros(0, 3, study.drawing_size, study.drawing_size)]
    drawn, truth, usual = [torch.zeros(0, 3, study.size, study.size)], [], []
    pairs = sketched(pictures, known, kind, study.seed)
    for row, (picture, drawing) in zip(told.tolist(), pairs):
        colours = study.checkpoint.colours_of({study.kinds[0]: subjects[row[0]]})
        view, prepared = framed(study, drawing, colours)
        views.append(view)
        drawn.append(study.at_size(prepared.x0))
        truth.append(seen(picture, prepared.box, study.size))
        usual.append(usual_strength(study, drawing))
    names = [f"{pictures.groups[i]} {i}" for i in numbers]
    drawings = Drawings(
        x0=torch.cat(views),
        drawn=torch.cat(drawn),
        labels=pictures.labels[known],
        told=told,
        seeds=[study.seed + i for i in numbers],
        names=names,
        of=names,
        usual=usual,
        truth=as_x0(truth, study.size) if truth else drawn[0],
    )
    return drawings, known


def nearest_seen(study: Study, pictures: PictureSet) -> Tensor:
    """For each picture the training picture of the same subject that is nearest in the judge's features.

    It knows the true picture, so no copying can do better. (N, 3, R, R), framed as the page frames pictures.
    """
    train = study.pictures.train()
    train = few_of_each(train.subset(torch.isin(train.labels[:, 0], pictures.labels[:, 0])))
    copies = as_x0(study.framed(train), study.size)
    points, goals = study.features(copies), study.features(as_x0(study.framed(pictures), study.size))
    distance = torch.cdist(goals, points)
    distance[pictures.labels[:, :1] != train.labels[:, 0]] = torch.inf
    return copies[distance.argmin(dim=1)]


def drawings(study: Study) -> dict:
    """Drawings of held-out cells by kind and strength, beside what learnt nothing."""
    pictures = cells(study)
    copies: Tensor | None = None
    kinds: dict[str, dict] = {}
    known = torch.zeros(0)
    for kind in KINDS:
        drawn, known = crude(study, pictures, kind)
        if not len(drawn):
            continue
        copies = nearest_seen(study, pictures.subset(known)) if copies is None else copies
        yardsticks = {"drawing": drawn.drawn, "nearest seen": copies, "true picture": drawn.truth}
        rows: dict = {
            name: summary(figures(study, x0, drawn), drawn.of)
            for name, x0 in yardsticks.items()
            if x0 is not None
        }
        shown = shown_at(study, drawn)
        rows |= {"shown": f"{shown:g}", "strengths": {}, "by chance": {}}
        for strength in study.strengths:
            x0 = painted(study, drawn, strength, f"{kind}, {strength:g}")
            found = figures(study, x0, drawn)
            rows["strengths"][f"{strength:g}"] = record(
                study, f"drawings, {kind}, {strength:g}", found, drawn
            )
            rows["by chance"][f"{strength:g}"] = by_chance(drawn, x0)
            if strength == shown and drawn.truth is not None:
                save_rows(study, f"drawings-{kind}.jpg", [study.at_size(drawn.x0), x0, drawn.truth])
        kinds[kind] = rows
    return {
        "cells": len(pictures),
        "left out": len(pictures) - int(known.sum()),
        "coloured in": colours_in(study),
        "judge": study.classifier.training.get("drawn_accuracy", {}),
        "kinds": kinds,
    }


def shown_at(study: Study, drawn: Drawings) -> float:
    """The page's strength for most of them; where that is not measured, the first that is."""
    usual = Counter(drawn.usual).most_common(1)[0][0]
    return usual if usual in study.strengths else study.strengths[0]


def save_rows(study: Study, name: str, rows: Sequence[Tensor], columns: int = 16) -> None:
    """A JPEG in `study.out`: the rows below one another, a new band after `columns` pictures."""
    if not study.out:
        return
    bands = []
    for start in range(0, len(rows[0]), columns):
        bands += [[images.to_pil(x) for x in row[start : start + columns]] for row in rows]
    with whole(study.out / name) as partial:
        images.contact_sheet(bands, cell=study.size, gap=2).save(partial, format="JPEG", quality=88)

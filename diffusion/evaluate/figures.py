"""The figures of what became of drawings, picture by picture, and their means.

a label kind      is it named right by the judge?         (the first kind: what; the last: in which style)
<first> in 5      is what it shows among the judge's first five?
as asked          are all kinds named right?
lines kept, marks kept, invented edges, speck             (lines.py)
pixels            root mean square distance to the true picture, in units of [-1, 1]
features          the same in the judge's features
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from PIL import Image
from torch import Tensor

from .. import images
from ..kinds import STRENGTHS, kind_for
from ..lineart import colour_in
from .lines import has_speck, invented_edges, lines_kept, marks_kept
from .study import Study
from .verdicts import mean_and_error

Figures = dict[str, Tensor]  # name -> float64 (N,), nan where it does not apply


@dataclass(frozen=True)
class Drawings:
    """N drawings as a network gets them, framed as the page frames them, and what they should become.

    Attributes:
        x0: (N, 3, S, S) in [-1, 1], what the network gets: outlines may be coloured in.
        drawn: the same as they were drawn, which lines are compared with: (N, 3, R, R), as results are.
        labels: long (N, K), what the judge should see.
        told: long (N, K), the same in the checkpoint's numbers.
        seeds: of each.
        names: each different.
        of: what each is one of several pictures of, for standard errors.
        usual: the strength with which the page would begin, of each.
        truth: the true pictures, (N, 3, R, R), seen through the same frame, or None.
    """

    x0: Tensor
    drawn: Tensor
    labels: Tensor
    told: Tensor
    seeds: list[int]
    names: list[str]
    of: list[str]
    usual: list[float]
    truth: Tensor | None = None

    def __len__(self) -> int:
        return len(self.x0)

    def subset(self, keep: Tensor) -> Drawings:
        """Those for which `keep`, bool (N,), is True."""

        def kept(rows: list) -> list:
            return [row for row, yes in zip(rows, keep.tolist()) if yes]

        return Drawings(
            x0=self.x0[keep],
            drawn=self.drawn[keep],
            labels=self.labels[keep],
            told=self.told[keep],
            seeds=kept(self.seeds),
            names=kept(self.names),
            of=kept(self.of),
            usual=kept(self.usual),
            truth=None if self.truth is None else self.truth[keep],
        )

    def seeded(self, seed: int) -> Drawings:
        """The same, all with one seed."""
        return replace(self, seeds=[seed] * len(self))

    def strengths(self) -> dict[str, int]:
        """How many have which usual strength."""
        return {f"{strength:g}": self.usual.count(strength) for strength in sorted(set(self.usual))}


def painted(study: Study, drawings: Drawings, strength: float | None, what: str) -> Tensor:
    """What the checkpoint makes of them, (N, 3, R, R), at one strength, or None: each at its usual one."""
    if not len(drawings):
        return drawings.drawn
    if strength is not None:
        return study.paint(drawings.x0, drawings.told, strength, drawings.seeds, what)
    x0 = torch.empty_like(drawings.drawn)
    for usual in sorted(set(drawings.usual)):
        some = torch.tensor([each == usual for each in drawings.usual])
        x0[some] = painted(study, drawings.subset(some), usual, f"{what}, {usual:g}")
    return x0


def apart_from(x0: Tensor, other: Tensor) -> Tensor:
    """Root mean square distances of pictures (N, 3, R, R) from others, float64 (N,)."""
    return (x0 - other).double().square().mean(dim=(1, 2, 3)).sqrt()


def figures(study: Study, x0: Tensor, drawings: Drawings) -> Figures:
    """What is to be said of pictures (N, 3, R, R) as results of drawings."""
    correct = study.correct(x0, drawings.labels)
    found = dict(correct)
    found["as asked"] = torch.stack([correct[kind] for kind in study.kinds]).all(dim=0)
    found["lines kept"] = lines_kept(drawings.drawn, x0)
    found["marks kept"] = marks_kept(drawings.drawn, x0)
    found["invented edges"] = invented_edges(drawings.drawn, x0)
    found["speck"] = has_speck(drawings.drawn, x0)
    if drawings.truth is not None:
        found["pixels"] = apart_from(x0, drawings.truth)
        apart = study.features(x0) - study.features(drawings.truth)
        found["features"] = apart.square().mean(dim=1).sqrt()
    return {name: values.double() for name, values in found.items()}


def averaged(values: Tensor, of: Sequence[str]) -> dict | None:
    """{"value": the mean of (N,) values, "error": its standard error}, nan left out; None of nothing.

    Several pictures of one thing are no independent ones: they are averaged first.
    """
    by_thing = defaultdict(list)
    for value, thing in zip(values.tolist(), of):
        if value == value:
            by_thing[thing].append(value)
    means = [sum(some) / len(some) for some in by_thing.values()]
    if len(means) < 2:
        return {"value": means[0], "error": None} if means else None
    return mean_and_error(torch.tensor(means, dtype=torch.float64))


def summary(found: Figures, of: Sequence[str]) -> dict[str, dict | None]:
    """Each figure's mean and standard error."""
    return {name: averaged(values, of) for name, values in found.items()}


def record(study: Study, what: str, found: Figures, drawings: Drawings) -> dict:
    """`summary`, and the figures kept picture by picture in `study.each`, for comparisons of checkpoints."""
    study.each[what] = {
        "names": drawings.names,
        "of": drawings.of,
        "figures": {name: [round(value, 4) for value in values.tolist()] for name, values in found.items()},
    }
    return summary(found, drawings.of)


def by_chance(drawings: Drawings, x0: Tensor) -> dict | None:
    """Lines kept by the result of another drawing, as if nobody looked; None where there is but one."""
    n, of = len(drawings), drawings.of
    if len(set(of)) < 2:
        return None
    others = [next(j % n for j in range(i + 1, i + n) if of[j % n] != of[i]) for i in range(n)]
    return averaged(lines_kept(drawings.drawn, x0[others]), of)


def framed(study: Study, picture: Image.Image, colours: Sequence[str]) -> tuple[Tensor, images.Prepared]:
    """A drawing as the page frames it: what the checkpoint gets, (1, 3, S, S), where outlines may be coloured
    in; and the drawing as it was drawn."""
    prepared = images.prepare(picture, study.drawing_size)
    if not colours_in(study):
        return prepared.x0, prepared
    return images.prepare(colour_in(picture, colours), study.drawing_size).x0, prepared


def usual_strength(study: Study, picture: Image.Image) -> float:
    """With which the page begins for this drawing."""
    return STRENGTHS[kind_for(picture, not colours_in(study))]


def colours_in(study: Study) -> bool:
    """Are outlines coloured in? If nobody says, then for a network that is not told the drawing."""
    return not study.checkpoint.takes_lines if study.colour_in is None else study.colour_in

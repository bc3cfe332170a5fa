"""Parts `hands` and `seeds`: the project's own drawings, by many hands' habits, none of them trained on.

Their files are named <what>-<habit>-<number>.png, spaces as underscores: ice_cream-thick-1.png.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from .. import images
from ..errors import DoodleError
from ..files import whole
from ..folders import files_in
from ..train.choose import evenly
from .drawings import cells, crude
from .figures import (
    Drawings,
    averaged,
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
from .study import Study

NAME = re.compile(r"(?P<what>.+)-(?P<habit>[^-]+)-\d+")
STYLES_FIRST, MOST_STYLES = ("noto", "fluent-3d", "twemoji"), 3
SEEDS = range(16)


@dataclass(frozen=True)
class Hand:
    """One drawing: what it shows, in which manner it is drawn, and its file."""

    what: str
    habit: str
    path: Path


def read_hands(folder: Path) -> list[Hand]:
    """The drawings in a folder, by name.

    Raises:
        DoodleError: a file with another name than the module's text says.
    """
    found = []
    for path in files_in(folder, ".png"):
        match = NAME.fullmatch(path.stem)
        if not match:
            raise DoodleError(f"{path.name} should be named <what>-<habit>-<number>.png.")
        found.append(Hand(match["what"].replace("_", " "), match["habit"], path))
    return found


def styles_of(study: Study, subject: str, table: list[str]) -> list[str]:
    """The names of the last label kind in which the checkpoint has a subject, of those in `table`: at most
    MOST_STYLES, STYLES_FIRST first."""
    has = {pair[-1] for pair in study.checkpoint.pairs if pair[0] == subject} & set(table)
    return sorted(has, key=lambda name: (name not in STYLES_FIRST, name == "photo", table.index(name)))[
        :MOST_STYLES
    ]


def asked_for(study: Study, what: str) -> list[tuple[dict[str, str | None], list[int]]]:
    """What the checkpoint is told of a thing, and what the judge should see, long (K,), once for each style;
    nothing where one of them does not know it."""
    (kind, subjects), *others = study.pictures.label_names.items()
    own = Vocabulary(study.checkpoint, study.names).subject(what)
    judged = what if what in subjects else own
    if own is None or judged not in subjects:
        return []
    subject = subjects.index(judged)
    if not others:
        return [({kind: own}, [subject])]
    how, styles = others[-1]
    return [
        ({kind: own, how: style}, [subject, styles.index(style)]) for style in styles_of(study, own, styles)
    ]


def by_hand(study: Study) -> tuple[Drawings, list[Hand], dict[str, int]]:
    """Each drawing once for each style it is to be painted in; whose drawing each is; what is left out.

    What a drawing shows must be known to checkpoint and judge; the rest is counted by its name.
    """
    x0 = [torch.zeros(0, 3, study.drawing_size, study.drawing_size)]
    raw = [torch.zeros(0, 3, study.size, study.size)]
    told = [torch.zeros(0, len(study.kinds), dtype=torch.long)]
    judged, hands, names, usual = [told[0]], [], [], []
    left_out: Counter[str] = Counter()
    for hand in read_hands(study.hands) if study.hands else []:
        asked = asked_for(study, hand.what)
        if not asked:
            left_out[hand.what] += 1
            continue
        picture = images.load(hand.path)
        view, prepared = framed(study, picture, study.checkpoint.colours_of(asked[0][0]))
        usual += [usual_strength(study, picture)] * len(asked)
        for labels, row in asked:
            x0.append(view)
            raw.append(study.at_size(prepared.x0))
            told.append(study.checkpoint.encode_labels(labels))
            judged.append(torch.tensor([row]))
            hands.append(hand)
            names.append(", ".join([hand.path.stem, *[word for word in [*labels.values()][1:] if word]]))
    drawings = Drawings(
        x0=torch.cat(x0),
        drawn=torch.cat(raw),
        labels=torch.cat(judged),
        told=torch.cat(told),
        seeds=[study.seed] * len(hands),
        names=names,
        of=[hand.path.stem for hand in hands],
        usual=usual,
    )
    return drawings, hands, dict(left_out)


def hands(study: Study) -> dict:
    """The project's own drawings at the strengths that the page begins with, all with one seed as there; by
    habit."""
    drawn, hand_of, left_out = by_hand(study)
    result: dict = {"drawings": len(set(drawn.of)), "pictures": len(drawn), "left out": left_out}
    if not len(drawn):
        return result
    x0 = painted(study, drawn, None, "drawings by hand")
    found = figures(study, x0, drawn)
    result |= {
        "strengths": drawn.strengths(),
        "coloured in": colours_in(study),
        "all": record(study, "hands, all", found, drawn),
        "by chance": by_chance(drawn, x0),
        "drawing": summary(figures(study, drawn.drawn, drawn), drawn.of),
        "habits": {},
    }
    for habit in sorted({hand.habit for hand in hand_of}):
        of = torch.tensor([hand.habit == habit for hand in hand_of])
        some = {name: values[of] for name, values in found.items()}
        names = [thing for thing, yes in zip(drawn.of, of.tolist()) if yes]
        result["habits"][habit] = {"drawings": len(set(names)), **summary(some, names)}
    if study.out:
        with whole(study.out / "hands.jpg") as partial:
            hands_sheet(drawn, x0).save(partial, format="JPEG", quality=85)
    return result


def hands_sheet(drawn: Drawings, x0: Tensor, stacks: int = 4, cell: int = 80) -> Image.Image:
    """Every drawing and what became of it in each style, in order, none picked."""
    rows: dict[str, list[Image.Image]] = {}
    for thing, drawing, result in zip(drawn.of, drawn.x0, x0):
        rows.setdefault(thing, [images.to_pil(drawing)]).append(images.to_pil(result))
    names, height = list(rows), -(-len(rows) // stacks)
    parts = [names[i : i + height] for i in range(0, len(names), height)]
    sheets = [images.contact_sheet([rows[n] for n in part], part, cell=cell, gap=2) for part in parts]
    return beside(sheets)


def beside(sheets: list[Image.Image]) -> Image.Image:
    """Sheets side by side on white."""
    page = Image.new("RGB", (sum(s.width for s in sheets), max(s.height for s in sheets)), "white")
    left = 0
    for sheet in sheets:
        page.paste(sheet, (left, 0))
        left += sheet.width
    return page


def seeds(study: Study) -> dict:
    """The same few drawings with each of SEEDS: which seed leaves the fewest specks?

    The rule, for the seed that the page opens with: the smallest share of specks, then the largest share as
    asked, then the smallest number. The drawings are those by hand, or without any, outlines of cells.
    """
    drawn, _, _ = by_hand(study)
    if not len(drawn):
        drawn, _ = crude(study, cells(study), "outline")
    drawn = drawn.subset(evenly(len(drawn), max(4, study.cells // 8)))
    if not len(drawn):
        return {"drawings": 0}
    found, score = {}, {}
    for seed in SEEDS:
        x0 = painted(study, drawn.seeded(seed), None, f"seed {seed}")
        of_seed = figures(study, x0, drawn)
        found[str(seed)] = {name: averaged(of_seed[name], drawn.of) for name in ("speck", "as asked")}
        score[seed] = (float(of_seed["speck"].mean()), -float(of_seed["as asked"].mean()), seed)
    best = min(SEEDS, key=score.__getitem__)
    return {"drawings": len(drawn), "strengths": drawn.strengths(), "seeds": found, "suggested": best}

"""Parts `concepts`, everything once from a raw outline, and `photos`, how bright those from nothing are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from .. import images
from ..files import whole
from ..sampler import USUAL
from ..train.data import PictureSet
from .drawings import crude
from .figures import by_chance, figures, painted, record
from .fit import Vocabulary
from .lines import ink
from .study import Study
from .verdicts import mean_and_error

PER_PAGE, PER_ROW = 500, 16


def one_of_each(study: Study) -> PictureSet:
    """One picture of each subject, a held-out one where there is any; names in their order."""
    pictures = study.pictures
    order = torch.randperm(len(pictures), generator=torch.Generator().manual_seed(study.seed)).tolist()
    return first_of_each(pictures, sorted(order, key=lambda i: not pictures.held_out[i]))


def first_of_each(pictures: PictureSet, order: Iterable[int]) -> PictureSet:
    """The picture of each subject that comes first in an order of all."""
    chosen: dict[int, int] = {}
    for i in order:
        chosen.setdefault(int(pictures.labels[i, 0]), i)
    keep = torch.zeros(len(pictures), dtype=torch.bool)
    keep[list(chosen.values())] = True
    return pictures.subset(keep)


def concepts(study: Study) -> dict:
    """Each subject once, from a raw outline of a picture, told the labels of that picture."""
    pictures = one_of_each(study)
    drawn, known = crude(study, pictures, "outline")
    drawn = drawn.seeded(study.seed)
    if not len(drawn):
        return {"pictures": 0, "left out": len(pictures)}
    x0 = painted(study, drawn, None, "concepts")
    found = figures(study, x0, drawn)
    subjects = study.pictures.label_names[study.kinds[0]]
    names = [subjects[row[0]] for row in drawn.labels.tolist()]
    order = sorted(range(len(names)), key=lambda i: names[i])
    pages = [order[i : i + PER_PAGE] for i in range(0, len(order), PER_PAGE)]
    for number, page in enumerate(pages, 1):
        if study.out:
            sheet = pairs_sheet([(names[i], drawn.x0[i], x0[i]) for i in page])
            with whole(study.out / f"concepts-{number}.jpg") as partial:
                sheet.save(partial, format="JPEG", quality=72)
    right = found[study.kinds[0]].bool().tolist()
    return {
        "pictures": len(drawn),
        "held out": int(pictures.held_out[known].sum()),
        "left out": len(pictures) - len(drawn),
        "strengths": drawn.strengths(),
        "all": record(study, "concepts, outline", found, drawn),
        "by chance": by_chance(drawn, x0),
        "pages": len(pages),
        "not recognised": sorted(name for name, yes in zip(names, right) if not yes),
    }


def pairs_sheet(pairs: list[tuple[str, Tensor, Tensor]], cell: int = 48, line: int = 11) -> Image.Image:
    """Drawing and result side by side, the name below; PER_ROW pairs a row."""
    font = ImageFont.load_default(size=9)
    width, height = 2 * cell + 4, cell + line + 3
    columns = min(PER_ROW, len(pairs))
    page = Image.new("RGB", (columns * width, -(-len(pairs) // columns) * height), "white")
    draw = ImageDraw.Draw(page)
    for i, (name, *both) in enumerate(pairs):
        x, y = i % columns * width, i // columns * height
        for k, picture in enumerate(both):
            page.paste(images.to_pil(picture, cell), (x + k * cell, y))
        draw.text((x + cell, y + cell), name, fill="black", font=font, anchor="ma")
    return page


def photos(study: Study) -> dict:
    """How bright are photos from nothing, beside as many real ones told the same? 0 black .. 1 white.

    Of the whole picture, paper and all, and of what is not paper. Without a style named photo, of all styles.
    """
    pictures, styles = study.pictures, study.pictures.label_names[study.kinds[-1]]
    if "photo" in styles and len(study.kinds) > 1:
        pictures = pictures.subset(pictures.labels[:, -1] == styles.index("photo"))
    turns: Counter[int] = Counter()
    order = []
    for i in torch.randperm(len(pictures), generator=torch.Generator().manual_seed(study.seed)).tolist():
        subject = int(pictures.labels[i, 0])
        order.append((turns[subject], i))
        turns[subject] += 1
    keep = torch.zeros(len(pictures), dtype=torch.bool)
    keep[[i for _, i in sorted(order)[: study.cells]]] = True
    chosen = pictures.subset(keep)
    told, known = Vocabulary(study.checkpoint, study.names).rows(chosen.labels, chosen.label_names)
    chosen = chosen.subset(known)
    if not len(chosen):
        return {"pictures": 0}
    generated = study.paint(None, told, 1.0, study.seeds(len(told)), "photos", guidance=USUAL.guidance)
    real = study.as_trained(chosen)
    result: dict = {"pictures": len(chosen), "guidance": USUAL.guidance}
    for what, measure in {"picture": brightness, "thing": thing_brightness}.items():
        made, true = measure(generated), measure(real)
        result[what] = {
            "generated": float(made.nanmean()),
            "real": float(true.nanmean()),
            "difference": mean_and_error((made - true)[~(made - true).isnan()]),
        }
    result["ratio"] = result["picture"]["generated"] / result["picture"]["real"]
    return result


def brightness(x0: Tensor) -> Tensor:
    """Mean of all channels, 0 .. 1: (N, 3, R, R) -> float64 (N,)."""
    return (x0.double().mean(dim=(1, 2, 3)) + 1) / 2


def thing_brightness(x0: Tensor) -> Tensor:
    """The same of what is not paper; nan where all is paper."""
    there = ink(x0).double()
    return ((x0.double().mean(dim=1) + 1) / 2 * there).sum(dim=(1, 2)) / there.sum(dim=(1, 2))

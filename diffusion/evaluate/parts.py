"""The parts of an evaluation: each takes a `Study` and returns plain numbers for evaluation.json.

labels         are generated pictures what they were told to be, as the judge names them?
realism        KID and Frechet distance between generated and real pictures
faithfulness   realism against faithfulness over the strength (SDEdit figure 3), and against baselines
restoration    PSNR and SSIM of bad pictures made better
memory         is anything copied from the training pictures? do seeds differ? (memory.py)
loss           the error of the network on held-out pictures, by noise level
bound          the variational bound in bits per dimension, and its terms over t (bound.py)
sheet          a picture of everything the checkpoint knows, none picked

And for checkpoints of other names than the pictures', too (TRANSLATED):

drawings       crude drawings of held-out pictures, beside what learnt nothing (drawings.py)
hands          the project's own drawings, by habit; a sheet of all (hands.py)
seeds          which seed leaves the fewest specks?
photos         are photos from nothing as bright as real ones? (concepts.py)
concepts       every subject once, from a raw outline; sheets of all
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from .. import images
from ..files import whole
from ..train.choose import evenly
from . import inputs
from .bound import bound
from .concepts import concepts, photos
from .drawings import drawings
from .hands import hands, seeds
from .memory import memory
from .metrics import frechet_distance, low_pass_agreement, psnr, ssim
from .study import DEFAULT_STRENGTH, STRENGTHS, Study, as_x0, same_labels
from .verdicts import kid_or_none

RESTORATION_STRENGTHS = (0.1, 0.2, 0.3, 0.4, 0.5)
LOSS_BINS = 10


def labels(study: Study) -> dict:
    """Label fidelity: accuracy on generated and on real held-out pictures, and their ratio."""
    told = study.held_out.labels
    generated, real = study.accuracy(study.generated, told), study.accuracy(study.real, told)
    names, kind = study.pictures.label_names[study.kinds[-1]], study.kinds[-1]
    each = {}
    for number, name in enumerate(names):
        of = told[:, -1] == number
        if of.any():
            each[name] = {
                "pictures": int(of.sum()),
                "generated": study.accuracy(study.generated[of], told[of]),
                "real": study.accuracy(study.real[of], told[of]),
            }
    return {
        "pictures": len(told),
        "generated": generated,
        "real": real,
        "ratio": {key: generated[key] / real[key] if real[key] else None for key in real},
        "by": kind,
        "each": each,
    }


def realism(study: Study) -> dict:
    """KID and Frechet distance of generated pictures to held-out ones, in all and by style, with yardsticks.

    Yardsticks: training pictures of the same labels (as good as can be hoped for), and the held-out pictures
    of another style (plainly different).
    """
    held_out, style = study.held_out, study.held_out.labels[:, -1]
    train = same_labels(study.pictures.train(), held_out.labels, study.seed)
    points = {
        "generated": study.features(study.generated),
        "real": study.features(study.real),
        "train": study.features(study.as_trained(train)),
    }

    def distance(key: str, of: Tensor, other: str, of_other: Tensor) -> dict | None:
        # Row i of each set has the same labels, so it counts as showing what held-out picture i shows.
        groups = [[g for g, kept in zip(held_out.groups, rows) if kept] for rows in (of, of_other)]
        return kid_or_none(points[key][of], points[other][of_other], *groups)

    names = study.pictures.label_names[study.kinds[-1]]
    between: dict[tuple[str, str], float] = {}
    for a, b in combinations(range(len(names)), 2):
        found = distance("real", style == a, "real", style == b)
        if found:
            between[names[a], names[b]] = found["value"]
    nearest = min(between, key=lambda pair: between[pair], default=None)
    n, width = points["real"].shape
    each: dict[str, dict] = {}
    result = {
        "features": width,
        "pictures": n,
        "by": study.kinds[-1],
        "kid": {key: distance(key, style >= 0, "real", style >= 0) for key in ("generated", "train")},
        "frechet": {
            key: frechet_distance(points[key], points["real"]) if n > width else None
            for key in ("generated", "train")
        },
        "between": {
            "mean": float(np.mean(list(between.values()))) if between else None,
            "median": float(np.median(list(between.values()))) if between else None,
            "nearest": min(between.values(), default=None),
            "nearest pair": list(nearest) if nearest else None,
        },
        "each": each,
    }
    for number, name in enumerate(names):
        of, n = style == number, int((style == number).sum())
        to_others = [value for pair, value in between.items() if name in pair]
        row: dict = {key: distance(key, of, "real", of) for key in ("generated", "train")}
        if row["generated"]:
            row["nearest other"] = min(to_others, default=None)
            each[name] = {"pictures": n, **row}
    return result


def verdict(study: Study, x0: Tensor, source: Tensor, real: Tensor) -> dict:
    """One point of SDEdit's figure 3: how real, and how true to what was brought."""
    l2, correlation = low_pass_agreement(x0, source)
    return {
        "kid": kid_or_none(study.features(x0), real, study.brought.groups, study.brought.groups),
        "accuracy": study.accuracy(x0, study.brought.labels),
        "l2": float(l2.mean()),
        "correlation": float(correlation.mean()),
    }


def median_filtered(x0: Tensor) -> Tensor:
    """A baseline that learnt nothing: OpenCV's median filter, 5 pixels wide. (N, 3, R, R)."""
    filtered = [Image.fromarray(cv2.medianBlur(np.asarray(images.to_pil(x)), 5)) for x in x0]
    return as_x0(filtered, x0.shape[-1])


def faithfulness(study: Study) -> dict:
    """Realism against faithfulness, for each kind of input and strength; strength 0 is the input itself.

    At the default strength also: the median-filtered input, and the same checkpoint with no labels told.
    """
    # KID leaves out a result beside its own truth, so it sees how real the results are, not how near.
    real = study.features(study.brought_x0)
    kinds: dict[str, dict] = {}
    for kind, source in study.inputs.items():
        drawn = study.at_size(source)
        curve = {"0": verdict(study, drawn, drawn, real)}
        for strength in STRENGTHS:
            curve[f"{strength:g}"] = verdict(study, study.repainted(kind, strength), drawn, real)
        null = study.checkpoint.encode_labels({}, len(source))
        untold = study.paint(
            source, null, DEFAULT_STRENGTH, study.seeds(len(source)), f"{kind}, no labels", guidance=1.0
        )
        kinds[kind] = {
            "strengths": curve,
            "no labels": verdict(study, untold, drawn, real),
            "median filter": verdict(study, median_filtered(drawn), drawn, real),
        }
    return {"pictures": len(study.brought), "kinds": kinds}


def restoration(study: Study) -> dict:
    """PSNR and SSIM to the true picture, of bad pictures, of OpenCV's denoiser and of repainting.

    The denoiser is given the best of three strengths in hindsight, by SSIM.
    """
    truth, side = study.brought_x0, study.drawing_size
    clean = [images.to_pil(x) for x in as_x0(study.brought_framed, side)]
    bad = {
        f"{side // 4} pixels": [inputs.small(image) for image in clean],
        "blurred": [inputs.blurred(image) for image in clean],
        "noisy": [inputs.noisy(image, seed) for image, seed in zip(clean, study.seeds(len(clean)))],
        "JPEG 10": [inputs.compressed(image) for image in clean],
    }

    def quality(x0: Tensor) -> dict[str, float]:
        # A pixel-perfect picture has infinite PSNR, which would drown the others: 60 dB is as good.
        return {
            "psnr": float(psnr(x0, truth).clamp(max=60).mean()),
            "ssim": float(ssim(x0, truth).mean()),
        }

    kinds: dict[str, dict] = {}
    for kind, pictures in bad.items():
        source = as_x0(pictures, side)
        denoiser = [
            quality(as_x0([inputs.denoised(p, h) for p in pictures], study.size)) for h in (5, 10, 20)
        ]
        rows = {
            "input": quality(study.at_size(source)),
            "denoiser": max(denoiser, key=lambda row: row["ssim"]),
        }
        for strength in RESTORATION_STRENGTHS:
            x0 = study.paint(
                source, study.brought.labels, strength, study.seeds(len(source)), f"{kind}, {strength:g}"
            )
            rows[f"{strength:g}"] = quality(x0)
        kinds[kind] = rows
    return {"pictures": len(truth), "kinds": kinds}


def loss(study: Study) -> dict:
    """Mean squared error of the predicted x0, and of v, on held-out pictures, in equal bins of t.

    An x0 that is off by d is a v that is off by d / sigma: v is what makes noise levels comparable
    (Salimans & Ho 2022), x0 is what can be seen.
    """
    schedule = study.checkpoint.schedule
    chosen = study.held_out.subset(evenly(len(study.held_out), max(8, study.count // 4)))
    x0 = study.as_trained(chosen)
    n, width = len(x0), schedule.num_train_timesteps / LOSS_BINS
    generator = torch.Generator().manual_seed(study.seed)
    result: dict = {"pictures": n, "t": [], "x0": [], "v": []}
    for number in tqdm(range(LOSS_BINS), desc="loss", leave=False):
        points = (torch.arange(n) + torch.rand((), generator=generator)) / n  # spread over the bin
        t = ((number + points) * width).long().clamp(max=schedule.num_train_timesteps - 1)
        t = t[torch.randperm(n, generator=generator)]
        noise = torch.randn(x0.shape, generator=generator)
        predicted = study.see(schedule.add_noise(x0, noise, t), t, chosen.labels).x0
        error = (predicted - x0).double().square().mean(dim=(1, 2, 3))
        result["t"].append([round(number * width), round((number + 1) * width) - 1])
        result["x0"].append(float(error.mean()))
        result["v"].append(float((error / schedule.sigma(t) ** 2).mean()))
    return result


def sheet(study: Study) -> dict:
    """A thumbnail from noise for every label combination seen in training, in order, seeds in a row."""
    pairs = [
        study.checkpoint.pairs[i] for i in torch.nonzero(evenly(len(study.checkpoint.pairs), 3 * study.count))
    ]
    rows = [study.checkpoint.encode_labels(dict(zip(study.kinds, pair))) for pair in pairs]
    x0 = study.paint(None, torch.cat(rows), 1.0, study.seeds(len(pairs)), "sheet")
    if study.out:
        made = {pair: images.to_pil(x) for pair, x in zip(pairs, x0)}
        with whole(study.out / "sheet.jpg") as partial:
            all_pairs_sheet(made, study.size * 3 // 4).save(partial, format="JPEG", quality=85)
    columns = sorted({pair[-1] for pair in pairs}) if len(study.kinds) > 1 else []
    return {"pictures": len(pairs), "columns": columns}


def all_pairs_sheet(made: dict[tuple[str, ...], Image.Image], cell: int, stacks: int = 4) -> Image.Image:
    """Pictures by first label (rows) and last label (columns), cut into `stacks` that stand side by side."""
    firsts = sorted({pair[0] for pair in made})
    lasts = sorted({pair[-1] for pair in made}) if len(next(iter(made))) > 1 else [""]
    blank = Image.new("RGB", (cell, cell), "white")

    def row(first: str) -> list[Image.Image]:
        return [made.get((first, last) if last else (first,), blank) for last in lasts]

    height = math.ceil(len(firsts) / stacks)
    parts = [firsts[i : i + height] for i in range(0, len(firsts), height)]
    sheets = [images.contact_sheet([row(f) for f in part], part, cell=cell, gap=2) for part in parts]
    whole = Image.new("RGB", (sum(s.width for s in sheets), max(s.height for s in sheets)), "white")
    left = 0
    for part in sheets:
        whole.paste(part, (left, 0))
        left += part.width
    return whole


PARTS: dict[str, Callable[[Study], dict]] = {
    "labels": labels,
    "realism": realism,
    "faithfulness": faithfulness,
    "restoration": restoration,
    "memory": memory,
    "loss": loss,
    "bound": bound,
    "sheet": sheet,
    "drawings": drawings,
    "hands": hands,
    "seeds": seeds,
    "photos": photos,
    "concepts": concepts,
}
TRANSLATED = ("drawings", "hands", "seeds", "photos", "concepts")
OF_PIXELS = ("loss", "bound")  # what a model of latents predicts is measured by neither

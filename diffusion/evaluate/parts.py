"""How good is a checkpoint? Measured on held-out pictures, written as JSON and as one page of Markdown.

    python -m diffusion.evaluate CHECKPOINT --data FOLDER_OR_TAR ... --judge JUDGE --out FOLDER

Every part below is one function that takes a `Study` (study.py: the pictures) and returns plain numbers:

    labels         are generated pictures what they were told to be, in the judge's eyes?
    realism        KID and Frechet distance between generated and real pictures
    faithfulness   realism against faithfulness over the strength (SDEdit figure 3), and against baselines
    restoration    PSNR and SSIM of bad pictures made better
    memory         is anything copied from the training pictures? do seeds differ?
    loss           the error of the network on held-out pictures, by noise level
    sheet          a picture of everything the checkpoint knows, none picked

Measures stand in metrics.py, what people bring in degrade.py, the judge in judge.py, the page in report.py.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from .. import images
from ..checkpoint import Checkpoint, CheckpointError, load_checkpoint
from ..train import degrade
from ..train.data import DataError, PictureSet, load_pictures
from ..train.trainer import evenly
from .judge import Judge, JudgeError, load_judge
from .metrics import (
    frechet_distance,
    inception_features,
    kid,
    low_pass_agreement,
    mean_pairwise_distance,
    nearest_distances,
    psnr,
    ssim,
)
from .report import write_report
from .study import BATCH, Study, as_x0

STRENGTHS = tuple(round(0.1 * i, 1) for i in range(1, 11))
RESTORATION_STRENGTHS = (0.1, 0.2, 0.3, 0.4, 0.5)
DEFAULT_STRENGTH = 0.6  # the app's
MEMORY_STRENGTH = 0.7  # up to here pictures follow a drawing; above, they are invented
LOSS_BINS = 10
SEEDS = 4  # pictures of the same labels, to see how they differ


def kid_or_none(x: Tensor, y: Tensor, x_groups: Sequence[str], y_groups: Sequence[str]) -> dict | None:
    """KID as {"value", "error"}; None where there are too few pictures of different things."""
    try:
        value, error = kid(x, y, x_groups, y_groups)
    except ValueError:
        return None
    return {"value": value, "error": error}


def quantiles(x: Tensor) -> dict[str, float]:
    """{"1%", "10%", "50%"} of a set of numbers: how small its small ones are."""
    return {f"{100 * q:g}%": float(x.double().quantile(q)) for q in (0.01, 0.1, 0.5)}


# ---------------------------------------------------------------------- the parts


def labels(study: Study) -> dict:
    """Label fidelity: the judge's accuracy on generated and on real held-out pictures, and their ratio."""
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


def same_labels(train: PictureSet, labels: Tensor, seed: int) -> PictureSet:
    """For each row of labels a random training picture with that row; where there is none, one whose last
    label is the same.
    """
    generator = torch.Generator().manual_seed(seed)
    chosen = []
    for row in labels:
        (members,) = torch.nonzero((train.labels == row).all(1), as_tuple=True)
        if not len(members):
            (members,) = torch.nonzero(train.labels[:, -1] == row[-1], as_tuple=True)
        chosen.append(int(members[torch.randint(len(members), (), generator=generator)]))
    index = torch.tensor(chosen)
    return PictureSet(
        train.pixels[index],
        train.labels[index],
        train.label_names,
        [train.groups[i] for i in chosen],
        train.held_out[index],
    )


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
    between = {}
    for a, b in combinations(range(len(names)), 2):
        found = distance("real", style == a, "real", style == b)
        if found:
            between[names[a], names[b]] = found["value"]
    n, width = points["real"].shape
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
            "nearest pair": list(min(between, key=between.get)) if between else None,
        },
        "each": {},
    }
    for number, name in enumerate(names):
        of, n = style == number, int((style == number).sum())
        to_others = [value for pair, value in between.items() if name in pair]
        row = {key: distance(key, of, "real", of) for key in ("generated", "train")}
        if row["generated"]:
            row["nearest other"] = min(to_others, default=None)
            result["each"][name] = {"pictures": n, **row}
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
    real = study.features(as_x0(study.brought_framed, study.size))
    result = {"pictures": len(study.brought), "kinds": {}}
    for kind, source in study.inputs.items():
        curve = {"0": verdict(study, source, source, real)}
        for strength in STRENGTHS:
            curve[f"{strength:g}"] = verdict(study, study.repainted(kind, strength), source, real)
        null = study.checkpoint.encode_labels({}, len(source))
        untold = study.paint(
            source, null, DEFAULT_STRENGTH, study.seeds(len(source)), f"{kind}, no labels", guidance=1.0
        )
        result["kinds"][kind] = {
            "strengths": curve,
            "no labels": verdict(study, untold, source, real),
            "median filter": verdict(study, median_filtered(source), source, real),
        }
    return result


def restoration(study: Study) -> dict:
    """PSNR and SSIM to the true picture, of bad pictures, of OpenCV's denoiser and of repainting.

    The denoiser is given the best of three strengths in hindsight, by SSIM.
    """
    truth = as_x0(study.brought_framed, study.size)
    clean = [images.to_pil(x) for x in truth]
    bad = {
        f"{study.size // 4} pixels": [degrade.small(image) for image in clean],
        "blurred": [degrade.blurred(image) for image in clean],
        "noisy": [degrade.noisy(image, seed) for image, seed in zip(clean, study.seeds(len(clean)))],
        "JPEG 10": [degrade.compressed(image) for image in clean],
    }

    def quality(x0: Tensor) -> dict[str, float]:
        # A pixel-perfect picture has infinite PSNR, which would drown the others: 60 dB is as good.
        return {
            "psnr": float(psnr(x0, truth).clamp(max=60).mean()),
            "ssim": float(ssim(x0, truth).mean()),
        }

    result = {"pictures": len(truth), "kinds": {}}
    for kind, pictures in bad.items():
        source = as_x0(pictures, study.size)
        denoiser = [
            quality(as_x0([degrade.denoised(p, h) for p in pictures], study.size)) for h in (5, 10, 20)
        ]
        rows = {"input": quality(source), "denoiser": max(denoiser, key=lambda row: row["ssim"])}
        for strength in RESTORATION_STRENGTHS:
            x0 = study.paint(
                source, study.brought.labels, strength, study.seeds(len(source)), f"{kind}, {strength:g}"
            )
            rows[f"{strength:g}"] = quality(x0)
        result["kinds"][kind] = rows
    return result


def on_the_page(study: Study, x0: Tensor) -> Tensor:
    """Where training moved pictures about, put each back into the middle, framed by the app's framing.

    A copy in another place is still a copy; pixels can only be compared when things stand on each other.
    """
    if study.augmentation != "drawing":
        return x0
    return torch.cat([images.prepare(images.to_pil(x), study.size).x0 for x in x0])


def training_bank(study: Study, train: PictureSet) -> Tensor:
    """The training pictures, which fill their frames, placed as `on_the_page` does: uint8 (M, 3, R, R)."""
    if study.augmentation != "drawing":
        return torch.cat(
            [F.avg_pool2d(p.float(), 2).round().to(torch.uint8) for p in train.pixels.split(256)]
        )
    inner = 2 * round(images.FILL * study.size / 2)  # even, so that it can stand in the middle
    edge = (study.size - inner) // 2
    parts = []
    for pixels in train.pixels.split(256):
        shrunk = F.interpolate(pixels.float(), size=inner, mode="bilinear", antialias=True)
        parts.append(F.pad(shrunk, [edge] * 4, value=255.0).round().clamp(0, 255).to(torch.uint8))
    return torch.cat(parts)


def memory(study: Study, out: Path | None = None) -> dict:
    """Distances to the nearest training picture, and among pictures told the same.

    Two yardsticks: held-out pictures (what is new and real), and training pictures turned and shifted anew,
    as in training (what a copy would look like). Distances in pixels (aligned, mirrored too) and in features.
    """
    train = study.pictures.train()
    train = train.subset(evenly(len(train), 100 * study.count))
    bank = training_bank(study, train)
    bank_features = []
    for pixels in tqdm(train.pixels.split(256), desc="training pictures", leave=False):
        bank_features.append(study.features(F.avg_pool2d(pixels.float() / 127.5 - 1, 2)))
    bank_features = torch.cat(bank_features)
    copies = train.subset(evenly(len(train), len(study.held_out)))
    sets = {
        "from noise": study.generated,
        f"strokes, {MEMORY_STRENGTH:g}": study.repainted("strokes", MEMORY_STRENGTH),
        "held out": study.real,
        "copies": study.as_trained(copies),
    }
    nearest, found = {}, {}
    for name, x0 in sets.items():
        placed = on_the_page(study, x0)
        either, index = nearest_distances(torch.cat([placed, placed.flip(-1)]), bank)
        best = either.reshape(2, -1).min(dim=0)
        in_features, _ = nearest_distances(study.features(x0), bank_features)
        found[name] = best.values, in_features
        nearest[name] = {"pixels": quantiles(best.values), "features": quantiles(in_features)}
        if out is not None and name == "from noise":
            rows = index.reshape(2, -1).gather(0, best.indices[None])[0]
            order = best.values.argsort()[:16]
            pairs = [
                [images.to_pil(placed[i]) for i in order],
                [images.to_pil(bank[rows[i]].float() / 127.5 - 1) for i in order],
            ]
            sheet = images.contact_sheet(pairs, ["from noise", "nearest in\ntraining"], cell=study.size)
            sheet.save(out / "nearest.png")
    # As near as the median copy, by both measures at once: that share of each set would pass for copies.
    limits = [float(values.median()) for values in found["copies"]]
    for name, (pixels, in_features) in found.items():
        near = (pixels <= limits[0]) & (in_features <= limits[1])
        nearest[name]["like copies"] = float(near.double().mean())
    return {"training pictures": len(train), "nearest": nearest, "diversity": diversity(study, train)}


def diversity(study: Study, train: PictureSet) -> dict:
    """Mean distance between pictures of the same labels: seeds, and real training pictures."""
    chosen = evenly(len(study.brought), 12)
    strokes = study.inputs["strokes"][chosen].repeat_interleave(SEEDS, dim=0)
    repeated = study.brought.labels[chosen].repeat_interleave(SEEDS, dim=0)
    seeds = study.seeds(len(repeated))
    sets = {
        "from noise": study.paint(None, repeated, 1.0, seeds, "seeds, from noise"),
        f"strokes, {MEMORY_STRENGTH:g}": study.paint(
            strokes, repeated, MEMORY_STRENGTH, seeds, "seeds, strokes"
        ),
        "training": study.as_trained(same_labels(train, repeated, study.seed)),
    }
    result = {}
    for name, x0 in sets.items():
        in_features = study.features(x0)
        result[name] = {
            "pixels": float(np.mean([mean_pairwise_distance(x) for x in x0.split(SEEDS)])),
            "features": float(np.mean([mean_pairwise_distance(x) for x in in_features.split(SEEDS)])),
        }
    return result


def loss(study: Study) -> dict:
    """Mean squared error of the predicted x0, and of v, on held-out pictures, in equal bins of t.

    An x0 that is off by d is a v that is off by d / sqrt(1 - abar): v is what makes noise levels comparable
    (Salimans & Ho 2022), x0 is what can be seen.
    """
    schedule = study.checkpoint.schedule
    chosen = study.held_out.subset(evenly(len(study.held_out), max(8, study.count // 4)))
    x0 = study.as_trained(chosen)
    n, width = len(x0), schedule.num_train_timesteps / LOSS_BINS
    generator = torch.Generator().manual_seed(study.seed)
    result = {"pictures": n, "t": [], "x0": [], "v": []}
    for number in tqdm(range(LOSS_BINS), desc="loss", leave=False):
        points = (torch.arange(n) + torch.rand((), generator=generator)) / n  # spread over the bin
        t = ((number + points) * width).long().clamp(max=schedule.num_train_timesteps - 1)
        t = t[torch.randperm(n, generator=generator)]
        noise = torch.randn(x0.shape, generator=generator)
        x_t = schedule.add_noise(x0, noise, t)
        errors = []
        for x, true, when, label in zip(*(part.split(BATCH) for part in (x_t, x0, t, chosen.labels))):
            with (
                torch.no_grad(),
                torch.autocast("cpu", torch.bfloat16, enabled=study.precision == "bf16"),
            ):
                output = study.checkpoint.model(x, when, label)
            guess, _ = schedule.to_x0_eps(output.float(), x, when)
            errors.append((guess - true).double().square().mean(dim=(1, 2, 3)))
        error = torch.cat(errors)
        result["t"].append([round(number * width), round((number + 1) * width) - 1])
        result["x0"].append(float(error.mean()))
        result["v"].append(float((error / (1 - schedule.abar(t))).mean()))
    return result


def sheet(study: Study, out: Path | None = None) -> dict:
    """A thumbnail from noise for every label combination seen in training, in order, seeds in a row."""
    pairs = [
        study.checkpoint.pairs[i] for i in torch.nonzero(evenly(len(study.checkpoint.pairs), 3 * study.count))
    ]
    rows = [study.checkpoint.encode_labels(dict(zip(study.kinds, pair))) for pair in pairs]
    x0 = study.paint(None, torch.cat(rows), 1.0, study.seeds(len(pairs)), "sheet")
    if out is not None:
        made = {pair: images.to_pil(x) for pair, x in zip(pairs, x0)}
        all_pairs_sheet(made, study.size * 3 // 4).save(out / "sheet.jpg", quality=85)
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


PARTS: dict[str, Callable] = {
    "labels": labels,
    "realism": realism,
    "faithfulness": faithfulness,
    "restoration": restoration,
    "memory": memory,
    "loss": loss,
    "sheet": sheet,
}
DRAWING = {"memory", "sheet"}  # these leave a picture in the folder


# ---------------------------------------------------------------------- verdicts


def targets(result: dict) -> list[dict]:
    """What a good checkpoint should reach: name, value, bound, and whether it is met; of the parts run."""
    found = []

    def add(name: str, value: float | None, bound: float, above: bool = True) -> None:
        if value is not None:
            met = value >= bound if above else value <= bound
            found.append({"name": name, "value": value, "bound": bound, "above": above, "met": bool(met)})

    if "labels" in result:
        kinds = [kind for kind in result["labels"]["ratio"] if not kind.endswith(" in 5")]
        for kind, bound in zip(kinds, (0.8, 0.9)):
            name = f"{kind} accuracy, from noise / real held-out"
            add(name, result["labels"]["ratio"][kind], bound)
    if "realism" in result:
        r = result["realism"]
        for which in ("mean", "median"):
            apart = r["between"][which]
            if r["kid"]["generated"] and apart and apart > 0:
                name = f"KID from noise / {which} KID between two {r['by']}s"
                add(name, r["kid"]["generated"]["value"] / apart, 1 / 3, False)
    if "faithfulness" in result:
        kinds = result["faithfulness"]["kinds"]
        at = {kind: rows["strengths"][f"{DEFAULT_STRENGTH:g}"] for kind, rows in kinds.items()}
        subject = next(iter(at["strokes"]["accuracy"]))
        strokes = at["strokes"]["accuracy"][subject]
        if strokes:
            ratio = at["outlines, coloured in"]["accuracy"][subject] / strokes
            add(f"{subject} accuracy, coloured-in outlines / strokes, at {DEFAULT_STRENGTH:g}", ratio, 0.6)
        for kind in ("strokes", "shrunk and blurred", "outlines, coloured in"):
            rows = {"the input": kinds[kind]["strengths"]["0"]} | {
                name: kinds[kind][name] for name in ("no labels", "median filter")
            }
            for name, row in rows.items():
                if at[kind]["kid"] and row["kid"]:
                    difference = at[kind]["kid"]["value"] - row["kid"]["value"]
                    add(f"{kind} at {DEFAULT_STRENGTH:g}: KID - KID of {name}", difference, 0.0, False)
    if "restoration" in result:
        kind, rows = next(iter(result["restoration"]["kinds"].items()))
        best = max(rows[f"{s:g}"]["ssim"] for s in RESTORATION_STRENGTHS)
        add(f"{kind}: best SSIM - bicubic SSIM", best - rows["input"]["ssim"], 0.0)
    if "memory" in result:
        nearest = result["memory"]["nearest"]
        for name in list(nearest)[:2]:
            extra = nearest[name]["like copies"] - nearest["held out"]["like copies"]
            add(f"{name}: share like copies, beyond that of held-out pictures", extra, 0.02, False)
    return found


def finite(value):
    """JSON has no nan and no inf: None in their place, however deep."""
    if isinstance(value, dict):
        return {key: finite(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


# ---------------------------------------------------------------------- the command line


def check(checkpoint: Checkpoint, judge: Judge, pictures: PictureSet) -> None:
    """Do the three belong together?

    Raises:
        ValueError: with one sentence, where they do not.
    """
    if judge.image_size != checkpoint.image_size:
        raise JudgeError(
            f"The judge looks at {judge.image_size} pixels, the checkpoint draws {checkpoint.image_size}."
        )
    if judge.label_names != checkpoint.label_names:
        raise JudgeError("The judge and the checkpoint have different labels: train both on the same data.")
    if pictures.label_names != checkpoint.label_names:
        raise DataError("The pictures have other labels than the checkpoint: give all it was trained on.")
    if not pictures.held_out.any():
        raise DataError("No picture is held out, so there is nothing to compare with: raise --hold-out.")


def evaluate(study: Study, parts: Sequence[str], about: dict, out: Path) -> dict:
    """Run the parts, write evaluation.json, EVALUATION.md and pictures to `out`; returns the numbers.

    Args:
        about: what stands at the head of the numbers.
    """
    out.mkdir(parents=True, exist_ok=True)
    result: dict = {**about, "targets": [], "seconds": {}}
    for name in (bar := tqdm([name for name in PARTS if name in parts])):
        bar.set_description(name)
        started = time.monotonic()
        result[name] = finite(PARTS[name](study, out) if name in DRAWING else PARTS[name](study))
        result["seconds"][name] = round(time.monotonic() - started)
        result["targets"] = targets(result)
        # After each part, so that a run that is stopped leaves what it knows.
        (out / "evaluation.json").write_text(json.dumps(result, indent=1) + "\n")
        write_report(result, out)
    return result


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser("python -m diffusion.evaluate", description="Measure a checkpoint.")
    p.add_argument("checkpoint")
    p.add_argument("--data", nargs="+", required=True, help="all the data the checkpoint was trained on")
    p.add_argument("--judge", required=True, help="by diffusion.evaluate.judge, for the same labels and size")
    p.add_argument("--out", required=True, help="folder for evaluation.json, EVALUATION.md and pictures")
    p.add_argument("--parts", nargs="+", choices=tuple(PARTS), default=tuple(PARTS), help="what to measure")
    p.add_argument("--count", type=int, default=256, help="pictures from noise; other parts in proportion")
    p.add_argument("--steps", type=int, default=20, help="DDIM steps of a run of strength 1 (default: 20)")
    p.add_argument("--guidance", type=float, default=2.0, help="1 = off (default: 2)")
    p.add_argument("--features", choices=("judge", "inception"), default="judge", help="space of KID and FID")
    p.add_argument("--hold-out", type=float, default=0.1, help="as in training (default: 0.1)")
    p.add_argument("--precision", choices=("bf16", "fp32"), default="bf16", help="of the sampling")
    p.add_argument("--seed", type=int, default=0)
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; errors are one line on stderr and exit status 2."""
    args = parser().parse_args(argv)
    try:
        if args.count < 1:
            raise ValueError(f"--count must be at least 1, not {args.count}.")
        checkpoint, judge = load_checkpoint(args.checkpoint), load_judge(args.judge)
        features = inception_features() if args.features == "inception" else judge.features
        pictures = load_pictures(args.data, 2 * checkpoint.image_size, args.hold_out)
        check(checkpoint, judge, pictures)
        study = Study(
            checkpoint,
            judge,
            pictures,
            features,
            count=args.count,
            steps=args.steps,
            guidance=args.guidance,
            seed=args.seed,
            precision=args.precision,
        )
        out = Path(args.out)
        about = {
            "checkpoint": Path(args.checkpoint).name,
            "judge": {"file": Path(args.judge).name, "accuracy": judge.training.get("accuracy", {})},
            "trained": {k: checkpoint.training[k] for k in ("steps", "samples") if k in checkpoint.training},
            "settings": {
                name: getattr(args, name)
                for name in ("count", "steps", "guidance", "features", "precision", "seed")
            },
        }
        result = evaluate(study, args.parts, about, out)
    except (CheckpointError, DataError, JudgeError, ValueError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 2
    for target in result["targets"]:
        verdict, sign = "met" if target["met"] else "MISSED", ">=" if target["above"] else "<="
        print(f"{verdict:6} {target['name']}: {target['value']:.3g} ({sign} {target['bound']:.3g})")
    print(f"Done: {out / 'EVALUATION.md'}")
    return 0

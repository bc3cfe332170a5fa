"""How good is an upscaler? Measured on held-out pictures, against what enlarges without having learnt to.

    python -m diffusion.evaluate.upscaler UPSCALER --checkpoint CHECKPOINT --data TAR ... --out FOLDER

writes upscaler.json and upscaler.png, a sheet at full size. The ways that are compared are in enlargers.py.

    held_out     pictures averaged down to 16, 32 and 64 pixels, against the truth
    own_results  what the denoiser made, of which there is no truth: edge width, and with --judge KID of crops
    cost         milliseconds, against a call of the denoiser
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from .. import images
from ..checkpoint import Checkpoint, load_checkpoint
from ..classifier import Classifier, ClassifierError, load_classifier
from ..condition import Condition
from ..files import whole, write_text
from ..options import REQUIRED, SEED, command, option, parse
from ..sampler import USUAL
from ..sdedit import edit
from ..train.choose import evenly
from ..train.data import DataError, PictureSet, load_pictures
from ..upscaler import Upscaled, UpscalerError, load_upscaler
from .edges import mean_edge_width
from .enlargers import BATCH, Enlarge, mended, small_inputs, ways
from .metrics import kid, psnr, ssim
from .timings import seconds_in_turns
from .verdicts import finite

STRENGTHS = (0.2, 0.6)  # of the denoiser's own results
ROWS = 4  # of the sheet, for each kind of picture


@dataclass(frozen=True)
class UpscalerSettings:
    """What is measured, with what, on how much."""

    upscaler: str = option(REQUIRED, "made by diffusion.train.upscaler", positional=True)
    checkpoint: str = option(REQUIRED, "the denoiser whose pictures it enlarges")
    data: tuple[str, ...] = option(REQUIRED, "pictures of at least as many pixels as the result")
    out: str = option(REQUIRED, "folder for upscaler.json and upscaler.png")
    hold_out: float = option(0.1, "fraction of groups held out, as in training", low=0, below=1)
    count: int = option(256, "held-out pictures", low=1)
    own: int = option(64, "of them, for the denoiser's own results", low=0)
    judge: str = option("", "classifier for KID of the denoiser's own results; without one there is none")
    mend: float = option(0.1, "strength at which the denoiser mends inputs before", low=0, high=1)
    repeats: int = option(9, "turns of which the median time is taken", low=1)
    seed: int = option(0, "of the denoiser's noise", **SEED)


def paper_error(x: Tensor, truth: Tensor) -> float:
    """How far x is from white where the truth is exactly white, halos: the mean, in grey levels of 255."""
    paper = (truth >= 1).all(dim=1, keepdim=True).expand_as(truth)
    return float((1 - x[paper]).abs().mean()) * 127.5


def restoration(enlarge: dict[str, Enlarge], small: Tensor, truth: Tensor) -> dict:
    """PSNR, SSIM, edge width and the error on paper of small pictures made larger.

    Args:
        small: (N, 3, n, n) in [-1, 1].
        truth: (N, 3, S, S).
    """
    result: dict = {"count": len(truth), "truth": {"edge_width": mean_edge_width(truth, at=truth)}}
    for name, way in enlarge.items():
        x = way(small)
        similar = [ssim(*pair) for pair in zip(x.split(BATCH), truth.split(BATCH))]
        result[name] = {
            "psnr": float(psnr(x, truth).mean()),
            "ssim": float(torch.cat(similar).mean()),
            "edge_width": mean_edge_width(x, at=truth),
            "paper_error": paper_error(x, truth),
        }
    return result


def middle(x: Tensor, side: int) -> Tensor:
    """The four squares around the middle of each picture, (N, 3, S, S) -> (4 N, 3, side, side)."""
    centre = x.shape[-1] // 2
    rows = [x[..., top : top + side, :] for top in (centre - side, centre)]
    return torch.cat([row[..., left : left + side] for row in rows for left in (centre - side, centre)])


def kid_of_crops(judge: Classifier, x: Tensor, truth: Tensor, groups: Sequence[str]) -> dict:
    """KID between enlarged and true pictures at full size, and its standard error.

    In features of the judge, which is made for whole pictures of R pixels and is shown crops of so many: the
    values tell these ways apart, and compare with no other KID.

    Args:
        x, truth: (N, 3, S, S), S at least 2 R.
        groups: what each of the N shows, in both.
    """
    made, true = (judge.features(middle(pictures, judge.image_size)) for pictures in (x, truth))
    value, error = kid(made, true, list(groups) * 4, list(groups) * 4)
    return {"kid": value, "kid_error": error}


def own_results(
    checkpoint: Checkpoint, pictures: PictureSet, truth: Tensor, strength: float, seed: int
) -> Tensor:
    """What the denoiser makes of pictures at some strength, told the first label alone: (N, 3, R, R)."""
    x0 = F.avg_pool2d(truth, truth.shape[-1] // checkpoint.image_size)
    (kind, names), *_ = pictures.label_names.items()
    known = next(iter(checkpoint.label_names), "")
    results = []
    for rows in torch.arange(len(x0)).split(BATCH):
        words = [checkpoint.name_of(known, names[i]) for i in pictures.labels[rows, 0].tolist()]
        labels = [checkpoint.encode_labels({known: word} if word else {}) for word in words]
        generators = [torch.Generator().manual_seed(seed + int(i)) for i in rows]
        told = Condition.of(checkpoint, torch.cat(labels))
        *_, last = edit(checkpoint, x0[rows], told, replace(USUAL, strength=strength), generators)
        results.append(last.x0)
    return torch.cat(results)


def cost(checkpoint: Checkpoint, upscaled: Upscaled, repeats: int) -> dict:
    """Milliseconds of enlarging one picture and of one guided call of the denoiser, in turns."""
    x = torch.zeros(1, *checkpoint.shape)
    told = Condition.of(checkpoint, checkpoint.encode_labels(batch=2))
    t = torch.full((2,), checkpoint.schedule.num_train_timesteps // 2)

    @torch.no_grad()
    def guided() -> None:
        checkpoint.model(x.expand(2, -1, -1, -1), t, told.labels)

    seconds = seconds_in_turns({"call": guided, "decode": lambda: upscaled.decode(x)}, repeats)
    return {
        "guided_call_ms": 1000 * seconds["call"],
        "decode_ms": 1000 * seconds["decode"],
        "ratio": seconds["decode"] / seconds["call"],
        "parameters": sum(p.numel() for p in upscaled.network.parameters()),
    }


def sheet_rows(enlarge: dict[str, Enlarge], small: Tensor, truth: Tensor | None) -> list[list[Image.Image]]:
    """The input in its pixels, each way, the truth."""
    rows = []
    for i in range(min(ROWS, len(small))):
        made = [images.to_pil(way(small[i : i + 1])) for way in enlarge.values()]
        pixels = images.to_pil(small[i]).resize(made[0].size, Image.Resampling.NEAREST)
        rows.append([pixels, *made, *([images.to_pil(truth[i])] if truth is not None else [])])
    return rows


def evaluate(
    checkpoint: Checkpoint,
    upscaled: Upscaled,
    judge: Classifier | None,
    pictures: PictureSet,
    settings: UpscalerSettings,
) -> tuple[dict, Image.Image]:
    """The numbers and the sheet; `pictures` are those held out, stored at the result's size."""
    enlarge, side = ways(upscaled), upscaled.image_size * upscaled.factor
    mending = {**enlarge, "mended": mended(checkpoint, upscaled, settings.mend, settings.seed)}
    pictures = pictures.subset(evenly(len(pictures), settings.count))
    truth = pictures.pixels.float() / 127.5 - 1
    result: dict = {"mend": settings.mend, "held_out": {}, "own_results": {}}
    rows = []
    for name, small in small_inputs(truth, upscaled.image_size).items():
        result["held_out"][name] = restoration(mending, small, truth)
        rows += sheet_rows(mending, small, truth)
    few = pictures.subset(evenly(len(pictures), settings.own)) if settings.own else None
    for strength in STRENGTHS if few else ():
        assert few is not None
        truth = few.pixels.float() / 127.5 - 1
        made = own_results(checkpoint, few, truth, strength, settings.seed)
        larger = {name: way(made) for name, way in enlarge.items()}
        result["own_results"][str(strength)] = {
            name: {"edge_width": mean_edge_width(x, at=larger["lanczos"])}
            | (kid_of_crops(judge, x, truth, few.groups) if judge else {})
            for name, x in larger.items()
        }
        rows += sheet_rows(enlarge, made, None)
    result["cost"] = cost(checkpoint, upscaled, settings.repeats)
    sheet = images.contact_sheet(rows, column_labels=["input", *mending, "truth"], cell=side)
    return result, sheet


@command("upscaler")
def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    args = parse(UpscalerSettings, "python -m diffusion.evaluate.upscaler", "Measure an upscaler.", argv)
    upscaled, checkpoint = load_upscaler(args.upscaler), load_checkpoint(args.checkpoint)
    if checkpoint.image_size != upscaled.image_size:
        raise UpscalerError(f"{args.upscaler} is for pictures of {upscaled.image_size} pixels.")
    side = upscaled.image_size * upscaled.factor
    judge = load_classifier(args.judge) if args.judge else None
    if judge and judge.image_size != upscaled.image_size:
        raise ClassifierError(f"{args.judge} is for pictures of {judge.image_size} pixels.")
    pictures = load_pictures(args.data, side, args.hold_out).test()
    if not len(pictures):
        raise DataError("No picture is held out: raise --hold-out, or give more pictures of each subject.")
    result, sheet = evaluate(checkpoint, upscaled, judge, pictures, args)
    about = {name: Path(getattr(args, name)).name for name in ("upscaler", "checkpoint", "judge")}
    out = Path(args.out)
    write_text(out / "upscaler.json", json.dumps(finite({**about, **result}), indent=1) + "\n")
    with whole(out / "upscaler.png") as partial:
        sheet.save(partial, format="PNG")
    for part in ("held_out", "own_results"):
        for name, rows in result[part].items():
            for way, row in rows.items():
                if isinstance(row, dict):
                    numbers = "".join(f"  {key} {value:.3f}" for key, value in row.items())
                    print(f"{part} {name:12}  {way:10}{numbers}")
    print(f"{result['cost']['decode_ms']:.1f} ms, {result['cost']['ratio']:.2f} x a guided call.")


if __name__ == "__main__":
    sys.exit(main())

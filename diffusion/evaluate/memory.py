"""Is anything copied from the training pictures, and do pictures told the same labels differ?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from .. import images
from ..files import whole
from ..train.choose import evenly
from ..train.data import PictureSet
from .metrics import mean_pairwise_distance, nearest_distances
from .study import Study, same_labels

MEMORY_STRENGTH = 0.7  # up to here pictures follow a drawing; above, they are invented
SEEDS = 4  # pictures of the same labels, to see how they differ


def quantiles(x: Tensor) -> dict[str, float]:
    """{"1%", "10%", "50%"} of a set of numbers: how small its small ones are."""
    return {f"{100 * q:g}%": float(x.double().quantile(q)) for q in (0.01, 0.1, 0.5)}


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
        return torch.cat([study.at_size(p.float()).round().to(torch.uint8) for p in train.pixels.split(256)])
    inner = 2 * round(images.FILL * study.size / 2)  # even, so that it can stand in the middle
    edge = (study.size - inner) // 2
    parts = []
    for pixels in train.pixels.split(256):
        shrunk = F.interpolate(pixels.float(), size=inner, mode="bilinear", antialias=True)
        parts.append(F.pad(shrunk, [edge] * 4, value=255.0).round().clamp(0, 255).to(torch.uint8))
    return torch.cat(parts)


def memory(study: Study) -> dict:
    """Distances to the nearest training picture, and among pictures told the same.

    Two yardsticks: held-out pictures (what is new and real), and training pictures turned and shifted anew,
    as in training (what a copy would look like). Distances in pixels (aligned, mirrored too) and in features.
    """
    train = study.pictures.train()
    train = train.subset(evenly(len(train), 100 * study.count))
    bank = training_bank(study, train)
    parts = tqdm(train.pixels.split(256), desc="training pictures", leave=False)
    bank_features = torch.cat([study.features(study.at_size(p.float() / 127.5 - 1)) for p in parts])
    copies = train.subset(evenly(len(train), len(study.held_out)))
    sets = {
        "from noise": study.generated,
        f"strokes, {MEMORY_STRENGTH:g}": study.repainted("strokes", MEMORY_STRENGTH),
        "held out": study.real,
        "copies": study.as_trained(copies),
    }
    nearest: dict[str, dict] = {}
    found: dict[str, tuple[Tensor, Tensor]] = {}
    for name, x0 in sets.items():
        placed = on_the_page(study, x0)
        either, index = nearest_distances(torch.cat([placed, placed.flip(-1)]), bank)
        best = either.reshape(2, -1).min(dim=0)
        in_features, _ = nearest_distances(study.features(x0), bank_features)
        found[name] = best.values, in_features
        nearest[name] = {"pixels": quantiles(best.values), "features": quantiles(in_features)}
        if study.out and name == "from noise":
            rows = index.reshape(2, -1).gather(0, best.indices[None])[0]
            order = best.values.argsort()[:16]
            nearest_sheet(placed[order], bank[rows[order]], study.out / "nearest.png")
    # As near as the median copy, by both measures at once: that share of each set would pass for copies.
    limits = [float(values.median()) for values in found["copies"]]
    for name, (pixels, in_features) in found.items():
        near = (pixels <= limits[0]) & (in_features <= limits[1])
        nearest[name]["like copies"] = float(near.double().mean())
    return {"training pictures": len(train), "nearest": nearest, "diversity": diversity(study, train)}


def nearest_sheet(x0: Tensor, train: Tensor, path: Path) -> None:
    """Draw pictures (N, 3, R, R) above the training pictures nearest to them, uint8 (N, 3, R, R)."""
    rows = [[images.to_pil(x) for x in x0], [images.to_pil(p.float() / 127.5 - 1) for p in train]]
    sheet = images.contact_sheet(rows, ["from noise", "nearest in\ntraining"], cell=x0.shape[-1])
    with whole(path) as partial:
        sheet.save(partial, format="PNG")


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

"""Sample sheets: what a run makes of the same labels, drawings and noise, to see it learn."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from .. import images
from ..condition import Condition
from ..sampler import Sampling
from ..sdedit import edit
from .trainer import Trainer

SKETCHES_SHOWN = ("outline", "filled", "flat")  # of drawings


def sample_sheet(trainer: Trainer, columns: int = 8, rows: int = 6) -> Image.Image:
    """Pictures from pure noise; below, if the network is told drawings, what it makes of some.

    Held-out ones, three rows: the drawing, what is made of it from pure noise, the picture itself.
    """
    count = columns * rows
    chosen = [trainer.pairs[i * len(trainer.pairs) // count] for i in range(count)]
    about = trainer.checkpoint()
    labels = [about.encode_labels(dict(zip(about.label_names, pair))) for pair in chosen]
    sheet = [*_imagined(trainer, Condition.of(about, torch.cat(labels))).split(columns)]
    held_out = trainer.held_out
    kinds = trainer.held_out_kinds if trainer.config.drawing else []
    shown = torch.tensor([i for i, kind in enumerate(kinds) if kind in SKETCHES_SHOWN], dtype=torch.long)
    if held_out is not None and len(shown):
        part = held_out.rows(shown[:: max(1, len(shown) // (2 * columns))][: 2 * columns])
        made = _imagined(trainer, trainer.condition(part, part.labels))
        for three in zip(*(x.split(columns) for x in (part.drawing, made, part.x0))):
            sheet += three
    seen = [trainer.codec.preview(row.to(trainer.device)).float().cpu() for row in sheet]
    full = [F.pad(row, (0, 0, 0, 0, 0, 0, 0, columns - len(row)), value=1.0) for row in seen]
    return images.to_pil(torch.cat([torch.cat([*row], dim=2) for row in full], dim=1))


def _imagined(trainer: Trainer, condition: Condition) -> Tensor:
    """What is drawn from pure noise, sampled as is usual, float32 (B, C, R, R)."""
    with trainer.autocast():
        *_, last = edit(trainer.checkpoint(), None, condition.to(trainer.device), Sampling(strength=1.0))
    return last.x0.float().cpu()

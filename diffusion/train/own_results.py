"""What the denoiser makes of pictures that are good already: an upscaler's inputs as they will be.

At a low strength an edit stays where the picture is, pixel for pixel, but has the denoiser's own softness
and faults. An upscaler that learns to make the true picture of it mends them. Each result is made once and
kept in a folder, a file for each batch, so that a run which is stopped goes on where it was.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from .. import images
from ..checkpoint import Checkpoint
from ..condition import Condition
from ..errors import DoodleError
from ..files import read_state, write_state
from ..sampler import USUAL
from ..sdedit import edit
from .batches import moved, random_place
from .data import PictureSet

STRENGTHS = (0.1, 0.2, 0.3)  # of one batch after the other
BATCH = 32


class OwnResults:
    """A checkpoint's results of some pictures, and the pictures.

    Args:
        checkpoint: draws R x R pixels.
        pictures: stored at a multiple of R.
        chances: float64 (N,), how likely each picture is to be taken, summing to 1.
        count: how many results; rounded up to whole batches.
        folder: where they are kept.
        seed: which pictures are taken, where they are placed, and the noise.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        pictures: PictureSet,
        chances: np.ndarray,
        count: int,
        folder: Path,
        seed: int = 0,
    ) -> None:
        self.checkpoint, self.pictures, self.chances = checkpoint, pictures, chances
        self.folder, self.seed, self.batches = folder, seed, -(-count // BATCH)
        self.results = torch.empty(0, 3, 0, 0, dtype=torch.uint8)
        samples = checkpoint.training.get("samples", 0)
        self.about = {"samples": samples, "pictures": len(pictures), "seed": seed}

    def __len__(self) -> int:
        return len(self.results)

    def truth(self, i: int) -> tuple[int, np.ndarray]:
        """The number of the i-th picture, and the picture as it was placed: uint8 (S, S, 3)."""
        rng = np.random.default_rng((self.seed, i))
        index = int(rng.choice(len(self.chances), p=self.chances))
        pixels = np.ascontiguousarray(self.pictures.pixels[index].permute(1, 2, 0).numpy())
        return index, moved(pixels, random_place("drawing", rng)) if rng.uniform() < 0.5 else pixels

    def pair(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """The i-th result, uint8 (R, R, 3), and what it should look like, uint8 (S, S, 3)."""
        return self.results[i].permute(1, 2, 0).numpy(), self.truth(i)[1]

    def make(self, device: torch.device) -> None:
        """Make those that are not kept yet, and read them all.

        Raises:
            DoodleError: those that are kept are another checkpoint's, of other pictures, or damaged.
        """
        parts = []
        for number in tqdm(range(self.batches), "the denoiser's results", dynamic_ncols=True):
            path = self.folder / f"{number:04d}.pt"
            if not path.exists():
                made = self._made(number, device)
                write_state(path, {"results": made, "about": self.about})
            kept = read_state(path)
            if kept.get("about") != self.about:
                raise DoodleError(
                    f"{self.folder} holds those of another checkpoint, data or seed: remove it."
                )
            parts.append(self._checked(kept.get("results"), path))
        self.results = torch.cat(parts)

    def _checked(self, results: object, path: Path) -> Tensor:
        side = self.checkpoint.image_size
        if isinstance(results, Tensor) and results.dtype == torch.uint8:
            if results.shape == (BATCH, 3, side, side):
                return results
        raise DoodleError(f"{path} is damaged: remove it.")

    def _made(self, number: int, device: torch.device) -> Tensor:
        """One batch of results, uint8 (B, 3, R, R)."""
        numbers = range(number * BATCH, (number + 1) * BATCH)
        indices, truths = zip(*(self.truth(i) for i in numbers))
        whole = torch.from_numpy(np.stack(truths)).permute(0, 3, 1, 2).float() / 127.5 - 1
        x0 = torch.nn.functional.avg_pool2d(whole, whole.shape[-1] // self.checkpoint.image_size).to(device)
        # Not told the drawing: it would be the answer, and the result no fault of the denoiser's own.
        told = Condition.of(self.checkpoint, self.labels(list(indices))).to(device)
        told = told.with_drawing(x0).without_drawing() if self.checkpoint.model.config.drawing else told
        sampling = replace(USUAL, strength=STRENGTHS[number % len(STRENGTHS)])
        generators = [torch.Generator(device).manual_seed(self.seed + i) for i in numbers]
        *_, last = edit(self.checkpoint, x0, told, sampling, generators)
        return torch.from_numpy(images.to_grey_levels(last.x0.float()))

    def labels(self, indices: list[int]) -> Tensor:
        """What the checkpoint calls these pictures, long (B, K); not told where it has no name for one."""
        kinds = list(self.pictures.label_names.items())
        rows = []
        for row in self.pictures.labels[indices].tolist():
            words = {kind: names[i] for (kind, names), i in zip(kinds, row)}
            known = {
                kind: self.checkpoint.name_of(kind, words[kind]) if kind in words else None
                for kind in self.checkpoint.label_names
            }
            rows.append(self.checkpoint.encode_labels(known))
        return torch.cat(rows)

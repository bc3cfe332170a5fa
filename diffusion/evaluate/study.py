"""One evaluation's pictures: the real ones, what people might bring, and what the checkpoint makes of them.

Several parts of an evaluation look at the same pictures, so each set is made once, when first asked for. All
randomness comes from seeds, one a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from .. import images
from ..checkpoint import Checkpoint
from ..classifier import Classifier, top_k_correct
from ..condition import Condition
from ..denoiser import Denoiser, Guidance
from ..lineart import colour_in
from ..machine import best_precision
from ..prediction import Seen
from ..sampler import USUAL, Sampling
from ..schedule import PerPicture
from ..sdedit import edit, edit_timesteps
from ..train.batches import Batches
from ..train.choose import evenly
from ..train.data import PictureSet
from ..train.growth import Names
from . import inputs
from .fit import check_impartial
from .verdicts import Classified

BATCH = 32
STRENGTHS = tuple(round(0.1 * i, 1) for i in range(1, 11))
DEFAULT_STRENGTH = USUAL.strength


@dataclass
class Study:
    """One evaluation: what is measured, with what, and what several parts need, computed once.

    Attributes:
        checkpoint: what is measured.
        classifier: names what pictures show; its features are where sets of pictures are compared.
        pictures: all of them, held-out ones among them, at twice the drawing size.
        count: how many pictures to generate from noise; the other parts take their shares of it.
        steps: of a run of strength 1.
        guidance: of all sampling with labels, as in `Sampling`.
        eta, solver: of all sampling, the same.
        temperature, steering, steered_below: the same, of the noise over drawings and of the guide.
        seed: picture i of any set is made with seed + i.
        precision: "bf16" or "fp32", of the sampling.
        out: the folder where parts leave pictures, None for nowhere.
        cells: how many held-out pictures crude drawings are made of.
        strengths: at which these are painted.
        names: what else things are called, for a checkpoint that has other names than the pictures.
        hands: the folder of drawings by hand, None for none.
        colour_in: are outlines coloured in? None: for a network that is not told the drawing.
        each: what parts found picture by picture, see `figures.record`.
    """

    checkpoint: Checkpoint
    classifier: Classifier
    pictures: PictureSet
    count: int = 256
    steps: int = USUAL.steps
    guidance: PerPicture | Guidance = USUAL.guidance
    eta: PerPicture = USUAL.eta
    solver: str = USUAL.solver
    temperature: float = USUAL.temperature
    steering: float = USUAL.steering
    steered_below: float = USUAL.steered_below
    seed: int = 0
    precision: str = field(default_factory=best_precision)
    out: Path | None = None
    cells: int = 96
    strengths: tuple[float, ...] = (0.6, 0.8, 1.0)
    names: Names = field(default_factory=dict)
    hands: Path | None = None
    colour_in: bool | None = None
    each: dict[str, dict] = field(default_factory=dict, init=False)
    painted: dict[tuple[str, float], Tensor] = field(default_factory=dict, init=False)

    # ------------------------------------------------------------------ real pictures

    @property
    def size(self) -> int:
        """R, pixels on a side of what is compared: what the model draws; for latents, what the judge sees."""
        return (self.checkpoint if self.checkpoint.codec.in_pixels else self.classifier).image_size

    @property
    def drawing_size(self) -> int:
        """S, pixels on a side of the drawings that the checkpoint is given: R, or a multiple of it."""
        return self.checkpoint.drawing_size

    def at_size(self, pictures: Tensor) -> Tensor:
        """Drawings, or what became of them, as they are compared: (N, 3, S, S) -> (N, 3, R, R)."""
        factor = pictures.shape[-1] // self.size
        return pictures if factor == 1 else F.avg_pool2d(pictures, factor)

    @property
    def painter(self) -> Checkpoint:
        """The checkpoint, computing in `precision`."""
        return self.checkpoint.computing(self.precision)

    @property
    def kinds(self) -> list[str]:
        """The label kinds; the first says what is shown, the last (maybe the same one) how."""
        return list(self.checkpoint.label_names)

    @property
    def augmentation(self) -> str:
        """How training varied its pictures: what the checkpoint learnt to draw is pictures so varied."""
        return self.checkpoint.training.get("config", {}).get("augment", "none")

    def as_trained(self, pictures: PictureSet) -> Tensor:
        """Real pictures placed as in training, the target of drawing from noise: (N, 3, R, R)."""
        if self.augmentation == "none":
            return pictures.x0(self.size)
        return Batches.once(pictures, self.size, self.augmentation, seed=self.seed).x0

    def framed(self, pictures: PictureSet) -> list[Image.Image]:
        """Real pictures framed as the app frames what people bring: RGB, 2S x 2S."""
        pils = (images.to_pil(pixels.float() / 127.5 - 1) for pixels in pictures.pixels)
        return [images.to_pil(images.prepare(image, 2 * self.drawing_size).x0) for image in pils]

    @cached_property
    def held_out(self) -> PictureSet:
        """`count` held-out pictures at most, the same number of each name of the last label kind."""
        test = self.pictures.test()
        names = self.pictures.label_names[self.kinds[-1]]
        keep = torch.zeros(len(test), dtype=torch.bool)
        for number in range(len(names)):
            (members,) = torch.nonzero(test.labels[:, -1] == number, as_tuple=True)
            keep[members[evenly(len(members), max(1, self.count // len(names)))]] = True
        return test.subset(keep)

    @cached_property
    def real(self) -> Tensor:
        return self.as_trained(self.held_out)

    @cached_property
    def brought(self) -> PictureSet:
        """What drawings and bad pictures are made from: every eighth, counted style after style."""
        chosen = torch.zeros(len(self.held_out), dtype=torch.bool)
        chosen[self.held_out.labels[:, -1].argsort(stable=True)[::8]] = True
        return self.held_out.subset(chosen)

    @cached_property
    def brought_framed(self) -> list[Image.Image]:
        return self.framed(self.brought)

    @cached_property
    def brought_x0(self) -> Tensor:
        """The same as they are compared: (n, 3, R, R)."""
        return as_x0(self.brought_framed, self.size)

    # ------------------------------------------------------------------ made pictures

    def paint(
        self,
        x0: Tensor | None,
        labels: Tensor,
        strength: float,
        seeds: Sequence[int],
        what: str,
        guidance: PerPicture | Guidance | None = None,
    ) -> Tensor:
        """`edit` in batches, with labels and a seed of its own for each picture.

        Args:
            x0: drawings (N, 3, S, S), or None for pure noise (strength 1).
            labels: long (N, K).
            seeds: N of them; each picture depends on its own alone, whatever batch it is computed in.
            what: for the progress bar.

        Returns:
            float32 (N, 3, R, R) in [-1, 1].
        """
        guidance = self.guidance if guidance is None else guidance
        dials = ("steps", "eta", "solver", "temperature", "steering", "steered_below")
        sampling = Sampling(strength, guidance=guidance, **{name: getattr(self, name) for name in dials})
        check_impartial(sampling.new_guidance(self.checkpoint.guide), self.classifier)
        steps = edit_timesteps(strength, self.steps, self.checkpoint.schedule.num_train_timesteps)
        if x0 is not None and not steps:
            return self.at_size(x0)
        told, codec, done = Condition.of(self.checkpoint, labels), self.checkpoint.codec, []
        for start in tqdm(range(0, len(labels), BATCH), desc=what, leave=False):
            part = slice(start, start + BATCH)
            drawings = None if x0 is None else codec.encode(x0[part])
            generators = [torch.Generator().manual_seed(seed) for seed in seeds[part]]
            *_, last = edit(self.painter, drawings, told[part], sampling, generators)
            done.append(self.at_size(codec.preview(last.x)))  # in pixels, but not enlarged
        return torch.cat(done)

    def seeds(self, n: int) -> range:
        return range(self.seed, self.seed + n)

    @cached_property
    def generated(self) -> Tensor:
        """From noise alone, with the labels of `held_out`, row by row."""
        labels = self.held_out.labels
        return self.paint(None, labels, 1.0, self.seeds(len(labels)), "from noise")

    @cached_property
    def inputs(self) -> dict[str, Tensor]:
        """What people might have brought, made from `brought`: kind -> (n, 3, S, S)."""
        outlines = [inputs.outlines(image) for image in self.brought_framed]
        first = self.pictures.label_names[self.kinds[0]]
        names = [first[i] for i in self.brought.labels[:, 0]]
        colours = [self.checkpoint.colours_of({self.kinds[0]: name}) for name in names]
        kinds = {
            "strokes": [inputs.strokes(image) for image in self.brought_framed],
            "shrunk and blurred": [inputs.shrunk_and_blurred(image) for image in self.brought_framed],
            "outlines, coloured in": [colour_in(*pair) for pair in zip(outlines, colours)],
            "outlines as they are": outlines,
        }
        return {kind: as_x0(pictures, self.drawing_size) for kind, pictures in kinds.items()}

    def repainted(self, kind: str, strength: float) -> Tensor:
        """`inputs[kind]` repainted with its labels.

        At strength 1 nothing of the input is left, unless the network is told the drawing.
        """
        forgotten = strength == 1 and not self.checkpoint.model.config.drawing
        key = ("any", 1.0) if forgotten else (kind, strength)
        if key not in self.painted:
            n = len(self.brought)
            self.painted[key] = self.paint(
                self.inputs[kind], self.brought.labels, strength, self.seeds(n), f"{kind}, {strength:g}"
            )
        return self.painted[key]

    # ------------------------------------------------------------------ what the networks say

    def see(self, x_t: Tensor, t: Tensor, labels: Tensor, clip: bool = False) -> Seen:
        """What the network sees in each noised picture, told its labels and not guided: float32.

        Args:
            x_t: (N, 3, R, R), of a model that draws pixels.
            t: long (N,).
            labels: long (N, K).
            clip: keep the x0 seen in [-1, 1].
        """
        seen = []
        for x, when, rows in zip(*(part.split(BATCH) for part in (x_t, t, labels))):
            told = Condition.of(self.checkpoint, rows)
            seen.append(Denoiser.of(self.painter, told, clip=clip).see(x, when))
        return Seen.cat(seen)

    def features(self, x0: Tensor) -> Tensor:
        """Pictures (N, 3, R, R) in [-1, 1] as points, float64 (N, F), in which sets of them are compared."""
        return self.classifier.features(x0)

    def correct(self, x0: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Which the classifier names right, bool (N,): by kind, and "<first kind> in 5" for its top five."""
        logits = self.classifier.logits(x0)
        correct = {kind: top_k_correct(logits[k], labels[:, k]) for k, kind in enumerate(self.kinds)}
        return correct | {f"{self.kinds[0]} in 5": top_k_correct(logits[0], labels[:, 0], 5)}

    def accuracy(self, x0: Tensor, labels: Tensor) -> dict[str, float]:
        """The fraction of `correct`."""
        return {kind: float(right.double().mean()) for kind, right in self.correct(x0, labels).items()}

    def classify(self, x0: Tensor, labels: Tensor) -> Classified:
        """`features` and `correct` of the same pictures."""
        return Classified(self.features(x0), self.correct(x0, labels))


def same_labels(train: PictureSet, labels: Tensor, seed: int) -> PictureSet:
    """For each row of labels a random training picture with that row; where there is none, one whose last
    label is the same."""
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


def as_x0(pictures: Sequence[Image.Image], size: int) -> Tensor:
    """Square pictures of a multiple of `size` -> (N, 3, R, R) in [-1, 1], whole blocks averaged."""
    pixels = torch.from_numpy(np.stack([np.array(image) for image in pictures])).permute(0, 3, 1, 2)
    return F.avg_pool2d(pixels.float() / 127.5 - 1, pixels.shape[-1] // size)

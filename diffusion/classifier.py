"""A classifier of noisy pictures, one head per label kind.

It is the way down of the U-Net, averaged over all places, with a linear head for each label kind (Dhariwal &
Nichol 2021, "Diffusion Models Beat GANs" (ADM), section 4: "the downsampling trunk of the UNet model"). Like
theirs it is told the noise level, so that it can be asked about x_t as well as about pictures.

An evaluation asks one, its judge, for the labels of generated pictures; and the judge's features, what the
heads see, are the space in which sets of pictures are compared (evaluate/metrics.py). The page asks the same
one what a drawing may be (page/guesses.py). The perceptual loss of training compares pictures in the features
of another one (train/perceptual.py), and sampling may be steered by the gradient of one
(classifier_guidance.py), which is then no judge of it. They are trained by evaluate/judge.py.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import group_norm, time_embedding
from .errors import DoodleError
from .files import WeightsFormat, read_text, read_weights, write_weights
from .header import checked, read_network, read_schedule
from .schedule import NoiseSchedule
from .unet import Block, UNetConfig

BATCH = 128  # pictures looked at in one call
OFTEN = "often.txt"  # beside a classifier's file, one name a line: what people often draw
OFTEN_SHARE = 0.95  # of all drawings that show one of these: assumed, not measured


class ClassifierError(DoodleError):
    """A classifier's file that is missing, damaged, or for other labels or pictures than it should be."""


FORMAT = WeightsFormat(
    "doodle-judge 1",
    "judge",
    "diffusion.evaluate.judge",
    ClassifierError,
    "Train one: python -m diffusion.evaluate.judge --help",
)


class ClassifierNet(nn.Module):
    """(x_t (B, 3, R, R), t (B,)) -> one row of logits per label kind, (B, n_k) each.

    Args:
        config: shape of the trunk: `blocks` residual blocks on each level, then one head for each of
            `label_sizes`.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        widths, embedding = config.channels, 4 * config.channels[0]
        self.time_mlp = nn.Sequential(
            nn.Linear(widths[0], embedding), nn.SiLU(), nn.Linear(embedding, embedding), nn.SiLU()
        )
        self.input = nn.Conv2d(config.image_channels * config.patch_size**2, widths[0], 3, padding=1)
        self.blocks, self.downsample = nn.ModuleList(), nn.ModuleList()
        width = widths[0]
        for level, c_out in enumerate(widths):
            halve = nn.Conv2d(width, width, 3, stride=2, padding=1) if level else nn.Identity()
            self.downsample.append(halve)
            blocks = nn.ModuleList()
            for _ in range(config.blocks):
                blocks.append(Block(width, c_out, embedding, config, config.attention[level]))
                width = c_out
            self.blocks.append(blocks)
        self.norm = group_norm(width)
        self.dropout = nn.Dropout(config.dropout)
        self.heads = nn.ModuleList(nn.Linear(width, n) for n in config.label_sizes)

    def levels(self, x: Tensor, t: Tensor) -> list[Tensor]:
        """What each level of the trunk sees, finest first: (B, C, H, W) each."""
        embedding = self.time_mlp(time_embedding(t, self.config.channels[0]))
        h = self.input(F.pixel_unshuffle(x, self.config.patch_size))
        levels = []
        for halve, blocks in zip(self.downsample, self.blocks):
            h = halve(h)
            for block in blocks.children():
                h = block(h, embedding)
            levels.append(h)
        return levels

    def features(self, x: Tensor, t: Tensor) -> Tensor:
        """What the heads see, the penultimate layer: float (B, F), F the width of the coarsest level."""
        return F.silu(self.norm(self.levels(x, t)[-1])).mean(dim=(2, 3))

    def forward(self, x: Tensor, t: Tensor) -> list[Tensor]:
        features = self.dropout(self.features(x, t))
        return [head(features) for head in self.heads]


def log_likelihood(logits: Sequence[Tensor], labels: Tensor) -> Tensor:
    """log p(labels | x_t, t), the kinds taken as independent: (B,).

    Args:
        logits: one (B, n_k) per kind.
        labels: long (B, K); a null label (n_k, "not told") adds nothing.
    """
    total = torch.zeros(len(labels), device=labels.device)
    for head, column in zip(logits, labels.unbind(1)):
        told = column < head.shape[1]
        chosen = head.float().log_softmax(1).gather(1, column.clamp(max=head.shape[1] - 1)[:, None])[:, 0]
        total = total + torch.where(told, chosen, 0.0)
    return total


@dataclass
class Classifier:
    """A trained classifier and what is known about it.

    Attributes:
        model: the network, in eval mode, float32.
        schedule: the noise schedule it was trained with.
        label_names: kind -> names, in the order of the heads.
        credits: where the training pictures come from, one line each.
        training: facts about the run, JSON values only; "accuracy" holds held-out accuracy by kind and noise.
        often: names that people often draw, from OFTEN beside the file; without it all are as likely.
    """

    model: ClassifierNet
    schedule: NoiseSchedule
    label_names: dict[str, list[str]]
    credits: list[str] = field(default_factory=list)
    training: dict = field(default_factory=dict)
    often: frozenset[str] = frozenset()

    @property
    def image_size(self) -> int:
        return self.model.config.image_size

    @torch.no_grad()
    def features(self, x0: Tensor) -> Tensor:
        """Clean pictures (N, 3, R, R) in [-1, 1] -> features, float64 (N, F)."""
        # t = 0 is noise below one grey level: a clean picture.
        parts = [self.model.features(x, torch.zeros(len(x))) for x in x0.split(BATCH)]
        return torch.cat(parts).double()

    @torch.no_grad()
    def logits(self, x_t: Tensor, t: int = 0) -> list[Tensor]:
        """Pictures (N, 3, R, R) at noise level t -> logits, one (N, n_k) per kind."""
        parts = [self.model(x, torch.full((len(x),), t)) for x in x_t.split(BATCH)]
        return [torch.cat(columns) for columns in zip(*parts)]

    def log_likelihood(self, x_t: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        """log p(labels | x_t) of pictures (B, 3, R, R) at timesteps, long (B,); gradients reach x_t. (B,)

        Args:
            labels: long (B, K); see `log_likelihood`.
        """
        return log_likelihood(self.model(x_t, t), labels)

    def same_as(self, other: Classifier) -> bool:
        """Have both the same weights?"""
        own, others = self.model.state_dict(), other.model.state_dict()
        return own.keys() == others.keys() and all(torch.equal(own[name], others[name]) for name in own)

    def likeliest(self, x0: Tensor, kind: str, known: Sequence[str], count: int) -> list[list[str]]:
        """What drawings (N, 3, R, R) in [-1, 1] show most likely, best first.

        At most `count` names of the kind for each, all of them among those `known`; none where the classifier
        has no such kind. It has learnt p(drawing | name), from about as many pictures of each name; what
        people draw is p(name): by Bayes' rule the two are multiplied.
        """
        names = self.label_names.get(kind, [])
        places = [i for i, name in enumerate(names) if name in set(known)]
        if not places:
            return [[] for _ in x0]
        logits = self.logits(x0)[list(self.label_names).index(kind)][:, places]
        logits = logits + log_prior([names[i] for i in places], self.often)
        best = logits.topk(min(count, len(places)), dim=1).indices
        return [[names[places[i]] for i in row] for row in best.tolist()]


def log_prior(names: Sequence[str], often: Collection[str]) -> Tensor:
    """log p(name) of what people draw, (n,): OFTEN_SHARE of it are those named `often`, all of them alike."""
    listed = torch.tensor([name in often for name in names])
    count, rest = int(listed.sum()), int((~listed).sum())
    if not count or not rest:
        return torch.zeros(len(names))
    return torch.where(listed, OFTEN_SHARE / count, (1 - OFTEN_SHARE) / rest).log()


def top_k_correct(logits: Tensor, labels: Tensor, k: int = 1) -> Tensor:
    """Is the label among the k likeliest? logits (N, n), labels long (N,) -> bool (N,)."""
    best = logits.topk(min(k, logits.shape[1]), dim=1).indices
    return (best == labels[:, None]).any(dim=1)


# ---------------------------------------------------------------------- one file


def save_classifier(path: str | Path, classifier: Classifier) -> None:
    """Write weights (float16) and header to a safetensors file, whole or not at all."""
    tensors = {name: value.half() for name, value in classifier.model.state_dict().items()}
    about = {
        "model": classifier.model.config.to_dict(),
        "schedule": classifier.schedule.config(),
        "label_names": classifier.label_names,
        "credits": classifier.credits,
        "training": classifier.training,
    }
    write_weights(path, FORMAT, tensors, about)


def load_classifier(path: str | Path) -> Classifier:
    """Read what `save_classifier` wrote.

    Raises:
        ClassifierError: the file is missing, damaged, or not of this program.
        FileError: OFTEN is no text.
    """
    listed = Path(path).with_name(OFTEN)
    often = frozenset(map(str.strip, read_text(listed).splitlines())) if listed.is_file() else frozenset()

    def build(tensors: dict[str, Tensor], about: dict[str, Any]) -> Classifier:
        about = checked(about)
        config = read_network(about["model"], about["label_names"])
        with torch.device("meta"):  # no random start for weights about to be replaced
            model = ClassifierNet(config)
        model.load_state_dict(tensors, assign=True)
        return Classifier(
            model=model.to(memory_format=torch.channels_last).eval().requires_grad_(False),
            schedule=read_schedule(about["schedule"]),
            label_names=about["label_names"],
            credits=about["credits"],
            training=about["training"],
            often=often,
        )

    return read_weights(path, FORMAT, build)

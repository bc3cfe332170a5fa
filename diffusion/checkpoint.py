"""One file holds everything that is needed to draw: weights, shape, labels, schedule, credits."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from .classifier import Classifier
from .codec import Codec, Pixels, codec_beside, latents_beside
from .errors import DoodleError, did_you_mean, quoted
from .files import WeightsFormat, read_weights, write_weights
from .guide import guide_beside
from .header import checked, read_network, read_schedule, same_name
from .prediction import check_prediction_type
from .schedule import NoiseSchedule
from .unet import UNet


class CheckpointError(DoodleError):
    """A checkpoint file that is missing, damaged, or of another program."""


class UnknownLabel(DoodleError):
    """A label the checkpoint has not learnt; the message names near matches."""


FORMAT = WeightsFormat("doodle-diffusion 1", "checkpoint", "diffusion.train", CheckpointError)


@dataclass
class Checkpoint:
    """A trained model and what is known about it.

    Attributes:
        model: the U-Net, in eval mode, float32.
        schedule: the noise schedule it was trained with.
        prediction_type: what its output means, see prediction.py.
        label_names: kind -> names, in the order of the label columns, e.g. {"class": ["cat", "ship"]}.
        pairs: the label combinations that there were pictures of (a few of them held out of training), as
            tuples in the order of `label_names`.
        colours: names of the first label kind -> their typical colours, "#rrggbb", most typical first.
        names: what names of the first label kind are called besides: name -> {"category": str,
            "aliases": [str], "keywords": [str]}, of which any may be missing.
        credits: where the training pictures come from, one line each.
        training: facts about the run (steps, samples, loss, settings), JSON values only.
        codec: between pixels and what the model draws; not in the file but beside it, see `codec_beside`.
        guide: a classifier by which sampling is steered; not in the file but beside it, see `guide_beside`.
    """

    model: UNet
    schedule: NoiseSchedule
    prediction_type: str
    label_names: dict[str, list[str]] = field(default_factory=dict)
    pairs: list[tuple[str, ...]] = field(default_factory=list)
    colours: dict[str, list[str]] = field(default_factory=dict)
    names: dict[str, dict] = field(default_factory=dict)
    credits: list[str] = field(default_factory=list)
    training: dict = field(default_factory=dict)
    codec: Codec = Pixels()
    guide: Classifier | None = None
    _bf16: Checkpoint | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_prediction_type(self.prediction_type, self.schedule)

    @property
    def image_size(self) -> int:
        """R: the model draws R x R pixels, or places of its latent space."""
        return self.model.config.image_size

    @property
    def drawing_size(self) -> int:
        """Pixels on a side of the drawings that its codec encodes."""
        return self.image_size * (1 if self.codec.in_pixels else self.codec.factor)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, R, R), of what the model draws."""
        config = self.model.config
        return config.image_channels, config.image_size, config.image_size

    @property
    def takes_lines(self) -> bool:
        """Is the model told the drawing? For one that is not, outlines are coloured in first."""
        return self.model.config.drawing

    def computing(self, precision: str) -> Checkpoint:
        """The same with a network that computes in this precision, "fp32" (as loaded) or "bf16".

        Pictures differ slightly from one to the other, by less than a grey level on the average.
        """
        if precision == "fp32":
            return self
        if self._bf16 is None:
            self._bf16 = replace(self, model=copy.deepcopy(self.model).to(torch.bfloat16))
        return self._bf16

    @property
    def enlarges(self) -> bool:
        """Is there an upscaler: do people see more pixels than the model draws?"""
        return self.codec.in_pixels and self.codec.factor > 1

    def colours_of(self, labels: dict[str, str | None]) -> list[str]:
        """The typical colours of what `labels` name, most typical first; empty where none are known."""
        first = next(iter(self.label_names), "")
        return self.colours.get(labels.get(first) or "", [])

    def name_of(self, kind: str, word: str) -> str | None:
        """The name in `label_names` for what somebody calls a thing: itself, or that of an alias; else None.

        Upper and lower case are the same: "Mug" -> "coffee" where that has the alias "mug".
        """
        known = self.label_names.get(kind, [])
        if word in known:
            return word
        word = same_name(word)
        exact = next((name for name in known if same_name(name) == word), None)
        if exact is not None or kind != next(iter(self.label_names), None):
            return exact
        called = ((name, self.names.get(name, {}).get("aliases", ())) for name in known)
        return next((name for name, aliases in called if word in map(same_name, aliases)), None)

    def encode_labels(self, labels: dict[str, str | None] | None = None, batch: int = 1) -> Tensor:
        """Names to numbers: {"subject": "apple"} -> long (batch, K). A kind left out, or None, is null.

        A name may be an alias, see `name_of`.

        Raises:
            UnknownLabel: for a kind or a name the checkpoint does not have, with near matches.
        """
        labels = labels or {}
        for kind in labels:
            if kind not in self.label_names:
                raise UnknownLabel(_unknown("label kind", kind, list(self.label_names)))
        row = []
        for kind, names in self.label_names.items():
            word = labels.get(kind)
            name = None if word is None else self.name_of(kind, word)
            if word is not None and name is None:
                raise UnknownLabel(_unknown(kind, word, names))
            row.append(len(names) if name is None else names.index(name))
        return torch.tensor([row] * batch, dtype=torch.long).reshape(batch, len(row))


def _unknown(what: str, name: str, names: list[str]) -> str:
    return f"No {what} {quoted(name)} here. {did_you_mean(name, names)}"


def save_checkpoint(path: str | Path, checkpoint: Checkpoint, dtype: torch.dtype | None = None) -> None:
    """Write a checkpoint; the file appears whole or not at all.

    Args:
        path: where to; the app looks for *.safetensors.
        checkpoint: what to write.
        dtype: store the weights as this type (torch.float16 halves the file); None keeps them bit for bit.
    """
    tensors = {k: v.detach().cpu().to(dtype) for k, v in checkpoint.model.state_dict().items()}
    about = {
        "model": checkpoint.model.config.to_dict(),
        "schedule": {**checkpoint.schedule.config(), "prediction_type": checkpoint.prediction_type},
        "label_names": checkpoint.label_names,
        "pairs": [list(pair) for pair in checkpoint.pairs],
        "colours": checkpoint.colours,
        "names": checkpoint.names,
        "credits": checkpoint.credits,
        "training": checkpoint.training,
    }
    checked(about)  # what is not read again is not written either
    write_weights(path, FORMAT, tensors, about)


def load_checkpoint(
    path: str | Path, device: str | torch.device = "cpu", upscaler: bool = True, guide: bool = True
) -> Checkpoint:
    """Read what `save_checkpoint` wrote; weights come back as float32, ready to sample.

    Args:
        upscaler, guide: whether to look for one beside it.

    Raises:
        CheckpointError: the file is missing, damaged, or not of this program.
        UpscalerError, AutoencoderError: its upscaler is, or the autoencoder of one that draws latents.
        ClassifierError: its guide is.
    """

    def build(tensors: dict[str, Tensor], about: dict) -> Checkpoint:
        about = checked(about)
        config = read_network(about["model"], about["label_names"])
        with torch.device("meta"):  # no memory and no random start for weights about to be replaced
            model = UNet(config)
        model.load_state_dict(tensors, assign=True)
        return Checkpoint(
            model=model.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False),
            schedule=read_schedule(about["schedule"]),
            prediction_type=about["schedule"]["prediction_type"],
            label_names=about["label_names"],
            pairs=about["pairs"],
            colours=about["colours"],
            names=about.get("names", {}),  # files of before there were any
            credits=about["credits"],
            training=about["training"],
        )

    checkpoint = read_weights(path, FORMAT, build)
    if checkpoint.model.config.image_channels != 3:
        return replace(checkpoint, codec=latents_beside(path, checkpoint.shape, device))
    if upscaler:
        checkpoint = replace(checkpoint, codec=codec_beside(path, checkpoint.image_size, device))
    return replace(checkpoint, guide=guide_beside(path, checkpoint)) if guide else checkpoint

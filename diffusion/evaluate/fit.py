"""Do a checkpoint, a judge and pictures fit each other? And what does a checkpoint call a thing?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..checkpoint import Checkpoint
from ..classifier import Classifier, ClassifierError
from ..classifier_guidance import ByClassifier
from ..denoiser import Guidance
from ..guidance import Within
from ..schedule import PerPicture
from ..train.data import DataError, PictureSet
from ..train.growth import Names


def check_size(checkpoint: Checkpoint, classifier: Classifier) -> None:
    """Raises ClassifierError where the judge looks at other sizes than the checkpoint draws.

    What is decoded from latents is averaged down for the judge, block by block.
    """
    looked_at, drawn = classifier.image_size, checkpoint.drawing_size
    if drawn % looked_at if not checkpoint.codec.in_pixels else drawn != looked_at:
        raise ClassifierError(f"The judge looks at {looked_at} pixels, the checkpoint draws {drawn}.")


def check_fit(checkpoint: Checkpoint, classifier: Classifier, pictures: PictureSet) -> None:
    """Are the three for the same labels and sizes?

    Raises:
        ClassifierError, DataError: they are not, or no picture is held out.
    """
    check_size(checkpoint, classifier)
    if classifier.label_names != checkpoint.label_names:
        raise ClassifierError(
            "The judge and the checkpoint have different labels: train both on the same data."
        )
    if pictures.label_names != checkpoint.label_names:
        raise DataError("The pictures have other labels than the checkpoint: give all it was trained on.")
    check_held_out(pictures)


def check_translated(checkpoint: Checkpoint, classifier: Classifier, pictures: PictureSet) -> None:
    """Are judge and pictures for the same labels, and those of the checkpoint of the same kinds?

    Raises:
        ClassifierError, DataError: they are not, or no picture is held out.
    """
    check_size(checkpoint, classifier)
    if classifier.label_names != pictures.label_names:
        raise ClassifierError("The judge knows other labels than the pictures have.")
    if list(checkpoint.label_names) != list(pictures.label_names):
        own, other = (" and ".join(kinds) for kinds in (checkpoint.label_names, pictures.label_names))
        raise DataError(f"The checkpoint has the labels {own or 'none'}, the pictures {other}.")
    check_held_out(pictures)


def check_held_out(pictures: PictureSet) -> None:
    """Raises DataError where no picture is held out."""
    if not pictures.held_out.any():
        raise DataError("No picture is held out, so there is nothing to compare with: raise --hold-out.")


def check_impartial(guidance: PerPicture | Guidance, judge: Classifier) -> None:
    """Raises ClassifierError where the judge itself steers the pictures: it would find what it asked for."""
    if isinstance(guidance, Within):
        check_impartial(guidance.guidance, judge)
    if isinstance(guidance, ByClassifier):
        if isinstance(guidance.classifier, Classifier) and guidance.classifier.same_as(judge):
            raise ClassifierError("The judge has steered these pictures itself: judge them with another one.")
        check_impartial(guidance.guidance, judge)


@dataclass(frozen=True)
class Vocabulary:
    """What a checkpoint calls the things that another table of labels names: each is told its own name.

    Attributes:
        checkpoint: whose words they are.
        names: what else things are called, see `read_names`: `was` is what they were called before.
    """

    checkpoint: Checkpoint
    names: Names

    def subject(self, name: str) -> str | None:
        """The checkpoint's own name of a thing: the same name, what it was before, an alias; else None."""
        kind, about = next(iter(self.checkpoint.label_names)), self.names.get(name, {})
        words = [name, about.get("was"), *about.get("aliases", ())]
        found = (self.checkpoint.name_of(kind, word) for word in words if word)
        return next((own for own in found if own is not None), None)

    def row(self, labels: Sequence[str]) -> Tensor | None:
        """Names of another table, one a kind, as the checkpoint's numbers, long (1, K); None: not known."""
        first, *others = self.checkpoint.label_names
        own = {first: self.subject(labels[0])}
        own |= {kind: self.checkpoint.name_of(kind, word) for kind, word in zip(others, labels[1:])}
        return None if None in own.values() else self.checkpoint.encode_labels(own)

    def rows(self, labels: Tensor, label_names: dict[str, list[str]]) -> tuple[Tensor, Tensor]:
        """Numbers of another table, long (N, K) -> the checkpoint's numbers of those that it knows, long
        (M, K), and which these are, bool (N,)."""
        tables = list(label_names.values())
        found = [self.row([names[i] for names, i in zip(tables, row)]) for row in labels.tolist()]
        known = torch.tensor([row is not None for row in found], dtype=torch.bool)
        rows = [row for row in found if row is not None]
        return torch.cat(rows) if rows else labels[:0], known

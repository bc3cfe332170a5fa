"""The classifier that lies beside a checkpoint, by which sampling is steered: see classifier_guidance.py."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from .classifier import Classifier, ClassifierError, load_classifier
from .codec import Codec
from .folders import files_in
from .schedule import NoiseSchedule


class Steered(Protocol):
    """What has to be known of a checkpoint."""

    label_names: dict[str, list[str]]
    schedule: NoiseSchedule
    codec: Codec

    @property
    def image_size(self) -> int:
        """R, pixels on a side of what it draws."""


def check_steers(classifier: Classifier, checkpoint: Steered) -> None:
    """Can the classifier steer what this checkpoint draws?

    Raises:
        ClassifierError: it knows other labels, looks at other sizes or knows another noise schedule.
    """
    if not checkpoint.codec.in_pixels:
        raise ClassifierError("The classifier looks at pixels, and the checkpoint draws latents.")
    if classifier.label_names != checkpoint.label_names:
        raise ClassifierError("The classifier and the checkpoint have different labels.")
    if classifier.image_size != checkpoint.image_size:
        seen, drawn = classifier.image_size, checkpoint.image_size
        raise ClassifierError(f"The classifier looks at {seen} pixels, the checkpoint draws {drawn}.")
    if classifier.schedule != checkpoint.schedule:
        raise ClassifierError("The classifier has learnt another noise schedule than the checkpoint's.")


def guide_beside(path: str | Path, checkpoint: Steered) -> Classifier | None:
    """The first classifier in the folder "guide" beside a checkpoint's file that can steer it, if any.

    Raises:
        ClassifierError: a file there is damaged.
    """
    for file in files_in(Path(path).parent / "guide", ".safetensors"):
        classifier = load_classifier(file)
        try:
            check_steers(classifier, checkpoint)
        except ClassifierError:  # another checkpoint's
            continue
        return classifier
    return None

"""The perceptual loss: predicted pictures compared in the features of a classifier, too.

A squared error of pixels is smallest for the mean of all pictures that could be meant, which is a blur. To a
network that has learnt to tell things apart a blur looks like none of them (Johnson et al. 2016, "Perceptual
Losses"; Ma et al. 2026, "PixelGen", for diffusion in pixels). The classifier is the project's own
(`python -m diffusion.evaluate.judge`), and never the one that results are judged by.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ..classifier import load_classifier
from ..errors import DoodleError
from ..schedule import NoiseSchedule

HIGHEST = 0.7  # t / T above which nobody can know details, and asking for some would favour a few pictures


class Perceptual:
    """How different pictures look to a classifier.

    Args:
        file: the classifier.
        weight: of the loss, beside that of the network's output.
        image_size: of the pictures.
        device: where to compute.

    Raises:
        ClassifierError: there is none in the file.
        DoodleError: it looks at pictures of another size.
    """

    def __init__(self, file: str | Path, weight: float, image_size: int, device: torch.device) -> None:
        classifier = load_classifier(file)
        if classifier.image_size != image_size:
            raise DoodleError(f"{file} looks at {classifier.image_size} pixels, not at {image_size}.")
        self.network, self.weight = classifier.model.to(device), weight

    def distance(self, x0: Tensor, truth: Tensor) -> Tensor:
        """LPIPS without learnt weights (Zhang et al. 2018, eq. 1): (B,), 0 for equal pictures.

        Features are scaled to length 1 at each place, differences squared, averaged over places and levels.

        Args:
            x0, truth: (B, 3, R, R) in [-1, 1]; gradients reach x0.
        """
        clean = torch.zeros(len(x0), device=x0.device)
        with torch.no_grad():
            expected = self.network.levels(truth, clean)
        found = self.network.levels(x0, clean)
        far = [
            (F.normalize(a.float(), dim=1) - F.normalize(b.float(), dim=1)).square().sum(1).mean((1, 2))
            for a, b in zip(found, expected)
        ]
        return torch.stack(far).mean(0)

    def loss(self, x0: Tensor, truth: Tensor, t: Tensor, schedule: NoiseSchedule) -> Tensor:
        """What is added to the loss of each prediction x0 (B, 3, R, R) from x_t: (B,)."""
        known = t < HIGHEST * schedule.num_train_timesteps
        return self.weight * torch.where(known, self.distance(x0, truth), 0.0)

"""Train a small network for each variant of the settings, and measure them all alike."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from .. import images
from ..checkpoint import Checkpoint, CheckpointError, load_checkpoint, save_checkpoint
from ..classifier import Classifier
from ..ema import EMA
from ..schedule import NoiseSchedule
from ..train.config import TrainConfig
from ..train.data import PictureSet
from ..train.trainer import Trainer
from .study import Study, as_x0, same_labels
from .verdicts import Classified, accuracy, mean_and_error, quality

# A small network cut into patches as the shipped one is: 48 numbers each, on which the case for x0 rests.
BASE = TrainConfig(out="", image_size=32, channels=(64, 128), blocks=1, warmup=100)
VARIANTS: dict[str, dict[str, Any]] = {
    "epsilon": {"prediction_type": "epsilon"},
    "v": {"prediction_type": "v_prediction"},
    "linear schedule": {"schedule": "linear"},
    "min-SNR": {"weighting": "min-snr"},
    "epsilon, min-SNR": {"prediction_type": "epsilon", "weighting": "min-snr"},
    "label dropout 0": {"label_dropout": 0.0},
    "label dropout 0.2": {"label_dropout": 0.2},
    "augment none": {"augment": "none"},
    "noise over 0": {"noise_over": 0.0},
    "drawing 0": {"drawing": 0},
    "dropout 0.1": {"dropout": 0.1},
}
# Beside BASE's. EMA itself begins with (1 + n) / (10 + n) after n steps: larger decays would not differ here.
DECAYS = (0.0, 0.9, 0.98)
GUIDANCES = (1.0, 2.0)
BANDS = 5


@dataclass(frozen=True)
class Run:
    """One training: a variant, its settings, and the decays of the averages to keep beside the usual one."""

    name: str
    config: TrainConfig
    decays: tuple[float, ...] = ()

    def path(self, folder: Path, decay: float) -> Path:
        name = self.name.replace(", ", " ").replace(" ", "-")
        ema = "" if decay == self.config.ema_decay else f"-ema-{decay:g}"
        return folder / f"{name}-seed-{self.config.seed}{ema}.safetensors"


def runs(base: TrainConfig, seeds: int) -> list[Run]:
    """The base with seeds 0 .. seeds - 1, then every variant with seed 0."""
    return [Run("base", replace(base, seed=seed), DECAYS) for seed in range(seeds)] + [
        Run(name, replace(base, **changes)) for name, changes in VARIANTS.items()
    ]


def train(run: Run, pictures: PictureSet, folder: Path) -> None:
    """Train a run and save its checkpoints, one for each decay.

    The averages only watch: each is what a run of its own with that decay would have ended with.
    """
    with torch.random.fork_rng():  # dropout draws from the global RNG
        torch.manual_seed(run.config.seed)
        trainer = Trainer(run.config, pictures, torch.device("cpu"))
        averages = {decay: EMA(trainer.model, decay) for decay in run.decays}
        started = time.monotonic()
        try:
            for _ in tqdm(range(run.config.steps), desc=f"{run.name}, seed {run.config.seed}", unit="step"):
                trainer.train_step()
                for average in averages.values():
                    average.update(trainer.model)
        finally:
            trainer.close()
    seconds = time.monotonic() - started
    about = trainer.checkpoint(seconds=round(seconds), pictures=len(pictures))
    for decay, average in averages.items():
        training = about.training | {"config": about.training["config"] | {"ema_decay": decay}}
        made = replace(about, model=average.model, training=training)
        save_checkpoint(run.path(folder, decay), made, torch.float16)
    # Last, because a run is done when this file is there.
    save_checkpoint(run.path(folder, run.config.ema_decay), about, torch.float16)


def trained(run: Run, pictures: PictureSet, folder: Path) -> dict[float, Checkpoint]:
    """The checkpoints of a run by decay, trained if they are not in the folder.

    Raises:
        CheckpointError: what is in the folder was trained with other settings.
    """
    path = run.path(folder, run.config.ema_decay)
    if not path.exists():
        train(run, pictures, folder)
    found = load_checkpoint(path)
    known = {"seconds", "samples"} <= found.training.keys() and found.label_names == pictures.label_names
    same = found.training.get("pictures", len(pictures)) == len(pictures)
    if not (known and same) or found.training.get("config") != json.loads(json.dumps(asdict(run.config))):
        raise CheckpointError(f"{path} was trained with other settings or data: choose another --out.")
    others = {decay: load_checkpoint(run.path(folder, decay)) for decay in run.decays}
    return {run.config.ema_decay: found, **others}


def timesteps_at(schedule: NoiseSchedule, level: Tensor) -> Tensor:
    """The timesteps, long (N,), nearest to noise levels (N,) in [0, 1], where abar = cos^2(level pi / 2).

    On this scale (the cosine schedule's, iDDPM eq. 17 with s = 0) schedules meet: the same t of two schedules
    is not the same noise, the same level is.
    """
    known = schedule.abar(torch.arange(schedule.num_train_timesteps)).sqrt().arccos() / (torch.pi / 2)
    return (level[:, None] - known[None, :]).abs().argmin(dim=1)


def x0_errors(study: Study, x0: Tensor, labels: Tensor) -> list[dict[str, float]]:
    """Squared error of the predicted x0, mean and standard error, in BANDS equal bands of the noise level.

    Every network gets the same pictures (N, 3, R, R) under the same noise, whatever its schedule and its
    prediction type; x0 is clipped to [-1, 1], as in the sampler.
    """
    schedule, generator = study.checkpoint.schedule, torch.Generator().manual_seed(study.seed)
    n, result = len(x0), []
    for band in range(BANDS):
        level = (band + (torch.randperm(n, generator=generator) + 0.5) / n) / BANDS
        t, noise = timesteps_at(schedule, level), torch.randn(x0.shape, generator=generator)
        predicted = study.see(schedule.add_noise(x0, noise, t), t, labels).x0
        result.append(mean_and_error((predicted.clamp(-1, 1) - x0).square().mean(dim=(1, 2, 3))))
    return result


def training(
    pictures: PictureSet,
    classifier: Classifier,
    base: TrainConfig,
    seeds: int,
    count: int,
    folder: Path,
) -> Iterator[dict]:
    """Train and measure every run; yields the numbers so far after each, the whole at the end.

    Args:
        pictures: at twice the image size.
        classifier: for the labels of `pictures`; of any size not below the networks'.
        base: the settings of the base.
        seeds: how often the base is trained, at least 2.
        count: how many pictures each network draws.
        folder: for the checkpoints.
    """
    result: dict = {"base": asdict(base), "runs": [], "averages": []}
    truth: Tensor | None = None
    for run in runs(base, seeds):
        for decay, checkpoint in trained(run, pictures, folder).items():
            study = Study(checkpoint, classifier, pictures, count=count)
            if truth is None:
                truth = as_x0(study.framed(study.held_out), study.size)
                real = classified_on_the_page(study, truth)
                result |= real_pictures(study, real)
            row = {
                "name": run.name,
                "seed": run.config.seed,
                "ema_decay": decay,
                "changes": VARIANTS.get(run.name, {}),
                "samples": checkpoint.training["samples"],
                "seconds": checkpoint.training["seconds"],
            }
            row |= network(study, truth, real.features)
            result["runs" if decay == base.ema_decay else "averages"].append(row)
        yield result


def classified_on_the_page(study: Study, x0: Tensor) -> Classified:
    """Pictures with the labels of the study's held-out ones, enlarged to the classifier's size and framed.

    Framed as the app frames drawings, a network that was taught to place its pictures anywhere compares with
    one that was not.
    """
    size = study.classifier.image_size
    large = torch.cat([images.prepare(images.to_pil(x, size), size).x0 for x in x0])
    return study.classify(large, study.held_out.labels)


def real_pictures(study: Study, real: Classified) -> dict:
    """What the same measures say of real pictures: held-out ones, and training ones of the same labels."""
    held_out = study.held_out
    alike = same_labels(study.pictures.train(), held_out.labels, study.seed)
    familiar = classified_on_the_page(study, as_x0(study.framed(alike), study.size))
    return {
        "pictures": len(held_out),
        "features": real.features.shape[1],
        "real": {
            "held out": {"accuracy": accuracy(real)},
            "training": quality(familiar, real.features, held_out.groups),
        },
    }


def network(study: Study, truth: Tensor, real: Tensor) -> dict:
    """One trained network's numbers: the errors of its x0, and its pictures from noise for each guidance.

    Args:
        truth: the study's held-out pictures, framed (N, 3, R, R).
        real: their features, float64 (N, F).
    """
    held_out = study.held_out
    by_guidance = {}
    for scale in GUIDANCES:
        made = classified_on_the_page(study, replace(study, guidance=scale).generated)
        by_guidance[f"{scale:g}"] = quality(made, real, held_out.groups)
    return {"x0": x0_errors(study, truth, held_out.labels), "guidance": by_guidance}

"""Train the judge, the classifier that generated pictures are measured with.

    python -m diffusion.evaluate.judge --data FOLDER_OR_TAR ... --out checkpoints/judge/judge-64.safetensors

It learns from the same pictures as the diffusion model, noised by the same schedule, and never sees held-out
groups. What it is stands in classifier.py.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from tqdm import tqdm

from .. import __version__
from ..classifier import (
    Classifier,
    ClassifierError,
    ClassifierNet,
    load_classifier,
    log_likelihood,
    save_classifier,
    top_k_correct,
)
from ..ema import EMA
from ..machine import PRECISIONS, arithmetic, chosen_precision, keep_memory
from ..options import REQUIRED, SEED, command, option, parse
from ..schedule import SCHEDULES, NoiseSchedule
from ..train.batches import AUGMENTATIONS, Batch, Batches
from ..train.choose import sampling_weights
from ..train.config import PictureConfig, TrainConfig, learning_rate
from ..train.data import PictureSet
from ..train.muon import muon_and_adamw
from ..train.sketches import SKETCHES
from ..unet import UNetConfig


@dataclass(frozen=True)
class JudgeSettings(PictureConfig):
    """Every setting of a judge's training."""

    data: tuple[str, ...] = option(REQUIRED, "folders, tars, cifar10 or cifar100")
    out: str = option(REQUIRED, "the file to write, *.safetensors")
    credits: tuple[str, ...] = option((), "where the pictures come from; kept in the file")
    hold_out: float = option(
        0.1, "fraction of each subject's groups held out, as in training", low=0, below=1
    )
    augment: str = option("drawing", "how pictures are varied", choices=AUGMENTATIONS)
    sketched: float = option(0.25, "fraction shown as a crude drawing of the picture", low=0, high=1)

    image_size: int = option(64, "pixels on a side, as the diffusion model's", low=1)
    patch_size: int = option(4, "pixels on a side of a patch, 1 for none", low=1)
    channels: tuple[int, ...] = option((64, 128, 192), "width of each level, finest first", low=1)
    blocks: int = option(1, "residual blocks per level", low=1)
    dropout: float = option(0.1, "dropout inside residual blocks and before the heads", low=0, below=1)
    schedule: str = option("cosine", "noise schedule, as the diffusion model's", choices=SCHEDULES)
    num_train_timesteps: int = option(1000, "T, steps of the noise schedule", low=2)

    init_from: str = option("", "a judge of the same shape and labels to go on from")
    steps: int = option(3500, "optimizer steps", low=1)
    batch_size: int = option(64, "pictures per optimizer step", low=1)
    lr: float = option(2e-3, "peak learning rate", low=0)
    precision: str = option(
        "auto", "of the arithmetic; auto: the faster one here", choices=("auto", *PRECISIONS)
    )
    seed: int = option(0, "of everything random", **SEED)

    def network(self, label_sizes: Sequence[int]) -> UNetConfig:
        """The shape of the network; attention on the coarsest level.

        Raises:
            ValueError: the sizes do not fit each other.
        """
        return UNetConfig(
            image_size=self.image_size,
            patch_size=self.patch_size,
            channels=self.channels,
            blocks=self.blocks,
            attention=tuple(level == len(self.channels) - 1 for level in range(len(self.channels))),
            label_sizes=tuple(label_sizes),
            dropout=self.dropout,
        )


WEIGHT_DECAY = 0.05
EMA_DECAY = 0.998
BALANCE = 0.7  # see `sampling_weights`
NOISE_LEVELS = (0.0, 0.2, 0.4, 0.6, 0.8)  # strengths at which the accuracy is written into the header


def noise_levels(batch: int, num_train_timesteps: int, generator: torch.Generator) -> Tensor:
    """Timesteps, long (B,): T u^3 with u uniform, so that half of them lie in the cleanest eighth.

    The judge is asked about clean pictures most of the time, and near t = T there is nothing to be learnt.
    """
    u = torch.rand(batch, generator=generator)
    return (num_train_timesteps * u**3).long().clamp(max=num_train_timesteps - 1)


def shown(batch: Batch, null: Tensor) -> tuple[Tensor, Tensor]:
    """What the judge looks at, (B, 3, R, R), and what it should say, long (B, K).

    Of a drawing it should say what it shows, and nothing of how pictures of that look: only the first kind.
    """
    labels = batch.labels.clone()
    labels[batch.sketched, 1:] = null[1:]
    return batch.drawing, labels


def held_out_accuracy(classifier: Classifier, pictures: PictureSet) -> dict[str, dict[str, float]]:
    """Share of held-out pictures named right: kind -> {strength of the noise: accuracy}; {} without any."""
    test = pictures.test()
    if not len(test):
        return {}
    x0 = test.x0(classifier.image_size)
    noise = torch.randn(x0.shape, generator=torch.Generator().manual_seed(0))
    accuracy: dict[str, dict[str, float]] = {kind: {} for kind in classifier.label_names}
    for strength in NOISE_LEVELS:
        t = max(0, round(strength * classifier.schedule.num_train_timesteps) - 1)
        x_t = classifier.schedule.add_noise(x0, noise, t) if strength else x0
        for column, (kind, logits) in enumerate(zip(classifier.label_names, classifier.logits(x_t, t))):
            right = top_k_correct(logits, test.labels[:, column])
            accuracy[kind][f"{strength:g}"] = round(float(right.double().mean()), 4)
    return accuracy


def drawn_accuracy(classifier: Classifier, pictures: PictureSet) -> dict[str, float]:
    """Share of held-out pictures of which a crude drawing is named right, by kind of drawing."""
    test = pictures.test()
    found = {}
    for kind in SKETCHES if len(test) else ():
        batch = Batches.once(test, classifier.image_size, "none", kind=kind)
        (subjects, *_) = classifier.logits(batch.drawing)
        found[kind] = round(float(top_k_correct(subjects, test.labels[:, 0]).double().mean()), 4)
    return found


def begun(
    settings: JudgeSettings, label_names: dict[str, list[str]], schedule: NoiseSchedule
) -> tuple[ClassifierNet, int]:
    """The network to train, and the steps behind it: with random weights, or as another judge has them.

    Raises:
        ClassifierError: that one is damaged, or of another shape, schedule or labels.
    """
    shape = settings.network([len(names) for names in label_names.values()])
    model = ClassifierNet(shape).to(memory_format=torch.channels_last)
    if not settings.init_from:
        return model, 0
    before = load_classifier(settings.init_from)
    if (before.model.config, before.schedule, before.label_names) != (shape, schedule, label_names):
        raise ClassifierError(f"{settings.init_from} has not the same shape, schedule and labels.")
    model.load_state_dict(before.model.state_dict())
    return model, sum(before.training.get(key, 0) for key in ("steps", "steps_before"))


def train_classifier(pictures: PictureSet, settings: JudgeSettings) -> Classifier:
    """Fit a classifier to the pictures that are not held out; cross-entropy summed over the label kinds."""
    started = time.monotonic()
    schedule = NoiseSchedule(settings.schedule, settings.num_train_timesteps)
    train = pictures.train()
    batches = Batches(
        train, sampling_weights(train, BALANCE), settings.image_size, batch_size=settings.batch_size,
        augment=settings.augment, sketched=settings.sketched, seed=settings.seed,
    )  # fmt: skip
    # Up over the first tenth of the run, then down to 0.
    rates = TrainConfig(lr=settings.lr, steps=settings.steps, warmup=settings.steps // 10, decay=0.9)
    generator = torch.Generator().manual_seed(settings.seed)
    precision = chosen_precision(settings.precision)
    with torch.random.fork_rng():  # layers and dropout draw from the global RNG; leave it as it was
        torch.manual_seed(settings.seed)
        model, steps_before = begun(settings, pictures.label_names, schedule)
        ema = EMA(model, EMA_DECAY)
        optimizers = muon_and_adamw(model, settings.lr, WEIGHT_DECAY)
        null = torch.tensor(model.config.label_sizes)
        stream = batches.since(0)
        bar = tqdm(range(settings.steps), unit="step", desc="judge")
        loss_mean = 0.0
        for step in bar:
            for optimizer in optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate(rates, step)
            x0, labels = shown(next(stream), null)
            t = noise_levels(settings.batch_size, schedule.num_train_timesteps, generator)
            x_t = schedule.add_noise(x0, torch.randn(x0.shape, generator=generator), t)
            with arithmetic(precision):
                logits = model(x_t, t)
            loss = -log_likelihood(logits, labels).mean()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
            ema.update(model)
            loss_mean += (float(loss.detach()) - loss_mean) / min(step + 1, 100)
            if step % 50 == 0:
                bar.set_postfix(loss=f"{loss_mean:.3f}")
        stream.close()
    classifier = Classifier(ema.model, schedule, pictures.label_names, list(settings.credits))
    facts = {
        "version": __version__,
        "steps": settings.steps,
        "batch_size": settings.batch_size,
        "loss": round(loss_mean, 4),
        "minutes": round((time.monotonic() - started) / 60, 1),
        "pictures": len(train),
        "held_out": len(pictures) - len(train),
        "precision": precision,
        "augment": settings.augment,
        "seed": settings.seed,
        "steps_before": steps_before,
        "sketched": settings.sketched,
        "accuracy": held_out_accuracy(classifier, pictures),
        "drawn_accuracy": drawn_accuracy(classifier, pictures),
    }
    return replace(classifier, training=facts)


@command("judge")
def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    settings = parse(JudgeSettings, "python -m diffusion.evaluate.judge", "Train a judge on pictures.", argv)
    settings.network(())  # sizes that do not fit are refused before anything is read
    pictures = settings.pictures(2 * settings.image_size)
    keep_memory()
    classifier = train_classifier(pictures, settings)
    save_classifier(settings.out, classifier)
    for kind, by_noise in classifier.training["accuracy"].items():
        print(f"{kind}: " + ", ".join(f"{a:.1%} at noise {s}" for s, a in by_noise.items()) + ", held out.")
    print(f"Done: {settings.out}")


if __name__ == "__main__":
    sys.exit(main())

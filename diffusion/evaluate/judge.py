"""A judge: a small classifier that looks at a noisy picture and says what it shows, and in which style.

    python -m diffusion.evaluate.judge --data FOLDER_OR_TAR ... --out checkpoints/judge/judge-64.safetensors

It is the way down of the U-Net, averaged over all places, with one head per label kind (Dhariwal & Nichol
2021, "Diffusion Models Beat GANs", section 4: "the downsampling trunk of the UNet model"). It serves for

    evaluation   its labels for generated pictures; and its features (what the heads see) are the space in
                 which sets of pictures are compared, see metrics.py
    guidance     it knows the noise level, so the gradient of log p(labels | x_t, t) can steer a sampler

It learns from the same pictures as the diffusion model, by the same schedule, and never sees held-out groups.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from tqdm import tqdm

from ..checkpoint import write_safetensors
from ..ema import EMA
from ..schedule import NoiseSchedule
from ..train.data import DataError, PictureSet, augment, load_pictures, sampling_weights
from ..unet import Block, UNetConfig, group_norm, time_embedding

FORMAT = "doodle-judge 1"
NOISE_LEVELS = (0.0, 0.2, 0.4, 0.6, 0.8)  # strengths at which a judge's accuracy is written into its header
BATCH = 128  # pictures looked at in one call


class JudgeError(ValueError):
    """A judge that is missing, damaged, or of another kind than it should be; one clear line."""


class JudgeNet(nn.Module):
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

    def features(self, x: Tensor, t: Tensor) -> Tensor:
        """What the heads see, the penultimate layer: float (B, F), F the width of the coarsest level."""
        embedding = self.time_mlp(time_embedding(t, self.config.channels[0]))
        h = self.input(F.pixel_unshuffle(x, self.config.patch_size))
        for halve, blocks in zip(self.downsample, self.blocks):
            h = halve(h)
            for block in blocks:
                h = block(h, embedding)
        return F.silu(self.norm(h)).mean(dim=(2, 3))

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
class Judge:
    """A trained judge and what is known about it.

    Attributes:
        model: the network, in eval mode, float32.
        schedule: the noise schedule it was trained with.
        label_names: kind -> names, in the order of the heads.
        credits: where the training pictures come from, one line each.
        training: facts about the run, JSON values only; "accuracy" holds held-out accuracy by kind and noise.
    """

    model: JudgeNet
    schedule: NoiseSchedule
    label_names: dict[str, list[str]]
    credits: list[str] = field(default_factory=list)
    training: dict = field(default_factory=dict)

    @property
    def image_size(self) -> int:
        return self.model.config.image_size

    @torch.no_grad()
    def features(self, x0: Tensor) -> Tensor:
        """Clean pictures (N, 3, R, R) in [-1, 1] -> features, float64 (N, F)."""
        # t = 0 is noise below one grey level: to the judge, a clean picture.
        parts = [self.model.features(x, torch.zeros(len(x))) for x in x0.split(BATCH)]
        return torch.cat(parts).double()

    @torch.no_grad()
    def logits(self, x_t: Tensor, t: int = 0) -> list[Tensor]:
        """Pictures (N, 3, R, R) at noise level t -> logits, one (N, n_k) per kind."""
        parts = [self.model(x, torch.full((len(x),), t)) for x in x_t.split(BATCH)]
        return [torch.cat(columns) for columns in zip(*parts)]


def top_k_correct(logits: Tensor, labels: Tensor, k: int = 1) -> Tensor:
    """Is the label among the k likeliest? logits (N, n), labels long (N,) -> bool (N,)."""
    best = logits.topk(min(k, logits.shape[1]), dim=1).indices
    return (best == labels[:, None]).any(dim=1)


def held_out_accuracy(judge: Judge, pictures: PictureSet) -> dict[str, dict[str, float]]:
    """Share of held-out pictures named right: kind -> {strength of the noise: accuracy}; {} without any."""
    test = pictures.test()
    if not len(test):
        return {}
    x0 = augment(test.pixels, judge.image_size, "none", torch.Generator())
    noise = torch.randn(x0.shape, generator=torch.Generator().manual_seed(0))
    accuracy: dict[str, dict[str, float]] = {kind: {} for kind in judge.label_names}
    for strength in NOISE_LEVELS:
        t = max(0, round(strength * judge.schedule.num_train_timesteps) - 1)
        x_t = judge.schedule.add_noise(x0, noise, t) if strength else x0
        for column, (kind, logits) in enumerate(zip(judge.label_names, judge.logits(x_t, t))):
            right = top_k_correct(logits, test.labels[:, column])
            accuracy[kind][f"{strength:g}"] = round(float(right.double().mean()), 4)
    return accuracy


# ---------------------------------------------------------------------- one file


def save_judge(path: str | Path, judge: Judge) -> None:
    """Write weights (float16) and header to a safetensors file, which appears whole or not at all."""
    tensors = {name: value.half().contiguous() for name, value in judge.model.state_dict().items()}
    about = {
        "model": judge.model.config.to_dict(),
        "schedule": judge.schedule.config(),
        "label_names": judge.label_names,
        "credits": judge.credits,
        "training": judge.training,
    }
    write_safetensors(path, tensors, {"format": FORMAT, "judge": json.dumps(about)})


def load_judge(path: str | Path) -> Judge:
    """Read what `save_judge` wrote.

    Raises:
        JudgeError: with one clear line, if the file is missing, damaged, or not of this program.
    """
    path = Path(path)
    if not path.is_file():
        raise JudgeError(f"There is no judge at {path}. Train one: python -m diffusion.evaluate.judge --help")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}
    except (SafetensorError, OSError) as error:
        raise JudgeError(f"{path} is damaged or not a safetensors file.") from error
    if metadata.get("format") != FORMAT:
        raise JudgeError(f"{path} was not made by diffusion.evaluate.judge (no {FORMAT!r} in its header).")
    try:
        about = json.loads(metadata["judge"])
        with torch.device("meta"):  # no random start for weights about to be replaced
            model = JudgeNet(UNetConfig(**about["model"]))
        model.load_state_dict(tensors, assign=True)
        schedule = NoiseSchedule(**about["schedule"])
        return Judge(
            model=model.eval().requires_grad_(False),
            schedule=schedule,
            label_names=about["label_names"],
            credits=about["credits"],
            training=about["training"],
        )
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise JudgeError(f"{path} is damaged: its header and its weights do not fit.") from error


# ---------------------------------------------------------------------- training


def noise_levels(batch: int, num_train_timesteps: int, generator: torch.Generator) -> Tensor:
    """Timesteps, long (B,): T u^3 with u uniform, so that half of them lie in the cleanest eighth.

    The judge is asked about clean pictures most of the time, and near t = T there is nothing to be learnt.
    """
    u = torch.rand(batch, generator=generator)
    return (num_train_timesteps * u**3).long().clamp(max=num_train_timesteps - 1)


def train_judge(
    pictures: PictureSet,
    config: UNetConfig,
    schedule: NoiseSchedule,
    *,
    steps: int,
    batch_size: int = 64,
    lr: float = 2e-3,
    weight_decay: float = 0.05,
    augmentation: str = "drawing",
    balance: float = 0.7,
    seed: int = 0,
) -> Judge:
    """Fit a judge to the pictures that are not held out; cross-entropy summed over the label kinds.

    Args:
        balance: as in `sampling_weights`: 1 shows every subject equally often.
    """
    started = time.monotonic()
    train = pictures.train()
    weights = sampling_weights(train, balance)
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():  # layers and dropout draw from the global RNG; leave it as it was
        torch.manual_seed(seed)
        model = JudgeNet(config)
        ema = EMA(model, 0.998)
        optimizer = torch.optim.AdamW(model.parameters(), lr=lr, betas=(0.9, 0.99), weight_decay=weight_decay)
        bar = tqdm(range(steps), unit="step", desc="judge")
        loss_mean = 0.0
        for step in bar:
            for group in optimizer.param_groups:  # up over the first tenth of the run, then down to 0
                group["lr"] = lr * min(10 * (step + 1) / steps, (1 - step / steps) / 0.9)
            index = torch.multinomial(weights, batch_size, replacement=True, generator=generator)
            x0 = augment(train.pixels[index], config.image_size, augmentation, generator)
            t = noise_levels(batch_size, schedule.num_train_timesteps, generator)
            x_t = schedule.add_noise(x0, torch.randn(x0.shape, generator=generator), t)
            with torch.autocast("cpu", torch.bfloat16):
                logits = model(x_t, t)
            loss = -log_likelihood(logits, train.labels[index]).mean()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            ema.update(model)
            loss_mean += (float(loss.detach()) - loss_mean) / min(step + 1, 100)
            if step % 50 == 0:
                bar.set_postfix(loss=f"{loss_mean:.3f}")
    judge = Judge(ema.model, schedule, pictures.label_names)
    judge.training = {
        "steps": steps,
        "batch_size": batch_size,
        "loss": round(loss_mean, 4),
        "minutes": round((time.monotonic() - started) / 60, 1),
        "pictures": len(train),
        "held_out": len(pictures) - len(train),
        "augment": augmentation,
        "seed": seed,
        "accuracy": held_out_accuracy(judge, pictures),
    }
    return judge


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(
        "python -m diffusion.evaluate.judge", description="Train a judge on pictures."
    )
    p.add_argument("--data", nargs="+", required=True, help="folders, tars, cifar10 or cifar100")
    p.add_argument("--out", required=True, help="the file to write, *.safetensors")
    p.add_argument("--credits", nargs="+", default=[], help="where the pictures come from; kept in the file")
    p.add_argument("--hold-out", type=float, default=0.1, help="as in diffusion.train (default: 0.1)")
    p.add_argument("--augment", default="drawing", choices=("drawing", "flip", "none"))
    p.add_argument("--image-size", type=int, default=64, help="as the diffusion model's (default: 64)")
    p.add_argument("--patch-size", type=int, default=4, help="pixels on a side of a patch (default: 4)")
    p.add_argument("--channels", type=int, nargs="+", default=[64, 128, 192], help="width of each level")
    p.add_argument("--blocks", type=int, default=1, help="residual blocks per level (default: 1)")
    p.add_argument("--dropout", type=float, default=0.1)
    p.add_argument("--schedule", default="cosine", help="as the diffusion model's (default: cosine)")
    p.add_argument("--num-train-timesteps", type=int, default=1000, help="T (default: 1000)")
    p.add_argument("--steps", type=int, default=3500)
    p.add_argument("--batch-size", type=int, default=64)
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--seed", type=int, default=0)
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; errors are one line on stderr and exit status 2."""
    args = parser().parse_args(argv)
    try:
        schedule = NoiseSchedule(args.schedule, args.num_train_timesteps)
        pictures = load_pictures(args.data, 2 * args.image_size, args.hold_out)
        config = UNetConfig(
            image_size=args.image_size,
            patch_size=args.patch_size,
            channels=args.channels,
            blocks=args.blocks,
            attention=[level == len(args.channels) - 1 for level in range(len(args.channels))],
            label_sizes=[len(names) for names in pictures.label_names.values()],
            dropout=args.dropout,
        )
        judge = train_judge(
            pictures,
            config,
            schedule,
            steps=args.steps,
            batch_size=args.batch_size,
            lr=args.lr,
            augmentation=args.augment,
            seed=args.seed,
        )
    except (DataError, ValueError) as error:
        print(f"judge: {error}", file=sys.stderr)
        return 2
    judge.credits = args.credits
    save_judge(args.out, judge)
    for kind, by_noise in judge.training["accuracy"].items():
        print(f"{kind}: " + ", ".join(f"{a:.1%} at noise {s}" for s, a in by_noise.items()) + ", held out.")
    print(f"Done: {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

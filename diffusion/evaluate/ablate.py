"""Which settings are worth having? Each changed alone, measured, and compared with what chance would do.

    python -m diffusion.evaluate.ablate training --data DATA ... --judge JUDGE --out FOLDER
    python -m diffusion.evaluate.ablate sampling CHECKPOINT --data DATA ... --judge JUDGE --out FOLDER
    python -m diffusion.evaluate.ablate page --out FOLDER

`training` trains a small network for each variant of TrainConfig, all on the same number of pictures, and the
base with several seeds: a variant must beat the difference between those. A run whose checkpoint is in the
folder is not trained again. `sampling` draws with one checkpoint in many ways, always from the same noise.
Both write their numbers to the folder as JSON and as the page ABLATIONS.md; `page` writes that page alone.
"""

from __future__ import annotations

import argparse
import json
import platform
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from .. import images
from ..checkpoint import Checkpoint, CheckpointError, load_checkpoint, save_checkpoint
from ..ema import EMA
from ..schedule import NoiseSchedule
from ..sdedit import edit_timesteps
from ..train.data import DataError, PictureSet, load_pictures
from ..train.trainer import TrainConfig, Trainer
from .ablation_page import T95, write_page
from .judge import Judge, JudgeError, load_judge
from .metrics import frechet_distance, kid, kid_difference, low_pass_agreement
from .parts import STRENGTHS, check, finite, same_labels
from .study import BATCH, Study, as_x0

# A small network cut into patches as the shipped one is: 48 numbers each, on which the case for x0 rests.
BASE = TrainConfig(out="", image_size=32, channels=(64, 128), blocks=1, warmup=100)
VARIANTS = {
    "epsilon": {"prediction_type": "epsilon"},
    "v": {"prediction_type": "v_prediction"},
    "linear schedule": {"schedule": "linear"},
    "min-SNR": {"weighting": "min-snr"},
    "epsilon, min-SNR": {"prediction_type": "epsilon", "weighting": "min-snr"},
    "label dropout 0": {"label_dropout": 0.0},
    "label dropout 0.2": {"label_dropout": 0.2},
    "augment none": {"augment": "none"},
    "sketched 0": {"sketched": 0.0},
    "dropout 0.1": {"dropout": 0.1},
}
# Beside BASE's. EMA itself begins with (1 + n) / (10 + n) after n steps: larger decays would not differ here.
DECAYS = (0.0, 0.9, 0.98)
GUIDANCES = (1.0, 2.0)
BANDS = 5

STEPS = (5, 10, 20, 50)
ETAS = (0.0, 0.5, 1.0)
SCALES = (1.0, 2.0, 3.0, 4.0, 5.0)
INPUTS = ("strokes", "shrunk and blurred", "outlines, coloured in")
LARGEST_STRENGTH = 0.8  # beyond it the layout of the drawing goes


# ---------------------------------------------------------------------- measures


@dataclass(frozen=True)
class Seen:
    """N pictures in the judge's eyes.

    Attributes:
        features: float64 (N, F).
        right: which are named right, bool (N,), by kind as in `Study.right`.
    """

    features: Tensor
    right: dict[str, Tensor]


def seen(study: Study, x0: Tensor, labels: Tensor) -> Seen:
    return Seen(study.features(x0), study.right(x0, labels))


def mean(values: Tensor) -> dict[str, float]:
    """(N,) -> {"value": its mean, "error": the standard error of that}."""
    values = values.double()
    return {"value": float(values.mean()), "error": float(values.std() / len(values) ** 0.5)}


def quality(made: Seen, real: Tensor, groups: Sequence[str]) -> dict:
    """KID and Frechet distance to real features (M, F), and accuracy, with standard errors.

    The Frechet distance is given where there are more pictures than features; row i of both sets shows
    `groups[i]`.
    """
    enough = len(real) > real.shape[1]
    value, error = kid(made.features, real, groups, groups)
    return {
        "kid": {"value": value, "error": error},
        "frechet": frechet_distance(made.features, real) if enough else None,
        "accuracy": {kind: mean(right) for kind, right in made.right.items()},
    }


def difference(made: Seen, other: Seen, real: Tensor, groups: Sequence[str]) -> dict:
    """What `quality` says of `made` less what it says of `other`, made from the same noise and labels.

    The standard errors are those of the differences, picture by picture, not of the two numbers.
    """
    value, error = kid_difference(made.features, other.features, real, groups, groups)
    return {
        "kid": {"value": value, "error": error},
        "accuracy": {
            kind: mean(right.double() - other.right[kind].double()) for kind, right in made.right.items()
        },
    }


# ---------------------------------------------------------------------- training


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
        for _ in tqdm(range(run.config.steps), desc=f"{run.name}, seed {run.config.seed}", unit="step"):
            trainer.train_step()
            for average in averages.values():
                average.update(trainer.model)
    seconds = time.monotonic() - started
    about = trainer.checkpoint(seconds=round(seconds))
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
    if found.training["config"] != json.loads(json.dumps(asdict(run.config))):
        raise CheckpointError(f"{path} was trained with other settings: choose another --out.")
    others = {decay: load_checkpoint(run.path(folder, decay)) for decay in run.decays}
    return {run.config.ema_decay: found, **others}


def timesteps_at(schedule: NoiseSchedule, level: Tensor) -> Tensor:
    """The timesteps, long (N,), nearest to noise levels (N,) in [0, 1], where abar = cos^2(level pi / 2).

    On this scale (the cosine schedule's, iDDPM eq. 17 with s = 0) schedules meet: the same t of two schedules
    is not the same noise, the same level is.
    """
    known = schedule.alphas_cumprod.sqrt().arccos() / (torch.pi / 2)
    return (level[:, None] - known[None, :]).abs().argmin(dim=1)


@torch.no_grad()
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
        x_t, errors = schedule.add_noise(x0, noise, t), []
        for x, true, when, told in zip(*(part.split(BATCH) for part in (x_t, x0, t, labels))):
            with torch.autocast("cpu", torch.bfloat16, enabled=study.precision == "bf16"):
                output = study.checkpoint.model(x, when, told)
            guess, _ = schedule.to_x0_eps(output.float(), x, when)
            errors.append((guess.clamp(-1, 1) - true).square().mean(dim=(1, 2, 3)))
        result.append(mean(torch.cat(errors)))
    return result


def training(
    pictures: PictureSet,
    judge: Judge,
    base: TrainConfig,
    seeds: int,
    count: int,
    folder: Path,
) -> Iterator[dict]:
    """Train and measure every run; yields the numbers so far after each, the whole at the end.

    Args:
        pictures: at twice the image size.
        judge: for the labels of `pictures`; of any size not below the networks'.
        base: the settings of the base.
        seeds: how often the base is trained, at least 2.
        count: how many pictures each network draws.
        folder: for the checkpoints.
    """
    result: dict = {"base": asdict(base), "runs": [], "averages": []}
    truth = real = None
    for run in runs(base, seeds):
        for decay, checkpoint in trained(run, pictures, folder).items():
            study = Study(checkpoint, judge, pictures, judge.features, count=count)
            if real is None:
                truth = framed(study, study.held_out)
                real = seen_on_the_page(study, truth)
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


def framed(study: Study, pictures: PictureSet) -> Tensor:
    """Real pictures framed as the app frames what people bring: (N, 3, R, R)."""
    return as_x0(study.framed(pictures), study.size)


def seen_on_the_page(study: Study, x0: Tensor) -> Seen:
    """Pictures with the labels of the study's held-out ones, enlarged to the judge's size and framed.

    Framed as the app frames drawings, a network that was taught to place its pictures anywhere compares with
    one that was not.
    """
    size = study.judge.image_size
    large = torch.cat([images.prepare(images.to_pil(x, size), size).x0 for x in x0])
    return seen(study, large, study.held_out.labels)


def real_pictures(study: Study, real: Seen) -> dict:
    """What the same measures say of real pictures: held-out ones, and training ones of the same labels."""
    held_out = study.held_out
    alike = same_labels(study.pictures.train(), held_out.labels, study.seed)
    familiar = seen_on_the_page(study, framed(study, alike))
    return {
        "pictures": len(held_out),
        "features": real.features.shape[1],
        "real": {
            "held out": {"accuracy": {kind: mean(right) for kind, right in real.right.items()}},
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
        made = seen_on_the_page(study, replace(study, guidance=scale).generated)
        by_guidance[f"{scale:g}"] = quality(made, real, held_out.groups)
    return {"x0": x0_errors(study, truth, held_out.labels), "guidance": by_guidance}


# ---------------------------------------------------------------------- sampling


class KindGuidance:
    """A model with guidance of its own strength for each label kind, to be sampled from with guidance off.

        out = out_null + w_1 (out_1 - out_null) + w_2 (out_12 - out_1) + ...

    where out_1 was told the first kind alone, out_12 the first two, and so on (Brooks et al. 2023,
    "InstructPix2Pix", eq. 3). With equal scales all but the first and the last fall out, and it is the usual
    guidance.

    Args:
        model: model(x (B, 3, R, R), t (B,), labels (B, K)) -> (B, 3, R, R).
        scales: w_1 .. w_K.
        null: long (K,), the null label of each kind.
    """

    def __init__(self, model: Callable[..., Tensor], scales: Sequence[float], null: Sequence[int]) -> None:
        self.model, self.config, self.null = model, model.config, torch.tensor(null)
        # The same sum by what the model was told: the first k kinds, k = 0 .. K. What counts 0 is not asked.
        factors = [a - b for a, b in zip([1, *scales], [*scales, 0])]
        self.terms = [(k, factor) for k, factor in enumerate(factors) if factor]

    @property
    def calls(self) -> int:
        """How many pictures go through the network for one."""
        return len(self.terms)

    def __call__(self, x: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        n, kinds = self.calls, torch.arange(len(self.null))
        told = torch.cat([torch.where(kinds < k, labels, self.null) for k, _ in self.terms])
        parts = self.model(torch.cat([x] * n), torch.cat([t] * n), told).chunk(n)
        return sum(factor * part for (_, factor), part in zip(self.terms, parts))


def guided_by_kind(study: Study, scales: Sequence[float]) -> Study:
    """The same study with a guidance scale for each label kind."""
    checkpoint = study.checkpoint
    model = KindGuidance(checkpoint.model, scales, checkpoint.model.null_labels)
    return replace(study, checkpoint=replace(checkpoint, model=model), guidance=1.0)


def variations(study: Study) -> Iterator[tuple[str, str, Study, int]]:
    """(what is varied, its value, a study with that alone changed, network calls a picture).

    The study's own values are left out.
    """
    calls = 2  # a step, with and without labels
    for steps in STEPS:
        if steps != study.steps:
            yield "steps", f"{steps}", replace(study, steps=steps), calls * steps
    for eta in ETAS:
        if eta != study.eta:
            yield "eta", f"{eta:g}", replace(study, eta=eta), calls * study.steps
    for scale in SCALES:
        if scale != study.guidance:
            each = 1 if scale == 1 else calls
            yield "guidance", f"{scale:g}", replace(study, guidance=scale), each * study.steps
    if len(study.kinds) == 1:
        return
    for number, kind in enumerate(study.kinds):
        for scale in SCALES:
            if scale != study.guidance:
                scales = [study.guidance] * len(study.kinds)
                scales[number] = scale
                varied = guided_by_kind(study, scales)
                yield (
                    f"guidance by {kind}",
                    f"{scale:g}",
                    varied,
                    varied.checkpoint.model.calls * study.steps,
                )


def best_strength(kids: dict[float, float], less: Callable[[float, float], tuple[float, float]]) -> float:
    """The smallest strength up to LARGEST_STRENGTH whose KID is within one standard error of the lowest.

    The one-standard-error rule (Breiman et al. 1984, "Classification and Regression Trees", section 3.4.3):
    of what is not measurably worse than the best, the simplest; here, the truest to the drawing.

    Args:
        kids: strength -> KID.
        less: (strength, lowest) -> the difference of their KIDs, and its standard error.
    """
    allowed = sorted(strength for strength in kids if strength <= LARGEST_STRENGTH)
    lowest = min(allowed, key=kids.get)
    for strength in allowed:
        value, error = less(strength, lowest)
        if strength == lowest or value <= error:
            return strength
    raise AssertionError("unreachable")


def strength_curve(study: Study, kind: str) -> dict:
    """One kind of input over the strengths, realism against faithfulness, and the strength the rule picks."""
    labels, groups = study.brought.labels, study.brought.groups
    real = study.features(as_x0(study.brought_framed, study.size))
    source = study.inputs[kind]
    made, rows = {}, {}
    for strength in (0.0, *STRENGTHS):
        x0 = source if strength == 0 else study.repainted(kind, strength)
        made[strength] = seen(study, x0, labels)
        steps = len(edit_timesteps(strength, study.steps, study.checkpoint.schedule.num_train_timesteps))
        rows[f"{strength:g}"] = quality(made[strength], real, groups) | {
            "l2": mean(low_pass_agreement(x0, source)[0]),
            "calls": 2 * steps,
        }
    kids = {strength: rows[f"{strength:g}"]["kid"]["value"] for strength in STRENGTHS}
    lowest = min((s for s in kids if s <= LARGEST_STRENGTH), key=kids.get)
    for strength, seen_at in made.items():
        rows[f"{strength:g}"]["difference"] = difference(seen_at, made[lowest], real, groups)

    def less(strength: float, other: float) -> tuple[float, float]:
        return kid_difference(made[strength].features, made[other].features, real, groups, groups)

    return {"strengths": rows, "lowest": lowest, "best": best_strength(kids, less)}


def sampling(study: Study, drawings: int) -> Iterator[dict]:
    """Draw in every way and measure; yields the numbers so far after each, the whole at the end.

    Args:
        study: its steps, guidance and eta are what the variations are compared with.
        drawings: how many inputs of each kind.
    """
    labels, groups = study.held_out.labels, study.held_out.groups
    real = seen(study, study.real, labels)
    usual = seen(study, study.generated, labels)
    result: dict = {
        "pictures": len(labels),
        "features": real.features.shape[1],
        "real": {"accuracy": {kind: mean(right) for kind, right in real.right.items()}},
        "usual": quality(usual, real.features, groups) | {"calls": 2 * study.steps},
        "varied": {},
        "inputs": {},
    }
    yield result
    for what, value, varied, calls in variations(study):
        made = seen(study, varied.generated, labels)
        result["varied"].setdefault(what, {})[value] = quality(made, real.features, groups) | {
            "difference": difference(made, usual, real.features, groups),
            "calls": calls,
        }
        yield result
    # A study takes every eighth of its held-out pictures for inputs.
    many = replace(study, count=8 * drawings)
    result["drawings"] = len(many.brought)
    for kind in INPUTS:
        result["inputs"][kind] = strength_curve(many, kind)
        yield result


# ---------------------------------------------------------------------- the command line


def machine() -> str:
    """What this runs on: the processor's name where it is known, threads, and PyTorch's version."""
    names = Path("/proc/cpuinfo")
    lines = names.read_text().splitlines() if names.exists() else []
    found = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    threads = torch.get_num_threads()
    name = found[0] if found else platform.machine()
    return f"{name}, {threads} thread{'s' * (threads > 1)}, PyTorch {torch.__version__}"


def portable(path: str) -> str:
    """A path as it may be published: from the working folder down, or else its last name."""
    full, here = Path(path).resolve(), Path.cwd()
    return str(full.relative_to(here)) if full.is_relative_to(here) else full.name


def command(args: argparse.Namespace) -> str:
    """The command line that was given, without the machine's paths."""
    words = ["python", "-m", "diffusion.evaluate.ablate", args.what]
    if args.what == "sampling":
        words.append(portable(args.checkpoint))
    words += ["--data", *map(portable, args.data), "--judge", portable(args.judge)]
    words += ["--out", portable(args.out)]
    for name in ("samples", "seeds", "count", "drawings", "hold_out"):
        if hasattr(args, name):
            words += [f"--{name.replace('_', '-')}", f"{getattr(args, name):g}"]
    return shlex.join(words)


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(
        "python -m diffusion.evaluate.ablate", description="Change one setting at a time."
    )
    whats = p.add_subparsers(dest="what", required=True)
    t = whats.add_parser("training", help="train a small network for each variant")
    s = whats.add_parser("sampling", help="draw with one checkpoint in different ways")
    g = whats.add_parser("page", help="write ABLATIONS.md again from the numbers in a folder")
    s.add_argument("checkpoint")
    for q in (t, s):
        q.add_argument("--data", nargs="+", required=True, help="the data the judge was trained on")
        q.add_argument("--judge", required=True, help="made by diffusion.evaluate.judge, for the same labels")
        q.add_argument("--hold-out", type=float, default=0.1, help="as in training (default: 0.1)")
    for q in (t, s, g):
        q.add_argument("--out", required=True, help="folder for ABLATIONS.md and its numbers")
    t.add_argument("--samples", type=int, default=40_000, help="pictures each run sees (default: 40000)")
    t.add_argument("--seeds", type=int, default=4, help="runs of the base (default: 4)")
    t.add_argument("--count", type=int, default=256, help="pictures each network draws (default: 256)")
    s.add_argument("--count", type=int, default=128, help="pictures from noise, each way (default: 128)")
    s.add_argument("--drawings", type=int, default=64, help="inputs of each kind (default: 64)")
    return p


def start_training(args: argparse.Namespace) -> Iterator[dict]:
    """Check the arguments and load what they name; what comes back does the work."""
    steps = args.samples // BASE.batch_size
    if steps < 1:
        raise ValueError(f"--samples must be at least {BASE.batch_size}, one step, not {args.samples}.")
    if args.seeds - 1 not in T95:
        raise ValueError(f"--seeds must be between 2 and {max(T95) + 1}, not {args.seeds}.")
    base, judge = replace(BASE, steps=steps), load_judge(args.judge)
    pictures = load_pictures(args.data, 2 * base.image_size, args.hold_out)
    if judge.label_names != pictures.label_names:
        raise JudgeError("The judge knows other labels than the pictures have: train it on the same data.")
    if not pictures.held_out.any():
        raise DataError("No picture is held out, so there is nothing to compare with: raise --hold-out.")
    Path(args.out).mkdir(parents=True, exist_ok=True)
    return training(pictures, judge, base, args.seeds, args.count, Path(args.out))


def start_sampling(args: argparse.Namespace) -> Iterator[dict]:
    """Check the arguments and load what they name; what comes back does the work."""
    checkpoint, judge = load_checkpoint(args.checkpoint), load_judge(args.judge)
    pictures = load_pictures(args.data, 2 * checkpoint.image_size, args.hold_out)
    check(checkpoint, judge, pictures)
    study = Study(checkpoint, judge, pictures, judge.features, count=args.count)
    return sampling(study, args.drawings)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; errors are one line on stderr and exit status 2."""
    args = parser().parse_args(argv)
    out = Path(args.out)
    try:
        if args.what != "page":
            if args.count < 1:
                raise ValueError(f"--count must be at least 1, not {args.count}.")
            started = time.monotonic()
            about = {"command": command(args), "machine": machine()}
            start = {"training": start_training, "sampling": start_sampling}[args.what]
            for result in start(args):
                out.mkdir(parents=True, exist_ok=True)
                # After each part, so that a run that is stopped leaves what it knows.
                minutes = {"minutes": round((time.monotonic() - started) / 60, 1)}
                text = json.dumps(finite(about | minutes | result), indent=1)
                (out / f"ablations-{args.what}.json").write_text(text + "\n")
        write_page(out)
    except (CheckpointError, DataError, JudgeError, ValueError) as error:
        print(f"ablate: {error}", file=sys.stderr)
        return 2
    print(f"Done: {out / 'ABLATIONS.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

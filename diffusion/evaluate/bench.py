"""Time and floating-point operations of sampling: `python -m diffusion.evaluate.bench CHECKPOINT`.

Other programs slow a machine down by more than what is compared here, so the ways to sample are timed in
turns within one run, and compared as ratios.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from ..checkpoint import load_checkpoint
from ..denoiser import Guidance
from ..options import REQUIRED, command, option, parse
from ..sampler import USUAL, Sampling
from ..schedule import PerPicture
from ..sdedit import edit


@dataclass(frozen=True)
class BenchSettings:
    """What is timed, and how often."""

    checkpoint: str = option(REQUIRED, "the model", positional=True)
    steps: int = option(USUAL.steps, "denoising steps", low=1)
    repeats: int = option(5, "turns of which the median is taken", low=1)


def gflop(call: Callable[[], object]) -> float:
    """Floating-point operations of a call, in units of 10^9; a multiply-add counts as two."""
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops() / 1e9


def seconds_in_turns(calls: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median seconds of each call, A B A B ..., after one uncounted turn."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats + 1):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            if turn:
                times[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in times.items()}


@command("bench")
def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    args = parse(BenchSettings, "python -m diffusion.evaluate.bench", "What a checkpoint costs to run.", argv)
    checkpoint = load_checkpoint(args.checkpoint)
    size, model = checkpoint.image_size, checkpoint.model
    image, t = torch.zeros(1, 3, size, size), torch.zeros(1)

    def run(guidance: PerPicture | Guidance) -> None:
        for _ in edit(checkpoint, image, {}, Sampling(strength=1.0, steps=args.steps, guidance=guidance)):
            pass

    @torch.no_grad()
    def calls() -> None:
        for _ in range(args.steps):
            model(image, t)

    cost = gflop(lambda: model(image, t))
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{parameters / 1e6:.1f} M parameters, {cost:.2f} GFLOP per call at {size} x {size}.")
    times = seconds_in_turns(
        {"model alone": calls, "guidance off": lambda: run(1.0), "guidance on": lambda: run(USUAL.guidance)},
        args.repeats,
    )
    for name, value in times.items():
        ratio = value / times["model alone"]
        print(f"{name:12}  {1000 * value / args.steps:6.1f} ms per step, {ratio:.2f} x the model alone")


if __name__ == "__main__":
    sys.exit(main())

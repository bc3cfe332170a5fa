"""What a checkpoint costs to run here: `python -m diffusion.evaluate.bench CHECKPOINT`.

Times on shared machines wander, so two ways are always timed in turns within one run and compared as a ratio.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

from ..checkpoint import CheckpointError, load_checkpoint
from ..sdedit import edit


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


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "python -m diffusion.evaluate.bench", description="What a checkpoint costs to run."
    )
    parser.add_argument("checkpoint")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args(argv)
    try:
        checkpoint = load_checkpoint(args.checkpoint)
    except CheckpointError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    size, model = checkpoint.image_size, checkpoint.model
    image, t = torch.zeros(1, 3, size, size), torch.zeros(1)

    def run(guidance_scale: float) -> None:
        for _ in edit(
            checkpoint, image, {}, strength=1.0, num_inference_steps=args.steps, guidance_scale=guidance_scale
        ):
            pass

    @torch.no_grad()
    def calls() -> None:
        for _ in range(args.steps):
            model(image, t)

    cost = gflop(lambda: model(image, t))
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{parameters / 1e6:.1f} M parameters, {cost:.2f} GFLOP per call at {size} x {size}.")
    times = seconds_in_turns(
        {"model alone": calls, "guidance off": lambda: run(1.0), "guidance on": lambda: run(2.0)},
        args.repeats,
    )
    for name, value in times.items():
        ratio = value / times["model alone"]
        print(f"{name:12}  {1000 * value / args.steps:6.1f} ms per step, {ratio:.2f} x the model alone")
    return 0


if __name__ == "__main__":
    sys.exit(main())

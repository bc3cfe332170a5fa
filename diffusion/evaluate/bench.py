"""What a checkpoint costs to run and to train on this machine.

    python -m diffusion.evaluate.bench checkpoints/doodle-64.safetensors --out runs/bench

Other programs slow a machine down by more than what is compared here, so all that is compared is timed in
turns within one run. Leaves bench.json and BENCH.md where a folder is named.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from .. import __version__
from ..checkpoint import load_checkpoint
from ..files import write_text
from ..machine import best_precision
from ..options import REQUIRED, command, option, parse
from .bench_parts import PARTS, Bench
from .timings import gflop, table


@dataclass(frozen=True)
class BenchSettings:
    """What is timed, and how often."""

    checkpoint: str = option(REQUIRED, "the model", positional=True)
    parts: tuple[str, ...] = option(tuple(PARTS), "which of them", choices=tuple(PARTS))
    batches: tuple[int, ...] = option((1, 2, 4, 8), "pictures in a call of the network", low=1, high=64)
    sessions: tuple[int, ...] = option((1, 2, 4, 8), "runs at once", low=1, high=64)
    repeats: int = option(5, "turns of which the median is taken", low=1)
    out: str = option("", "folder for bench.json and BENCH.md")


def machine() -> dict[str, str | int]:
    """What it was measured on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    processor = next(iter(names), platform.processor() or platform.machine())
    about: dict[str, str | int] = {"processor": processor, "threads": torch.get_num_threads()}
    return about | {"precision": best_precision(), "torch": torch.__version__, "version": __version__}


@command("bench")
def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    args = parse(BenchSettings, "python -m diffusion.evaluate.bench", "What a checkpoint costs to run.", argv)
    checkpoint = load_checkpoint(args.checkpoint)
    bench = Bench(checkpoint, args.repeats, args.batches, args.sessions)
    about = machine()
    parameters = sum(p.numel() for p in checkpoint.model.parameters()) / 1e6
    cost = gflop(bench.call("fp32", 1))
    side = checkpoint.image_size
    known = ", ".join(f"{name} {value}" for name, value in about.items())
    head = f"{parameters:.1f} M parameters, {cost:.2f} GFLOP a call at {side} x {side}.\n"
    head += f"Medians of {args.repeats}; {known}."
    print(f"{head}\n", flush=True)
    shown, found = [], {}
    for part in args.parts:
        rows = PARTS[part](bench)
        found[part] = [asdict(row) for row in rows]
        shown.append(table(rows))
        print(shown[-1] + "\n", flush=True)
    if args.out:
        name = Path(args.checkpoint).name
        result = {"checkpoint": name, "machine": about, "repeats": args.repeats, "parts": found}
        write_text(Path(args.out) / "bench.json", json.dumps(result, indent=1) + "\n")
        write_text(Path(args.out) / "BENCH.md", f"# {name}\n\n{head}\n\n" + "\n\n".join(shown) + "\n")


if __name__ == "__main__":
    sys.exit(main())

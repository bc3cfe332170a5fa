"""What `bench` measures, each part a function of a `Bench`."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor

from ..checkpoint import Checkpoint
from ..kinds import OUTLINE, STRENGTHS
from ..look import Look, answer_together
from ..machine import PRECISIONS, arithmetic, best_precision, multiplies_bf16
from ..sampler import USUAL, Sampling
from ..sdedit import edit, edit_walk
from .timings import Calls, Row, gflop, seconds_in_turns

AT_REST = Sampling(steps=12, solver="dpm++")  # the page's usual settings
DRAWING = Sampling(steps=7, solver="dpm++")  # and while somebody draws
SIDE = 1024  # of the matrices that say how fast this machine multiplies
TRAINED = 16  # pictures in a step
SPIN = """import torch
torch.set_num_threads(2)
a = torch.ones(512, 512)
print("ready", flush=True)
while True:
    a @ a
"""


@dataclass(frozen=True)
class Bench:
    """What is measured, and how often.

    Attributes:
        batches, sessions: how many pictures in a call; how many runs at once.
    """

    checkpoint: Checkpoint
    repeats: int
    batches: Sequence[int] = (1, 2, 4, 8)
    sessions: Sequence[int] = (1, 2, 4, 8)

    @cached_property
    def painter(self) -> Checkpoint:
        return self.checkpoint.computing(best_precision())

    @property
    def words(self) -> dict[str, str | None]:
        """What is asked for: with nothing asked for nothing would steer."""
        return {kind: names[0] for kind, names in self.checkpoint.label_names.items()}

    @property
    def precisions(self) -> list[str]:
        """Those that this machine has instructions for."""
        return [name for name in PRECISIONS if name != "bf16" or multiplies_bf16()]

    def inputs(self, batch: int) -> tuple[tuple[Tensor, Tensor, Tensor], dict[str, Tensor]]:
        """Arguments of the network."""
        (channels, *size), labels = self.checkpoint.shape, self.checkpoint.encode_labels(batch=batch)
        told = {"drawing": torch.zeros(batch, channels + 1, *size)} if self.checkpoint.takes_lines else {}
        return (torch.zeros(batch, channels, *size), torch.zeros(batch), labels), told

    def call(self, precision: str, batch: int) -> Callable[[], Tensor]:
        """A call of the network."""
        model, (args, told) = self.checkpoint.computing(precision).model, self.inputs(batch)
        return torch.no_grad()(lambda: model(*args, **told))

    def walk(self, checkpoint: Checkpoint, sampling: Sampling, seed: int = 0) -> Iterator:
        """A guided edit of a blank drawing: nothing depends on what is drawn."""
        image = torch.ones(1, *checkpoint.shape)
        seeds = [torch.Generator().manual_seed(seed)]
        return edit_walk(checkpoint, image, self.words, sampling, seeds, None, None, False)

    def paint(self, checkpoint: Checkpoint, sampling: Sampling) -> None:
        """A picture, decoded."""
        image = torch.ones(1, *checkpoint.shape)
        *_, last = edit(checkpoint, image, self.words, sampling)
        checkpoint.codec.decode(last.x0)


def network(bench: Bench) -> list[Row]:
    """Calls of the network, and how near they come to what the machine can multiply."""
    cost = gflop(bench.call("fp32", 1))
    calls: Calls = {}
    for precision in bench.precisions:
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        matrix = torch.ones(SIDE, SIDE, dtype=dtype)
        calls[precision] = partial(torch.matmul, matrix, matrix)
        calls |= {f"{precision}, {n}": bench.call(precision, n) for n in bench.batches}
    seconds = seconds_in_turns(calls, bench.repeats)
    first = seconds[f"fp32, {bench.batches[0]}"] / bench.batches[0]
    rows = []
    for precision in bench.precisions:
        peak = 2 * SIDE**3 / 1e9 / seconds[precision]
        rows.append(Row(f"matrices, {precision}", peak, "GFLOP a second"))
        for n in bench.batches:
            each = seconds[f"{precision}, {n}"] / n
            what = f"a call of {n}, {precision}"
            rows += [
                Row(what, 1000 * each * n, "ms", cost / each / peak, "of the matrices' speed"),
                Row(f"{what}: a picture", 1000 * each, "ms", first / each, "x as fast as alone in fp32"),
            ]
    return rows


def pictures(bench: Bench) -> list[Row]:
    """A whole edit at strength 0.6, in the ways that there are, and at rest at strength 1."""
    plain, painter = bench.checkpoint, bench.painter
    reference = "DDIM, 12 guided calls, fp32"
    calls: Calls = {reference: lambda: bench.paint(plain, replace(USUAL, steering=0.0))}
    steered = ", steered" if plain.guide else ""
    ways = {"DDIM, 12 calls": USUAL, "DPM-Solver++, 7 calls": AT_REST, "while drawing, 4 calls": DRAWING}
    ways["of outlines, DPM-Solver++, 12 calls"] = replace(AT_REST, strength=STRENGTHS[OUTLINE])
    for name, sampling in ways.items():
        calls[f"{name}{steered}, {best_precision()}"] = partial(bench.paint, painter, sampling)
    calls["the first step of any"] = lambda: next(
        edit(painter, torch.ones(1, *painter.shape), bench.words, USUAL)
    )
    if (peer := diffusers_edit(bench)) is not None:
        calls["diffusers' UNet2DModel and DDIMScheduler, 12 guided calls, fp32"] = peer
    seconds = seconds_in_turns(calls, bench.repeats)
    compared = {name: seconds[reference] / each for name, each in seconds.items()}
    return [
        Row(f"a picture: {name}", 1000 * each, "ms", compared[name], "x as fast as the first")
        for name, each in seconds.items()
    ]


def diffusers_edit(bench: Bench) -> Callable[[], object] | None:
    """The same number of calls through the diffusers library, of a network of its own that costs as much."""
    try:
        library: Any = importlib.import_module("diffusers")
    except ImportError:
        return None
    cost, size = gflop(bench.call("fp32", 1)), bench.checkpoint.image_size

    def network(width: int, layers: int) -> torch.nn.Module:
        return library.UNet2DModel(
            size, block_out_channels=(width, 2 * width, 2 * width), layers_per_block=layers,
            down_block_types=("DownBlock2D",) * 3, up_block_types=("UpBlock2D",) * 3,
        )  # fmt: skip

    def farther(shape: tuple[int, int]) -> float:
        with torch.device("meta"):  # nothing is computed
            model, x, t = network(*shape), torch.zeros(1, 3, size, size), torch.zeros(1)
        return abs(gflop(lambda: model(x, t)) - cost)

    model = network(*min([(32, 1), (32, 2), (64, 1), (64, 2)], key=farther)).eval()
    x = torch.zeros(1, 3, size, size)
    scheduler = library.DDIMScheduler(1000, timestep_spacing="trailing")
    scheduler.set_timesteps(USUAL.steps)

    @torch.no_grad()
    def run() -> None:
        state = x
        for t in scheduler.timesteps[-12:]:
            less, more = model(torch.cat([state, state]), t).sample.chunk(2)
            state = scheduler.step(less + 2 * (more - less), t, state).prev_sample

    return run


@contextlib.contextmanager
def neighbour() -> Iterator[int]:
    """A program that keeps two threads busy, asleep until it is sent SIGCONT: its process."""
    env = {**os.environ, "OMP_WAIT_POLICY": "ACTIVE", "OMP_NUM_THREADS": "2"}
    with subprocess.Popen([sys.executable, "-c", SPIN], env=env, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(process.pid, signal.SIGSTOP)
        try:
            yield process.pid
        finally:
            process.kill()


def company(bench: Bench) -> list[Row]:
    """A picture while the machine is as it is, and beside one more program that keeps two threads busy."""
    with neighbour() as other:

        def beside() -> None:
            os.kill(other, signal.SIGCONT)
            bench.paint(bench.painter, AT_REST)
            os.kill(other, signal.SIGSTOP)

        quiet = "a picture by itself"
        calls: Calls = {quiet: lambda: bench.paint(bench.painter, AT_REST), "beside two busy threads": beside}
        seconds = seconds_in_turns(calls, bench.repeats)
    return [
        Row(name, 1000 * each, "ms", each / seconds[quiet], "x the first") for name, each in seconds.items()
    ]


def in_step(walks: Sequence[Iterator]) -> None:
    """Several runs at once, all at the same step, as the page's worker does it."""
    going = list(walks)
    while going:
        items = [(walk, next(walk, None)) for walk in going]
        if looks := [item for _, item in items if isinstance(item, Look)]:
            answer_together(looks)
        going = [walk for walk, item in items if item is not None]


def sessions(bench: Bench) -> list[Row]:
    """Pictures a minute, by how many people ask at once."""

    def many(count: int) -> None:
        in_step([bench.walk(bench.painter, replace(AT_REST, guidance=2.0), seed) for seed in range(count)])

    seconds = seconds_in_turns({str(n): partial(many, n) for n in bench.sessions}, bench.repeats)
    rates = {n: 60 * n / seconds[str(n)] for n in bench.sessions}
    first = rates[bench.sessions[0]]
    return [
        Row(f"{n} at once", rate, "pictures a minute", rate / first, "x the first")
        for n, rate in rates.items()
    ]


def training(bench: Bench) -> list[Row]:
    """Forward and back, by precision, and which one training chooses."""
    model = bench.checkpoint.model
    args, told = bench.inputs(TRAINED)

    def step(precision: str) -> None:
        with arithmetic(precision):
            loss = model(*args, **told).square().mean()
        loss.backward()

    model.requires_grad_(True)
    try:
        seconds = seconds_in_turns({p: partial(step, p) for p in bench.precisions}, bench.repeats)
    finally:
        model.zero_grad()
        model.requires_grad_(False)
    best = min(seconds.values())
    return [
        Row(
            f"training, {p}{', chosen' if p == best_precision() else ''}", TRAINED / each,
            "pictures a second", best / each, "of the best",
        )
        for p, each in seconds.items()
    ]  # fmt: skip


PARTS: dict[str, Callable[[Bench], list[Row]]] = {
    "network": network,
    "pictures": pictures,
    "company": company,
    "sessions": sessions,
    "training": training,
}

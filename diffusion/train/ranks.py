"""Several processes that train one network, each on its share of every batch: torchrun starts them.

Every process draws the random numbers of the whole batch and works on its own rows of it; gradients are
averaged before anything is made of them. So the weights stay the same everywhere, and one process or many,
on one machine or several, take the same steps. Rank 0 keeps the average of the weights and writes the files.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ..errors import DoodleError

PATIENCE = timedelta(hours=2)  # how long the others wait for what one of them does alone


@dataclass(frozen=True)
class Ranks:
    """This process among the others.

    Attributes:
        rank: its number, from 0.
        world: how many there are.
        local: its number on its machine, which is that of its GPU.
    """

    rank: int = 0
    world: int = 1
    local: int = 0

    @property
    def main(self) -> bool:
        """Is it the one that writes?"""
        return self.rank == 0

    def rows(self, n: int) -> slice:
        """Its rows of a batch of n, which is a multiple of `world`."""
        share = n // self.world
        return slice(self.rank * share, (self.rank + 1) * share)

    def average(self, parameters: Iterable[nn.Parameter], loss: Tensor) -> Tensor:
        """Put the mean of all processes' gradients in place of this one's; returns the mean of their losses.

        All in one message. A parameter without a gradient has none anywhere: the network is the same.
        """
        if self.world == 1:
            return loss
        gradients = [p.grad for p in parameters if p.grad is not None]
        message = torch.cat([*(g.flatten() for g in gradients), loss.reshape(1).to(gradients[0])])
        dist.all_reduce(message)
        *means, mean = (message / self.world).split([*(g.numel() for g in gradients), 1])
        for gradient, average in zip(gradients, means):
            gradient.copy_(average.view_as(gradient))
        return mean[0]

    def gathered(self, rows: Tensor) -> Tensor:
        """The rows of all processes, in the batch's order."""
        if self.world == 1:
            return rows
        parts = [torch.empty_like(rows) for _ in range(self.world)]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    def agreed(self, *flags: int) -> list[int]:
        """The largest of each flag that any process has, so that all do the same next."""
        if self.world == 1:
            return list(flags)
        highest = torch.tensor(flags)
        dist.all_reduce(highest, dist.ReduceOp.MAX)
        return highest.tolist()

    @contextmanager
    def one_by_one(self) -> Iterator[None]:
        """What the first process of each machine does before the others: it may fetch what they will find."""
        if self.world > 1 and self.local:
            dist.barrier()
        yield
        if self.world > 1 and not self.local:
            dist.barrier()


ALONE = Ranks()


def shared_by(batch_size: int, world: int) -> None:
    """
    Raises:
        DoodleError: a batch cannot be shared evenly.
    """
    if batch_size % world:
        raise DoodleError(f"A batch of {batch_size} cannot be shared evenly by {world} processes.")


@contextmanager
def joined(batch_size: int) -> Iterator[Ranks]:
    """This process among those that torchrun started, until they are done; alone without torchrun.

    Raises:
        DoodleError: a batch cannot be shared evenly.
    """
    rank, world, local = (int(os.environ.get(name, n)) for name, n in
                          (("RANK", 0), ("WORLD_SIZE", 1), ("LOCAL_RANK", 0)))  # fmt: skip
    if world == 1:
        yield ALONE
        return
    shared_by(batch_size, world)
    # Its functions' default is the group that is there when it is imported, and torch's optimizers import it:
    # a group begun before would outlive its end, and its threads abort an interpreter that is about to exit.
    from torch.distributed.nn import functional  # noqa: F401

    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"  # flags go by the CPU
    dist.init_process_group(backend, timeout=PATIENCE)
    try:
        yield Ranks(rank, world, local)
    finally:
        dist.destroy_process_group()

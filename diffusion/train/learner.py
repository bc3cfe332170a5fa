"""What a run moves forward: the trainer of a network, one step at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from .. import __version__
from ..ema import EMA
from ..machine import arithmetic, chosen_precision
from .config import RunConfig, learning_rate
from .ranks import ALONE, Ranks

B = TypeVar("B")
B_co = TypeVar("B_co", covariant=True)
C = TypeVar("C", bound=RunConfig)


class Stream(Protocol[B_co]):
    """What makes the batches."""

    def since(self, step: int) -> Generator[B_co, None, None]:
        """Those from this step on, without end; closing the generator ends the threads that make them."""


class Learner(ABC, Generic[C, B]):
    """The trainer of a network, with what every one of them has.

    Args:
        config: the settings.
        device: where to train.
        ranks: this process among those that train together.
    """

    model: nn.Module
    batches: Stream[B]

    def __init__(self, config: C, device: torch.device, ranks: Ranks = ALONE) -> None:
        self.config, self.device, self.ranks, self.step = config, device, ranks, 0
        self.precision = chosen_precision(config.precision, device.type)
        self._stream: Generator[B, None, None] | None = None

    def autocast(self) -> AbstractContextManager:
        return arithmetic(self.precision, self.device.type)

    def next_batch(self) -> B:
        """The batch of this step."""
        if self._stream is None:
            self._stream = self.batches.since(self.step)
        return next(self._stream)

    def close(self) -> None:
        """End the threads that make batches."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    @abstractmethod
    def train_step(self) -> Tensor:
        """One optimizer step; returns its loss, a scalar tensor that is not waited for."""

    @abstractmethod
    def validation_loss(self) -> float:
        """The averaged weights' loss on held-out pictures, the same every time; NaN without any."""

    @abstractmethod
    def state_dict(self) -> dict:
        """Everything needed to go on exactly."""

    @abstractmethod
    def load_state_dict(self, state: dict) -> None:
        """Go on from what `state_dict` returned."""


class CodecTrainer(Learner[C, B]):
    """The trainer of a codec's network: one optimizer, one average, one loss a batch."""

    ema: EMA
    optimizer: torch.optim.Optimizer

    @abstractmethod
    def batch_loss(self) -> Tensor:
        """The loss of the next batch, a scalar."""

    def train_step(self) -> Tensor:
        """One optimizer step; returns the loss of its batch (a scalar tensor, not waited for)."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.config, self.step)
        loss = self.batch_loss()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.grad_clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.ema.update(self.model)
        self.step += 1
        return loss.detach()

    def state_dict(self) -> dict:
        return {
            "version": __version__,
            "config": asdict(self.config),
            "step": self.step,
            "model": self.model.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load_state_dict(self, state: dict) -> None:
        """Go on from what `state_dict` returned."""
        self.step = state["step"]
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])


def set_generator(generator: torch.Generator, state: Tensor) -> bool:
    """Set a generator to a state, if that is of its kind of device; each kind has states of its own."""
    try:
        generator.set_state(state.cpu())
    except RuntimeError:
        return False
    return True

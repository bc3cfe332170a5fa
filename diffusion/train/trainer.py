"""The training of a U-Net from pictures.

The idea fits in one function, `Trainer.losses`: noise a picture to a random timestep, ask the network what
was done to it, and compare (DDPM algorithm 1). The network may be shown a crude drawing of the picture
besides, and the noise may lie over that drawing (`noise_over` in losses.py). The rest is what a long run
needs: an average of the weights, a learning rate that warms up and winds down, a state to go on from exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .. import __version__
from ..autoencoder import load_autoencoder
from ..checkpoint import Checkpoint, load_checkpoint
from ..codec import Codec, Pixels
from ..condition import Condition
from ..ema import EMA
from ..prediction import split_output, to_x0_eps, training_target
from ..schedule import NoiseSchedule
from ..unet import UNet
from .batches import Batch, Batches
from .choose import colours_of, evenly, only, sampling_weights
from .class_names import all_names
from .config import TrainConfig, learning_rate
from .data import DataError, PictureSet
from .growth import appended, names_of, new_network, seen_before, told_before
from .importance import LossHistory, importance_weights
from .learner import Learner, set_generator
from .losses import (
    drop_labels,
    loss_weight,
    noise_over,
    sketch_timesteps,
    stratified_timesteps,
    variance_loss,
)
from .muon import new_optimizers
from .perceptual import Perceptual
from .ranks import ALONE, Ranks

HELD_OUT = 256  # held-out pictures that the validation loss is measured on


class Trainer(Learner[TrainConfig, Batch]):
    """Model, optimizers, average and RNG of one run, moved forward one step at a time.

    Args:
        config: the settings.
        pictures: all pictures, held-out ones among them.
        device: where to train.
        ranks: this process among those that train together.
    """

    model: UNet
    batches: Batches

    def __init__(
        self, config: TrainConfig, pictures: PictureSet, device: torch.device, ranks: Ranks = ALONE
    ) -> None:
        super().__init__(config, device, ranks)
        self.start = load_checkpoint(config.init_from) if config.init_from else None
        self.about = all_names(config.names, config.class_names)
        if self.start:
            pictures = pictures.relabelled(appended(self.start, pictures.label_names, self.about))
            self.about = told_before(self.start, self.about)
        self.label_names = pictures.label_names
        if config.only_class:
            pictures = only(pictures, config.only_class)
        train, test = pictures.train(), pictures.test()
        self.pairs = pictures.combinations()
        self.colours = colours_of(train)
        self.codec: Codec = load_autoencoder(config.autoencoder, device) if config.autoencoder else Pixels()
        self.batches = self._batches(train, sampling_weights(train, config.balance), config.augment)
        test = test.subset(evenly(len(test), HELD_OUT))
        still = self._batches(test, torch.ones(len(test)), "none")
        drawn: tuple[Batch | None, list[str | None]] = still.with_drawings() if len(test) else (None, [])
        self.held_out, self.held_out_kinds = drawn[0] and drawn[0].encoded(self.codec), drawn[1]

        self.schedule = NoiseSchedule(config.schedule, config.num_train_timesteps)
        self.generator = torch.Generator(device).manual_seed(config.seed)
        shape = config.network([len(names) for names in self.label_names.values()])
        about = self.schedule, config.prediction_type, self.label_names, self.about
        self.model = new_network(self.start, shape, *about, config.seed).to(device)
        self.model = self.model.to(memory_format=torch.channels_last)
        self.model = self.model.train().requires_grad_(True)
        self.ema = EMA(self.model, config.ema_decay)
        compiled = config.compile == "yes" or (config.compile == "auto" and device.type == "cuda")
        self.forward = torch.compile(self.model) if compiled else self.model
        self.optimizers = new_optimizers(self.model, config.optimizer, config.lr, config.weight_decay)
        looks = config.perceptual, config.perceptual_weight, config.image_size, device
        self.perceptual = Perceptual(*looks) if config.perceptual else None
        self.null = torch.tensor(self.model.null_labels, device=device)
        wanted = config.timesteps == "importance"
        self.history = LossHistory(config.num_train_timesteps) if wanted else None

    def _batches(self, pictures: PictureSet, weights: Tensor, augment: str) -> Batches:
        config = self.config
        return Batches(
            pictures, weights, config.drawing_size, batch_size=config.batch_size, augment=augment,
            sketched=config.sketched, seed=config.seed, workers=config.workers, ranks=self.ranks,
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------- learning

    def condition(self, batch: Batch, labels: Tensor) -> Condition:
        """What the network is told of a batch: labels, and the drawings there are."""
        condition = Condition(labels, self.null.to(labels.device))
        if not self.config.drawing:
            return condition
        return condition.with_drawing(batch.drawing, where=batch.sketched)

    def noised(
        self,
        batch: Batch,
        generator: torch.Generator,
        probabilities: Tensor | None = None,
        ranks: Ranks = ALONE,
    ) -> tuple[Tensor, Tensor]:
        """Timesteps, long (B,), drawn with these probabilities, and the noise over each picture, like x0.

        All random numbers are drawn for the whole batch of which these are the rows of `ranks`.
        """
        config, n = self.config, len(batch.x0) * ranks.world
        rows = ranks.rows(n)
        t = stratified_timesteps(n, config.num_train_timesteps, generator, probabilities)
        t = t[torch.randperm(n, generator=generator, device=t.device)]
        noise = torch.randn((n, *batch.x0.shape[1:]), generator=generator, device=t.device)[rows]
        if config.noise_over:
            t0 = sketch_timesteps(t, config.num_train_timesteps, generator)[rows]
            share = config.noise_over / config.sketched
            over = batch.sketched & (torch.rand(n, generator=generator, device=t.device) < share)[rows]
            drawing = torch.where(over[:, None, None, None], batch.drawing, batch.x0)
            noise = noise_over(batch.x0, drawing, noise, t0, self.schedule)
        return t[rows], noise

    def losses(
        self,
        model: Callable[..., Tensor],
        x0: Tensor,
        condition: Condition,
        t: Tensor,
        noise: Tensor,
        perceptual: Perceptual | None = None,
    ) -> Tensor:
        """DDPM algorithm 1, line 5: how far the network's output for each x_t is from its target. (B,)

        And, where that is asked for, how badly it knows its variance, and how different the picture looks
        that the output means.
        """
        config = self.config
        x_t = self.schedule.add_noise(x0, noise, t)
        target = training_target(config.prediction_type, self.schedule, x0, noise, t)
        drawing = {} if condition.drawing is None else {"drawing": condition.drawing}
        with self.autocast():
            answer = model(x_t, t, condition.labels, **drawing).float()
        output, share = split_output(answer, x0.shape[1])
        compare = F.mse_loss if config.loss == "l2" else F.l1_loss
        losses = compare(output, target, reduction="none").mean(dim=(1, 2, 3))
        weight = loss_weight(config.weighting, config.prediction_type, self.schedule, t)
        losses = losses * weight.to(losses)
        if share is not None:
            said = output, share, x0, x_t, t
            losses = losses + variance_loss(self.schedule, config.prediction_type, *said).to(losses)
        if perceptual:
            predicted, _ = to_x0_eps(config.prediction_type, self.schedule, output, x_t, t)
            with self.autocast():
                losses = losses + perceptual.loss(predicted, x0, t, self.schedule)
        return losses

    def train_step(self) -> Tensor:
        """One optimizer step; returns the mean loss of its batch (a scalar tensor, not waited for).

        The batch is that of all processes: gradients and loss are their mean.
        """
        config = self.config
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(config, self.step)
        with self.autocast():
            batch = self.next_batch().to(self.device).encoded(self.codec)
        # All random numbers are drawn for the whole batch, so that cutting it up changes nothing.
        labels = drop_labels(batch.labels, self.null, config.label_dropout, self.generator, self.ranks)
        probabilities = self.history.probabilities() if self.history else None
        t, noise = self.noised(batch, self.generator, probabilities, self.ranks)
        condition = self.condition(batch, labels)
        total, known = torch.zeros((), device=self.device), []
        for rows in torch.arange(len(t), device=self.device).chunk(config.accumulate):
            part = batch.x0[rows], condition[rows], t[rows], noise[rows]
            losses = self.losses(self.forward, *part, self.perceptual)
            if self.history and probabilities is not None:
                known.append(losses.detach())
                losses = losses * importance_weights(probabilities, t[rows]).to(losses)
            loss = losses.mean()
            (loss * (len(rows) / len(t))).backward()
            total += loss.detach() * (len(rows) / len(t))
        if self.history:
            self.history.add(self.ranks.gathered(t), self.ranks.gathered(torch.cat(known)))
        total = self.ranks.average(self.model.parameters(), total)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.grad_clip)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if self.ranks.main:
            self.ema.update(self.model)
        self.step += 1
        return total

    @torch.no_grad()
    def validation_loss(self) -> float:
        """The averaged weights' loss on held-out pictures, with the same drawings and noise every time."""
        if self.held_out is None:
            return float("nan")
        t, noise = self.noised(self.held_out, torch.Generator().manual_seed(0))
        condition = self.condition(self.held_out, self.held_out.labels)
        total = 0.0
        for rows in torch.arange(len(t)).split(64):
            x0, part = self.held_out.x0[rows].to(self.device), condition[rows].to(self.device)
            times, eps = t[rows].to(self.device), noise[rows].to(self.device)
            total += float(self.losses(self.ema.model, x0, part, times, eps).mean()) * len(rows)
        return total / len(t)

    # ---------------------------------------------------------------------------------------- what it leaves

    def checkpoint(self, **facts: Any) -> Checkpoint:
        """The averaged weights with everything needed to use them; `facts` go into its `training` record."""
        before = self.config.samples_before
        if before < 0:
            before = int(self.start.training.get("samples", 0)) if self.start else 0
        training = {
            "version": __version__,
            "steps": self.step,
            "samples": before + self.step * self.config.batch_size,
            "samples_before": before,
            "config": self.config.record(),
            **facts,
        }
        made = Checkpoint(
            model=self.ema.model,
            schedule=self.schedule,
            codec=self.codec,
            prediction_type=self.config.prediction_type,
            label_names=self.label_names,
            pairs=list(self.pairs),
            colours=self.colours,
            names=names_of(next(iter(self.label_names.values())), self.about),
            credits=list(self.config.credits),
            training=training,
        )
        return seen_before(self.start, made) if self.start else made

    def state_dict(self) -> dict:
        return {
            "version": __version__,
            "config": asdict(self.config),
            "label_names": self.label_names,
            "step": self.step,
            "model": self.model.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "history": self.history.state_dict() if self.history else {},
            "generator": self.generator.get_state(),
            "rng": torch.get_rng_state(),  # dropout draws from the global RNG
            "cuda_rng": torch.cuda.get_rng_state_all(),
        }

    def load_state_dict(self, state: dict) -> None:
        """Go on from what `state_dict` returned.

        Raises:
            DataError: the pictures have other labels than they had.
        """
        if state["label_names"] != self.label_names:
            raise DataError("These pictures have other labels than those this run was begun with.")
        self.step = state["step"]
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        for optimizer, own in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(own)
        if self.history:
            self.history.load_state_dict(state["history"])
        if not set_generator(self.generator, state["generator"]):
            self.generator.manual_seed(self.config.seed + self.step)
            print("This run was on another kind of device: its noise goes on with other random numbers.")
        if not self.ranks.main:  # the dropout of each is its own
            return
        torch.set_rng_state(state["rng"].cpu())
        if self.device.type == "cuda" and state["cuda_rng"]:
            torch.cuda.set_rng_state_all([s.cpu() for s in state["cuda_rng"]])

"""The variational bound of a checkpoint on held-out pictures, in bits per dimension, and its curve over t."""

from __future__ import annotations

import torch
from torch import Tensor
from tqdm import tqdm

from ..bound import in_levels, prior_term, step_term
from ..train.choose import evenly
from .study import Study


def strata(num_train_timesteps: int) -> list[tuple[int, int]]:
    """All timesteps in stretches that double, (first, last) each: 0, 1, 2-3, 4-7, ... T-1.

    Most of the bound lies where there is little noise, so that is where to look closely.
    """
    firsts = [0, *(2**i for i in range(num_train_timesteps.bit_length()) if 2**i < num_train_timesteps)]
    return list(zip(firsts, [first - 1 for first in [*firsts[1:], num_train_timesteps]]))


def spread_over(first: int, last: int, n: int, generator: torch.Generator) -> Tensor:
    """n timesteps of a stretch, long (n,): each is any of them alike, all together evenly spread."""
    points = (torch.randperm(n, generator=generator) + torch.rand((), generator=generator)) / n
    return (first + (points * (last - first + 1)).long()).clamp(max=last)


def bound(study: Study) -> dict:
    """L_T, L_{t-1} by stretches of t, L_0 and their total (DDPM eq. 5), in bits per dimension.

    The sum over t is estimated from one random t of each stretch for each picture, without a bias. The
    network is told the labels, is not guided, and its x0 are clipped, as in sampling.
    """
    schedule = study.checkpoint.schedule
    chosen = study.held_out.subset(evenly(len(study.held_out), max(8, study.count // 4)))
    x0 = in_levels(study.as_trained(chosen))
    generator = torch.Generator().manual_seed(study.seed)
    prior = prior_term(schedule, x0)
    total, bits, sums = prior.clone(), [], []
    stretches = strata(schedule.num_train_timesteps)
    for first, last in tqdm(stretches, desc="bound", leave=False):
        t = spread_over(first, last, len(x0), generator)
        x_t = schedule.add_noise(x0, torch.randn(x0.shape, generator=generator), t)
        seen = study.see(x_t, t, chosen.labels, clip=True)
        log_variance = schedule.log_variance(t, t - 1, x0, 0.0 if seen.share is None else seen.share)
        terms = step_term(schedule, x0, x_t, t, seen.x0, log_variance)
        total += (last - first + 1) * terms
        bits.append(float(terms.mean()))
        sums.append((last - first + 1) * bits[-1])
    return {
        "pictures": len(x0),
        "learned": study.checkpoint.model.config.learned_variance,
        "t": [list(stretch) for stretch in stretches],
        "bits": bits,
        "sums": sums,
        "prior": float(prior.mean()),
        "total": {"value": float(total.mean()), "error": float(total.std() / len(total) ** 0.5)},
    }

"""Made-up models whose answers are known, and runs of them."""

import torch

from diffusion.condition import Condition
from diffusion.denoiser import Denoiser
from diffusion.prediction import Seen
from diffusion.sampler import Sampling, sample
from diffusion.sdedit import edit
from diffusion.solver import DDIM


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def noise(*shape, seed=0, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def nothing(batch):
    """What a model without labels is told."""
    return Condition(torch.zeros(batch, 0, dtype=torch.long), torch.zeros(0, dtype=torch.long))


def steps_of(model, schedule, x, timesteps, solver=None, prediction_type="epsilon", clip=True, **more):
    """`sample` with a made-up model(x, t) that is told nothing."""
    untold = lambda x, t, labels: model(x, t)
    denoiser = Denoiser(untold, schedule, prediction_type, nothing(len(x)), clip=clip)
    return sample(denoiser, x, timesteps, solver or DDIM(), **more)


def one_step(solver, schedule, x, x0, t, t_prev, noise=None, share=None):
    """x_{t_prev} where x0 is seen in x_t, and nobody may be asked again."""
    denoiser = Denoiser(None, schedule, "sample", nothing(len(x)))
    share = None if share is None else torch.full_like(x, share)
    seen = Seen(x0, schedule.eps_from_x0(x, x0, t), share)
    return solver.step(denoiser, x, seen, t, t_prev, noise)


def run(*args, **kwargs):
    """The result of a whole run."""
    *_, last = steps_of(*args, **kwargs)
    return last.x


def wavy(x, t, labels=None):
    """A smooth made-up model that looks at everything it is given."""
    out = torch.sin(3 * x) * 0.5 + torch.cos(t.float() / 100).reshape(-1, 1, 1, 1) * 0.3
    return out if labels is None else out + 0.2 * labels.float().sum(1).reshape(-1, 1, 1, 1)


def result(checkpoint, image, labels=None, *, generator=None, mask=None, after=None, renoise=False, **dials):
    """The end of an edit with these dials."""
    *_, last = edit(checkpoint, image, labels, Sampling(**dials), generator, mask, after, renoise)
    return last.x


def gaussian_oracle(schedule):
    """The exact eps of data N(0.3, 0.25^2), in closed form: no network can do better."""

    def oracle(x, t):
        abar = schedule.abar(t, like=x)
        return (1 - abar).sqrt() * (x - abar.sqrt() * 0.3) / (abar * 0.25**2 + 1 - abar)

    return oracle


def exact_share(schedule, t, t_prev):
    """Where the variance of p(x_prev | x_t) of the same data lies, 0 at the posterior's, 1 at beta.

    It is the posterior's, and that of x0 given x_t as far as the posterior's mean follows x0.
    """
    one, zero = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    follows, variance = schedule.posterior(one, zero, t, t_prev)
    unsure = 1 / (1 / 0.25**2 + schedule.abar(t) / (1 - schedule.abar(t)))
    small, large = schedule.log_variances(t, t_prev, like=one)
    return float(((variance + follows**2 * unsure).log() - small) / (large - small))


class Doubled:
    """A codec in which the model draws half the pixels in each direction."""

    factor, in_pixels = 2, True

    def encode(self, pixels):
        return pixels

    def decode(self, x0):
        return x0.repeat_interleave(2, -1).repeat_interleave(2, -2)

    def preview(self, x):
        return x

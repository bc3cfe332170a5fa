"""Guidance by a classifier's gradient: Bayes' rule, on data whose scores are known in closed form."""

from dataclasses import dataclass
from functools import partial

import pytest
import torch
from torch import Tensor

from diffusion import Condition, Denoiser, NoiseSchedule
from diffusion.classifier_guidance import ByClassifier
from diffusion.denoiser import unguided
from diffusion.prediction import PREDICTION_TYPES, training_target
from diffusion.sampler import sample
from diffusion.schedule import SCHEDULES
from diffusion.solver import DDIM, DDPM
from diffusion.timesteps import spaced_timesteps
from toys import noise

MEANS = torch.tensor(
    [[-0.6, 0.4], [0.5, 0.1], [0.2, -0.7]], dtype=torch.float64
)  # of three kinds of pictures
DEVIATION = 0.15
LABELS, NULL = torch.tensor([[0], [1], [2], [2]]), torch.tensor([3])


def log_densities(schedule, x, t) -> Tensor:
    """log p(x_t | y) of each kind, but for a constant: (B, 3). Pictures are (B, 1, 1, 2)."""
    alpha, sigma = schedule.alpha(t, like=x), schedule.sigma(t, like=x)
    variance = (alpha * DEVIATION) ** 2 + sigma**2
    apart = x.unsqueeze(1) - alpha.unsqueeze(1) * MEANS.reshape(1, 3, 1, 1, 2)
    return (-apart.square() / (2 * variance.unsqueeze(1))).flatten(2).sum(2)


def eps_of(schedule, x, t, log_density) -> Tensor:
    """-sigma grad log p(x_t)."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        (score,) = torch.autograd.grad(log_density(x).sum(), x)
    return -schedule.sigma(t, like=x) * score


@dataclass(frozen=True)
class Exact:
    """The classifier that Bayes' rule gives: p(y | x_t) of the mixture, all kinds equally often."""

    schedule: NoiseSchedule

    def log_likelihood(self, x_t, t, labels):
        return log_densities(self.schedule, x_t, t).log_softmax(1).gather(1, labels)[:, 0]


def unconditional(schedule, prediction_type):
    """The network: exact for the mixture, and deaf to labels."""

    def model(x, t, labels):
        eps = eps_of(schedule, x, t, lambda x: log_densities(schedule, x, t).logsumexp(1))
        return training_target(prediction_type, schedule, schedule.x0_from_eps(x, eps, t), eps, t)

    return model


def guided(schedule, prediction_type, guidance):
    told = Condition(LABELS, NULL)
    model = unconditional(schedule, prediction_type)
    return Denoiser(model, schedule, prediction_type, told, guidance, clip=False)


@pytest.mark.parametrize("kind", SCHEDULES)
@pytest.mark.parametrize("prediction_type", PREDICTION_TYPES)
def test_with_the_exact_classifier_it_is_the_conditional(kind, prediction_type):
    schedule, x = NoiseSchedule(kind), noise(4, 1, 1, 2, dtype=torch.float64)
    if schedule.straight and prediction_type == "epsilon":
        return  # refused
    for t in (3, 300, 700, torch.tensor([3, 300, 700, 900])):
        seen = guided(schedule, prediction_type, ByClassifier(Exact(schedule))).see(x, t)
        conditional = eps_of(schedule, x, t, lambda x, t=t: log_densities(schedule, x, t).gather(1, LABELS))
        torch.testing.assert_close(seen.eps, conditional, rtol=1e-7, atol=1e-7)
        torch.testing.assert_close(schedule.add_noise(seen.x0, seen.eps, t), x)
        assert not seen.x0.requires_grad and seen.share is None


@pytest.mark.parametrize("prediction_type", PREDICTION_TYPES)
def test_the_scale_multiplies_the_gradient_and_0_is_off(prediction_type):
    schedule, x = NoiseSchedule(), noise(4, 1, 1, 2, dtype=torch.float64)
    of = partial(guided, schedule, prediction_type)
    eps = [of(ByClassifier(Exact(schedule), scale))(x, 500)[1] for scale in (0, 1, 2.5)]
    torch.testing.assert_close(eps[0], of(unguided)(x, 500)[1])
    torch.testing.assert_close(eps[2] - eps[0], 2.5 * (eps[1] - eps[0]))
    assert (eps[1] - eps[0]).abs().max() > 0.01


def test_what_a_classifier_says_of_noise_alone_is_left_out():
    schedule, x = NoiseSchedule(), noise(4, 1, 1, 2, dtype=torch.float64)
    steered, free = (guided(schedule, "sample", each) for each in (ByClassifier(Exact(schedule)), unguided))
    assert torch.equal(steered(x, 999)[0], free(x, 999)[0]) and not torch.equal(
        steered(x, 900)[0], free(x, 900)[0]
    )
    t = torch.tensor([999, 999, 900, 900])
    assert (steered(x, t)[0] == free(x, t)[0]).flatten(1).all(1).tolist() == [True, True, False, False]


def test_it_steers_below_a_share_of_the_noise_levels_and_asks_nobody_above():
    schedule, x = NoiseSchedule(), noise(4, 1, 1, 2, dtype=torch.float64)
    asked = []

    class Counted(Exact):
        def log_likelihood(self, x_t, t, labels):
            asked.append(t)
            return super().log_likelihood(x_t, t, labels)

    everywhere, below, free = (
        guided(schedule, "sample", each)
        for each in (ByClassifier(Exact(schedule)), ByClassifier(Counted(schedule), below=0.6), unguided)
    )
    for t, as_if in ((599, everywhere), (600, free), (900, free)):
        assert torch.equal(below(x, t)[0], as_if(x, t)[0])
    assert len(asked) == 1
    t = torch.tensor([599, 600, 100, 900])
    steered = (below(x, t)[0] == everywhere(x, t)[0]).flatten(1).all(1).tolist()
    assert steered == [True, False, True, False]


def test_where_nothing_of_the_picture_is_left_it_stays_as_it_is():
    """The straight path ends with alpha 0, which nothing may be divided by."""
    schedule, x = NoiseSchedule("straight"), noise(4, 1, 1, 2, dtype=torch.float64)
    half = lambda x, t, labels: x / 2
    guidance = ByClassifier(Exact(schedule))
    denoiser = Denoiser(half, schedule, "sample", Condition(LABELS, NULL), guidance, clip=False)
    assert torch.equal(denoiser(x, 999)[0], x / 2) and not torch.equal(denoiser(x, 900)[0], x / 2)


def test_it_samples_the_kind_asked_for():
    """A network that knows the mixture alone, DDIM in 100 steps: all pictures are of their kind."""
    schedule, n = NoiseSchedule("linear"), 600
    labels = torch.arange(3).repeat(n // 3)[:, None]
    denoiser = Denoiser(
        unconditional(schedule, "epsilon"), schedule, "epsilon", Condition(labels, NULL),
        ByClassifier(Exact(schedule)), clip=False,
    )  # fmt: skip
    *_, last = sample(denoiser, noise(n, 1, 1, 2, dtype=torch.float64), spaced_timesteps(100, 999), DDIM())
    for kind in range(3):
        made = last.x[labels[:, 0] == kind].reshape(-1, 2)
        torch.testing.assert_close(made.mean(0), MEANS[kind], rtol=0, atol=0.05)
        torch.testing.assert_close(made.std(0), torch.full((2,), DEVIATION).double(), rtol=0.15, atol=0)


def test_in_ancestral_sampling_it_is_algorithm_1():
    """The mean moves by s Sigma grad, Sigma = beta, but for the factor 1 / sqrt(1 - beta)."""
    schedule, x, s = NoiseSchedule(), noise(4, 1, 1, 2, dtype=torch.float64), 1.7
    by = ByClassifier(Exact(schedule), s)
    steered, free = (guided(schedule, "epsilon", each) for each in (by, unguided))
    for t in (5, 200, 800):
        to, instead_of = (
            DDPM("large").step(denoiser, x, denoiser.see(x, t), t, t - 1, torch.zeros_like(x))
            for denoiser in (steered, free)
        )
        beta = schedule.betas[t]
        expected = s * beta * by.gradient(steered, x, t) / (1 - beta).sqrt()
        torch.testing.assert_close(to - instead_of, expected, rtol=1e-6, atol=1e-9)

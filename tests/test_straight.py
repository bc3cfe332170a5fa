"""The laws of the straight path (Liu et al. 2023; Lipman et al. 2023)."""

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, FlowMatchHeunDiscreteScheduler

from diffusion.checkpoint import Checkpoint
from diffusion.denoiser import Denoiser
from diffusion.prediction import PREDICTION_TYPES
from diffusion.sampler import SOLVERS, Sampling
from diffusion.schedule import NoiseSchedule
from diffusion.sdedit import edit, edit_timesteps
from diffusion.solver import DDIM, DPMSolver, Heun
from diffusion.timesteps import spaced_timesteps
from diffusion.unet import UNet, UNetConfig
from toys import noise, run, seeded, steps_of, wavy

STRAIGHT = NoiseSchedule("straight")


def test_it_leads_from_the_picture_to_noise_alone_in_a_straight_line():
    """x_s = (1 - s) x0 + s eps (RF eq. 1), and v = dx / ds is the same everywhere on it."""
    x0, eps = noise(2, 3, 3, 4, 4, dtype=torch.float64).unbind(0)
    for t in (-1, 0, 249, 999):
        s = (t + 1) / 1000
        torch.testing.assert_close(STRAIGHT.add_noise(x0, eps, t), (1 - s) * x0 + s * eps)
        assert torch.equal(STRAIGHT.velocity(x0, eps, t), eps - x0)
    assert torch.equal(STRAIGHT.add_noise(x0, eps, 999), eps)
    assert (STRAIGHT.alphas_cumprod.diff() < 0).all() and STRAIGHT.alphas_cumprod[-1] == 0
    t = torch.arange(999)
    snr = STRAIGHT.alphas_cumprod[:-1] / (1 - STRAIGHT.alphas_cumprod[:-1])
    torch.testing.assert_close(snr, (STRAIGHT.alpha(t) / STRAIGHT.sigma(t)) ** 2)
    torch.testing.assert_close(STRAIGHT.alphas_cumprod, (1 - STRAIGHT.betas).cumprod(0))


@pytest.mark.parametrize("solver", [DDIM(), Heun(), DPMSolver()])
@pytest.mark.parametrize("timesteps", [[999], [999, 499], [999, 700, 30]])
def test_a_constant_velocity_is_integrated_exactly_in_one_step_or_many(solver, timesteps):
    """Between two points: where all noise leads to one picture each, one Euler step is the whole way."""
    start, end = noise(2, 2, 3, 4, 4, dtype=torch.float64).unbind(0)
    constant = lambda x, t: start - end
    made = run(constant, STRAIGHT, start, timesteps, solver, "v_prediction", clip=False)
    torch.testing.assert_close(made, end, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_ddim_is_flow_matching_s_euler(n):
    """State by state with diffusers' scheduler, which knows nothing but x + (s_prev - s) v."""
    timesteps = spaced_timesteps(n, 999)
    peer = FlowMatchEulerDiscreteScheduler()
    peer.set_timesteps(sigmas=[(t + 1) / 1000 for t in timesteps])
    x = noise(2, 3, 8, 8)
    ours = steps_of(wavy, STRAIGHT, x, timesteps, DDIM(), "v_prediction", clip=False)
    for t, of_theirs, our in zip(timesteps, peer.timesteps, ours, strict=True):
        x = peer.step(wavy(x, torch.full((2,), t)), of_theirs, x).prev_sample
        torch.testing.assert_close(our.x, x, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_heun_is_flow_matching_s_heun(n):
    """The same for the second order; one of our steps is two of theirs, but the last."""
    timesteps = spaced_timesteps(n, 999)
    peer = FlowMatchHeunDiscreteScheduler()
    peer.set_timesteps(n)
    levels = [(t + 1) / 1000 for t in timesteps]
    peer.sigmas = torch.tensor([levels[0], *(s for s in levels[1:] for _ in "ab"), 0.0])
    twice = [timesteps[0], *(t for t in timesteps[1:] for _ in "ab")]
    x, theirs = noise(2, 3, 8, 8), []
    ours = [s.x for s in steps_of(wavy, STRAIGHT, x, timesteps, Heun(), "v_prediction", clip=False)]
    peer.timesteps = (
        torch.arange(len(twice)).flip(0).float()
    )  # which step it is, is all that these are read for
    for i, t in enumerate(twice):
        x = peer.step(wavy(x, torch.full((2,), t)), peer.timesteps[i], x).prev_sample
        if i % 2 or i == len(twice) - 1:
            theirs.append(x)
    for our, their in zip(ours, theirs, strict=True):
        torch.testing.assert_close(our, their, rtol=1e-5, atol=1e-5)


def test_ddim_and_euler_are_one_integral():
    """The same x0 and eps at the same alpha / sigma: DDIM's states are Euler's, times alpha + sigma."""
    kept = NoiseSchedule("cosine")
    x0_of = lambda ratio, x: torch.sin(3 * x) * 0.5 + ratio.cos() * 0.3  # of x / (alpha + sigma)
    levels = [900, 700, 300, 20]  # on the straight path, and the nearest that the other has
    pairs = [(t, int((kept.abar(torch.arange(1000)) - STRAIGHT.abar(t)).abs().argmin())) for t in levels]

    def seen(schedule, x, t):
        alpha, sigma = schedule.alpha(t, like=x), schedule.sigma(t, like=x)
        return x0_of(sigma / alpha, x / (alpha + sigma))

    # Exactly the same levels: the table of the one is put in place of the other's.
    table = {"_alpha": STRAIGHT._alpha.clone(), "_sigma": STRAIGHT._sigma.clone()}
    for t, other in pairs:
        a, s = kept.alpha(other), kept.sigma(other)
        table["_alpha"][t], table["_sigma"][t] = a / (a + s), s / (a + s)
    same = NoiseSchedule("straight")
    for name, values in table.items():
        object.__setattr__(same, name, values)
    x, others = noise(2, 3, 4, 4, dtype=torch.float64), [other for _, other in pairs]
    scale = kept.alpha(others[0]) + kept.sigma(others[0])
    ddim = steps_of(lambda x, t: seen(kept, x, t), kept, x * scale, others, DDIM(), "sample", clip=False)
    euler = steps_of(lambda x, t: seen(same, x, t), same, x, levels, DDIM(), "sample", clip=False)
    for a, b, t in zip(ddim, euler, [*others[1:], -1], strict=True):
        torch.testing.assert_close(a.x / (kept.alpha(t) + kept.sigma(t)), b.x, rtol=1e-9, atol=1e-9)


def gaussian_velocity(x, t):
    """E[eps - x0 | x_s] of data N(0.3, 0.25^2), in closed form."""
    alpha, sigma = STRAIGHT.alpha(t, like=x), STRAIGHT.sigma(t, like=x)
    off = (x - 0.3 * alpha) / (alpha**2 * 0.25**2 + sigma**2)
    return sigma * off - (0.3 + alpha * 0.25**2 * off)


def test_gaussian_data_come_out_and_heun_is_of_higher_order():
    """The flow maps noise to data by x -> a + b x: a and b are the samples' exact mean and deviation."""
    x = torch.tensor([0.0, 1.0], dtype=torch.float64).reshape(2, 1, 1, 1)

    def error(solver, n):
        timesteps = spaced_timesteps(n, 999)
        a, a_plus_b = run(gaussian_velocity, STRAIGHT, x, timesteps, solver, "v_prediction", clip=False)
        assert float(a) == pytest.approx(0.3, abs=1e-9), "the mean is exact in any number of steps"
        return abs(float(a_plus_b - a) - 0.25)

    euler, heun = ([error(solver, n) for n in (10, 20, 40, 100)] for solver in (DDIM(), Heun()))
    assert 1.6 < euler[1] / euler[2] < 2.4 and 3.3 < heun[1] / heun[2] < 4.8, (euler, heun)
    assert heun[-1] < 1e-3 and all(a < b for a, b in zip(heun, euler))


def test_a_network_that_predicts_the_noise_is_refused():
    with pytest.raises(ValueError, match="straight path"):
        Denoiser(None, STRAIGHT, "epsilon", None)


def untrained(prediction_type="v_prediction"):
    torch.manual_seed(0)
    config = UNetConfig(16, 2, channels=(32,), blocks=1, attention=(False,), label_sizes=(3,))
    model = UNet(config).eval().requires_grad_(False)
    torch.nn.init.normal_(model.output.weight, std=0.05)
    return Checkpoint(model, STRAIGHT, prediction_type, {"class": ["a", "b", "c"]})


def test_sdedit_begins_at_the_interpolation():
    """Strength names s: the drawing and the noise in these shares, and the same loop from there."""
    checkpoint, drawing = untrained(), noise(1, 3, 16, 16).clamp(-1, 1)
    first = []
    forward = checkpoint.model.forward
    checkpoint.model.forward = lambda x, *rest: (first.append(x.clone()), forward(x, *rest))[1]
    list(edit(checkpoint, drawing, sampling=Sampling(strength=0.6, guidance=1), generator=seeded(5)))
    eps = torch.randn(1, 3, 16, 16, generator=seeded(5))
    assert edit_timesteps(0.6, 20, 1000)[0] == 599
    torch.testing.assert_close(first[0], 0.4 * drawing + 0.6 * eps)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("prediction_type", PREDICTION_TYPES[1:])
@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_every_solver_starts_from_noise_alone(solver, prediction_type, strength):
    checkpoint, drawing = untrained(prediction_type), noise(2, 3, 16, 16).clamp(-1, 1)
    *_, last = edit(checkpoint, drawing, {"class": "b"}, Sampling(strength, 4, solver=solver), seeded())
    assert torch.isfinite(last.x).all() and last.x.abs().max() <= 1

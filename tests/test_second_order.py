"""Heun and DPM-Solver++(2M): agreement with diffusers, how exact they are, what they ask and remember."""

import pytest
import torch
from diffusers import DPMSolverMultistepScheduler, HeunDiscreteScheduler

from diffusion.prediction import PREDICTION_TYPES
from diffusion.schedule import VARIANCE_PRESERVING, NoiseSchedule
from diffusion.solver import DDIM, DPMSolver, Heun
from diffusion.timesteps import spaced_timesteps
from toys import gaussian_oracle, noise, one_step, run, steps_of, wavy

# ------------------------------------------------------------------ Heun


@pytest.mark.parametrize("kind", VARIANCE_PRESERVING)
@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction"])  # theirs reads no x0
@pytest.mark.parametrize("n", [1, 2, 7])
def test_heun_agrees_with_diffusers(kind, prediction_type, n):
    """State by state, in x / alpha, which theirs walk; one of our steps is two of theirs, but the last."""
    schedule = NoiseSchedule(kind)
    timesteps = spaced_timesteps(n, 850)
    peer = HeunDiscreteScheduler(prediction_type=prediction_type)
    peer.set_timesteps(n)
    ratios = [float(schedule.sigma(t) / schedule.alpha(t)) for t in timesteps]
    peer.sigmas = torch.tensor([ratios[0], *(r for r in ratios[1:] for _ in "ab"), 0.0], dtype=torch.float64)
    twice = [timesteps[0], *(t for t in timesteps[1:] for _ in "ab")]
    peer.timesteps = torch.tensor(twice)
    x = noise(2, 3, 8, 8, dtype=torch.float64)
    ours = [s.x for s in steps_of(wavy, schedule, x, timesteps, Heun(), prediction_type, clip=False)]
    scaled, theirs = x / schedule.alpha(timesteps[0]), []
    for i, t in enumerate(twice):
        output = wavy(scaled * schedule.alpha(t), torch.full((2,), t))
        scaled = peer.step(output, torch.tensor(t), scaled).prev_sample
        if i % 2 or i == len(twice) - 1:
            theirs.append(scaled)
    landed = [*timesteps[1:], -1]
    for our, their, t in zip(ours, theirs, landed, strict=True):
        their = their * schedule.alpha(t)
        assert float((our - their).abs().max() / their.abs().max()) < 1e-5, t


def test_heun_asks_twice_but_for_the_last_step_and_where_noise_is_all_there_is():
    schedule, asked = NoiseSchedule("cosine"), []

    def model(x, t):
        asked.append(int(t[0]))
        return wavy(x, t)

    assert schedule.noise_alone(999) and not schedule.noise_alone(900)
    first, *_ = steps_of(model, schedule, noise(1, 3, 4, 4), [999, 900, 500], Heun())
    assert asked == [999, 900, 500, 500]
    ddim = next(steps_of(wavy, schedule, noise(1, 3, 4, 4), [999, 900, 500]))
    assert torch.equal(first.x, ddim.x)


# ------------------------------------------------------------------ DPM-Solver++(2M)


@pytest.mark.parametrize("kind", VARIANCE_PRESERVING)
@pytest.mark.parametrize("prediction_type", PREDICTION_TYPES)
@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_2m_agrees_with_diffusers(kind, prediction_type, n):
    """State by state; their sigmas are made for other timesteps, so they are given ours, and float32."""
    schedule = NoiseSchedule(kind)
    name = {"linear": "linear", "cosine": "squaredcos_cap_v2"}[kind]
    peer = DPMSolverMultistepScheduler(beta_schedule=name, prediction_type=prediction_type)
    timesteps = spaced_timesteps(n, 850)
    peer.set_timesteps(n)
    peer.timesteps = torch.tensor(timesteps)
    ratios = [float(schedule.sigma(t) / schedule.alpha(t)) for t in timesteps]
    peer.sigmas = torch.tensor([*ratios, 0.0], dtype=torch.float64)
    x = noise(2, 3, 8, 8, dtype=torch.float64)
    ours = steps_of(wavy, schedule, x, timesteps, DPMSolver(), prediction_type, clip=False)
    for t, our in zip(timesteps, ours, strict=True):
        x = peer.step(wavy(x, torch.full((2,), t)), t, x).prev_sample
        assert float((our.x - x).abs().max() / x.abs().max()) < 1e-5, t


def test_2m_s_second_line_is_the_paper_s():
    """sigma_prev / sigma_t x - alpha_prev (exp(-h) - 1) D, written out."""
    schedule = NoiseSchedule("cosine")
    x, x0, before = noise(3, 2, 3, 4, 4, dtype=torch.float64).unbind(0)
    t_last, t, t_prev = 800, 500, 100
    a, s = schedule.alpha, schedule.sigma
    last, now, then = ((a(step) / s(step)).log() for step in (t_last, t, t_prev))
    h, r = then - now, (now - last) / (then - now)
    d = (1 + 1 / (2 * r)) * x0 - 1 / (2 * r) * before
    expected = s(t_prev) / s(t) * x - a(t_prev) * torch.expm1(-h) * d
    solver = DPMSolver().after(t_last, before)
    made = one_step(solver, schedule, x, x0, t, t_prev)
    torch.testing.assert_close(made, expected, rtol=1e-10, atol=1e-10)


def test_2m_begins_and_ends_with_a_step_of_ddim():
    schedule, x = NoiseSchedule(), noise(1, 3, 4, 4)
    first, last = (list(steps_of(wavy, schedule, x, [900, 300], solver)) for solver in (DDIM(), DPMSolver()))
    assert all(torch.equal(a.x, b.x) for a, b in zip(first, last))
    assert not torch.equal(
        run(wavy, schedule, x, [900, 500, 300], DDIM()), run(wavy, schedule, x, [900, 500, 300], DPMSolver())
    )


def test_a_constraint_makes_2m_forget_and_the_solver_itself_never_changes():
    """What it remembers did not lead to the state that was put in place: each step is one of DDIM."""
    schedule, x, solver = NoiseSchedule(), noise(1, 3, 4, 4), DPMSolver()
    constrained = [
        run(wavy, schedule, x, [900, 500, 300, 100], each, constrain=lambda x, t: x * 0.9)
        for each in (solver, DDIM())
    ]
    assert torch.equal(*constrained)
    free = [run(wavy, schedule, x, [900, 500, 300, 100], solver) for _ in range(2)]
    assert torch.equal(*free) and solver.last is None


# ------------------------------------------------------------------ how exact


def test_heun_and_2m_are_of_second_order_and_ddim_of_first():
    """Gaussian data, N(0.3, 0.25^2): the way from one noise level to another is known in closed form.

    x_t is normal with mean 0.3 alpha and variance v = (0.25 alpha)^2 + sigma^2, and the flow keeps how many
    deviations away from the mean it is.
    """
    schedule = NoiseSchedule("linear", 100_000)
    level = torch.linspace(1.0, -1.0, 257, dtype=torch.float64)  # ln(sigma / alpha), evenly
    known = (schedule.sigma(torch.arange(100_000)) / schedule.alpha(torch.arange(100_000))).log()
    grid = torch.searchsorted(known, level).tolist()
    x = torch.tensor([-1.0, 0.5, 2.0], dtype=torch.float64).reshape(3, 1, 1, 1)

    def moments(t):
        alpha, sigma = schedule.alpha(t), schedule.sigma(t)
        return 0.3 * alpha, ((0.25 * alpha) ** 2 + sigma**2).sqrt()

    (mean, deviation), (mean_to, deviation_to) = moments(grid[0]), moments(grid[-1])
    exact = mean_to + (x - mean) / deviation * deviation_to

    def error(solver, n):
        states = list(steps_of(gaussian_oracle(schedule), schedule, x, grid[:: 256 // n], solver, clip=False))
        return float((states[n - 1].x - exact).abs().max())  # where the last of the grid begins

    for solver, order in ((DDIM(), 1), (Heun(), 2), (DPMSolver(), 2)):
        errors = [error(solver, n) for n in (8, 16, 32, 64)]
        for coarse, fine in zip(errors, errors[1:]):
            assert 0.75 * 2**order < coarse / fine < 1.35 * 2**order, (order, errors)
    assert max(error(Heun(), 16), error(DPMSolver(), 16)) < error(DDIM(), 64)

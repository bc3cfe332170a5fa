"""The laws of DDIM, DDPM and DPM-Solver++, on made-up models whose answers are known."""

import pytest
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler

from diffusion.prediction import PREDICTION_TYPES
from diffusion.schedule import SCHEDULES, NoiseSchedule
from diffusion.solver import DDIM, DPMSolver
from diffusion.timesteps import spaced_timesteps
from toys import gaussian_oracle, noise, run, steps_of, wavy

# ------------------------------------------------------------------ DDIM


def test_golden_number():
    """Linear betas, ten leading steps, eta 0, no clipping, eps = x t / (t + 1): a number known elsewhere."""
    x = (torch.arange(768) / 768).reshape(3, 8, 8, 4).permute(3, 0, 1, 2)
    model = lambda x, t: x * (t / (t + 1)).reshape(-1, 1, 1, 1)
    schedule = NoiseSchedule("linear")
    result = run(model, schedule, x, spaced_timesteps(10, 999, "leading"), clip=False)
    assert float(result.abs().sum()) == pytest.approx(172.0067, abs=5e-4)


@pytest.mark.parametrize("kind", SCHEDULES)
@pytest.mark.parametrize("prediction_type", PREDICTION_TYPES)
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("clip", [False, True])
def test_a_run_agrees_with_diffusers(kind, prediction_type, eta, clip):
    schedule = NoiseSchedule(kind)
    name = {"linear": "linear", "cosine": "squaredcos_cap_v2"}[kind]
    peer = DDIMScheduler(beta_schedule=name, prediction_type=prediction_type, clip_sample=clip)
    peer.alphas_cumprod = schedule.alphas_cumprod  # theirs are float32; compare the method, not the rounding
    peer.final_alpha_cumprod = torch.ones((), dtype=torch.float64)
    peer.set_timesteps(10)
    # Below t = 1000 the cosine schedule's abar is so small that x0 from eps loses every digit: start lower.
    timesteps = [t for t in peer.timesteps.tolist() if t < 850]
    x = noise(2, 3, 8, 8, dtype=torch.float64)
    generator = torch.Generator().manual_seed(1)
    ours = [
        s.x
        for s in steps_of(wavy, schedule, x, timesteps, DDIM(eta), prediction_type, clip, generator=generator)
    ]
    generator = torch.Generator().manual_seed(1)
    for t, our in zip(timesteps, ours):
        z = torch.randn(x.shape, generator=generator).double() if eta and t > 0 else None
        output = wavy(x, torch.full((2,), t))
        x = peer.step(output, t, x, eta=eta, use_clipped_model_output=True, variance_noise=z).prev_sample
        error = (our - x).abs().max() / x.abs().max()
        assert error < 1e-5, (t, float(error))


def test_eta_1_is_ddpm():
    """DDIM's eq. 12 at eta = 1 draws from DDPM's posterior, eq. 6-7, for single and skipped steps."""
    schedule = NoiseSchedule("linear")
    x, x0, z = noise(3, 2, 3, 4, 4, dtype=torch.float64).unbind(0)
    for t, t_prev in [(999, 998), (500, 499), (500, 300), (1, 0), (20, -1)]:
        eps = schedule.eps_from_x0(x, x0, t)
        mean, variance = schedule.posterior(x0, x, t, t_prev)
        expected = mean + variance.sqrt() * z
        torch.testing.assert_close(
            DDIM(1.0).step(schedule, x, x0, eps, t, t_prev, z), expected, rtol=1e-9, atol=1e-9
        )


def test_eta_0_is_euler_in_sigma_space():
    """With x~ = x / sqrt(abar), sigma = sqrt(1/abar - 1): dx~ = eps dsigma (DDIM section 4.3)."""
    schedule = NoiseSchedule("linear")
    sigma = lambda t: (1 / schedule.abar(t) - 1).sqrt()
    timesteps = [981, 700, 699, 333, 40, 3]
    x = noise(2, 3, 4, 4, dtype=torch.float64)
    scaled = x / schedule.abar(timesteps[0]).sqrt()
    for t, t_prev in zip(timesteps, [*timesteps[1:], -1]):
        eps = wavy(scaled * schedule.abar(t).sqrt(), torch.full((2,), t))
        scaled = scaled + eps * (sigma(t_prev) - sigma(t))
    result = run(wavy, schedule, x, timesteps, clip=False)
    torch.testing.assert_close(result, scaled, rtol=1e-8, atol=1e-8)


def test_ddim_samples_a_gaussian():
    """DDIM maps noise to data by x -> a + b x, so a and |b| are the samples' exact mean and deviation."""
    schedule = NoiseSchedule("linear")
    deviations = []
    for n in (10, 50, 250, 1000):
        x = torch.tensor([0.0, 1.0], dtype=torch.float64).reshape(2, 1, 1, 1)
        timesteps = spaced_timesteps(n, 999, "leading")
        a, a_plus_b = run(gaussian_oracle(schedule), schedule, x, timesteps, clip=False).flatten().tolist()
        assert a == pytest.approx(0.3, abs=1e-3)
        deviations.append(a_plus_b - a)
    assert deviations == sorted(deviations)  # more steps, nearer to 0.25
    assert deviations[-1] == pytest.approx(0.2486, abs=1e-4)


def test_ddpm_samples_a_gaussian():
    """Ancestral sampling (eta 1) draws from the same distribution: mean and deviation of many samples."""
    schedule = NoiseSchedule("linear")
    g = torch.Generator().manual_seed(0)
    x = noise(10_000, 1, 1, 1)
    timesteps = spaced_timesteps(1000, 999)
    result = run(gaussian_oracle(schedule), schedule, x, timesteps, DDIM(1.0), generator=g, clip=False)
    assert float(result.mean()) == pytest.approx(0.3, abs=0.01)  # four standard errors
    assert float(result.std()) == pytest.approx(0.2486, abs=0.007)


@pytest.mark.parametrize("eta", [-0.1, 1.1, (0.0, 1.1), float("nan")])
def test_eta_out_of_range_is_refused(eta):
    with pytest.raises(ValueError, match="eta"):
        DDIM(eta)


def test_a_noisy_step_without_noise_is_refused():
    x = noise(1, 3, 4, 4)
    with pytest.raises(ValueError, match="noise"):
        DDIM(0.5).step(NoiseSchedule(), x, x, x, 500, 300)


# ------------------------------------------------------------------ DPM-Solver++(2M)


@pytest.mark.parametrize("kind", SCHEDULES)
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
    made = solver.step(schedule, x, x0, schedule.eps_from_x0(x, x0, t), t, t_prev)
    torch.testing.assert_close(made, expected, rtol=1e-10, atol=1e-10)


def test_2m_is_of_second_order_and_ddim_of_first():
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

    for solver, order in ((DDIM(), 1), (DPMSolver(), 2)):
        errors = [error(solver, n) for n in (8, 16, 32, 64)]
        for coarse, fine in zip(errors, errors[1:]):
            assert 0.75 * 2**order < coarse / fine < 1.35 * 2**order, (order, errors)
    assert error(DPMSolver(), 16) < error(DDIM(), 64)


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


# ------------------------------------------------------------------ another path


class Straight(NoiseSchedule):
    """The straight path of rectified flow (Liu et al. 2023): x_t = (1 - u) x0 + u eps, u = (t + 1) / T."""

    def _share(self, t):
        return (torch.as_tensor(t, dtype=torch.float64) + 1) / self.num_train_timesteps

    def alpha(self, t, like=None):
        value = 1 - self._share(t)
        return value if like is None else value.reshape(-1, *[1] * (like.ndim - 1))

    def sigma(self, t, like=None):
        value = self._share(t)
        return value if like is None else value.reshape(-1, *[1] * (like.ndim - 1))


@pytest.mark.parametrize("solver", [DDIM(), DDIM(1.0), DPMSolver()])
def test_a_straight_path_is_another_schedule(solver):
    """Gaussian data again, by its exact x0: conversions and solvers ask for alpha and sigma alone."""
    schedule = Straight()

    def oracle(x, t):
        alpha, sigma = schedule.alpha(t, like=x), schedule.sigma(t, like=x)
        return 0.3 + alpha * 0.25**2 / (alpha**2 * 0.25**2 + sigma**2) * (x - alpha * 0.3)

    x, generator = noise(20_000, 1, 1, 1, dtype=torch.float64), torch.Generator().manual_seed(1)
    timesteps = spaced_timesteps(500, 999)  # from nothing but noise: alpha is 0 there
    made = run(oracle, schedule, x, timesteps, solver, "sample", clip=False, generator=generator)
    assert float(made.mean()) == pytest.approx(0.3, abs=0.01)
    assert float(made.std()) == pytest.approx(0.25, abs=0.012)

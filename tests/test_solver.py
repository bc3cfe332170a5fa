"""The laws of DDIM, DDPM, Heun and DPM-Solver++, on made-up models whose answers are known."""

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler

from diffusion.prediction import PREDICTION_TYPES
from diffusion.schedule import VARIANCE_PRESERVING, NoiseSchedule
from diffusion.solver import DDIM, DDPM, VARIANCES, DPMSolver, Heun
from diffusion.timesteps import spaced_timesteps
from toys import exact_share, gaussian_oracle, noise, one_step, run, seeded, steps_of, wavy

# ------------------------------------------------------------------ DDIM


def test_golden_number():
    """Linear betas, ten leading steps, eta 0, no clipping, eps = x t / (t + 1): a number known elsewhere."""
    x = (torch.arange(768) / 768).reshape(3, 8, 8, 4).permute(3, 0, 1, 2)
    model = lambda x, t: x * (t / (t + 1)).reshape(-1, 1, 1, 1)
    schedule = NoiseSchedule("linear")
    result = run(model, schedule, x, spaced_timesteps(10, 999, "leading"), clip=False)
    assert float(result.abs().sum()) == pytest.approx(172.0067, abs=5e-4)


@pytest.mark.parametrize("kind", VARIANCE_PRESERVING)
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
        mean, variance = schedule.posterior(x0, x, t, t_prev)
        expected = mean + variance.sqrt() * z
        torch.testing.assert_close(
            one_step(DDIM(1.0), schedule, x, x0, t, t_prev, z), expected, rtol=1e-9, atol=1e-9
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


def test_with_the_exact_variance_ddpm_samples_a_gaussian_in_any_number_of_steps():
    """As iDDPM found of learnt ones: fewer steps do. DDIM with eta 1 takes it as well."""
    for n in (5, 20, 100):
        for solver in (DDPM(), DDIM(1.0)):
            mean, deviation = samples_of_a_gaussian(solver, n, exact_share)
            assert mean == pytest.approx(0.3, abs=2e-3)
            assert deviation == pytest.approx(0.25, abs=1e-3)  # the last step, from t = 0, adds no noise
    assert samples_of_a_gaussian(DDPM(), 20) == samples_of_a_gaussian(DDPM("small"), 20), "nothing is learnt"
    half = lambda *_: 0.5
    assert samples_of_a_gaussian(DDPM("large"), 20, half) == samples_of_a_gaussian(DDPM("large"), 20)


@pytest.mark.parametrize("eta", [-0.1, 1.1, (0.0, 1.1), float("nan")])
def test_eta_out_of_range_is_refused(eta):
    with pytest.raises(ValueError, match="eta"):
        DDIM(eta)


def test_a_noisy_step_without_noise_is_refused():
    x = noise(1, 3, 4, 4)
    with pytest.raises(ValueError, match="noise"):
        one_step(DDIM(0.5), NoiseSchedule(), x, x, 500, 300)
    with pytest.raises(ValueError, match="noise"):
        one_step(DDPM(), NoiseSchedule(), x, x, 500, 300)


# ------------------------------------------------------------------ DDPM


@pytest.mark.parametrize("kind", VARIANCE_PRESERVING)
@pytest.mark.parametrize("prediction_type", PREDICTION_TYPES)
@pytest.mark.parametrize("variance", ["small", "large"])
@pytest.mark.parametrize("n", [10, 1000])
def test_ddpm_agrees_with_diffusers(kind, prediction_type, variance, n):
    """State by state, for all steps (the last of them) and for a sub-sequence."""
    schedule = NoiseSchedule(kind)
    name = {"linear": "linear", "cosine": "squaredcos_cap_v2"}[kind]
    peer = DDPMScheduler(
        beta_schedule=name, prediction_type=prediction_type, variance_type=f"fixed_{variance}"
    )
    peer.alphas_cumprod = schedule.alphas_cumprod  # theirs are float32; compare the method, not the rounding
    peer.one = torch.ones((), dtype=torch.float64)
    peer.set_timesteps(n)
    timesteps = [t for t in peer.timesteps.tolist() if t < 850][-20:]
    x = noise(2, 3, 8, 8)
    ours = steps_of(wavy, schedule, x, timesteps, DDPM(variance), prediction_type, generator=seeded(1))
    theirs = seeded(1)
    for t, our in zip(timesteps, ours, strict=True):
        output = wavy(x, torch.full((2,), t))
        x = peer.step(output, t, x, generator=theirs).prev_sample
        assert float((our.x - x).abs().max() / x.abs().max()) < 1e-5, t


def test_ddpm_is_ddim_with_eta_1():
    """Given the same noise; with the large variance it is what DDIM's section 5 calls sigma hat."""
    schedule = NoiseSchedule("linear")
    x, x0, z = noise(3, 2, 3, 4, 4, dtype=torch.float64).unbind(0)
    for t, t_prev in [(999, 998), (500, 300), (1, 0), (20, -1)]:
        for variance in VARIANCES:
            a, b = (
                one_step(solver, schedule, x, x0, t, t_prev, z)
                for solver in (DDPM(variance), DDIM(1.0, variance))
            )
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)
        hat = (1 - schedule.abar(t) / schedule.abar(t_prev)).sqrt()
        large, none = (one_step(DDPM("large"), schedule, x, x0, t, t_prev, each) for each in (z, 0 * z))
        torch.testing.assert_close(large - none, hat * z if t_prev >= 0 else 0 * z, rtol=1e-9, atol=1e-9)


def samples_of_a_gaussian(solver, n, share=lambda *_: None):
    """Each step maps x to a x + b and adds noise, so the mean and deviation of all samples are exact."""
    schedule, mean, spread = NoiseSchedule("linear"), 0.0, 1.0
    oracle, timesteps = gaussian_oracle(schedule), spaced_timesteps(n, 999, "linspace")
    x, z = torch.tensor([[0, 1, 0], [0, 0, 1]], dtype=torch.float64).reshape(2, 3, 1, 1, 1)
    for t, t_prev in zip(timesteps, [*timesteps[1:], -1]):
        x0, said = schedule.x0_from_eps(x, oracle(x, t), t), share(schedule, t, t_prev)
        landed = one_step(solver, schedule, x, x0, t, t_prev, z, said)
        b, a_plus_b, b_plus_s = landed.flatten().tolist()
        mean, spread = (a_plus_b - b) * mean + b, (a_plus_b - b) ** 2 * spread + (b_plus_s - b) ** 2
    return mean, spread**0.5


def test_ddpm_samples_a_gaussian():
    """The data's variance of 1/16 lies between 0 and 1, for which one choice each is exact (section 3.2)."""
    small, large = (
        [samples_of_a_gaussian(DDPM(variance), n) for n in (20, 100, 1000)] for variance in ("small", "large")
    )
    assert all(mean == pytest.approx(0.3, abs=2e-3) for mean, _ in small + large)
    below, above = ([deviation for _, deviation in each] for each in (small, large))
    assert below == sorted(below) and above == sorted(above, reverse=True)  # more steps, nearer to 0.25
    assert below[-1] < 0.25 < above[-1]
    assert [below[-1], above[-1]] == pytest.approx([0.25, 0.25], abs=5e-3)


# ------------------------------------------------------------------ another path


@pytest.mark.parametrize("solver", [DDIM(), DDIM(1.0), DDPM(), DDPM("large"), Heun(), DPMSolver()])
def test_a_straight_path_is_another_schedule(solver):
    """Gaussian data again, by its exact x0: conversions and solvers ask for alpha and sigma alone."""
    schedule = NoiseSchedule("straight")

    def oracle(x, t):
        alpha, sigma = schedule.alpha(t, like=x), schedule.sigma(t, like=x)
        return 0.3 + alpha * 0.25**2 / (alpha**2 * 0.25**2 + sigma**2) * (x - alpha * 0.3)

    x, generator = noise(20_000, 1, 1, 1, dtype=torch.float64), torch.Generator().manual_seed(1)
    timesteps = spaced_timesteps(500, 999)  # from nothing but noise: alpha is 0 there
    made = run(oracle, schedule, x, timesteps, solver, "sample", clip=False, generator=generator)
    assert float(made.mean()) == pytest.approx(0.3, abs=0.01)
    assert float(made.std()) == pytest.approx(0.25, abs=0.012)

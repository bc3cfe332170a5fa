"""The laws of DDIM, DDPM and guidance, on made-up models whose answers are known."""

import threading

import pytest
import torch
from diffusers import DDIMScheduler
from hypothesis import given, settings
from hypothesis import strategies as st

from diffusion.sampler import ddim_step, guided, leading_timesteps, randn, sample, trailing_timesteps
from diffusion.schedule import KINDS, PREDICTION_TYPES, NoiseSchedule


def noise(*shape, seed=0, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def run(*args, **kwargs):
    """The result of a whole run."""
    *_, last = sample(*args, **kwargs)
    return last.x


def wavy(x, t, labels=None):
    """A smooth made-up model that looks at everything it is given."""
    out = torch.sin(3 * x) * 0.5 + torch.cos(t.float() / 100).reshape(-1, 1, 1, 1) * 0.3
    return out if labels is None else out + 0.2 * labels.float().sum(1).reshape(-1, 1, 1, 1)


# ------------------------------------------------------------------ timesteps


@settings(max_examples=200, deadline=None)
@given(n=st.integers(1, 1000), start=st.integers(0, 999))
def test_trailing_timesteps(n, start):
    timesteps = trailing_timesteps(n, start)
    assert timesteps[0] == start and timesteps[-1] >= 0
    assert len(timesteps) == min(n, start + 1)
    assert all(a > b for a, b in zip(timesteps, timesteps[1:]))


@pytest.mark.parametrize(
    "spacing, ours",
    [("trailing", lambda n: trailing_timesteps(n, 999)), ("leading", lambda n: leading_timesteps(n, 1000))],
)
@pytest.mark.parametrize("n", [1, 10, 50, 1000])
def test_timesteps_agree_with_diffusers(spacing, ours, n):
    peer = DDIMScheduler(timestep_spacing=spacing)
    peer.set_timesteps(n)
    assert ours(n) == peer.timesteps.tolist()


@pytest.mark.parametrize("n", [0, -3])
def test_step_counts_below_one_are_refused(n):
    with pytest.raises(ValueError):
        trailing_timesteps(n, 999)
    with pytest.raises(ValueError):
        leading_timesteps(n, 1000)


# ------------------------------------------------------------------ DDIM


def test_golden_number():
    """Linear betas, ten leading steps, eta 0, no clipping, eps = x t / (t + 1): a number known elsewhere."""
    x = (torch.arange(768) / 768).reshape(3, 8, 8, 4).permute(3, 0, 1, 2)
    model = lambda x, t: x * (t / (t + 1)).reshape(-1, 1, 1, 1)
    schedule = NoiseSchedule("linear", 1000, "epsilon")
    result = run(model, schedule, x, timesteps=leading_timesteps(10, 1000), clip=False)
    assert float(result.abs().sum()) == pytest.approx(172.0067, abs=5e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("prediction_type", PREDICTION_TYPES)
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("clip", [False, True])
def test_a_run_agrees_with_diffusers(kind, prediction_type, eta, clip):
    schedule = NoiseSchedule(kind, 1000, prediction_type)
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
        s.x for s in sample(wavy, schedule, x, timesteps=timesteps, eta=eta, clip=clip, generator=generator)
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
            ddim_step(schedule, x, x0, eps, t, t_prev, 1.0, z), expected, rtol=1e-9, atol=1e-9
        )


def test_eta_0_is_euler_in_sigma_space():
    """With x~ = x / sqrt(abar), sigma = sqrt(1/abar - 1): dx~ = eps dsigma (DDIM section 4.3)."""
    schedule = NoiseSchedule("linear", 1000, "epsilon")
    sigma = lambda t: (1 / schedule.abar(t) - 1).sqrt()
    timesteps = [981, 700, 699, 333, 40, 3]
    x = noise(2, 3, 4, 4, dtype=torch.float64)
    scaled = x / schedule.abar(timesteps[0]).sqrt()
    for t, t_prev in zip(timesteps, [*timesteps[1:], -1]):
        eps = wavy(scaled * schedule.abar(t).sqrt(), torch.full((2,), t))
        scaled = scaled + eps * (sigma(t_prev) - sigma(t))
    result = run(wavy, schedule, x, timesteps=timesteps, clip=False)
    torch.testing.assert_close(result, scaled, rtol=1e-8, atol=1e-8)


def test_last_step_returns_x0_and_steps_are_numbered():
    steps = list(sample(wavy, NoiseSchedule(), noise(1, 3, 8, 8), timesteps=[900, 400, 17], eta=0.0))
    assert [(s.index, s.total, s.t) for s in steps] == [(1, 3, 900), (2, 3, 400), (3, 3, 17)]
    assert torch.equal(steps[-1].x, steps[-1].x0)
    assert not torch.equal(steps[0].x, steps[0].x0)
    assert all(s.x0.abs().max() <= 1 for s in steps)


def test_eps_is_derived_again_from_a_clipped_x0():
    """A model far off asks for x0 = 5; the state must lead to the clipped 1, not to 5."""
    schedule = NoiseSchedule("linear", 1000, "sample")
    x = noise(1, 3, 4, 4, dtype=torch.float64)
    step = next(sample(lambda x, t: torch.full_like(x, 5.0), schedule, x, timesteps=[600, 300]))
    one = torch.ones_like(x)
    torch.testing.assert_close(step.x0, one)
    torch.testing.assert_close(step.x, schedule.add_noise(one, schedule.eps_from_x0(x, one, 600), 300))


def gaussian_oracle(schedule):
    """The exact eps of data N(0.3, 0.25^2), in closed form: no network can do better."""

    def oracle(x, t):
        abar = schedule.abar(t, like=x)
        return (1 - abar).sqrt() * (x - abar.sqrt() * 0.3) / (abar * 0.25**2 + 1 - abar)

    return oracle


def test_ddim_samples_a_gaussian():
    """DDIM maps noise to data by x -> a + b x, so a and |b| are the samples' exact mean and deviation."""
    schedule = NoiseSchedule("linear", 1000, "epsilon")
    deviations = []
    for n in (10, 50, 250, 1000):
        x = torch.tensor([0.0, 1.0], dtype=torch.float64).reshape(2, 1, 1, 1)
        timesteps = leading_timesteps(n, 1000)
        a, a_plus_b = (
            run(gaussian_oracle(schedule), schedule, x, timesteps=timesteps, clip=False).flatten().tolist()
        )
        assert a == pytest.approx(0.3, abs=1e-3)
        deviations.append(a_plus_b - a)
    assert deviations == sorted(deviations)  # more steps, nearer to 0.25
    assert deviations[-1] == pytest.approx(0.2486, abs=1e-4)


def test_ddpm_samples_a_gaussian():
    """Ancestral sampling (eta 1) draws from the same distribution: mean and deviation of many samples."""
    schedule = NoiseSchedule("linear", 1000, "epsilon")
    g = torch.Generator().manual_seed(0)
    x = noise(10_000, 1, 1, 1)
    timesteps = leading_timesteps(1000, 1000)
    result = run(
        gaussian_oracle(schedule), schedule, x, timesteps=timesteps, eta=1.0, generator=g, clip=False
    )
    assert float(result.mean()) == pytest.approx(0.3, abs=0.01)  # four standard errors
    assert float(result.std()) == pytest.approx(0.2486, abs=0.007)


# ------------------------------------------------------------------ guidance


def test_guidance_identities():
    x, t = noise(2, 3, 4, 4), torch.tensor([5, 700])
    labels, null = torch.tensor([[1], [2]]), torch.tensor([[3], [3]])
    conditional, unconditional = wavy(x, t, labels), wavy(x, t, null)
    for scale in (0.0, 1.0, 3.5):
        expected = unconditional + scale * (conditional - unconditional)
        torch.testing.assert_close(guided(wavy, x, t, labels, null, scale), expected)
    assert torch.equal(guided(wavy, x, t, labels, null, 1.0), conditional)


@pytest.mark.parametrize("scale, batch", [(1.0, 2), (2.0, 4)])
def test_guidance_is_one_call(scale, batch):
    calls = []

    def model(x, t, labels):
        calls.append(len(x))
        return wavy(x, t, labels)

    labels = torch.tensor([[1], [2]])
    list(
        sample(
            model,
            NoiseSchedule(),
            noise(2, 3, 4, 4),
            timesteps=[800, 300],
            labels=labels,
            null_labels=labels * 0,
            guidance_scale=scale,
        )
    )
    assert calls == [batch, batch]


# ------------------------------------------------------------------ randomness, life of the generator


def test_global_random_state_is_untouched():
    before = torch.get_rng_state()
    g = torch.Generator().manual_seed(3)
    run(wavy, NoiseSchedule(), randn((1, 3, 4, 4), g), timesteps=[900, 500, 100], eta=1.0, generator=g)
    assert torch.equal(before, torch.get_rng_state())


def test_same_seed_same_picture_whatever_the_batch():
    def draw(seeds):
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        x = randn((len(seeds), 3, 4, 4), generators)
        return run(wavy, NoiseSchedule(), x, timesteps=[900, 500, 100], eta=0.7, generator=generators)

    together = draw([1, 2, 3])
    for i, seed in enumerate([1, 2, 3]):
        torch.testing.assert_close(draw([seed])[0], together[i])
    assert not torch.allclose(together[0], together[1])


def test_closing_the_generator_stops_the_model():
    calls = []

    def model(x, t):
        calls.append(int(t[0]))
        return wavy(x, t)

    steps = sample(model, NoiseSchedule(), noise(1, 3, 4, 4), timesteps=list(range(900, 0, -100)))
    next(steps), next(steps)
    steps.close()
    assert calls == [900, 800]
    assert list(steps) == []


def test_nothing_thread_local_is_held_across_a_yield():
    steps = sample(wavy, NoiseSchedule(), noise(1, 3, 4, 4), timesteps=[900, 500, 100])
    next(steps)
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
    got = []
    thread = threading.Thread(target=lambda: got.extend(steps))
    thread.start()
    thread.join()
    assert [s.index for s in got] == [2, 3]


def test_results_carry_no_gradient_and_may_be_changed():
    weight = torch.ones((), requires_grad=True)
    step = next(sample(lambda x, t: x * weight, NoiseSchedule(), noise(1, 3, 4, 4), timesteps=[500]))
    assert not step.x.requires_grad
    step.x0.mul_(2)


def test_constrain_takes_the_place_of_the_state():
    seen = []

    def constrain(x, t):
        seen.append(t)
        return torch.zeros_like(x) if t == -1 else x

    result = run(wavy, NoiseSchedule(), noise(1, 3, 4, 4), timesteps=[900, 500], constrain=constrain)
    assert torch.equal(result, torch.zeros(1, 3, 4, 4)) and set(seen) == {500, -1}


@pytest.mark.parametrize(
    "bad",
    [
        {"timesteps": [1, 2]},
        {"timesteps": [5, 5]},
        {"timesteps": [5], "eta": -0.1},
        {"timesteps": [5], "eta": 1.1},
        {"timesteps": [5], "labels": torch.zeros(1, 1).long(), "guidance_scale": 2.0},
    ],
)
def test_bad_arguments_are_refused_at_the_call(bad):
    with pytest.raises(ValueError):
        sample(wavy, NoiseSchedule(), noise(1, 3, 4, 4), **bad)


def test_noise_without_a_generator_is_refused():
    with pytest.raises(ValueError, match="Generator"):
        list(sample(wavy, NoiseSchedule(), noise(1, 3, 4, 4), timesteps=[5, 3], eta=1.0))
    with pytest.raises(ValueError, match="2 generators"):
        randn((3, 1), [torch.Generator(), torch.Generator()])

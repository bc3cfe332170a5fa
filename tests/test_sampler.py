"""The loop: randomness, what is yielded and when."""

import threading

import pytest
import torch

from diffusion.sampler import randn
from diffusion.schedule import NoiseSchedule
from diffusion.solver import DDIM
from toys import noise, run, steps_of, wavy


def test_last_step_returns_x0_and_steps_are_numbered():
    steps = list(steps_of(wavy, NoiseSchedule(), noise(1, 3, 8, 8), [900, 400, 17]))
    assert [(s.index, s.total, s.t) for s in steps] == [(1, 3, 900), (2, 3, 400), (3, 3, 17)]
    assert torch.equal(steps[-1].x, steps[-1].x0)
    assert not torch.equal(steps[0].x, steps[0].x0)
    assert all(s.x0.abs().max() <= 1 for s in steps)


# ------------------------------------------------------------------ randomness, life of the generator


def test_global_random_state_is_untouched():
    before = torch.get_rng_state()
    g = torch.Generator().manual_seed(3)
    run(wavy, NoiseSchedule(), randn((1, 3, 4, 4), g), [900, 500, 100], DDIM(1.0), generator=g)
    assert torch.equal(before, torch.get_rng_state())


def test_same_seed_same_picture_whatever_the_batch():
    def draw(seeds):
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        x = randn((len(seeds), 3, 4, 4), generators)
        return run(wavy, NoiseSchedule(), x, [900, 500, 100], DDIM(0.7), generator=generators)

    together = draw([1, 2, 3])
    for i, seed in enumerate([1, 2, 3]):
        torch.testing.assert_close(draw([seed])[0], together[i])
    assert not torch.allclose(together[0], together[1])


def test_closing_the_generator_stops_the_model():
    calls = []

    def model(x, t):
        calls.append(int(t[0]))
        return wavy(x, t)

    steps = steps_of(model, NoiseSchedule(), noise(1, 3, 4, 4), list(range(900, 0, -100)))
    next(steps), next(steps)
    steps.close()
    assert calls == [900, 800]
    assert list(steps) == []


def test_nothing_thread_local_is_held_across_a_yield():
    steps = steps_of(wavy, NoiseSchedule(), noise(1, 3, 4, 4), [900, 500, 100])
    next(steps)
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
    got = []
    thread = threading.Thread(target=lambda: got.extend(steps))
    thread.start()
    thread.join()
    assert [s.index for s in got] == [2, 3]


def test_results_carry_no_gradient_and_may_be_changed():
    weight = torch.ones((), requires_grad=True)
    step = next(steps_of(lambda x, t: x * weight, NoiseSchedule(), noise(1, 3, 4, 4), [500]))
    assert not step.x.requires_grad
    step.x0.mul_(2)


def test_constrain_takes_the_place_of_the_state():
    seen = []

    def constrain(x, t):
        seen.append(t)
        return torch.zeros_like(x) if t == -1 else x

    result = run(wavy, NoiseSchedule(), noise(1, 3, 4, 4), [900, 500], constrain=constrain)
    assert torch.equal(result, torch.zeros(1, 3, 4, 4)) and set(seen) == {500, -1}


def test_a_timestep_that_follows_itself_is_refused_at_the_call():
    with pytest.raises(ValueError, match="follow itself"):
        steps_of(wavy, NoiseSchedule(), noise(1, 3, 4, 4), [5, 5])


def test_noise_without_a_generator_is_refused():
    with pytest.raises(ValueError, match="Generator"):
        list(steps_of(wavy, NoiseSchedule(), noise(1, 3, 4, 4), [5, 3], DDIM(1.0)))
    with pytest.raises(ValueError, match="2 generators"):
        randn((3, 1), [torch.Generator(), torch.Generator()])

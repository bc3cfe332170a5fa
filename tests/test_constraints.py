"""What must hold while a picture is made: masks with resampling (RePaint), and averages (ILVR)."""

from dataclasses import replace

import pytest
import torch

from conftest import tiny_checkpoint
from diffusion.constraints import block_means, both, kept, low_passed
from diffusion.sampler import Sampling
from diffusion.schedule import SCHEDULES, NoiseSchedule
from diffusion.sdedit import edit
from diffusion.solver import DDIM, DDPM
from diffusion.timesteps import behind, calls_of, resampled, spaced_timesteps
from toys import noise, result, seeded, steps_of

# ------------------------------------------------------------------ the walk


def test_the_walk_is_algorithm_1_of_repaint():
    """for t: for u in 1..U: a step down; if u < U and t > 1: back up."""
    timesteps, written = [900, 600, 300], []
    for t, t_prev in zip(timesteps, [600, 300, -1]):
        for u in range(4):
            written += [t]
            if not (u < 3 and t_prev >= 0):
                break
            written += [t_prev]
    assert resampled(timesteps, 1, 4) == written
    assert resampled(timesteps, 1, 1) == resampled(timesteps, 5, 9) == timesteps


@pytest.mark.parametrize("jump", [1, 2, 3, 7])
@pytest.mark.parametrize("times", [1, 2, 5])
def test_each_stretch_is_taken_so_often(jump, times):
    timesteps = spaced_timesteps(12, 999)
    walk = resampled(timesteps, jump, times)
    down = [(a, b) for a, b in zip(walk, [*walk[1:], -1]) if b < a]
    up = [(a, b) for a, b in zip(walk, walk[1:]) if b > a]
    expected = {i: times if 11 - i > 0 and i >= 11 % jump else 1 for i in range(12)}
    assert [sum(a == t for a, _ in down) for t in timesteps] == [expected[i] for i in range(12)]
    assert all(timesteps.index(a) - timesteps.index(b) == jump for a, b in up)
    assert calls_of(walk) == len(down) and walk[0] == timesteps[0] and walk[-1] == timesteps[-1]
    for calls in range(len(down)):
        left, rest = behind(walk, calls)
        assert left + rest == walk and calls_of(rest) == len(down) - calls
        assert calls_of([*left, rest[0]]) - 1 == calls if left else calls == 0


@pytest.mark.parametrize("kind", SCHEDULES)
def test_going_up_is_the_forward_process(kind):
    """From q(x_t | x0) by q(x_next | x_t) one is at q(x_next | x0): mean and variance."""
    schedule = NoiseSchedule(kind)
    one, zero = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    for t, t_next in ((0, 1), (100, 700), (998, 999), (500, 999)):
        mean = schedule.noised_from(schedule.add_noise(one, zero, t), zero, t, t_next)
        torch.testing.assert_close(mean, schedule.add_noise(one, zero, t_next), rtol=1e-9, atol=1e-15)
        old = schedule.noised_from(schedule.add_noise(zero, one, t), zero, t, t_next) ** 2
        new = schedule.noised_from(zero, one, t, t_next) ** 2
        torch.testing.assert_close(old + new, schedule.add_noise(zero, one, t_next) ** 2)


# ------------------------------------------------------------------ RePaint


MEAN, DEVIATION, TIED = 0.3, 0.25, 0.9  # of two pixels, and their correlation


def tied(schedule):
    """E[x0 | x_t] of two pixels that know of each other, in closed form."""
    covariance = DEVIATION**2 * torch.tensor([[1, TIED], [TIED, 1]], dtype=torch.float64)

    def oracle(x, t):
        alpha, sigma = (float(scale(int(t[0]))) for scale in (schedule.alpha, schedule.sigma))
        gain = alpha * covariance @ torch.linalg.inv(alpha**2 * covariance + sigma**2 * torch.eye(2).double())
        return MEAN + ((x.flatten(1) - alpha * MEAN) @ gain.T).reshape(x.shape)

    return oracle


def second_pixel(times, solver, seen=0.8, n=400):
    """What it comes to where the first one is kept: mean and deviation of n pictures."""
    schedule = NoiseSchedule("linear")
    start, eps = noise(2, n, 1, 1, 2, dtype=torch.float64).unbind(0)
    image = torch.full_like(start, seen)
    keep = kept(torch.tensor([[[[0.0, 1.0]]]]), image, eps, schedule)
    walk = resampled(spaced_timesteps(160, 999), 1, times)
    start = keep(start, walk[0])
    states = steps_of(
        tied(schedule), schedule, start, walk, solver, "sample", clip=False, generator=seeded(1),
        constrain=keep,
    )  # fmt: skip
    *_, last = states
    assert (last.x[..., 0] == seen).all()
    made = last.x[..., 1]
    return float(made.mean()), float(made.std())


@pytest.mark.parametrize("solver", [DDPM("small"), DDIM()])
def test_resampling_leads_to_the_conditional(solver):
    """The other pixel's mean is MEAN + TIED (seen - MEAN); keeping alone comes too late."""
    exact = MEAN + TIED * (0.8 - MEAN), DEVIATION * (1 - TIED**2) ** 0.5
    alone, resampled_often = (second_pixel(times, solver) for times in (1, 8))
    assert abs(alone[0] - exact[0]) > 0.1 and abs(alone[1] - exact[1]) > 0.03, alone
    assert resampled_often == pytest.approx(exact, abs=0.045)


# ------------------------------------------------------------------ ILVR


def test_block_means_are_a_projection():
    x = noise(2, 3, 16, 16, dtype=torch.float64)
    for factor in (1, 2, 4, 16):
        low = block_means(x, factor)
        torch.testing.assert_close(block_means(low, factor), low)
        torch.testing.assert_close(low.mean((2, 3)), x.mean((2, 3)))
    assert torch.equal(block_means(x, 1), x)
    with pytest.raises(ValueError, match="blocks of 3"):
        block_means(x, 3)


@pytest.mark.parametrize("factor", [2, 8])
def test_every_state_has_the_averages_of_the_drawing(factor):
    """ILVR eq. 8: phi(x_t) = phi(y_t) at each step, and what lies between is the network's."""
    schedule, (image, eps) = NoiseSchedule(), noise(2, 2, 3, 16, 16).div(4).unbind(0)
    keep = low_passed(factor, image, eps, schedule)
    x = noise(2, 3, 16, 16, seed=1)
    for t in (900, 100):
        y = schedule.add_noise(image, eps, t)
        torch.testing.assert_close(block_means(keep(x, t), factor), block_means(y, factor))
        fine = lambda x: x - block_means(x, factor)
        torch.testing.assert_close(fine(keep(x, t)), fine(x))
    mask = (torch.arange(16) < 8).float().expand(1, 1, 16, 16)
    together = both(keep, kept(mask, image, eps, schedule))(x / 9, -1)
    assert torch.equal(together[..., 8:], image[..., 8:])
    torch.testing.assert_close(block_means(together, factor), block_means(image, factor))


def test_an_edit_from_pure_noise_keeps_the_averages():
    checkpoint, drawing = tiny_checkpoint(), noise(2, 3, 16, 16).div(5)
    dials = {"strength": 1.0, "steps": 5, "guidance": 1.0}
    free = result(checkpoint, drawing, generator=seeded(), **dials)
    held = result(checkpoint, drawing, generator=seeded(), low_pass=4, **dials)
    apart = lambda x: float((block_means(x, 4) - block_means(drawing, 4)).abs().max())
    assert apart(held) < apart(free) / 5, "but for what clipping takes"


# ------------------------------------------------------------------ in an edit


def test_resampling_takes_more_steps_and_keeps_pixels_exactly():
    checkpoint, drawing = tiny_checkpoint(), noise(1, 3, 16, 16).clamp(-1, 1)
    mask = (torch.arange(16) < 6).float().expand(1, 1, 16, 16)
    sampling = Sampling(0.8, 10, 1.0, resample=3, jump=2)
    steps = list(edit(checkpoint, drawing, sampling=sampling, generator=seeded(), mask=mask))
    assert [step.index for step in steps] == list(range(1, 21)) and steps[
        -1
    ].total == 20  # 6 of 8 three times
    assert torch.equal(steps[-1].x[..., 6:], drawing[..., 6:])
    other = replace(sampling, resample=1)
    *_, once = edit(checkpoint, drawing, sampling=other, generator=seeded(), mask=mask)
    assert not torch.equal(once.x, steps[-1].x)


@pytest.mark.parametrize("dials", [{}, {"eta": 0.7}, {"solver": "ddpm"}])
def test_a_resampled_edit_goes_on_from_any_of_its_steps(dials):
    checkpoint, drawing = tiny_checkpoint(), noise(1, 3, 16, 16).clamp(-1, 1)
    mask = (torch.arange(16) < 6).float().expand(1, 1, 16, 16)
    sampling = Sampling(0.8, 5, 1.0, resample=2, jump=1, **dials)
    steps = list(edit(checkpoint, drawing, sampling=sampling, generator=seeded(3), mask=mask))
    for after in steps[:-1]:
        again = list(edit(checkpoint, drawing, None, sampling, seeded(3), mask, after))
        assert torch.equal(again[-1].x, steps[-1].x) and again[0].index == after.index + 1


@pytest.mark.parametrize(
    "dials, said",
    [
        ({"resample": 2}, "Resampling is for"),
        ({"low_pass": 3}, "blocks of 3"),
        ({"resample": 0}, "resample must be at least 1"),
        ({"jump": 0}, "jump must be at least 1"),
        ({"low_pass": -1}, "low_pass must be at least 0"),
    ],
)
def test_what_makes_no_sense_is_refused(dials, said):
    with pytest.raises(ValueError, match=said):
        edit(tiny_checkpoint(), noise(1, 3, 16, 16), sampling=Sampling(0.5, **dials))


def test_a_low_pass_needs_a_drawing():
    with pytest.raises(ValueError, match="there is none"):
        edit(tiny_checkpoint(), None, sampling=Sampling(1.0, low_pass=2))


def test_a_drawing_may_be_left_untold():
    """Told or not makes a difference only to a network with an input for it."""
    drawing = noise(1, 3, 16, 16).clamp(-1, 1)
    for takes in (True, False):
        checkpoint = tiny_checkpoint(drawing=takes)
        told, untold = (
            result(checkpoint, drawing, generator=seeded(), strength=0.8, steps=4, temperature=1.0, told=told)
            for told in (True, False)
        )
        assert torch.equal(told, untold) != takes

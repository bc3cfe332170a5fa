"""SDEdit: what strength means, where the noise goes, what a mask keeps."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import tiny_checkpoint
from diffusion import Sampling, UnknownLabel, edit
from diffusion.sampler import randn
from diffusion.sdedit import StrengthSearch, edit_timesteps
from toys import result, seeded


@pytest.fixture(scope="module")
def checkpoint():
    return tiny_checkpoint()


@pytest.fixture
def drawing():
    return torch.rand(1, 3, 16, 16, generator=seeded(9)) * 2 - 1


@pytest.fixture
def calls(checkpoint, monkeypatch):
    """Every call of the model: a list of (x, t)."""
    made = []

    def spy(x, t, labels=None, forward=checkpoint.model.forward):
        made.append((x.clone(), int(t[0])))
        return forward(x, t, labels)

    monkeypatch.setattr(checkpoint.model, "forward", spy)
    return made


def test_strength_0_returns_the_drawing_bit_for_bit(checkpoint, drawing, calls):
    (step,) = edit(checkpoint, drawing, {"subject": "cat"}, Sampling(strength=0))
    assert torch.equal(step.x, drawing) and torch.equal(step.x0, drawing)
    assert (step.index, step.total) == (0, 0)
    assert calls == []


def test_strength_1_starts_from_pure_noise_and_runs_every_step(checkpoint, drawing, calls):
    from_drawing = result(checkpoint, drawing, strength=1.0, steps=7, generator=seeded())
    assert len(calls) == 7
    assert torch.equal(calls[0][0][:1], randn(drawing.shape, seeded()))
    from_nothing = result(checkpoint, None, strength=1.0, steps=7, generator=seeded())
    assert torch.equal(from_drawing, from_nothing)


@pytest.mark.parametrize("strength", [0.05, 0.3, 0.77])
def test_the_step_noised_to_is_the_first_step_denoised(checkpoint, drawing, calls, strength):
    result(checkpoint, drawing, strength=strength, guidance=1, generator=seeded(4))
    x, t = calls[0]
    assert t == round(1000 * strength) - 1
    assert torch.equal(x, checkpoint.schedule.add_noise(drawing, randn(drawing.shape, seeded(4)), t))


@settings(max_examples=200, deadline=None)
@given(a=st.floats(0, 1), b=st.floats(0, 1), n=st.integers(1, 100))
def test_more_strength_is_never_fewer_steps_or_less_noise(a, b, n):
    less, more = (edit_timesteps(s, n, 1000) for s in sorted((a, b)))
    assert len(less) <= len(more) <= n
    assert (less or [-1])[0] <= (more or [-1])[0]


def test_step_counts_are_rounded_not_cut():
    assert int(50 * 0.58) == 28  # the trap
    assert len(edit_timesteps(0.58, 50, 1000)) == 29
    assert len(edit_timesteps(0.001, 50, 1000)) == 1


def test_more_strength_goes_further_from_the_drawing(checkpoint, drawing):
    distance = [
        float(
            (result(checkpoint, drawing, strength=s, guidance=1, generator=seeded()) - drawing).abs().mean()
        )
        for s in (0.05, 0.3, 0.9)
    ]
    assert distance == sorted(distance) and distance[0] > 0


@pytest.mark.parametrize("strength", [0.4, 1.0])
def test_a_mask_keeps_pixels_exactly(checkpoint, drawing, strength):
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 8:] = 1
    picture = result(checkpoint, drawing, strength=strength, mask=mask, eta=0.5, generator=seeded())
    assert torch.equal(picture[..., :8], drawing[..., :8])
    assert not torch.isclose(picture[..., 8:], drawing[..., 8:]).any(dim=1).all()


def test_each_picture_depends_on_its_own_seed_alone(checkpoint, drawing):
    drawings = drawing.expand(3, -1, -1, -1)
    together = result(checkpoint, drawings, eta=0.5, generator=[seeded(1), seeded(2), seeded(3)])
    alone = result(checkpoint, drawing, eta=0.5, generator=[seeded(2)])
    torch.testing.assert_close(alone[0], together[1], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(together[0], together[1], atol=1e-3)


def test_labels_steer_and_guidance_steers_more(checkpoint, drawing):
    def picture(labels, scale):
        return result(checkpoint, drawing, labels, strength=0.8, guidance=scale, generator=seeded())

    cat = {"subject": "cat", "style": "noto"}
    null = picture({}, 1)
    assert torch.equal(picture({"subject": None}, 1), null)
    near, far = (float((picture(cat, s) - picture(cat, 0)).abs().mean()) for s in (1, 3))
    assert 0 < near < far
    torch.testing.assert_close(picture(cat, 0), null, rtol=1e-4, atol=1e-5)


def test_closing_stops_the_model_and_the_global_rng_is_untouched(checkpoint, drawing, calls):
    before = torch.get_rng_state()
    steps = edit(checkpoint, drawing, None, Sampling(0.9, eta=1.0))
    next(steps)
    steps.close()
    assert len(calls) == 1
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    "bad, message",
    [
        ({"strength": -0.1}, "between 0 and 1"),
        ({"strength": float("nan")}, "between 0 and 1"),
        ({"steps": 0}, "between 1 and 1000"),
        ({"steps": 1001}, "between 1 and 1000"),
        ({"eta": 2.0}, "eta"),
        ({"eta": (0.0, -1.0)}, "eta"),
        ({"eta": 0.5, "solver": "dpm++"}, "has none"),
        ({"eta": 0.5, "solver": "ddpm"}, "has none"),
        ({"solver": "rk4"}, "choose one of ddim, ddpm"),
        ({"variance": "huge", "solver": "ddpm"}, "choose one of auto, small, large"),
        ({"variance": "large", "solver": "heun"}, "no fresh noise"),
        ({"spacing": "random"}, "choose one of trailing"),
        ({"mask": torch.ones(1, 1, 8, 8)}, "mask"),
        ({"image": torch.zeros(1, 3, 8, 8)}, r"\(B, 3, 16, 16\)"),
        ({"image": None}, "only strength 1"),
        ({"image": None, "strength": 1, "mask": torch.ones(1, 1, 16, 16)}, "mask"),
    ],
)
def test_bad_arguments_are_refused_at_the_call(checkpoint, drawing, bad, message):
    with pytest.raises(ValueError, match=message):
        dials = {name: value for name, value in bad.items() if name not in ("image", "mask")}
        more = {name: value for name, value in bad.items() if name not in dials}
        edit(checkpoint, **{"image": drawing, **more}, sampling=Sampling(**dials))


def test_an_unknown_label_names_near_matches(checkpoint, drawing):
    with pytest.raises(UnknownLabel, match="Did you mean apple"):
        edit(checkpoint, drawing, {"subject": "aple"})


# ---- a dial for each picture

DIALS = [(1, 0), (2, 0), (4, 0.3), (2, 0.5), (2, 1)]
GUIDANCES, ETAS = zip(*DIALS)


@pytest.mark.parametrize("strength", [0.0, 0.05, 0.6, 1.0])
def test_each_picture_of_a_batch_may_have_dials_of_its_own(checkpoint, drawing, strength):
    labels, drawings = {"subject": "cat", "style": "noto"}, drawing.expand(len(DIALS), -1, -1, -1)
    sampling = Sampling(strength, 10, GUIDANCES, ETAS)
    steps = list(edit(checkpoint, drawings, labels, sampling, [seeded(4) for _ in DIALS]))
    for i, (guidance, eta) in enumerate(DIALS):
        alone = list(edit(checkpoint, drawing, labels, Sampling(strength, 10, guidance, eta), seeded(4)))
        assert [(s.index, s.total, s.t) for s in steps] == [(s.index, s.total, s.t) for s in alone]
        assert torch.allclose(steps[-1].x[i], alone[-1].x[0], atol=1e-4)
        assert torch.allclose(steps[0].x0[i], alone[0].x0[0], atol=1e-4)


def test_dials_for_each_picture_are_one_call_a_step(checkpoint, drawing, calls):
    drawings, generators = drawing.expand(len(DIALS), -1, -1, -1), [seeded() for _ in DIALS]
    list(edit(checkpoint, drawings, {"subject": "cat"}, Sampling(0.6, 10, GUIDANCES, ETAS), generators))
    assert [len(x) for x, _ in calls] == [2 * len(DIALS)] * 6


def test_dials_work_without_labels(drawing):
    plain, two = tiny_checkpoint({}, []), drawing.expand(2, -1, -1, -1)
    x = result(plain, two, generator=[seeded(), seeded()], strength=0.6, steps=5, guidance=(1, 3))
    assert torch.allclose(x[0], x[1], atol=1e-5), "nothing to be guided by"


@pytest.mark.parametrize("dials", [{"solver": "ddpm"}, {"eta": 0.5}])
def test_a_learnt_variance_makes_the_fresh_noise(drawing, dials):
    checkpoint = tiny_checkpoint(learned_variance=True)

    def painted(**more):
        return result(checkpoint, drawing, {"subject": "cat"}, generator=seeded(), **dials, **more)

    learnt, small, large = painted(), painted(variance="small"), painted(variance="large")
    assert learnt.shape == drawing.shape and torch.isfinite(learnt).all()
    assert (learnt - small).abs().max() > 1e-4 < (learnt - large).abs().max()
    with torch.no_grad():  # now it says the posterior's everywhere
        checkpoint.model.output.weight[12:] = 0
        checkpoint.model.output.bias[12:] = -1
    assert torch.allclose(painted(), painted(variance="small"), atol=1e-5)


# ---- going on from a step


@pytest.mark.parametrize(
    "dials", [{"eta": 0.0}, {"eta": 0.7}, *({"solver": name} for name in ("ddpm", "heun", "dpm++"))]
)
@pytest.mark.parametrize("masked", [False, True])
@settings(max_examples=8, deadline=None)
@given(cut=st.integers(1, 6))
def test_going_on_from_any_step_ends_where_the_run_ended(dials, masked, cut):
    checkpoint = tiny_checkpoint()
    drawing = torch.rand(1, 3, 16, 16, generator=seeded(9)) * 2 - 1
    mask = (torch.arange(16) < 8).float().expand(1, 1, 16, 16) if masked else None
    same = checkpoint, drawing, {"subject": "cat"}, Sampling(0.7, 10, **dials)
    whole = list(edit(*same, seeded(3), mask))
    rest = list(edit(*same, seeded(3), mask, after=whole[cut - 1]))
    assert [(s.index, s.total, s.t) for s in rest] == [(s.index, s.total, s.t) for s in whole[cut:]]
    assert all(torch.equal(a.x, b.x) and torch.equal(a.x0, b.x0) for a, b in zip(rest, whole[cut:]))


def test_going_on_takes_new_labels_and_renoising_a_new_seed(checkpoint, drawing, calls):
    sampling = {"strength": 1.0, "steps": 8, "guidance": 1.0}
    kept = list(edit(checkpoint, drawing, {"subject": "cat"}, Sampling(**sampling), seeded(3)))[3]

    def rest(subject="cat", seed=3, renoise=False):
        calls.clear()
        x = result(
            checkpoint,
            drawing,
            {"subject": subject},
            generator=seeded(seed),
            after=kept,
            renoise=renoise,
            **sampling,
        )
        assert len(calls) == 4
        return x

    assert not torch.equal(rest(), rest("apple"))
    assert torch.equal(rest(), rest(seed=4)), "without noise in the steps the seed does nothing"
    assert not torch.equal(rest(seed=3, renoise=True), rest(seed=4, renoise=True))
    x, t = calls[0]
    eps = checkpoint.schedule.eps_from_x0(x, kept.x0, t)
    assert torch.allclose(eps, randn(drawing.shape, seeded(4)), atol=1e-4), "at the level of the next step"


def test_nothing_is_left_after_the_last_step(checkpoint, drawing):
    *_, last = edit(checkpoint, drawing, None, Sampling(0.5), seeded())
    with pytest.raises(ValueError, match="nothing left"):
        edit(checkpoint, drawing, None, Sampling(0.5), seeded(), after=last)


@pytest.mark.parametrize("dials", [{"eta": 0.7}, {"solver": "heun"}, {"solver": "dpm++"}])
def test_covering_a_state_anew_forgets_the_way_to_it(checkpoint, drawing, calls, dials):
    """What follows depends on the predicted picture and the new noise alone."""
    kept = list(edit(checkpoint, drawing, None, Sampling(0.8, 8, **dials), seeded(3)))[2]
    other = replace(kept, x=torch.full_like(kept.x, 9.0), t=900)
    a, b = (
        result(
            checkpoint, drawing, generator=seeded(4), after=step, renoise=True, strength=0.8, steps=8, **dials
        )
        for step in (kept, other)
    )
    assert torch.equal(a, b)


# ---- searching the strength


@given(st.integers(0, 64).map(lambda n: n / 64), st.lists(st.booleans(), max_size=12))
def test_the_search_halves_what_is_left(start, answers):
    search = StrengthSearch.at(start)
    for more_real in answers:
        shown, room = search.shown, search.high - search.low
        search = search.more_real() if more_real else search.closer_to_drawing()
        assert search.low <= search.shown <= search.high
        assert search.shown >= shown if more_real else search.shown <= shown
        assert search.high - search.low < room or room == 0 or shown in (0, 1)


@given(st.floats(0, 1))
def test_the_search_finds_a_strength_a_person_has_in_mind(wanted):
    search = StrengthSearch()
    for _ in range(10):
        search = search.more_real() if search.shown < wanted else search.closer_to_drawing()
    assert abs(search.shown - wanted) < 2e-3

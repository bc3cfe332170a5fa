"""What a network is told, what its output means, and how guidance steers it."""

from functools import partial

import pytest
import torch

from conftest import tiny_checkpoint
from diffusion import Condition, Denoiser, NoiseSchedule
from diffusion.denoiser import unguided
from diffusion.guidance import ByKind, ClassifierFree, LabelsAndDrawing, Within
from diffusion.prediction import PREDICTION_TYPES, Seen, to_x0_eps, training_target
from toys import noise, steps_of, wavy

SCHEDULE = NoiseSchedule()
X, T = noise(2, 3, 4, 4), torch.tensor([5, 700])
TOLD = Condition(torch.tensor([[1], [2]]), torch.tensor([3]))


def output(guidance, model=wavy, condition=TOLD, x=X, t=T):
    return guidance(Denoiser(model, SCHEDULE, "epsilon", condition, guidance), x, t)


def counting(calls, model=wavy):
    def counted(x, t, labels):
        calls.append(len(x))
        return model(x, t, labels)

    return counted


# ------------------------------------------------------------------ reading the output


def test_eps_is_derived_again_from_a_clipped_x0():
    """A model far off asks for x0 = 5; the state must lead to the clipped 1, not to 5."""
    schedule = NoiseSchedule("linear")
    x = noise(1, 3, 4, 4, dtype=torch.float64)
    far_off = lambda x, t: torch.full_like(x, 5.0)
    step = next(steps_of(far_off, schedule, x, [600, 300], prediction_type="sample"))
    one = torch.ones_like(x)
    torch.testing.assert_close(step.x0, one)
    torch.testing.assert_close(step.x, schedule.add_noise(one, schedule.eps_from_x0(x, one, 600), 300))


@pytest.mark.parametrize("prediction_type", PREDICTION_TYPES)
def test_each_picture_may_have_a_timestep_of_its_own(prediction_type):
    denoiser = Denoiser(lambda x, t, labels: wavy(x, t), SCHEDULE, prediction_type, TOLD)
    together = denoiser(X, T)
    for i, t in enumerate(T.tolist()):
        for a, b in zip(denoiser(X[i : i + 1], t), together):
            torch.testing.assert_close(a[0], b[i])


def test_a_network_may_say_how_sure_it_is():
    """Behind its answer, -1 .. 1 for 0 .. 1; guidance extrapolates it like all else, but it stays between."""
    said = torch.tensor([-1.0, 0.5, 3.0]).reshape(1, 3, 1, 1).expand(2, 3, 4, 4)

    def model(x, t, labels):
        return torch.cat([wavy(x, t, labels), said[: len(x)] if len(x) == 2 else said.repeat(2, 1, 1, 1)], 1)

    told = Denoiser(model, SCHEDULE, "epsilon", TOLD)
    seen, plain = told.see(X, T), Denoiser(wavy, SCHEDULE, "epsilon", TOLD).see(X, T)
    assert torch.equal(seen.x0, plain.x0) and torch.equal(seen.eps, plain.eps) and plain.share is None
    assert seen.share.shape == X.shape and seen.share[0, :, 0, 0].tolist() == [0, 0.75, 1]
    guided = Denoiser(model, SCHEDULE, "epsilon", TOLD, ClassifierFree(3.0)).see(X, T)
    assert torch.equal(guided.share, seen.share)
    again = Seen.cat([seen, seen])
    assert again.share.shape == again.x0.shape == (4, 3, 4, 4) and Seen.cat([plain, plain]).share is None


# ------------------------------------------------------------------ what is told


def test_a_condition_knows_its_twins():
    labels, null, drawing = torch.tensor([[0, 1], [3, 2]]), torch.tensor([4, 3]), noise(2, 3, 4, 4)
    told = Condition(labels, null).with_drawing(drawing)
    assert told.drawing.shape == (2, 4, 4, 4) and (told.drawing[:, 3] == 1).all()
    assert torch.equal(told.without_labels().labels, null.expand(2, -1))
    assert told.first_kinds(1).labels.tolist() == [[0, 3], [3, 3]]
    assert torch.equal(told.first_kinds(2).labels, labels)
    for twin in (told.without_labels(), told.first_kinds(1)):
        assert torch.equal(twin.drawing, told.drawing)
    assert not told.without_drawing().drawing.any()
    assert torch.equal(told.without_drawing().labels, labels)
    assert Condition(labels, null).without_drawing().drawing is None


def test_conditions_are_cut_joined_and_repeated():
    told = Condition(torch.tensor([[0, 1], [3, 2]]), torch.tensor([4, 3])).with_drawing(noise(2, 3, 4, 4))
    again = Condition.cat([told[:1], told[1:]])
    assert len(told) == 2 and torch.equal(again.labels, told.labels)
    assert torch.equal(again.drawing, told.drawing)
    assert len(told[:1].expand(5)) == 5 and told[:1].expand(5).drawing.shape == (5, 4, 4, 4)
    assert told.expand(2) is told and told.to("cpu").drawing is told.drawing


# ------------------------------------------------------------------ guidance


def test_guidance_identities():
    conditional, unconditional = wavy(X, T, TOLD.labels), wavy(X, T, TOLD.null.expand(2, -1))
    for scale in (0.0, 1.0, 3.5):
        expected = unconditional + scale * (conditional - unconditional)
        torch.testing.assert_close(output(ClassifierFree(scale)), expected)
    assert torch.equal(output(ClassifierFree(1.0)), conditional)
    assert torch.equal(output(unguided), conditional)


@pytest.mark.parametrize("scale, batch", [(1.0, 2), (2.0, 4), ((1.0, 2.0), 4)])
def test_guidance_is_one_call(scale, batch):
    calls = []
    output(ClassifierFree(scale), counting(calls))
    assert calls == [batch]


def test_a_scale_for_each_picture():
    each = output(ClassifierFree((1.0, 3.5)))
    for i, scale in enumerate((1.0, 3.5)):
        torch.testing.assert_close(each[i], output(ClassifierFree(scale))[i].double(), rtol=1e-5, atol=1e-6)


def labelled(n=4):
    x, null = noise(n, 3, 16, 16), tiny_checkpoint().model.null_labels
    labels = torch.tensor([[0, 1], [1, 2], [3, 0], [4, 3]])[:n]
    return x, torch.full((n,), 500), Condition(labels, torch.tensor(null))


def test_equal_scales_are_the_usual_guidance():
    model, (x, t, told) = tiny_checkpoint().model, labelled()
    of = partial(output, model=model, condition=told, x=x, t=t)
    with torch.no_grad():
        torch.testing.assert_close(of(ByKind((3.0, 3.0))), of(ClassifierFree(3.0)), rtol=1e-4, atol=1e-4)
        off = ByKind((1.0, 1.0))
        torch.testing.assert_close(of(off), model(x, t, told.labels), rtol=1e-4, atol=1e-5)
    assert ByKind((3.0, 3.0)).calls == 2 and off.calls == 1


def test_each_kind_has_its_own_scale():
    """out_uncond + w_1 (out_1 - out_uncond) + w_2 (out_12 - out_1), written out."""
    model, (x, t, told) = tiny_checkpoint().model, labelled()
    null = told.null.expand(len(x), -1)
    first = torch.stack([told.labels[:, 0], null[:, 1]], dim=1)
    with torch.no_grad():
        nothing, one, both = (model(x, t, labels) for labels in (null, first, told.labels))
        for w1, w2, calls in ((1.0, 4.0, 2), (4.0, 1.0, 3), (2.0, 5.0, 3)):
            guidance, asked = ByKind((w1, w2)), []
            expected = nothing + w1 * (one - nothing) + w2 * (both - one)
            made = output(guidance, counting(asked, model), told, x, t)
            torch.testing.assert_close(made, expected, rtol=1e-4, atol=1e-4)
            assert guidance.calls == calls and asked == [calls * len(x)]


def test_words_and_drawing_have_a_dial_each():
    """InstructPix2Pix eq. 3, written out; equal dials are classifier-free guidance by both at once."""
    told = TOLD.with_drawing(noise(2, 3, 4, 4, seed=1))

    def looks(x, t, labels, drawing):
        return wavy(x, t, labels) * (1 + drawing[:, :3] * drawing[:, 3:])

    nothing = looks(X, T, TOLD.null.expand(2, -1), torch.zeros(2, 4, 4, 4))
    drawing = looks(X, T, TOLD.null.expand(2, -1), told.drawing)
    both = looks(X, T, TOLD.labels, told.drawing)
    for words, sketch in ((3.0, 1.5), (2.0, 2.0), (4.0, 1.0), (1.0, 1.0)):
        expected = nothing + sketch * (drawing - nothing) + words * (both - drawing)
        torch.testing.assert_close(output(LabelsAndDrawing(words, sketch), looks, told), expected)


def test_guidance_in_an_interval_of_t():
    strong = ClassifierFree(4.0)
    for t, expected in ((100, unguided), (300, strong), (800, strong), (801, unguided)):
        calls = []
        made = output(Within(strong, 300, 800), counting(calls), t=t)
        torch.testing.assert_close(made, output(expected, t=t), rtol=0, atol=0)
        assert calls == ([4] if expected is strong else [2])
    mixed = output(Within(strong, 300, 800))  # t = 5 and 700
    assert torch.equal(mixed[0], output(unguided)[0]) and torch.equal(mixed[1], output(strong)[1])


@pytest.mark.parametrize("prediction_type", PREDICTION_TYPES)
def test_guidance_of_the_output_is_guidance_of_x0(prediction_type):
    """It is linear in whatever the network predicts."""
    x, x0_cond, x0_uncond = noise(3, 2, 3, 4, 4, dtype=torch.float64).unbind(0)

    def model(x, t, labels):
        x0 = torch.cat([x0_uncond, x0_cond])
        return training_target(prediction_type, SCHEDULE, x0, SCHEDULE.eps_from_x0(x, x0, 500), 500)

    made = output(ClassifierFree(3.0), model, x=x, t=500)
    x0, _ = to_x0_eps(prediction_type, SCHEDULE, made, x, 500)
    torch.testing.assert_close(x0, x0_uncond + 3 * (x0_cond - x0_uncond), rtol=1e-6, atol=1e-6)

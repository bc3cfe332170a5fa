"""One trainer: what a batch tells it, what it learns, what it leaves alone."""

import pytest
import torch
from tiny import draw_shapes, seeded, trainer

from diffusion.train.data import load_pictures
from diffusion.train.sheets import sample_sheet


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    return draw_shapes(tmp_path_factory.mktemp("shapes"))


def test_noise_lies_over_drawings_in_its_share_of_the_batch(shapes):
    t = trainer(shapes, sketched=0.8, noise_over=0.4, batch_size=200)
    batch = t.batches.at(0)
    assert 0.7 < float(batch.sketched.float().mean()) < 0.9
    steps, noise = t.noised(batch, seeded())
    plain = trainer(shapes, sketched=0.8, noise_over=0.0).noised(batch, seeded())[1]
    differs = (noise != plain).flatten(1).any(1)
    assert not differs[~batch.sketched].any() and 0.3 < float(differs.float().mean()) < 0.5
    assert (steps.sort().values // 10 == torch.arange(200) // 2).float().mean() > 0.9  # spread over all t


def test_the_network_is_told_the_drawings_there_are(shapes):
    t = trainer(shapes, sketched=0.5, noise_over=0.2, batch_size=32)
    batch = t.batches.at(0)
    told = t.condition(batch, batch.labels).drawing
    assert told.shape == (32, 4, 16, 16)
    assert torch.equal(told[:, 3].flatten(1).all(1), batch.sketched)
    assert torch.equal(told[batch.sketched, :3], batch.drawing[batch.sketched])
    assert not told[~batch.sketched].any()
    assert trainer(shapes, drawing=0).condition(batch, batch.labels).drawing is None
    untold = trainer(shapes, drawing=0, sketched=0.0, noise_over=0.0)
    assert torch.isfinite(untold.train_step()) and untold.model.drawing_input is None


def test_the_weighting_is_that_of_the_settings(shapes):
    found = {}
    for weighting in ("plain", "min-snr"):
        t = trainer(shapes, weighting=weighting)
        batch, steps = t.batches.at(0), torch.full((8,), 900)
        noise = torch.zeros_like(batch.x0)
        condition = t.condition(batch, batch.labels)
        found[weighting] = float(t.losses(t.model, batch.x0, condition, steps, noise).detach().mean())
    ratio = found["min-snr"] / found["plain"]
    assert ratio == pytest.approx(float(t.schedule.abar(900)), rel=1e-4)  # SNR to SNR + 1


def test_the_straight_path_is_learnt_by_the_same_trainer(shapes):
    """FM eq. 23: the squared distance from eps - x0, which a network whose output is 0 is off by wholly."""
    t = trainer(shapes, schedule="straight", prediction_type="v_prediction", noise_over=0.4, sketched=0.8)
    batch = t.batches.at(0)
    steps, noise = t.noised(batch, seeded())
    losses = t.losses(t.model, batch.x0, t.condition(batch, batch.labels), steps, noise)
    torch.testing.assert_close(losses, (noise - batch.x0).square().mean((1, 2, 3)))
    before = float(losses.mean().detach())
    for _ in range(60):
        t.train_step()
    after = float(t.losses(t.model, batch.x0, t.condition(batch, batch.labels), steps, noise).detach().mean())
    assert after < 0.8 * before
    assert t.checkpoint().schedule.kind == "straight" and sample_sheet(t, 2, 1).size == (32, 16)


def test_noise_is_nothing_to_predict_on_the_straight_path(shapes):
    with pytest.raises(ValueError, match="straight path"):
        trainer(shapes, schedule="straight", prediction_type="epsilon")


@pytest.mark.parametrize("prediction_type", ["v_prediction", "epsilon", "sample"])
def test_a_learnt_variance_adds_its_loss_and_changes_no_other(shapes, prediction_type):
    """iDDPM eq. 16: the gradient of what says the mean is that of the loss without it."""
    gradients, losses = [], []
    for learned in (0, 1):
        t = trainer(shapes, prediction_type=prediction_type, learned_variance=learned)
        batch = t.batches.at(0)
        steps, noise = torch.tensor([0, 1, 2, 5, 50, 300, 600, 950]), t.noised(batch, seeded())[1]
        loss = t.losses(t.model, batch.x0, t.condition(batch, batch.labels), steps, noise).mean()
        loss.backward()
        losses.append(float(loss.detach()))
        gradients.append(t.model.output.weight.grad)
    torch.testing.assert_close(gradients[1][:12], gradients[0], rtol=1e-4, atol=1e-6)
    assert gradients[1][12:].abs().max() > 0 and losses[1] > losses[0]
    before = t.model.output.weight[12:].detach().clone()
    assert torch.isfinite(t.train_step())
    assert (t.model.output.weight[12:] - before).abs().max() > 0
    assert t.checkpoint().model.config.learned_variance


def test_held_out_pictures_are_never_drawn(shapes):
    t = trainer(shapes, hold_out=0.2)
    pictures = load_pictures([shapes], 32, 0.2)
    assert int(pictures.held_out.sum()) == 4 and len(t.batches.pixels) == 20
    for picture in pictures.test().pixels.permute(0, 2, 3, 1).numpy():
        assert not (t.batches.pixels == picture).all((1, 2, 3)).any()
    assert len(t.held_out.x0) == 4


@pytest.mark.slow
@pytest.mark.parametrize("prediction_type", ["v_prediction", "epsilon", "sample"])
@pytest.mark.parametrize("loss", ["l2", "l1"])
def test_one_batch_is_overfitted(shapes, prediction_type, loss):
    """One batch of shapes with its noise, again and again: the loss must fall to a tenth."""
    t = trainer(shapes, prediction_type=prediction_type, loss=loss)
    batch = t.batches.at(0)
    steps, noise = t.noised(batch, t.generator)
    told = t.condition(batch, batch.labels)
    optimizer = torch.optim.Adam(t.model.parameters(), lr=3e-3)
    losses = []
    for _ in range(600):
        value = t.losses(t.model, batch.x0, told, steps, noise).mean()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(float(value.detach()))
        if losses[-1] < losses[0] / 10:
            break
    assert losses[-1] < losses[0] / 10, (losses[0], losses[-1])


def test_cutting_a_batch_up_changes_nothing(shapes):
    whole, cut = trainer(shapes), trainer(shapes, accumulate=4)
    for _ in range(3):
        torch.testing.assert_close(whole.train_step(), cut.train_step(), rtol=1e-5, atol=1e-6)
    for a, b in zip(whole.model.parameters(), cut.model.parameters()):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


def test_training_leaves_the_global_rng_alone(shapes):
    before = torch.get_rng_state()
    t = trainer(shapes)
    t.train_step(), t.validation_loss(), sample_sheet(t, 2, 1)
    assert torch.equal(before, torch.get_rng_state())


def test_sample_sheets_are_of_the_same_seeds_and_labels(shapes):
    t = trainer(shapes)
    t.train_step()
    first = sample_sheet(t, 4, 2)
    assert first.size == (64, 32)
    assert first.tobytes() == sample_sheet(t, 4, 2).tobytes()


def test_only_class_trains_on_nothing_else(shapes):
    picky = trainer(shapes, only_class="ellipse")
    everything = trainer(shapes)
    assert picky.label_names == everything.label_names
    assert picky.batches.labels[:, 0].unique().tolist() == [0]
    assert 0 < len(picky.batches.pixels) < len(everything.batches.pixels)

"""Drawing t by its losses: without a bias, with less noise, and the same after a stop."""

import pytest
import torch
from tiny import draw_shapes, seeded, trainer

from diffusion.train.importance import HISTORY, UNIFORM, LossHistory, importance_weights
from diffusion.train.losses import stratified_timesteps

T = 50


def losses_at(t):
    """Losses that differ by orders of magnitude, as those of the bound do."""
    return 100.0 * torch.exp(-t.double() / 5) + 0.01


def remembering(total=T):
    """A history of these losses."""
    history = LossHistory(total)
    for _ in range(HISTORY):
        history.add(torch.arange(total), losses_at(torch.arange(total)))
    return history


def test_it_is_uniform_until_every_timestep_has_its_history():
    history = LossHistory(T)
    for number in range(HISTORY):
        assert torch.equal(history.probabilities(), torch.full((T,), 1 / T, dtype=torch.float64))
        assert importance_weights(history.probabilities(), torch.arange(T)).tolist() == pytest.approx([1] * T)
        history.add(torch.arange(T - (number == HISTORY - 1)), torch.ones(T))
    assert history.probabilities().std() == 0, "one is missing still"
    history.add(torch.tensor([T - 1]), torch.tensor([9.0]))
    assert history.probabilities().argmax() == T - 1


def test_probabilities_follow_the_second_moment_of_the_last_losses():
    history = LossHistory(3)
    for value in range(1, HISTORY + 4):  # of which the first three are forgotten
        history.add(torch.tensor([0, 1, 2]), torch.tensor([1.0, 2.0, value]))
    last = torch.arange(4, HISTORY + 4).double()
    size = torch.stack([torch.tensor(1.0).double(), torch.tensor(2.0).double(), last.square().mean().sqrt()])
    expected = (1 - UNIFORM) * size / size.sum() + UNIFORM / 3
    torch.testing.assert_close(history.probabilities(), expected)
    assert float(history.probabilities().sum()) == pytest.approx(1)
    twice = LossHistory(3)
    twice.add(torch.tensor([1, 1, 1]), torch.tensor([5.0, 6.0, 7.0]))
    assert twice.count.tolist() == [0, 3, 0] and twice.losses[1, :3].tolist() == [5, 6, 7]


def test_the_weighted_loss_is_expected_to_be_the_uniform_one():
    probabilities = remembering().probabilities()
    every = torch.arange(T)
    weighted = importance_weights(probabilities, every) * losses_at(every)
    assert float((probabilities * weighted).sum()) == pytest.approx(float(losses_at(every).mean()))


def test_timesteps_are_drawn_with_these_probabilities_and_spread():
    probabilities, g = remembering().probabilities(), seeded()
    draws = torch.stack([stratified_timesteps(16, T, g, probabilities) for _ in range(4000)])
    found = torch.bincount(draws.flatten(), minlength=T) / draws.numel()
    assert draws.max() < T and ((found - probabilities).abs() < 0.004).all()
    first = (draws == 0).sum(1)  # t = 0 takes p_0 of each batch, but for one more or less
    assert ((first - 16 * probabilities[0]).abs() <= 1).all()
    uniform = torch.full((T,), 1 / T, dtype=torch.float64)
    a, b = (stratified_timesteps(16, T, seeded(3), p) for p in (None, uniform))
    assert torch.equal(a, b)


def test_the_mean_of_a_batch_is_known_better():
    """Of weighted draws it varies far less than of uniform ones, about the same expectation."""
    probabilities, g, expected = (
        remembering().probabilities(),
        seeded(),
        float(losses_at(torch.arange(T)).mean()),
    )

    def means(p):
        drawn = torch.multinomial(p, 16 * 2000, replacement=True, generator=g)
        return (importance_weights(p, drawn) * losses_at(drawn)).reshape(2000, 16).mean(1)

    weighted, uniform = means(probabilities), means(torch.full((T,), 1 / T, dtype=torch.float64))
    assert float(weighted.mean()) == pytest.approx(expected, rel=0.02)
    assert float(uniform.mean()) == pytest.approx(expected, rel=0.1)
    assert weighted.std() < 0.1 * uniform.std()


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    return draw_shapes(tmp_path_factory.mktemp("shapes"))


def test_a_trainer_remembers_its_losses_and_goes_on_with_them(shapes):
    about = {"timesteps": "importance", "learned_variance": 1, "num_train_timesteps": 4, "accumulate": 2}
    t = trainer(shapes, **about)
    for _ in range(5):
        t.train_step()
    assert t.history.count.tolist() == [10, 10, 10, 10], "two of each t in every batch of 8"
    probabilities = t.history.probabilities()
    assert probabilities.argmax() == 0, "the bound's last step costs most"
    again = trainer(shapes, **about)
    again.load_state_dict(t.state_dict())
    assert torch.equal(again.history.probabilities(), probabilities)
    loss = t.train_step()
    assert torch.isfinite(loss) and t.history.count[0] > again.history.count[0] + 2
    assert trainer(shapes).history is None


def test_what_a_loss_counts_reaches_the_gradient(shapes):
    """The same batch with the same t, weighted: a step of a trainer whose draws are planted."""
    about = {"timesteps": "importance", "num_train_timesteps": 4, "accumulate": 2}
    weighted, plain = trainer(shapes, **about), trainer(shapes, **about)
    t = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])
    for each in (weighted, plain):
        noise = torch.randn(8, 3, 16, 16, generator=seeded(1))
        each.noised = lambda *_, noise=noise: (t, noise)
    p = torch.tensor([0.7, 0.1, 0.1, 0.1], dtype=torch.float64)
    weighted.history.probabilities = lambda: p
    weighted_loss, plain_loss = float(weighted.train_step()), float(plain.train_step())
    losses = plain.history.losses[:, :2].mean(1)
    assert plain_loss == pytest.approx(float(losses.mean()), rel=1e-5)
    assert weighted_loss == pytest.approx(float((losses / (4 * p)).mean()), rel=1e-5)

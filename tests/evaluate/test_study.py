"""A study paints as the app does, each picture on its own, from held-out pictures alone."""

from dataclasses import replace

import pytest
import torch
from PIL import Image

from diffusion import UNet
from diffusion.evaluate.study import as_x0, same_labels
from diffusion.sampler import Sampling
from diffusion.sdedit import edit
from diffusion.train.data import load_pictures
from fruit import fruit_folder, study_of


@pytest.fixture(scope="module")
def fruit(tmp_path_factory):
    return fruit_folder(tmp_path_factory.mktemp("fruit"))


@pytest.fixture
def study(fruit):
    return study_of(load_pictures([fruit / "data"], 32, 0.4))


def test_each_picture_is_what_edit_makes_of_it(study):
    """Labels and seeds of their own, in a batch: the same as one by one through `edit`."""
    x0 = study.real[:3]
    rows, kinds = study.held_out.labels[:3], study.pictures.label_names
    for strength in (0.6, 1.0):
        together = study.paint(x0, rows, strength, [5, 6, 7], "test")
        for i in range(3):
            told = {kind: names[rows[i, k]] for k, (kind, names) in enumerate(kinds.items())}
            generator = torch.Generator().manual_seed(5 + i)
            sampling = Sampling(strength, 2, study.guidance)
            *_, last = edit(study.checkpoint, x0[i : i + 1], told, sampling, generator)
            torch.testing.assert_close(together[i : i + 1], last.x, rtol=1e-4, atol=1e-4)


def test_eta_s_noise_is_each_picture_s_own(study):
    noisy = replace(study, eta=1.0, steps=4)
    rows, kinds = study.held_out.labels[:2], study.pictures.label_names
    together = noisy.paint(None, rows, 1.0, [5, 6], "test")
    for i in range(2):
        told = {kind: names[rows[i, k]] for k, (kind, names) in enumerate(kinds.items())}
        generator = torch.Generator().manual_seed(5 + i)
        *_, last = edit(study.checkpoint, None, told, Sampling(1.0, 4, study.guidance, 1.0), generator)
        torch.testing.assert_close(together[i : i + 1], last.x, rtol=1e-4, atol=1e-4)
    assert not torch.equal(together, replace(noisy, eta=0.0).paint(None, rows, 1.0, [5, 6], "test"))


def test_strength_0_is_the_input(study):
    assert study.paint(study.real, study.held_out.labels, 0.0, range(9), "test") is study.real


def test_held_out_pictures_are_spread_over_the_last_kind(study):
    assert study.held_out.held_out.all()
    assert len(study.held_out) == 12 and (study.held_out.labels[:, 1] == 0).sum() == 6
    assert sorted(study.brought.labels[:, 1].tolist()) == [0, 1] and len(study.brought_framed) == 2
    assert study.real.shape == (12, 3, 16, 16)


def test_inputs_are_of_the_model_s_size_and_strength_1_forgets_them(study):
    for x0 in study.inputs.values():
        assert x0.shape == (2, 3, 16, 16) and x0.min() >= -1 and x0.max() <= 1
    first = study.repainted("strokes", 1.0)
    assert study.repainted("outlines as they are", 1.0) is first
    assert not torch.equal(study.repainted("strokes", 0.5), study.repainted("outlines as they are", 0.5))


def test_a_network_that_is_told_the_drawing_follows_it_at_strength_1(study):
    config = replace(study.checkpoint.model.config, drawing=True)
    torch.manual_seed(0)
    model = UNet(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    told = replace(study, checkpoint=replace(study.checkpoint, model=model))
    assert not torch.equal(told.repainted("strokes", 1.0), told.repainted("outlines as they are", 1.0))


def test_whole_blocks_are_averaged():
    image = Image.new("RGB", (4, 2), "white")
    image.paste((0, 0, 0), (0, 0, 1, 2))
    assert as_x0([image.crop((0, 0, 2, 2))], 1).flatten().tolist() == [0, 0, 0]


def test_same_labels_are_training_pictures_of_the_same_labels(study):
    train = study.pictures.train()
    chosen = same_labels(train, study.held_out.labels, 0)
    assert torch.equal(chosen.labels, study.held_out.labels) and not chosen.held_out.any()
    unseen = same_labels(train.subset(train.labels[:, 0] == 0), torch.tensor([[2, 1]]), 0)
    assert unseen.labels.tolist() == [[0, 1]]  # another subject in the same style

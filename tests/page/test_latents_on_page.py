"""A model that draws in a latent space: the page shows its steps as pictures, and goes on from them."""

import pytest
import torch

from app_helpers import decoded, frames_of, make_controls, start, values_of
from conftest import drawn, tiny_checkpoint
from diffusion import save_checkpoint
from diffusion.autoencoder import Autoencoder, AutoencoderConfig, Latents, save_autoencoder
from diffusion.page import app, choices, lesson_tab
from diffusion.page.session import Place, Session


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("latent")
    save_checkpoint(
        place / "latent.safetensors", tiny_checkpoint(image_channels=4, image_size=8, drawing=True)
    )
    network = Autoencoder(AutoencoderConfig(image_size=32, patch_size=2, channels=(8, 16)))
    save_autoencoder(place / "autoencoder/autoencoder-8.safetensors", Latents(network, [0.0] * 4, [1.0] * 4))
    return place


@pytest.fixture(scope="module")
def controls(folder):
    checkpoints, problems = choices.find_checkpoints(folder)
    assert not problems
    return make_controls(checkpoints)


def test_its_steps_are_shown_as_pictures_of_what_they_stand_for(controls):
    session = Session()
    messages = list(start(controls, session, drawn(), model="latent"))
    frames = frames_of(messages)
    assert messages[-1]["phase"] == "done" and len(frames) > 1
    assert all(decoded(frame[x]).size == (32, 32) for frame in frames for x in ("x0", "x"))
    run = session.kept(1, 0)
    assert run.steps[0].x.shape == (1, 4, 8, 8) and run.steps[-1].x0.shape == (1, 3, 32, 32)
    torch.testing.assert_close(run.seen(run.steps[0]).x0, run.codec.decode(run.steps[0].x0))
    assert run.gif()[:3] == b"GIF"


def test_it_goes_on_from_a_step(controls):
    session = Session()
    list(start(controls, session, drawn(), model="latent"))
    again = list(start(controls, session, drawn(), model="latent", after=Place(1, 0, 2)))
    assert again[-1]["phase"] == "done"
    assert torch.equal(session.kept(1, 0).steps[-1].x, session.kept(2, 0).steps[-1].x)


def test_the_lesson_is_not_told_with_it(controls, folder):
    with pytest.raises(ValueError, match="latent space"):
        lesson_tab.look(controls, values_of(controls, model="latent"), ["apple", "noto"])
    assert "How it works" not in str(app.build(folder).config)


def test_it_comes_behind_what_draws_pixels(folder):
    save_checkpoint(folder / "pixels.safetensors", tiny_checkpoint(image_size=4))
    try:
        found, _ = choices.find_checkpoints(folder)
    finally:
        (folder / "pixels.safetensors").unlink()
    assert list(found) == ["pixels", "latent"]
    assert "32 pixels" in choices.in_words(found["latent"], "latent")

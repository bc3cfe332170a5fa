"""A checkpoint's codec is asked once for each result, by whoever hands it on."""

from dataclasses import replace

import torch

import diffusion.__main__ as cli
from conftest import apple_drawing, drawn, tiny_checkpoint
from diffusion import edit_flags, save_checkpoint
from diffusion.codec import Pixels
from diffusion.page.drawing import read_drawing
from diffusion.page.session import paint
from diffusion.page.settings import Settings
from diffusion.sampler import only_steps
from toys import Doubled

SETTINGS = Settings("tiny", {"subject": "cat"}, 0.5, 10, 2.0, 0.0, 3, False)


def test_pixels_stay_as_they_are():
    x = torch.rand(1, 3, 4, 4)
    assert Pixels().encode(x) is x and Pixels().decode(x) is x
    assert tiny_checkpoint().codec == Pixels()


def test_the_page_s_result_is_decoded_and_nothing_else():
    checkpoint = tiny_checkpoint()
    drawing = read_drawing(drawn(), checkpoint, SETTINGS)
    usual = list(only_steps(paint(checkpoint, drawing, SETTINGS)))
    steps = list(only_steps(paint(replace(checkpoint, codec=Doubled()), drawing, SETTINGS)))
    for a, b in zip(steps[:-1], usual[:-1], strict=True):
        assert torch.equal(a.x, b.x) and torch.equal(a.x0, b.x0)
    assert torch.equal(steps[-1].x0, Doubled().decode(usual[-1].x0)) and torch.equal(steps[-1].x, usual[-1].x)


def test_the_command_s_result_is_decoded(tmp_path, monkeypatch):
    decoded = []

    class Spy(Doubled):
        def decode(self, x0):
            decoded.append(x0)
            return super().decode(x0)

    path = tmp_path / "tiny.safetensors"
    save_checkpoint(path, tiny_checkpoint())
    load = edit_flags.load_checkpoint
    monkeypatch.setattr(edit_flags, "load_checkpoint", lambda path: replace(load(path), codec=Spy()))
    apple_drawing(64).save(tmp_path / "in.png")
    words = [str(tmp_path / "in.png"), str(tmp_path / "out.png"), "--checkpoint", str(path), "--steps", "3"]
    assert cli.main(words) == 0 and len(decoded) == 1

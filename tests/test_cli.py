"""python -m diffusion.sdedit: the files it writes, its exit status, and the one sentence when it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from conftest import tiny_checkpoint
from diffusion import __main__ as cli
from diffusion import save_checkpoint
from diffusion.__main__ import main
from diffusion.images import paste_back, prepare, to_pil

SIZE = 16


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("checkpoint")
    names = {"subject": ["apple", "cat", "ice cream"], "style": ["photo", "noto"]}
    save_checkpoint(folder / "tiny.safetensors", tiny_checkpoint(names, []))
    return str(folder / "tiny.safetensors")


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty folder to work in, with a drawing: a red blob on white, off centre, 80 x 60."""
    monkeypatch.chdir(tmp_path)
    image = Image.new("RGB", (80, 60), "white")
    ImageDraw.Draw(image).ellipse((10, 20, 40, 45), fill=(200, 30, 30))
    image.save("in.png")
    return tmp_path


def run(checkpoint: str, *words: str) -> int:
    return main(["in.png", "out.png", "--checkpoint", checkpoint, "--steps", "5", *words])


def pixels(path: str | Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def refuse(capsys, argv: list[str], *expected: str) -> None:
    """Exit status 2, one line on stderr with what is expected in it, nothing on stdout."""
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("sdedit: ") and err.count("\n") == 1 and "Traceback" not in err
    for part in expected:
        assert part in err


# ---------------------------------------------------------------------- what it makes


def test_writes_a_picture_of_the_input_s_size(here, checkpoint, capsys) -> None:
    assert run(checkpoint, "--subject", "apple", "--style", "noto") == 0
    assert Image.open("out.png").size == (80, 60) and Image.open("out.png").format == "PNG"
    out, err = capsys.readouterr()
    assert out == "out.png: 3 steps\n" and err == ""  # round(0.6 * 5)
    assert sorted(os.listdir()) == ["in.png", "out.png"]  # no partial file is left
    # White outside the framed square, something inside it.
    assert (pixels("out.png")[:, 50:] == 255).all() and (pixels("out.png")[:, 10:40] != 255).any()


def test_same_seed_same_file_other_seed_label_guidance_other_file(here, checkpoint) -> None:
    def made(*words: str) -> bytes:
        assert run(checkpoint, *words) == 0
        return Path("out.png").read_bytes()

    first = made("--seed", "7", "--eta", "1")
    assert made("--seed", "7", "--eta", "1") == first
    assert made("--seed", "8", "--eta", "1") != first
    assert made("--seed", "7", "--eta", "0") != first
    # Subject, style and guidance each reach the model.
    options = ["", "--strength 0.9", "--subject apple", "--subject cat", "--style photo"]
    options += ["--subject cat --style photo", "--subject cat --guidance 5", "--spacing quadratic"]
    options += ["--solver dpm++", "--solver heun", "--solver ddpm", "--solver ddpm --variance large"]
    pictures = [made(*words.split()) for words in options]
    assert len(set(pictures)) == len(pictures)
    assert made("--seed", "0", "--guidance", "2", "--strength", "0.6", "--steps", "5") == pictures[0]


@pytest.mark.parametrize(
    ("told", "kind", "steps"),
    [(True, "ring", 20), (False, "ring", 12), (True, "disc", 12), (True, "photo", 5)],
)
def test_each_kind_of_drawing_has_a_strength_of_its_own(tmp_path, monkeypatch, capsys, told, kind, steps):
    monkeypatch.chdir(tmp_path)
    save_checkpoint("a.safetensors", tiny_checkpoint(drawing=told))
    if kind == "photo":
        colours = np.random.default_rng(0).integers(0, 200, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(colours).resize((320, 240), Image.Resampling.BICUBIC).save("in.png")
    else:
        drawing = Image.new("RGB", (256, 256), "white")
        colours = {"outline": "black", "width": 8} if kind == "ring" else {"fill": "red"}
        ImageDraw.Draw(drawing).ellipse([60, 60, 200, 200], **colours)
        drawing.save("in.png")
    assert main(["in.png", "out.png", "--checkpoint", "a.safetensors", "--steps", "20"]) == 0
    assert capsys.readouterr().out == f"out.png: {steps} steps\n"


def test_strength_0_returns_the_prepared_input(here, checkpoint, capsys) -> None:
    assert run(checkpoint, "--strength", "0", "--frames", "f", "--gif", "g.gif") == 0
    original = Image.open("in.png")
    prepared = prepare(original, SIZE)
    expected = paste_back(to_pil(prepared.x0), prepared, original)
    assert np.array_equal(pixels("out.png"), np.asarray(expected))
    assert os.listdir("f") == ["00.png"] and Image.open("g.gif").n_frames == 1
    assert capsys.readouterr().out == "out.png: 0 steps\n"


def test_strength_0_on_a_full_frame_returns_it_bit_for_bit(here, checkpoint) -> None:
    array = np.random.default_rng(0).integers(0, 200, (SIZE, SIZE, 3)).astype(np.uint8)
    Image.fromarray(array).save("in.png")
    assert run(checkpoint, "--strength", "0") == 0
    assert np.array_equal(pixels("out.png"), array)


def test_mask_keeps_pixels_exactly(here, checkpoint) -> None:
    mask = Image.new("L", (80, 60))
    mask.paste(255, (0, 0, 25, 60))
    mask.save("mask.png")
    for out in ("out.png", "out.webp"):
        assert main(["in.png", out, "--checkpoint", checkpoint, "--steps", "5", "--mask", "mask.png"]) == 0
        assert np.array_equal(pixels(out)[:, 25:], pixels("in.png")[:, 25:])
        assert (pixels(out)[:, 10:25] != pixels("in.png")[:, 10:25]).any()


def test_mask_reaches_the_model(here, checkpoint) -> None:
    """In every frame, too, the kept half is the drawing and the other is not."""
    Image.new("RGB", (SIZE, SIZE), (90, 120, 200)).save("in.png")
    mask = Image.new("L", (SIZE, SIZE))
    mask.paste(255, (0, 0, 8, SIZE))
    mask.save("mask.png")
    assert run(checkpoint, "--mask", "mask.png", "--frames", "f", "--size", str(SIZE)) == 0
    for i in (1, 2, 3):
        same = (pixels(f"f/0{i}.png") == pixels("f/00.png")).all(axis=2)
        assert same[:, 8:].all() and same[:, :8].mean() < 0.1


def test_size_enlarges_the_input_first(here, checkpoint) -> None:
    assert run(checkpoint, "--size", "160", "--frames", "f") == 0
    assert Image.open("out.png").size == (160, 120) and Image.open("f/00.png").size == (160, 160)


def test_frames_and_gif(here, checkpoint) -> None:
    assert run(checkpoint, "--frames", "new/f", "--gif", "g.gif", "--strength", "1", "--size", "64") == 0
    assert sorted(os.listdir("new/f")) == ["00.png", "01.png", "02.png", "03.png", "04.png", "05.png"]
    enlarged = Image.open("in.png").resize((64, 48), Image.Resampling.LANCZOS)
    seen = to_pil(prepare(enlarged, SIZE).x0, 64)
    assert np.array_equal(pixels("new/f/00.png"), np.asarray(seen))
    gif = Image.open("g.gif")
    assert gif.size == (64, 64) and gif.n_frames == 5
    for i in range(5):  # the GIF's frames are the predicted pictures, in order
        gif.seek(i)
        shown = np.asarray(gif.convert("RGB")).astype(int)
        off = [np.abs(shown - pixels(f"new/f/0{k}.png")).mean() for k in range(6)]
        assert off[i + 1] == min(off) < 15


def test_last_frame_is_the_result(here, checkpoint) -> None:
    """On a full frame nothing is pasted: frame n and OUT are one picture."""
    Image.new("RGB", (SIZE, SIZE), (90, 120, 200)).save("in.png")
    assert run(checkpoint, "--frames", "f", "--size", str(SIZE)) == 0
    assert np.array_equal(pixels("f/03.png"), pixels("out.png"))
    assert not np.array_equal(pixels("f/02.png"), pixels("out.png"))


def test_pure_noise(here, checkpoint) -> None:
    argv = ["-", "out.jpg", "--checkpoint", checkpoint, "--steps", "2", "--subject", "cat"]
    assert main(argv) == 0
    assert Image.open("out.jpg").size == (512, 512) and Image.open("out.jpg").format == "JPEG"
    assert main([*argv, "--size", "100", "--strength", "1"]) == 0
    assert Image.open("out.jpg").size == (100, 100)


def test_checkpoint_found_and_its_own_label_flags(here, checkpoint, capsys) -> None:
    """--class is a flag because this checkpoint has that kind; --subject then is not."""
    argv = ["in.png", "out.png", "--steps", "1"]
    refuse(capsys, argv, "Choose a checkpoint with --checkpoint FILE; checkpoints/ holds nothing.")
    Path("checkpoints").mkdir()
    save_checkpoint("checkpoints/cifar.safetensors", tiny_checkpoint({"class": ["ship", "100%"]}, []))
    assert main([*argv, "--class", "ship"]) == 0
    capsys.readouterr()
    with pytest.raises(SystemExit):  # a % in a name is no format to argparse
        main(["--help"])
    assert "one of 2: ship, 100%" in capsys.readouterr().out
    refuse(capsys, [*argv, "--subject", "apple"], "'--subject'; this checkpoint has --class.")
    Path("checkpoints/other.safetensors").write_bytes(b"")
    refuse(capsys, argv, "checkpoints/ holds cifar.safetensors, other.safetensors.")


def test_blank_drawing_is_said(here, checkpoint, capsys) -> None:
    Image.new("RGB", (50, 50), "white").save("in.png")
    assert run(checkpoint) == 0
    assert capsys.readouterr().err == "in.png is blank: the picture will come from the noise alone.\n"


# ---------------------------------------------------------------------- what it refuses


def test_bad_output(here, checkpoint, capsys, monkeypatch) -> None:
    monkeypatch.setattr(cli, "edit", lambda *_, **__: pytest.fail("worked before looking where to write"))
    Path("folder.png").mkdir()
    for out, expected in [
        ("out.xyz", "its name must end in one of .png .webp"),
        ("out", "its name must end in one of .png .webp"),
        ("no/out.png", "Cannot write no/out.png: there is no folder no."),
        ("folder.png", "Cannot write folder.png: it is a folder."),
    ]:
        refuse(capsys, ["in.png", out, "--checkpoint", checkpoint], expected)


def test_failed_write_leaves_the_old_file(here, checkpoint, capsys, monkeypatch) -> None:
    Path("out.png").write_bytes(b"precious")

    def full_disk(self, path, **_):
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Image.Image, "save", full_disk)
    refuse(capsys, ["in.png", "out.png", "--checkpoint", checkpoint], "No space left on device.")
    assert Path("out.png").read_bytes() == b"precious"
    assert sorted(os.listdir()) == ["in.png", "out.png"]


def test_ctrl_c(here, checkpoint, capsys, monkeypatch) -> None:
    def interrupted(*_, **__):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(cli, "edit", interrupted)
    Path("out.png").write_bytes(b"precious")
    assert run(checkpoint) == 130
    assert capsys.readouterr().err == "sdedit: stopped.\n"
    assert Path("out.png").read_bytes() == b"precious"


# ---------------------------------------------------------------------- help, and the real thing


def test_help_without_and_with_a_checkpoint(here, checkpoint, capsys) -> None:
    for argv, expected in [
        (["--help"], "--KIND NAME"),
        (["--help", "--checkpoint", "gone"], "--KIND NAME"),
        (["--help", "--checkpoint", checkpoint], "--subject NAME"),
    ]:
        with pytest.raises(SystemExit) as stop:
            main(argv)
        out, err = capsys.readouterr()
        assert stop.value.code == 0 and err == ""
        assert expected in out and "--strength" in out
    assert "one of 3: apple, cat, ice cream" in out


def test_outlines_are_coloured_in_unless_told_not_to(here, checkpoint) -> None:
    outline = Image.new("RGB", (128, 128), "white")
    ImageDraw.Draw(outline).ellipse([20, 20, 108, 108], outline="#c01010", width=6)
    outline.save("in.png")
    assert run(checkpoint, "--strength", "0") == 0
    assert Image.open("out.png").getpixel((64, 64)) == (0xC0, 0x10, 0x10)
    assert run(checkpoint, "--strength", "0", "--keep-outlines") == 0
    assert Image.open("out.png").getpixel((64, 64)) == (255, 255, 255)


@pytest.mark.slow
def test_as_a_program(here, checkpoint) -> None:
    """In a process of its own: the same file as in this one, and a refusal with status 2."""
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "diffusion", "in.png"]
    options = ["--checkpoint", checkpoint, "--steps", "5"]
    env = {**os.environ, "PYTHONPATH": str(root)}
    assert run(checkpoint) == 0
    good = subprocess.run([*command, "b.png", *options], capture_output=True, text=True, env=env)
    assert (good.returncode, good.stdout) == (0, "b.png: 3 steps\n")
    assert Path("b.png").read_bytes() == Path("out.png").read_bytes()
    bad = subprocess.run([*command, "c.xyz", *options], capture_output=True, text=True, env=env)
    assert bad.returncode == 2 and "Traceback" not in bad.stderr and not Path("c.xyz").exists()
    assert (
        bad.stderr.startswith("sdedit: Cannot write c.xyz: its name must end in")
        and bad.stderr.count("\n") == 1
    )

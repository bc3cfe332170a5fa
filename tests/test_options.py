"""A dataclass is a command line; a command ends with a status and, if it must, one sentence."""

import io
import sys
from dataclasses import dataclass

import pytest

from diffusion.errors import DoodleError, did_you_mean, require
from diffusion.options import REQUIRED, command, device, option, parse


@dataclass(frozen=True)
class Settings:
    picture: str = option(REQUIRED, "what to read", positional=True)
    data: tuple[str, ...] = option(REQUIRED, "folders")
    channels: tuple[int, ...] = option((1, 2), "widths", low=1)
    hold_out: float = option(0.1, "fraction of each, in %", low=0, below=1)
    way: str = option("up", "where to", choices=("up", "down"))
    device: str = option("cpu", "where to compute", read=device)


def of(*words: str) -> Settings:
    return parse(Settings, "test", "A test.", ["in.png", "--data", "a", *words])


def test_fields_are_flags():
    assert of() == Settings(picture="in.png", data=("a",))
    given = of("--data", "a", "b", "--channels", "3", "--hold-out", "0", "--way", "down")
    assert given == Settings(picture="in.png", data=("a", "b"), channels=(3,), hold_out=0.0, way="down")


def test_help_shows_defaults(capsys):
    with pytest.raises(SystemExit):
        of("--help")
    text = capsys.readouterr().out
    assert "fraction of each, in % (default: 0.1)" in text and "widths (default: 1 2)" in text
    assert "folders\n" in text  # no default where there is none


@pytest.mark.parametrize(
    "words, message",
    [
        (["--channels", "3", "0"], "--channels: must be a whole number of at least 1, not '0'"),
        (["--channels", "1.5"], "must be a whole number"),
        (["--hold-out", "1"], "--hold-out: must be a number of at least 0 and less than 1, not '1'"),
        (["--hold-out", "nan"], "not 'nan'"),
        (["--way", "left"], "--way: invalid choice: 'left'"),
        (["--device", "gpu"], "--device: PyTorch has no 'gpu' here"),
        (["--device", "meta"], "no 'meta' here"),
        (["--wya", "up"], "unrecognized arguments: --wya"),
    ],
)
def test_what_is_not_allowed(words, message):
    with pytest.raises(DoodleError) as caught:
        of(*words)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_what_is_required():
    with pytest.raises(DoodleError, match="required: picture, --data"):
        parse(Settings, "test", "A test.", [])


@pytest.mark.parametrize(
    "error, status, message",
    [
        (DoodleError("No such\nthing."), 2, "test: No such thing.\n"),
        (OSError(13, "Permission denied", "a.png"), 2, "test: Cannot use a.png: Permission denied.\n"),
        (KeyboardInterrupt(), 130, "test: stopped.\n"),
    ],
)
def test_a_command_ends_with_a_status(capsys, error, status, message):
    @command("test")
    def main():
        raise error

    assert main() == status
    assert capsys.readouterr().err == message
    assert command("test")(lambda: None)() == 0 and command("test")(lambda: 143)() == 143


def test_a_command_hides_no_mistake_of_its_own():
    @command("test")
    def main():
        raise TypeError

    with pytest.raises(TypeError):
        main()


def test_what_a_terminal_cannot_show_is_escaped(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="cp1252"))
    assert command("test")(lambda: print("Done: \u732b.png", flush=True))() == 0
    assert raw.getvalue().decode().strip() == r"Done: \u732b.png"


def test_did_you_mean():
    names = ["Apple", "ice cream", "pear"]
    assert did_you_mean("appel", names).startswith("Did you mean Apple")
    assert did_you_mean("cream", names) == "Did you mean ice cream?"
    assert did_you_mean("zzz", names) == "There are: Apple, ice cream, pear."
    assert did_you_mean("", [str(i) for i in range(9)]) == "There are: 0, 1, 2, 3, 4, 5, 6, 7, ...."
    assert did_you_mean("x" * 10_000_000, []) == "There are: none."


def test_a_package_that_is_missing_is_named(monkeypatch):
    assert require("math", "math").pi > 3
    monkeypatch.setitem(sys.modules, "skimage.metrics", None)
    with pytest.raises(DoodleError, match="pip install scikit-image"):
        require("skimage.metrics", "scikit-image")

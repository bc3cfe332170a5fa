"""Files appear whole or not at all, whatever writes them; what cannot be written is one sentence."""

import os
import resource
import threading
from contextlib import contextmanager

import pytest
import torch

from diffusion.errors import DoodleError
from diffusion.files import (
    FileError,
    WeightsFormat,
    read_json,
    read_weights,
    whole,
    write_state,
    write_text,
    write_weights,
)


class TestError(DoodleError):
    __test__ = False


FORM = WeightsFormat("test 1", "test", "diffusion.test", TestError, "Look elsewhere.")


@contextmanager
def small_disk():
    """Files can have 10 kB; Python ignores the signal, so that writing more is an OSError.

    For as short as can be: what pytest prints may go to a file, too.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_in_a_new_folder(tmp_path):
    path = tmp_path / "new" / "folder" / "text"
    with whole(path) as partial:
        partial.write_text("hello")
        assert not path.exists()
    assert path.read_text() == "hello" and os.listdir(path.parent) == ["text"]


def test_after_an_error_everything_is_as_before(tmp_path):
    write_text(tmp_path / "text", "before")
    with pytest.raises(ZeroDivisionError), whole(tmp_path / "text") as partial:
        partial.write_text("half")
        raise ZeroDivisionError
    assert (tmp_path / "text").read_text() == "before" and os.listdir(tmp_path) == ["text"]


@pytest.mark.parametrize(
    "write",
    [
        lambda path: write_text(path, "x" * 20_000),
        lambda path: write_state(path, {"a": torch.zeros(10_000)}),
        lambda path: write_weights(path, FORM, {"a": torch.zeros(10_000)}, {}),
    ],
)
def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path, write):
    path = tmp_path / "file"
    path.write_text("precious")
    with pytest.raises(FileError) as caught, small_disk():
        write(path)
    assert str(caught.value).startswith(f"Cannot write {path}: ") and "\n" not in str(caught.value)
    assert path.read_text() == "precious" and os.listdir(tmp_path) == ["file"]


def test_a_file_for_a_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="Cannot write .*file/text: "), whole(tmp_path / "file" / "text"):
        pass


def test_what_is_read_meanwhile_is_not_blamed_on_what_is_written(tmp_path):
    with pytest.raises(FileNotFoundError, match="gone"), whole(tmp_path / "text"):
        open(tmp_path / "gone")


def test_weights_come_back_with_their_facts(tmp_path):
    path = tmp_path / "weights.safetensors"
    write_weights(path, FORM, {"a": torch.ones(2, 3).half().T}, {"names": ["é"]})
    tensors, about = read_weights(path, FORM, lambda *found: found)
    assert torch.equal(tensors["a"], torch.ones(3, 2)) and about == {"names": ["é"]}


def test_weights_that_cannot_be_used(tmp_path):
    path = tmp_path / "weights.safetensors"
    with pytest.raises(TestError, match=r"There is no test at .*weights.safetensors\. Look elsewhere\.$"):
        read_weights(path, FORM, lambda *_: None)
    write_weights(path, WeightsFormat("other 1", "test", "", TestError), {}, {})
    with pytest.raises(TestError, match="not made by diffusion.test"):
        read_weights(path, FORM, lambda *_: None)
    write_weights(path, FORM, {}, {"a": []})
    for wrong in (lambda _, about: about["b"], lambda _, about: about["a"][0], lambda _, about: about.b):
        with pytest.raises(TestError, match="do not fit"):
            read_weights(path, FORM, wrong)


def test_two_that_write_the_same_file_do_not_mix(tmp_path):
    """The second begins and ends while the first is writing."""
    path, partials = tmp_path / "file", []

    def other() -> None:
        with whole(path) as partial:
            partials.append(partial)
            partial.write_text("second")

    with whole(path) as partial:
        partials.append(partial)
        partial.write_text("fir")
        thread = threading.Thread(target=other)
        thread.start(), thread.join()
        assert path.read_text() == "second"
        partial.write_text("first")
    assert path.read_text() == "first" and len(set(partials)) == 2 and os.listdir(tmp_path) == ["file"]


def test_what_was_left_by_one_that_was_killed_goes_later(tmp_path):
    left = [tmp_path / f".file.{n}.partial" for n in ("77-1", "78-1")]
    for path in left:
        path.write_bytes(b"half")
    other = tmp_path / ".files.77-1.partial"
    other.write_bytes(b"of another file")
    for path in (left[0], other):
        os.utime(path, (1e9, 1e9))
    write_text(tmp_path / "file", "whole")
    assert sorted(os.listdir(tmp_path)) == sorted([left[1].name, other.name, "file"])


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 10**5, b'{"a": 1', b"NaN?"])
def test_what_is_no_json_is_one_sentence(tmp_path, content):
    (tmp_path / "facts.json").write_bytes(content)
    with pytest.raises(FileError, match=r"facts\.json is damaged, or not JSON") as caught:
        read_json(tmp_path / "facts.json")
    assert "\n" not in str(caught.value)
    with pytest.raises(FileError, match="No such file"):
        read_json(tmp_path / "gone.json")

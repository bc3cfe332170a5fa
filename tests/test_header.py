"""A weights file is not believed: whatever its header says, it loads as what works, or is refused."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from conftest import COLOURS, LABELS, tiny_checkpoint
from diffusion import CheckpointError, load_checkpoint, save_checkpoint
from diffusion.classifier import ClassifierError, load_classifier
from diffusion.files import FileError, write_state, write_weights
from diffusion.header import HeaderError, check_labels
from diffusion.page.choices import find_checkpoints, settle, words_of
from diffusion.upscaler import FORMAT, UpscalerError, load_upscaler
from fruit import fruit_folder


def with_header(path, key: str, change) -> None:
    """Change what the header of a weights file says."""
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    about = json.loads(header["__metadata__"][key])
    metadata = {**header["__metadata__"], key: json.dumps(change(about))}
    save_file(load_file(path), path, metadata)


LIES = {
    "no channels": {"model": {"channels": [0]}},
    "a negative size": {"model": {"image_size": -16}},
    "an enormous size": {"model": {"image_size": 16 * 2**20}},
    "many blocks": {"model": {"blocks": 10**9}},
    "many labels": {"model": {"label_sizes": [10**15, 3]}},
    "a size that is true": {"model": {"patch_size": True}},
    "a size with a point": {"model": {"image_size": 16.0}},
    "a size in words": {"model": {"image_size": "16"}},
    "grey pictures": {"model": {"image_channels": 1}},
    "no levels": {"model": {"channels": [], "attention": []}},
    "dropout": {"model": {"dropout": "much"}},
    "many timesteps": {"schedule": {"num_train_timesteps": 10**12}},
    "half a timestep": {"schedule": {"num_train_timesteps": 999.5}},
    "another schedule": {"schedule": {"kind": ["cosine"]}},
    "another prediction": {"schedule": {"prediction_type": {}}},
    "a list of labels": {"label_names": ["apple"]},
    "labels in words": {"label_names": {"subject": "abcd", "style": LABELS["style"]}},
    "no labels of a kind": {"label_names": {"subject": [], "style": LABELS["style"]}},
    "fewer labels": {"label_names": {"subject": LABELS["subject"][:3], "style": LABELS["style"]}},
    "a label twice": {"label_names": {"subject": ["a", "a", "b", "c"], "style": LABELS["style"]}},
    "an empty label": {"label_names": {"subject": ["", "a", "b", "c"], "style": LABELS["style"]}},
    "half a character": {"label_names": {"subject": ["\ud800", "a", "b", "c"], "style": LABELS["style"]}},
    "a label of two lines": {"label_names": {"subject": ["a\nb", "a", "b", "c"], "style": LABELS["style"]}},
    "a long label": {"label_names": {"subject": ["a" * 10**6, "a", "b", "c"], "style": LABELS["style"]}},
    "a kind that is a flag": {"label_names": {"seed": LABELS["subject"], "style": LABELS["style"]}},
    "another one": {"label_names": {"help": LABELS["subject"], "style": LABELS["style"]}},
    "a kind with a space": {"label_names": {"a b": LABELS["subject"], "style": LABELS["style"]}},
    "pairs of other names": {"pairs": [["apple", "oil"]]},
    "pairs of three": {"pairs": [["apple", "noto", "noto"]]},
    "pairs of lists": {"pairs": [[["apple"], "noto"]]},
    "no colours": {"colours": {"apple": ["red"]}},
    "colours in words": {"colours": {"apple": "#c81e28"}},
    "aliases in words": {"names": {"apple": {"aliases": "fruit"}}},
    "names in a list": {"names": ["apple"]},
    "a category of numbers": {"names": {"apple": {"category": 7}}},
    "credits in words": {"credits": "me"},
    "a record in words": {"training": "long"},
    "settings in a list": {"training": {"config": [1]}},
    "samples that never end": {"training": {"samples": float("inf")}},
}


def lie(about: dict, changes: dict) -> dict:
    for key, value in changes.items():
        merged = key in ("model", "schedule")
        about[key] = {**about[key], **value} if merged else value
    return about


@pytest.mark.parametrize("name", LIES)
def test_a_header_that_lies_is_refused_in_a_sentence(tmp_path, name):
    path = tmp_path / "lie.safetensors"
    save_checkpoint(path, tiny_checkpoint())
    with_header(path, "checkpoint", lambda about: lie(about, LIES[name]))
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    said = str(caught.value)
    assert said.startswith(f"{path} is damaged") and "\n" not in said and len(said) < 400 + len(str(path))


def test_one_bad_file_does_not_take_the_others_along(tmp_path):
    save_checkpoint(tmp_path / "good.safetensors", tiny_checkpoint())
    for i, name in enumerate(LIES):
        path = tmp_path / f"bad-{i}.safetensors"
        save_checkpoint(path, tiny_checkpoint())
        with_header(path, "checkpoint", lambda about, name=name: lie(about, LIES[name]))
    (tmp_path / "._good.safetensors").write_bytes(b"what a Mac leaves")
    found, problems = find_checkpoints(tmp_path)
    assert list(found) == ["good"] and len(problems) == len(LIES)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=5), each, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_a_header_says_it_works_or_is_refused(tmp_path, data):
    path = tmp_path / "odd.safetensors"
    save_checkpoint(path, tiny_checkpoint())

    def change(about):
        inner = about
        for _ in range(data.draw(st.integers(0, 2))):
            deeper = [each for each in inner.values() if isinstance(each, dict) and each]
            inner = data.draw(st.sampled_from(deeper)) if deeper else inner
        inner[data.draw(st.sampled_from(sorted(inner)))] = data.draw(JSON)
        return about

    with_header(path, "checkpoint", change)
    try:
        checkpoint = load_checkpoint(path)
    except CheckpointError:
        return
    settle(checkpoint, [None, None]), words_of(checkpoint)
    for kind, names in checkpoint.label_names.items():
        assert checkpoint.name_of(kind, names[0]) == names[0]


def test_so_are_judges_and_upscalers(tmp_path):
    judge = fruit_folder(tmp_path) / "judge.safetensors"
    with_header(judge, "judge", lambda about: lie(about, {"model": {"blocks": 10**9}}))
    with pytest.raises(ClassifierError, match="blocks must be"):
        load_classifier(judge)
    path = tmp_path / "upscaler.safetensors"
    about = {"image_size": 16, "credits": [], "training": {}}
    write_weights(path, FORMAT, {}, about | {"network": {"convolutions": 10**9}})
    with pytest.raises(UpscalerError, match="convolutions must be"):
        load_upscaler(path)
    write_weights(path, FORMAT, {}, about | {"network": {}, "credits": "me"})
    with pytest.raises(UpscalerError, match="no list of words"):
        load_upscaler(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e6])
def test_weights_that_are_no_numbers_are_never_written(tmp_path, value):
    """A million is a number, but none that float16 has."""
    path, broken = tmp_path / "model.safetensors", tiny_checkpoint()
    save_checkpoint(path, broken)
    before = path.read_bytes()
    next(broken.model.parameters()).data[0] = value
    with pytest.raises(FileError, match=r"is not written, it stays as it was: .* \(NaN or infinite\)"):
        save_checkpoint(path, broken, torch.float16)
    assert path.read_bytes() == before
    with pytest.raises(FileError, match=r"state.pt is not written.*optimizers\.0\.state\.m holds"):
        state = {"optimizers": [{"state": {"m": torch.tensor([0.0, value * 1e39])}}]}
        write_state(tmp_path / "state.pt", state)
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]


def test_nor_are_they_read(tmp_path):
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, tiny_checkpoint())
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    tensors = load_file(path)
    tensors["output.weight" if "output.weight" in tensors else next(iter(tensors))].view(-1)[3] = float("nan")
    save_file(tensors, path, header["__metadata__"])
    with pytest.raises(CheckpointError, match="numbers that are none any more"):
        load_checkpoint(path)


def test_what_would_not_be_read_is_not_written(tmp_path):
    odd = tiny_checkpoint()
    odd.colours = {**COLOURS, "cat": ["orange"]}
    with pytest.raises(HeaderError, match="#rrggbb"):
        save_checkpoint(tmp_path / "odd.safetensors", odd)
    assert not list(tmp_path.iterdir())


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=4, unique=True))
def test_labels_that_pass_can_be_printed_and_sent(names):
    try:
        check_labels({"subject": names})
    except HeaderError:
        return
    for name in names:
        assert name.strip() and len(name.splitlines()) == 1 and json.loads(json.dumps(name)) == name
        name.encode()

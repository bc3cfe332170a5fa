"""Checkpoints: exact, safe, and clear about what is wrong."""

import json
import pickle

import pytest
import torch
from safetensors.torch import save_file

from conftest import LABELS, PAIRS, tiny_checkpoint
from diffusion import CheckpointError, UnknownLabel, load_checkpoint, save_checkpoint


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def test_round_trip_is_exact(path):
    saved = tiny_checkpoint()
    saved.training = {"steps": 7, "loss": 0.25}
    saved.colours = {"cat": ["#ff8800", "#112233"]}
    save_checkpoint(path, saved)
    loaded = load_checkpoint(path)
    for (name, a), (other, b) in zip(saved.model.state_dict().items(), loaded.model.state_dict().items()):
        assert name == other and a.dtype == b.dtype and torch.equal(a, b)
    assert loaded.model.config == saved.model.config and not loaded.model.training
    assert loaded.schedule == saved.schedule
    assert (loaded.label_names, loaded.pairs) == (LABELS, PAIRS)
    assert (loaded.credits, loaded.training) == (saved.credits, saved.training)
    assert loaded.colours == saved.colours
    assert loaded.image_size == 16


def test_a_learnt_variance_travels_and_files_from_before_have_none(path):
    save_checkpoint(path, tiny_checkpoint(learned_variance=True))
    assert load_checkpoint(path).model.config.learned_variance
    old = tiny_checkpoint()
    about = old.model.config.to_dict()
    del about["learned_variance"]
    old.model.config = type("Config", (), {"to_dict": lambda self: about})()
    save_checkpoint(path, old)
    loaded = load_checkpoint(path)
    assert not loaded.model.config.learned_variance and len(loaded.model.output.weight) == 12


def test_loading_leaves_the_global_rng_alone(path):
    save_checkpoint(path, tiny_checkpoint())
    before = torch.get_rng_state()
    load_checkpoint(path)
    assert torch.equal(before, torch.get_rng_state())


def test_half_precision_halves_the_file_and_loads_as_float32(path):
    saved = tiny_checkpoint()
    save_checkpoint(path, saved)
    whole = path.stat().st_size
    save_checkpoint(path, saved, torch.float16)
    assert path.stat().st_size < 0.55 * whole
    for name, value in load_checkpoint(path).model.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, saved.model.state_dict()[name].half().float())


def test_labels_become_numbers():
    checkpoint = tiny_checkpoint()
    assert checkpoint.encode_labels({"subject": "cat", "style": "noto"}).tolist() == [[1, 1]]
    assert checkpoint.encode_labels({"style": None}, batch=2).tolist() == [[4, 3], [4, 3]]


@pytest.mark.parametrize(
    "labels, message",
    [
        ({"subject": "Appel"}, "Did you mean apple"),
        ({"subject": "cream"}, "ice cream"),
        ({"subject": "zzz"}, "There are: apple, cat"),
        ({"subjcet": "cat"}, "label kind.*subject"),
        ({"style": ""}, "There are: photo"),
    ],
)
def test_unknown_labels_name_what_there_is(labels, message):
    with pytest.raises(UnknownLabel, match=message):
        tiny_checkpoint().encode_labels(labels)


def test_missing(path):
    with pytest.raises(CheckpointError, match="There is no checkpoint"):
        load_checkpoint(path)


def damage(path, how):
    content = path.read_bytes()
    if how == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "noise":
        path.write_bytes(bytes(range(256)) * 100)
    elif how == "foreign":
        save_file({"weight": torch.zeros(3)}, path)
    elif how == "pickle":
        path.write_bytes(pickle.dumps({"weight": 1}))
    else:  # a header that lies about the network
        start = content.index(b'\\"channels\\": [32]')
        path.write_bytes(content[:start] + content[start:].replace(b"[32]", b"[64]", 1))


@pytest.mark.parametrize("how", ["cut", "empty", "noise", "foreign", "pickle", "lie"])
def test_damaged(path, how):
    save_checkpoint(path, tiny_checkpoint())
    damage(path, how)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


def test_a_failed_save_leaves_the_old_file(path):
    save_checkpoint(path, tiny_checkpoint())
    before = path.read_bytes()
    broken = tiny_checkpoint()
    broken.training = {"not JSON": object()}
    with pytest.raises(TypeError):
        save_checkpoint(path, broken)
    assert path.read_bytes() == before


def test_the_header_is_readable_without_this_program(path):
    save_checkpoint(path, tiny_checkpoint())
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert json.loads(header["__metadata__"]["checkpoint"])["label_names"] == LABELS


def test_things_are_known_by_their_aliases_too():
    checkpoint = tiny_checkpoint()
    checkpoint.names = {
        "cat": {"aliases": ["Kitten", "pear"]},
        "pear": {"aliases": ["fruit of the pear tree"]},
    }
    assert checkpoint.name_of("subject", "kitten") == "cat" and checkpoint.name_of("subject", "CAT") == "cat"
    assert checkpoint.name_of("subject", "pear") == "pear"  # a name comes before another's alias
    assert checkpoint.name_of("subject", "dog") is None and checkpoint.name_of("style", "kitten") is None
    assert checkpoint.encode_labels({"subject": "Kitten"}).tolist() == [[1, 3]]

"""Pictures in memory: layouts, labels, what is held out, how batches are drawn and varied."""

import io
import pickle
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image

from diffusion.train.choose import few_of_each, sampling_weights
from diffusion.train.data import load_pictures
from diffusion.train.sources import DataError


def picture(colour="red", size=(20, 20), mode="RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def write(folder, files: dict[str, bytes]):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def drawings(concepts=8):
    """Two subjects in two styles; file names are concepts, the same in each style."""
    return {
        f"{subject}/{style}/{subject}{i}x.png": picture()
        for subject in ("cat", "house")
        for style in ("noto", "blob")
        for i in range(concepts)
    }


def test_classes(tmp_path):
    write(tmp_path, {"cat/a.png": picture("red"), "cat/b.png": picture("red"), "ship/a.png": picture("blue")})
    got = load_pictures([tmp_path], 8)
    assert got.label_names == {"class": ["cat", "ship"]}
    assert got.labels.tolist() == [[0], [0], [1]]
    assert got.pixels.shape == (3, 3, 8, 8) and got.pixels.dtype == torch.uint8
    assert got.pixels[:, :, 4, 4].tolist() == [[255, 0, 0], [255, 0, 0], [0, 0, 255]]


def test_subjects_and_styles_from_a_folder_and_a_tar_are_one_set(tmp_path):
    write(tmp_path / "folder", drawings(2))
    with tarfile.open(tmp_path / "photos.tar", "w") as tar:
        for name in ("apple/photo/gala-1_100.jpg", "cat/photo/tom-2.png"):
            info = tarfile.TarInfo(name)
            info.size = len(picture())
            tar.addfile(info, io.BytesIO(picture()))
    got = load_pictures([tmp_path / "folder", tmp_path / "photos.tar"], 8)
    assert got.label_names == {"subject": ["apple", "cat", "house"], "style": ["blob", "noto", "photo"]}
    assert got.combinations() == [
        ("apple", "photo"), ("cat", "blob"), ("cat", "noto"), ("cat", "photo"),
        ("house", "blob"), ("house", "noto"),
    ]  # fmt: skip


def test_a_test_folder_is_held_out_and_a_subject_may_be_called_train(tmp_path):
    write(tmp_path / "a", {"train/cat/1.png": picture(), "test/cat/1.png": picture()})
    got = load_pictures([tmp_path / "a"], 8, hold_out=0.0)
    assert got.label_names == {"class": ["cat"]} and sorted(got.held_out.tolist()) == [False, True]
    write(tmp_path / "b", {"train/noto/1.png": picture(), "tree/noto/1.png": picture()})
    got = load_pictures([tmp_path / "b"], 8)
    assert got.label_names["subject"] == ["train", "tree"] and not got.held_out.any()


def test_what_shows_the_same_thing_is_held_out_together(tmp_path):
    write(tmp_path, drawings())
    frames = {
        f"kiwi/photo/{kind}-{turn}{i}_100.png": picture()
        for kind in "abcd"
        for turn in ("", "r2_")
        for i in range(3)
    }
    write(tmp_path, frames)
    got = load_pictures([tmp_path], 8, hold_out=0.25)
    held = {g for g, h in zip(got.groups, got.held_out.tolist()) if h}
    kept = {g for g, h in zip(got.groups, got.held_out.tolist()) if not h}
    assert not held & kept
    by_subject = {s: sum(g.startswith(s) for g in held) for s in ("cat", "house", "kiwi")}
    assert by_subject == {"cat": 2, "house": 2, "kiwi": 1}  # a quarter of 8, 8 and 4 things
    assert got.held_out.sum() == 2 * 2 + 2 * 2 + 6
    again = load_pictures([tmp_path], 8, hold_out=0.25)
    assert torch.equal(got.held_out, again.held_out)
    assert set(got.train().groups) == kept and set(got.test().groups) == held


def test_a_subject_is_held_out_in_whole_families_of_styles(tmp_path):
    """... where it has enough of them: fluent-3d, fluent-color and all of a style's files stay together."""
    styles = ("noto", "blob", "twemoji", "fluent-3d", "fluent-color", "emojitwo")
    names = [f"{s}/{style}/{code}.png" for s in "abcdefgh" for style in styles for code in ("1f4", "1f5")]
    got = load_pictures([write(tmp_path, {name: picture() for name in names})], 8, hold_out=0.3)
    held = {(g, s) for g, s, h in zip(got.groups, got.labels[:, 1].tolist(), got.held_out.tolist()) if h}
    kept = {g for g, h in zip(got.groups, got.held_out.tolist()) if not h}
    assert not {g for g, _ in held} & kept
    assert len(set(got.groups)) == 8 * 5  # five families
    assert 8 <= len({g for g, _ in held}) <= 16  # 1.5 of five on average, one or two of each subject
    fluent = {g: {s for h, s in held if h == g} for g, _ in held if g.endswith("fluent")}
    assert fluent and all(len(styles) == 2 for styles in fluent.values())


def test_subjects_with_few_things_keep_them_all(tmp_path):
    write(tmp_path, drawings(3))
    assert not load_pictures([tmp_path], 8, hold_out=0.5).held_out.any()


def test_alpha_is_white_and_oblong_is_letterboxed(tmp_path):
    write(
        tmp_path,
        {"a/clear.png": picture((0, 0, 0, 0), mode="RGBA"), "a/wide.png": picture("black", (40, 20))},
    )
    clear, wide = load_pictures([tmp_path], 8).pixels
    assert (clear == 255).all()
    assert (wide[:, 0] == 255).all() and (wide[:, 4] == 0).all()


@pytest.mark.parametrize(
    "files, message",
    [
        ({}, "no pictures"),
        ({"a.png": picture()}, "should be"),
        ({"a/b/c/d.png": picture()}, "should be"),
        ({"a/b.png": picture(), "a/c/d.png": picture()}, "do not mix"),
        ({"a/b.png": b"not a picture"}, "b.png"),
    ],
)
def test_unusable_data_is_one_clear_line(tmp_path, files, message):
    with pytest.raises(DataError, match=message) as caught:
        load_pictures([write(tmp_path, files)], 8)
    assert "\n" not in str(caught.value)


def test_missing_and_foreign_sources(tmp_path):
    with pytest.raises(DataError, match="no training pictures"):
        load_pictures([tmp_path / "nowhere"], 8)
    (tmp_path / "x.tar").write_bytes(b"nothing like a tar")
    with pytest.raises(DataError, match="neither a folder nor a readable tar"):
        load_pictures([tmp_path / "x.tar"], 8)


def test_cifar10_through_torchvision(tmp_path, monkeypatch):
    """The real reader on files of the real format, made here: only the download's checksum is skipped."""
    from torchvision import datasets

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.CIFAR10, "_check_integrity", lambda self: True)
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda *_: True)
    folder = tmp_path / "data" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": names}))
    for i, name in enumerate(
        ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"]
    ):
        content = {"data": np.full((2, 3072), 10 * i, np.uint8), "labels": [i, 9]}
        (folder / name).write_bytes(pickle.dumps(content))
    got = load_pictures(["cifar10"], 32)
    assert got.pixels.shape == (12, 3, 32, 32) and got.held_out.tolist() == [False] * 10 + [True] * 2
    assert got.label_names == {
        "class": sorted(["airplane", "automobile", "bird", "cat", "deer", "dog", "truck"])
    }


def test_weights_balance_subjects_and_styles(tmp_path):
    write(tmp_path, {f"hand/noto/{i}x.png": picture() for i in range(16)})
    write(tmp_path, {f"apple/photo/gala-{i}.png": picture() for i in range(30)})
    write(tmp_path, {"apple/noto/1x.png": picture()})
    got = load_pictures([tmp_path], 8, hold_out=0)
    apple, hand = 0, 1

    def share(balance):
        weights = sampling_weights(got, balance)
        assert float(weights.sum()) == pytest.approx(1)
        return {s: float(weights[got.labels[:, 0] == s].sum()) for s in (apple, hand)}, weights

    shares, weights = share(balance=1)
    assert shares[apple] == pytest.approx(shares[hand])
    # the one drawn apple weighs as much as thirty frames of a photographed one
    drawn = (got.labels[:, 0] == apple) & (got.labels[:, 1] == got.label_names["style"].index("noto"))
    assert float(weights[drawn].sum()) == pytest.approx(shares[apple] / 2)
    shares, _ = share(balance=0)
    assert shares[hand] / shares[apple] == pytest.approx(16 / 2)  # 16 hands, 2 apples


def test_few_of_each_keeps_every_combination(tmp_path):
    write(tmp_path, drawings(9))
    write(tmp_path, {"apple/photo/gala-1.png": picture()})
    got = few_of_each(load_pictures([tmp_path], 8, hold_out=0), most=4)
    combos = [tuple(row) for row in got.labels.tolist()]
    assert sorted(combos.count(c) for c in set(combos)) == [1, 3, 3, 3, 3]  # every third of nine


def test_pictures_as_they_are_are_averaged_exactly(tmp_path):
    write(tmp_path, {"cat/a.png": picture()})
    got = load_pictures([tmp_path], 8)
    got.pixels = torch.randint(0, 256, (4, 3, 8, 8), dtype=torch.uint8)
    expected = got.pixels.float().reshape(4, 3, 4, 2, 4, 2).mean((3, 5)) / 127.5 - 1
    torch.testing.assert_close(got.x0(4), expected)

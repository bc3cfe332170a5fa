"""One walk reads folders: what systems leave there is not seen, and nothing that a person put is lost."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import unicodedata

import pytest
from PIL import Image

from diffusion.folders import files_in, walk
from diffusion.train.choose import only
from diffusion.train.data import load_pictures
from diffusion.train.sources import DataError, picture_files
from pictures import saved

PNG = saved(Image.new("RGB", (8, 8), "red")).getvalue()
LEFT = [
    ".DS_Store", "._a.png", "Thumbs.db", "cat/.ipynb_checkpoints/a-checkpoint.png", "@eaDir/cat/a.png",
    "__MACOSX/cat/._a.png", ".git/x/a.png", "cat/._a.png", "ship/@eaDir/a.png",
]  # fmt: skip
PUT = ["cat/a.png", "cat/b.PNG", "ship/a.jpeg", "ship/b.jfif", "ship/c.jpe", "cat/c.apng", "ship/d.avif"]


def write(folder, names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PNG)
    return folder


def archive(path, names, how="w", prefix=""):
    with tarfile.open(path, how) as tar:
        for name in names:
            about = tarfile.TarInfo(prefix + name)
            about.size = len(PNG)
            tar.addfile(about, io.BytesIO(PNG))
    return path


def names(source) -> list[str]:
    return [str(path) for path, _ in picture_files(source)]


def test_what_systems_leave_is_not_seen(tmp_path):
    folder = write(tmp_path / "data", [*LEFT, *PUT])
    assert names(folder) == sorted(PUT)
    assert names(archive(tmp_path / "data.tar", [*LEFT, *PUT])) == sorted(PUT)
    assert load_pictures([folder], 8).label_names == {"class": ["cat", "ship"]}
    flat = write(tmp_path / "flat", ["._a.png", "a.png", "b.PNG"])
    assert [path.name for path in files_in(flat, ".png")] == ["a.png", "b.PNG"]


def test_links_are_followed_but_not_in_a_circle(tmp_path):
    write(tmp_path / "elsewhere", ["a.png", "b.png"])
    folder = write(tmp_path / "data", ["cat/a.png"])
    os.symlink(tmp_path / "elsewhere", folder / "ship")
    os.symlink(folder, folder / "cat" / "again")
    os.symlink(folder / "cat" / "a.png", folder / "cat" / "b.png")
    os.symlink(tmp_path / "gone", folder / "cat" / "c.png")
    found = [str(path) for path, _ in walk(folder)]
    assert found == ["cat/a.png", "cat/b.png", "ship/a.png", "ship/b.png"]


def test_names_that_look_the_same_are_the_same(tmp_path):
    mac, linux = (unicodedata.normalize(form, "café") for form in ("NFD", "NFC"))
    assert mac != linux
    write(tmp_path / "mac", [f"{mac}/a.png", "tea/a.png"])
    write(tmp_path / "linux", [f"{linux}/b.png"])
    pictures = load_pictures([tmp_path / "mac", tmp_path / "linux"], 8)
    assert pictures.label_names == {"class": [linux, "tea"]}
    assert len(only(pictures, mac)) == len(only(pictures, "Café")) == 2


@pytest.mark.parametrize("how", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_folder_around_everything_is_left_out(tmp_path, how):
    for prefix in ("my/", "./my/", "./", "/"):
        assert names(archive(tmp_path / "my.tar.x", PUT, how, prefix)) == sorted(PUT), prefix
    # One subject alone is no folder around everything, nor is a class that is called like the tar.
    assert names(archive(tmp_path / "my.tar", ["cat/noto/a.png", "cat/blob/b.png"], how)) == [
        "cat/blob/b.png", "cat/noto/a.png",
    ]  # fmt: skip
    assert names(archive(tmp_path / "my.tar", ["my/a.png"], how)) == ["my/a.png"]


def test_what_cannot_be_read_is_counted(tmp_path, capsys):
    names(write(tmp_path / "data", ["cat/a.png", "cat/b.HEIC", "cat/c.heic", "cat/d.jxl", "cat/notes.txt"]))
    assert "3 pictures left out, since .heic .jxl cannot be read." in capsys.readouterr().err
    with pytest.raises(DataError, match="holds no pictures"):
        names(write(tmp_path / "phone", ["cat/b.heic"]))


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_a_tar_cut_anywhere_is_one_sentence(tmp_path, pack):
    whole = pack(archive(tmp_path / "whole.tar", PUT).read_bytes())
    path = tmp_path / "cut.tar"
    refused = 0
    for end in [*range(1, len(whole), len(whole) // 23), 3 * 512 if pack is bytes else 0]:
        path.write_bytes(whole[:end])
        try:
            assert set(names(path)) == set(PUT), "only zeros at the end are missing"
        except DataError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused >= (8 if pack is bytes else 15)


def test_a_tar_that_claims_terabytes_is_not_read(tmp_path):
    sparse = tarfile.TarInfo("cat/a.png")
    sparse.size = 8 * 10**9
    (tmp_path / "sparse.tar").write_bytes(sparse.tobuf() + PNG)
    long = tarfile.TarInfo("PaxHeaders/a")
    long.size, long.type = 8 * 10**9, tarfile.XHDTYPE
    (tmp_path / "long.tar").write_bytes(long.tobuf() + bytes(2000))
    for name in ("sparse.tar", "long.tar"):
        with pytest.raises(DataError, match="claims to hold too much|nor a readable tar"):
            names(tmp_path / name)


def test_a_name_that_no_label_can_have_is_refused(tmp_path):
    for i, name in enumerate([b"ca\xfft", b"two\nlines", b" "]):
        folder = tmp_path / str(i) / os.fsdecode(name)
        write(folder, ["a.png"])
        with pytest.raises(DataError, match="These pictures cannot be used") as caught:
            load_pictures([folder.parent], 8)
        str(caught.value).encode()

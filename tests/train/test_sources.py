"""Data sets in the formats they come in, made here: small, and read by the code that reads the large ones."""

import gzip
import hashlib
import io
import json
import os
import pickle
import struct
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image
from test_data import picture, write

from diffusion.errors import DoodleError
from diffusion.train.class_names import all_names, read_class_names
from diffusion.train.data import load_pictures
from diffusion.train.pickled import PickleError, read_arrays
from diffusion.train.shards import expanded
from diffusion.train.sources import DataError

# ------------------------------------------------------------------ torchvision


def test_cifar100_has_its_fine_labels(tmp_path, monkeypatch):
    from torchvision import datasets

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.CIFAR100, "_check_integrity", lambda self: True)
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda *_: True)
    folder = tmp_path / "data" / "cifar-100-python"
    folder.mkdir(parents=True)
    names = {"fine_label_names": ["apple", "bee"], "coarse_label_names": ["fruit", "insects"]}
    (folder / "meta").write_bytes(pickle.dumps(names))
    for name, label in (("train", 1), ("test", 0)):
        data = np.full((2, 3072), 50 + label, np.uint8)
        content = {"data": data, "fine_labels": [label, 0], "coarse_labels": [0, 0]}
        (folder / name).write_bytes(pickle.dumps(content))
    got = load_pictures(["cifar100"], 32)
    assert got.label_names == {"class": ["apple", "bee"]} and got.labels[:, 0].tolist() == [1, 0, 0, 0]
    assert got.held_out.tolist() == [False, False, True, True] and (got.pixels[0] == 51).all()


def idx(values: np.ndarray) -> bytes:
    """An IDX file, as MNIST's: a magic number, the sizes, the bytes."""
    return struct.pack(f">{1 + values.ndim}i", 0x800 + values.ndim, *values.shape) + values.tobytes()


def test_fashion_mnist_is_grey_and_28_pixels(tmp_path, monkeypatch):
    """As fetched: idx files pressed by gzip, which torchvision unpacks once."""
    from torchvision import datasets

    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data" / "FashionMNIST" / "raw"
    folder.mkdir(parents=True)
    for part, n in (("train", 3), ("t10k", 1)):
        pixels = np.full((n, 28, 28), 90, np.uint8)
        labels = np.arange(n).astype(np.uint8) * 4
        for name, content in (("images-idx3", pixels), ("labels-idx1", labels)):
            (folder / f"{part}-{name}-ubyte.gz").write_bytes(gzip.compress(idx(content)))
            (folder / f"{part}-{name}-ubyte").write_bytes(idx(content))
    assert datasets.FashionMNIST(root="data", train=True).classes[4] == "Coat"
    got = load_pictures(["fashion-mnist"], 32)
    assert got.label_names == {"class": ["Bag", "Coat", "T-shirt/top"]}
    assert got.held_out.tolist() == [False] * 3 + [True] and (got.pixels == 90).all()


def test_flowers_are_split_as_their_authors_did(tmp_path, monkeypatch):
    from scipy.io import savemat
    from torchvision import datasets

    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data" / "flowers-102"
    (folder / "jpg").mkdir(parents=True)
    for i in range(1, 8):
        Image.new("RGB", (60, 40), (10 * i, 0, 0)).save(folder / "jpg" / f"image_{i:05}.jpg", quality=100)
    savemat(folder / "imagelabels.mat", {"labels": np.array([[1, 1, 2, 2, 1, 2, 2]])})
    savemat(folder / "setid.mat", {"trnid": [[1, 3]], "valid": [[2, 7]], "tstid": [[4, 5, 6]]})
    sums = {
        key: (name, hashlib.md5((folder / name).read_bytes()).hexdigest())
        for key, name in (("label", "imagelabels.mat"), ("setid", "setid.mat"))
    }
    files = {**datasets.Flowers102._file_dict, **sums}
    monkeypatch.setattr(datasets.Flowers102, "_file_dict", files)
    got = load_pictures(["flowers102"], 8, fit="crop")
    assert got.label_names["class"] == sorted(datasets.Flowers102.classes[:2])
    names = [got.label_names["class"][i] for i in got.labels[:, 0]]
    assert names == [datasets.Flowers102.classes[i] for i in (0, 1, 0, 1, 1, 0, 1)]
    assert got.held_out.tolist() == [False] * 4 + [True] * 3
    shown = got.pixels[:, 0].float().mean((1, 2)).tolist()
    assert shown == pytest.approx([10, 30, 20, 70, 40, 50, 60], abs=4)


# ------------------------------------------------------------------ ImageNet's trees


SYNSETS = "n01440764 tench, Tinca tinca\nn02012849 crane\nn03126707 crane\n"


def imagenet(folder):
    """train/<synset>/<synset>_<number>.JPEG and val/<synset>/ILSVRC2012_val_<number>.JPEG, of any shape."""
    jpeg = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(jpeg, "JPEG", quality=100)
    files = {}
    for i, synset in enumerate(("n01440764", "n02012849", "n03126707")):
        files |= {f"train/{synset}/{synset}_{k}.JPEG": jpeg.getvalue() for k in (17, 18)}
        files[f"val/{synset}/ILSVRC2012_val_0000000{i}.JPEG"] = jpeg.getvalue()
    return write(folder, files)


def test_synsets_are_called_by_their_names(tmp_path):
    (tmp_path / "LOC_synset_mapping.txt").write_text(SYNSETS)
    names = read_class_names(str(tmp_path / "LOC_synset_mapping.txt"))
    got = load_pictures([imagenet(tmp_path / "tree")], 8, class_names=names, fit="crop")
    called = ["crane (n02012849)", "crane (n03126707)", "tench"]
    assert got.label_names == {"class": called} and int(got.held_out.sum()) == 3
    assert (got.pixels[:, 0] > 250).all() and (got.pixels[:, 1:] < 5).all(), "the middle, no white"
    assert (load_pictures([tmp_path / "tree"], 9).pixels[:, :, 0] > 250).all(), "else white above it"
    about = all_names("", str(tmp_path / "LOC_synset_mapping.txt"))
    assert about == {"tench": {"aliases": ["Tinca tinca"]}}


@pytest.mark.parametrize(
    "name, text",
    [
        ("a.json", json.dumps({"0": ["n01440764", "tench"], "1": ["n02012849", "great_crane"]})),
        ("b.json", json.dumps({"n01440764": "tench, Tinca", "n02012849": "great crane"})),
        ("words.txt", "n01440764\ttench\nn02012849\tgreat crane\n"),
    ],
)
def test_names_come_in_several_files(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    names = read_class_names(str(tmp_path / name))
    assert names["n01440764"][0] == names["0"][0] == "tench" and names["n02012849"][0] == "great crane"


@pytest.mark.parametrize("text", ["", "n01440764\n", "n01440764 \x01\n"])
def test_files_that_name_nothing_are_refused(tmp_path, text):
    (tmp_path / "names.txt").write_text(text)
    with pytest.raises(DataError, match="names.txt"):
        read_class_names(str(tmp_path / "names.txt"))
    with pytest.raises(DoodleError, match="Cannot read"):
        read_class_names(str(tmp_path / "none.txt"))
    with pytest.raises(DataError, match="n02012849"):
        load_pictures([imagenet(tmp_path / "tree")], 8, class_names={"n01440764": ("tench",)})


# ------------------------------------------------------------------ pickles


def mini_imagenet(**changes):
    pixels = np.arange(6 * 84 * 84 * 3).reshape(6, 84, 84, 3).astype(np.uint8)
    return {"image_data": pixels, "class_dict": {"n01532829": [0, 1, 2, 3], "n01558993": [4, 5]}} | changes


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("order", "CF")
def test_mini_imagenet_is_read_whatever_wrote_it(tmp_path, protocol, order):
    content = mini_imagenet(image_data=np.asarray(mini_imagenet()["image_data"], order=order))
    (tmp_path / "mini-imagenet-cache-train.pkl").write_bytes(pickle.dumps(content, protocol))
    got = load_pictures([tmp_path / "mini-imagenet-cache-train.pkl"], 84, hold_out=0.25)
    assert got.label_names == {"class": ["n01532829", "n01558993"]}
    assert got.labels[:, 0].tolist() == [0, 0, 0, 0, 1, 1] and 0 < int(got.held_out.sum()) < 3
    assert np.array_equal(got.pixels.permute(0, 2, 3, 1).numpy(), mini_imagenet()["image_data"])


def test_a_pickle_of_python_2_is_read_too():
    """Its bytes are text: an array's content as STRING opcodes of protocol 0, in latin1."""
    array = np.array([1, 2, 250], np.uint8)
    written = pickle.dumps(array, 2)
    # Python 3 writes bytes as _codecs.encode(text, "latin1"); Python 2 wrote SHORT_BINSTRING.
    program = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x03\x85"
        b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x03"
        b"\x01\x02\xfatb."
    )
    for content in (written, program):
        assert read_arrays(io.BytesIO(content)).tolist() == [1, 2, 250]


class Command:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_nothing_in_a_pickle_is_ever_run(tmp_path):
    planted = tmp_path / "planted"
    harmful = [
        pickle.dumps(mini_imagenet(more=Command(planted))),
        pickle.dumps({"image_data": Command(planted), "class_dict": {}}),
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cnumpy\nload\n(S'x'\ntR.",
        pickle.dumps(np.array([Command(planted)], dtype=object)),
    ]
    for i, content in enumerate(harmful):
        (tmp_path / f"{i}.pkl").write_bytes(content)
        with pytest.raises(PickleError, match="save its pictures as") as caught:
            load_pictures([tmp_path / f"{i}.pkl"], 8)
        assert "\n" not in str(caught.value)
    assert not planted.exists()


@pytest.mark.parametrize(
    "content, said",
    [
        (b"", "damaged"),
        (pickle.dumps(mini_imagenet())[:5000], "damaged"),
        (pickle.dumps({"image_data": np.zeros((2, 3), object), "class_dict": {}}), "type"),
        (pickle.dumps(mini_imagenet(image_data=np.zeros((2, 8, 8, 3)))), "uint8"),
        (pickle.dumps([1, 2]), "no Mini-ImageNet"),
        (pickle.dumps(mini_imagenet(class_dict={"a": [99]})), "no Mini-ImageNet"),
    ],
)
def test_other_pickles_are_refused_in_one_sentence(tmp_path, content, said):
    (tmp_path / "x.pkl").write_bytes(content)
    with pytest.raises(PickleError, match=said):
        load_pictures([tmp_path / "x.pkl"], 8)


def test_an_array_s_bytes_must_fit_its_shape():
    program = pickle.dumps(np.zeros(3, np.uint8), 2).replace(b"K\x03\x85", b"J\xff\xff\xff\x7f\x85", 1)
    with pytest.raises(PickleError, match="do not fit"):
        read_arrays(io.BytesIO(program))


# ------------------------------------------------------------------ shards


def tar(path, files: dict[str, bytes]):
    with tarfile.open(path, "w") as out:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            out.addfile(info, io.BytesIO(content))
    return path


def test_shards_are_named_in_short(tmp_path):
    for i in range(9, 12):
        tar(tmp_path / f"train-{i:03}.tar", {f"cat/{i}.png": picture()})
    tar(tmp_path / "test.tar", {"ship/1.png": picture("blue")})
    ranges = expanded([tmp_path / "train-{009..011}.tar", tmp_path / "{test,gone}.tar"])
    assert [os.path.basename(name) for name in ranges] == [
        "train-009.tar", "train-010.tar", "train-011.tar", "test.tar", "gone.tar",
    ]  # fmt: skip
    got = load_pictures([f"{tmp_path}/train-{{009..011}}.tar", f"{tmp_path}/t*t.tar"], 8)
    assert got.label_names == {"class": ["cat", "ship"]} and len(got) == 4
    assert torch.equal(load_pictures([f"{tmp_path}/*.tar"], 8).labels, got.labels[[3, 0, 1, 2]])
    with pytest.raises(DataError, match="gone"):
        load_pictures([f"{tmp_path}/{{gone,away}}.tar"], 8)
    with pytest.raises(DoodleError, match="more than"):
        expanded(["{0..999999999}.tar"])
    literal = write(tmp_path / "a{b,c}", {"cat/1.png": picture()})
    assert expanded([literal]) == [str(literal)], "what is there is meant as it is"


def test_webdataset_s_labels_lie_beside_the_pictures(tmp_path):
    """key.jpg and key.cls: a number of the class, or its name."""
    files = {
        "000.png": picture(),
        "000.cls": b"1",
        "001.png": picture(),
        "001.cls": b"0\n",
        "001.json": b"{}",
    }
    source = tar(tmp_path / "shard.tar", files)
    assert load_pictures([source], 8).label_names == {"class": ["0", "1"]}
    (tmp_path / "names.txt").write_text(SYNSETS)
    names = read_class_names(str(tmp_path / "names.txt"))
    got = load_pictures([source], 8, class_names=names)
    assert got.label_names == {"class": ["crane (n02012849)", "tench"]} and got.labels[:, 0].tolist() == [
        1,
        0,
    ]
    bare = tar(tmp_path / "bare.tar", {"000.png": picture()})
    with pytest.raises(DataError, match="should be"):
        load_pictures([bare], 8)

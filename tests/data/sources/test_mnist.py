import gzip
import hashlib
import shutil

import pytest
import torch

from diffstn.data.sources import mnist
from diffstn.data.sources.idx import format_idx
from diffstn.data.sources.mnist import CHECKSUMS, MNIST, load_mnist
from diffstn.errors import UserError


def test_splits(digits):
    assert {name: len(split.labels) for name, split in digits.items()} == {
        "train": 55_000,
        "val": 5_000,
        "test": 10_000,
    }
    for images, labels in digits.values():
        assert images.shape == (len(labels), 1, 28, 28)
        assert images.dtype == torch.uint8
        assert labels.dtype == torch.int64
    assert digits["train"].labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert digits["test"].labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    counts = torch.cat([digits["train"].labels, digits["val"].labels]).bincount()
    assert counts.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


def test_the_arrays_are_the_published_files(digits):
    training = torch.cat([digits["train"].items, digits["val"].items]).squeeze(1)
    published = {
        "train-images-idx3-ubyte": training,
        "t10k-images-idx3-ubyte": digits["test"].items.squeeze(1),
        "t10k-labels-idx1-ubyte": digits["test"].labels.byte(),
    }
    for name, array in published.items():
        assert hashlib.md5(format_idx(array)).hexdigest() == CHECKSUMS[name]


@pytest.mark.parametrize("damage", ["cut", "flipped", "other", "missing"])
def test_a_damaged_asset_is_named_with_the_remedy(damage, tmp_path, monkeypatch):
    assets = tmp_path / "assets"
    shutil.copytree(mnist.ASSETS, assets)
    victim = assets / "train-images-idx3-ubyte.xz"
    content = bytearray(victim.read_bytes())
    if damage == "cut":
        victim.write_bytes(content[:-1000])
    elif damage == "flipped":
        content[len(content) // 2] ^= 1
        victim.write_bytes(content)
    elif damage == "other":
        shutil.copy(assets / "t10k-images-idx3-ubyte.xz", victim)
    else:
        victim.unlink()
    monkeypatch.setattr(mnist, "ASSETS", assets)
    with pytest.raises(UserError, match=r"train-images-idx3-ubyte\.xz .*reinstall.*root=FOLDER"):
        load_mnist()


def write_root(root, training, test, packed):
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, (images, labels) in {"train": training, "t10k": test}.items():
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            content, name = format_idx(array), f"{part}-{kind}-ubyte"
            if packed:
                (raw / f"{name}.gz").write_bytes(gzip.compress(content, 1))
            else:
                (raw / name).write_bytes(content)
    return raw


def fake(n, size=28):
    labels = (torch.arange(n) % 10).byte()
    return labels[:, None, None].expand(n, size, size), labels


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_as_torchvision_leaves_it(packed, tmp_path):
    write_root(tmp_path, fake(5007), fake(20), packed)
    splits = MNIST(str(tmp_path)).load()
    assert [len(splits[split].labels) for split in ("train", "val", "test")] == [7, 5000, 20]
    assert splits["train"].labels.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert splits["val"].labels[0] == 7
    for images, labels in splits.values():
        assert torch.equal(images[:, 0, 13, 13].long(), labels)


def test_files_without_images_are_refused(tmp_path):
    write_root(tmp_path, fake(0), fake(20), packed=False)
    with pytest.raises(UserError, match="hold no image: fetch them again"):
        load_mnist(tmp_path)


def test_bad_folders(tmp_path):
    with pytest.raises(UserError, match=r"train-images-idx3-ubyte .*drop data.root"):
        load_mnist(tmp_path)
    raw = write_root(tmp_path / "few", fake(4000), fake(20), packed=False)
    with pytest.raises(UserError, match="4000 training images are too few"):
        load_mnist(tmp_path / "few")
    write_root(tmp_path / "large", fake(5001, size=32), fake(20), packed=False)
    with pytest.raises(UserError, match=r"expected \(N, 28, 28\)"):
        load_mnist(tmp_path / "large")
    packed = raw / "t10k-images-idx3-ubyte.gz"
    (raw / "t10k-images-idx3-ubyte").unlink()
    whole = gzip.compress(bytes(1000))
    for damaged in (b"\x1f\x8b broken", whole[:-9], whole[:12] + b"\xff" * 20 + whole[32:]):
        packed.write_bytes(damaged)
        with pytest.raises(UserError, match=r"t10k-images-idx3-ubyte\.gz is damaged"):
            load_mnist(tmp_path / "few")

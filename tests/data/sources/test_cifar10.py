import pickle
import sys
import zipfile

import numpy as np
import pytest
import torch

from diffstn.data.sources.cifar10 import CIFAR10, load_cifar10
from diffstn.errors import UserError

RNG = np.random.default_rng(0)
TRAIN = RNG.integers(0, 256, (5010, 3, 32, 32), dtype=np.uint8)
TEST = RNG.integers(0, 256, (12, 3, 32, 32), dtype=np.uint8)
TRAIN_LABELS, TEST_LABELS = np.arange(5010) % 10, np.arange(12) % 10


@pytest.fixture
def folder(tmp_path):
    """The python version of CIFAR-10: five pickled batches of rows of 3072 bytes, and a test."""
    path = tmp_path / "cifar-10-batches-py"
    path.mkdir()
    names = [f"data_batch_{i}" for i in range(1, 6)]
    files = [*zip(np.split(TRAIN, 5), np.split(TRAIN_LABELS, 5), names, strict=True)]
    files.append((TEST, TEST_LABELS, "test_batch"))
    for images, labels, name in files:
        batch = {"data": images.reshape(len(images), -1), "labels": labels.tolist()}
        (path / name).write_bytes(pickle.dumps(batch, protocol=2))
    return path


@pytest.fixture
def npz(tmp_path):
    path = tmp_path / "cifar10.npz"
    np.savez(
        path,
        train_images=TRAIN.transpose(0, 2, 3, 1),
        train_labels=TRAIN_LABELS.astype(np.uint8),
        test_images=TEST.transpose(0, 2, 3, 1),
        test_labels=TEST_LABELS.astype(np.uint8),
    )
    return path


def check(splits):
    assert [len(splits[split].labels) for split in ("train", "val", "test")] == [10, 5000, 12]
    assert torch.equal(splits["train"].items, torch.from_numpy(TRAIN[:10]))
    assert torch.equal(splits["val"].items, torch.from_numpy(TRAIN[10:]))
    assert torch.equal(splits["test"].items, torch.from_numpy(TEST))
    assert torch.equal(splits["val"].labels, torch.from_numpy(TRAIN_LABELS[10:]))
    assert splits["test"].labels.dtype == torch.int64


def test_the_python_folder(folder):
    check(CIFAR10(root=str(folder.parent)).load())


def test_an_npz_file(npz):
    check(CIFAR10(source=str(npz)).load())


def test_a_pickle_of_python_2(folder):
    """The real files are from Python 2: byte strings, and numpy's old module names."""
    array = TEST[:1].reshape(1, -1)
    modern = pickle.dumps({"data": array, "labels": [3]}, protocol=2)
    old = modern.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    (folder / "test_batch").write_bytes(old)
    assert load_cifar10(folder.parent)["test"].labels.tolist() == [3]


def test_a_pickle_that_runs_code_is_refused(folder):
    class Evil:
        def __reduce__(self):
            return (sys.exit, (3,))

    (folder / "data_batch_2").write_bytes(pickle.dumps(Evil(), protocol=2))
    with pytest.raises(UserError, match="refusing to load"):
        load_cifar10(folder.parent)


def test_nothing_given_names_every_way():
    with pytest.raises(UserError, match=r"root=FOLDER.*download=true.*source=cifar10\.npz"):
        load_cifar10()


def test_nothing_is_downloaded_unasked(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "diffstn.data.sources.cifar10._download", lambda root: pytest.fail("downloads")
    )
    with pytest.raises(UserError, match="download=true"):
        load_cifar10(tmp_path)


def test_a_failed_download_names_the_remedy(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr("torchvision.datasets.CIFAR10", offline)
    with pytest.raises(UserError, match=r"no route to host.*source=cifar10\.npz"):
        load_cifar10(tmp_path, download=True)


@pytest.mark.parametrize("content", [b"", b"garbage", pickle.dumps({"data": 3}), pickle.dumps([1])])
def test_a_damaged_folder(content, folder):
    (folder / "test_batch").write_bytes(content)
    with pytest.raises(UserError, match=r"incomplete or damaged.*download=true"):
        load_cifar10(folder.parent)


def test_an_incomplete_folder(folder):
    (folder / "data_batch_3").unlink()
    with pytest.raises(UserError, match=r"data_batch_3.*download=true"):
        load_cifar10(folder.parent)


def test_bad_npz_files(npz):
    with pytest.raises(UserError, match=r"elsewhere\.npz does not exist"):
        load_cifar10(source=npz.with_name("elsewhere.npz"))
    np.savez(npz, train_images=TRAIN.transpose(0, 2, 3, 1))
    with pytest.raises(UserError, match=r"cifar10\.npz is damaged .*train_labels"):
        load_cifar10(source=npz)
    npz.write_bytes(npz.read_bytes()[:1000])
    with pytest.raises(UserError, match="is damaged"):
        load_cifar10(source=npz)


def test_labels_beyond_the_classes_are_refused(npz):
    with np.load(npz) as arrays:
        content = dict(arrays)
    content["test_labels"] = content["test_labels"].copy()
    content["test_labels"][0] = 10
    np.savez(npz, **content)
    with pytest.raises(UserError, match="labels from 0 to 10"):
        load_cifar10(source=npz)


def test_an_npz_packed_by_an_unknown_method_is_refused(npz):
    content = bytearray(npz.read_bytes())
    for mark, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):  # of the first file, twice said
        content[content.index(mark) + at] = 77
    npz.write_bytes(content)
    with pytest.raises(UserError, match="damaged or not CIFAR-10"):
        load_cifar10(source=npz)


def test_an_npz_whose_header_does_not_close_is_refused(npz):
    header = b"\x93NUMPY\x01\x00\x14\x00({'descr': '<u1L',   \n"
    with zipfile.ZipFile(npz, "w") as archive:
        archive.writestr("train_images.npy", header)
    with pytest.raises(UserError, match="damaged or not CIFAR-10"):
        load_cifar10(source=npz)

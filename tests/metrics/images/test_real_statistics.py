"""What is kept of real images, and when it is computed again."""

import hashlib
import importlib
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file

from diffstn.metrics.images import Seen, real_statistics
from diffstn.metrics.images.real_statistics import cache_folder, kept_statistics


class Corners:
    """Looks at three pixels, and counts the images it is shown."""

    name, size, classes = "corners/of", 3, ()

    def __init__(self, digest="a"):
        self.digest, self.shown = digest, 0

    def __call__(self, images):
        self.shown += len(images)
        seen = images[:, 0, 0, :3]
        return Seen(seen, seen)


class Images:
    """A split of noise in memory."""

    def __init__(self, total=1203, seed=0):
        generator = torch.Generator().manual_seed(seed)
        self.images = torch.rand(total, 1, 4, 4, generator=generator)

    def count(self, split):
        return len(self.images)

    def batch(self, split, rows, device):
        return SimpleNamespace(image=self.images[rows].to(device))

    def digest(self, split):
        return hashlib.sha256(self.images.numpy().tobytes()).hexdigest()[:24]


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_they_are_those_of_all_images():
    data = Images()
    found = real_statistics(data, "train", Corners())
    x = data.images[:, 0, 0, :3]
    torch.testing.assert_close(found.mean, x.double().mean(0))
    torch.testing.assert_close(found.covariance, x.double().T.cov())
    assert torch.equal(found.features, x)
    assert found.total == 1203


def test_only_the_first_features_are_kept(monkeypatch):
    module = importlib.import_module("diffstn.metrics.images.real_statistics")
    monkeypatch.setattr(module, "KEPT", 600)
    data = Images()
    found = real_statistics(data, "train", Corners())
    assert torch.equal(found.features, data.images[:600, 0, 0, :3])
    assert found.total == 1203


def test_they_are_computed_once_for_the_same_images_and_the_same_features():
    features, data = Corners(), Images()
    first = real_statistics(data, "train", features)
    again = real_statistics(Images(), "test", features)  # the same images by another name
    assert features.shown == 1203
    assert all(torch.equal(a, b) for a, b in zip(first[:3], again[:3], strict=True))
    other = Corners(digest="b")
    real_statistics(data, "train", other)
    real_statistics(Images(seed=1), "train", features)
    assert other.shown == 1203
    assert features.shown == 2 * 1203
    assert len(list(cache_folder().iterdir())) == 3  # and no drafts


@pytest.mark.parametrize("content", [b"", b"\xff" * 99, b"\x02\0\0\0\0\0\0\0{}"])
def test_a_damaged_file_is_none(tmp_path, content):
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    assert kept_statistics(path, 3) is None
    save_file({"mean": torch.zeros(3)}, path)
    assert kept_statistics(path, 3) is None
    whole = {"mean": torch.zeros(3), "covariance": torch.eye(3), "features": torch.ones(2, 3)}
    save_file({**whole, "total": torch.tensor(7)}, path)
    assert kept_statistics(path, 3).total == 7
    assert kept_statistics(path, 4) is None

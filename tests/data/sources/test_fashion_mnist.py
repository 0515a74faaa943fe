import gzip

import pytest

from diffstn.data.sources.fashion_mnist import FashionMNIST
from diffstn.data.sources.mnist import ASSETS, _shipped
from diffstn.errors import UserError


def test_files_as_torchvision_leaves_them_are_read(tmp_path):
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for packed in ASSETS.glob("*.xz"):  # any images in the format will do
        content = _shipped(packed.stem)
        (raw / f"{packed.stem}.gz").write_bytes(gzip.compress(content, 1))
    splits = FashionMNIST(str(tmp_path)).load()
    assert {k: len(v.labels) for k, v in splits.items()} == {
        "train": 55_000,
        "val": 5_000,
        "test": 10_000,
    }


def test_where_the_files_lie_must_be_said(tmp_path):
    with pytest.raises(UserError, match=r"data\.root=FOLDER"):
        FashionMNIST().load()
    with pytest.raises(UserError, match="FashionMNIST"):
        FashionMNIST(str(tmp_path)).load()

"""Small sets as the `datasets` library writes them."""

import sys

import pytest
import torch

from diffstn.data.sources.hugging_face import HuggingFaceImages
from diffstn.errors import UserError

from ..conftest import configured

datasets = pytest.importorskip("datasets")


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")


def table(digits, split, n, names=("zero", "one"), column="image"):
    """n digits 0 and 1 as a table of images and classes, or of texts where there are no names."""
    from PIL import Image

    images, labels = digits[split]
    rows = (labels < 2).nonzero()[:n, 0]
    numbers = labels[rows].tolist()
    feature = datasets.ClassLabel(names=list(names)) if names else datasets.Value("string")
    return datasets.Dataset.from_dict(
        {
            column: [Image.fromarray(images[row, 0].numpy()) for row in rows],
            "label": numbers if names else [f"digit {number}" for number in numbers],
        },
        features=datasets.Features({column: datasets.Image(), "label": feature}),
    )


@pytest.fixture
def saved(digits, tmp_path):
    """40 training and 10 test digits, as `save_to_disk` leaves them."""
    parts = {"train": table(digits, "train", 40), "test": table(digits, "test", 10)}
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "saved"))
    return str(tmp_path / "saved")


def test_a_saved_set_keeps_its_test_and_holds_out_validation_images(saved, digits):
    source = HuggingFaceImages(saved, image_size=(28, 28), channels=1)
    assert source.classes == ("zero", "one")
    splits = source.load()
    assert {k: len(v.labels) for k, v in splits.items()} == {"train": 36, "val": 4, "test": 10}
    images, labels = digits["test"]
    assert torch.equal(splits["test"].items, images[labels < 2][:10])
    assert torch.equal(splits["test"].labels, labels[labels < 2][:10])
    index = HuggingFaceImages(saved, image_size=(28, 28), channels=1).index()
    assert torch.equal(index["val"].at(torch.arange(4)).items, splits["val"].items)


def test_parquet_with_text_labels_and_a_validation_part(digits, tmp_path):
    folder = tmp_path / "parquet"
    folder.mkdir()
    for name, split, n in (("train", "train", 20), ("validation", "val", 6), ("test", "test", 8)):
        table(digits, split, n, names=None, column="img").to_parquet(folder / f"{name}.parquet")
    source = HuggingFaceImages(str(folder), image="img", image_size=(14, 14))
    assert source.classes == ("digit 0", "digit 1")
    splits = source.load()
    assert {k: len(v.labels) for k, v in splits.items()} == {"train": 20, "val": 6, "test": 8}
    assert splits["train"].items.shape == (20, 3, 14, 14)
    labels = digits["val"].labels
    assert torch.equal(splits["val"].labels, labels[labels < 2][:6])


def test_a_single_table_is_divided_and_need_have_no_labels(digits, tmp_path):
    table(digits, "train", 30).save_to_disk(str(tmp_path / "one"))
    source = HuggingFaceImages(str(tmp_path / "one"), label=None, val=0.2, test=0.2)
    assert source.classes == (".",)
    splits = source.index()
    assert {k: len(v) for k, v in splits.items()} == {"train": 19, "val": 5, "test": 6}
    rows = torch.cat([images.rows for images in splits.values()])
    assert rows.sort().values.tolist() == list(range(30))
    assert not splits["train"].labels.any()


def test_the_digest_names_the_set_and_the_settings(saved):
    digests = [HuggingFaceImages(saved, channels=c).index()["test"].digest for c in (1, 1, 3)]
    assert digests[0] == digests[1] != digests[2]


def test_bad_settings_are_refused(saved, tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"pass data\.name=ylecun/mnist"):
        HuggingFaceImages()
    with pytest.raises(UserError, match=r"data\.image=photo: the set has the columns image, label"):
        HuggingFaceImages(saved, image="photo").load()
    with pytest.raises(UserError, match=r"nowhere cannot be opened"):
        HuggingFaceImages(str(tmp_path / "nowhere")).load()
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UserError, match=r"pip install 'diffstn\[hugging_face\]'"):
        HuggingFaceImages(saved).load()


@pytest.mark.parametrize("name", ["hugging_face", "streamed_hugging_face"])
def test_the_configurations(saved, name):
    data = configured(f"+data={name}", f"data.name={saved}", "data.image_size=[16,16]")
    assert data.facts.size == (16, 16)
    assert next(data.batches("test", 3)).items.shape == (3, 3, 16, 16)

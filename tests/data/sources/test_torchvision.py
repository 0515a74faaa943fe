"""torchvision's own files, written here, are read into three splits."""

import json

import pytest
import torch
from PIL import Image

from diffstn.data.sources.idx import format_idx
from diffstn.data.sources.torchvision import TorchvisionImages
from diffstn.errors import UserError

from ..conftest import configured


@pytest.fixture
def kuzushiji(tmp_path, digits):
    """200 training and 20 test images in the files of KMNIST; any images will do."""
    raw = tmp_path / "KMNIST" / "raw"
    raw.mkdir(parents=True)
    for part, split, n in (("train", "train", 200), ("t10k", "test", 20)):
        images, labels = digits[split].first(n)
        (raw / f"{part}-images-idx3-ubyte").write_bytes(format_idx(images[:, 0]))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(format_idx(labels.byte()))
    return tmp_path


def photograph(path, colour, size=(24, 16)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def test_a_set_with_test_images_holds_out_validation_images(kuzushiji, digits):
    source = TorchvisionImages("KMNIST", str(kuzushiji))
    assert (source.channels, source.size, len(source.classes)) == (1, (28, 28), 10)
    assert source.classes[0] == "o"
    splits = source.load()
    assert {k: len(v.labels) for k, v in splits.items()} == {"train": 180, "val": 20, "test": 20}
    assert torch.equal(splits["test"].items, digits["test"].items[:20])
    assert torch.equal(splits["test"].labels, digits["test"].labels[:20])
    both = torch.cat([splits["train"].items, splits["val"].items]).flatten(1)
    theirs = digits["train"].items[:200].flatten(1)
    assert {bytes(row.tolist()) for row in both} == {bytes(row.tolist()) for row in theirs}
    again = TorchvisionImages("KMNIST", str(kuzushiji)).index()
    assert torch.equal(again["val"].labels, splits["val"].labels)
    other = TorchvisionImages("KMNIST", str(kuzushiji), data_seed=1).index()
    assert other["val"].digest != again["val"].digest


def test_sizes_and_colours_can_be_asked_for(kuzushiji):
    source = TorchvisionImages("KMNIST", str(kuzushiji), image_size=(16, 20), channels=3)
    assert source.load()["test"].items.shape == (20, 3, 16, 20)


def test_a_set_with_all_three_parts_keeps_them(tmp_path):
    """DTD: files of names say what belongs where."""
    base = tmp_path / "dtd" / "dtd"
    for number, split in enumerate(("train", "val", "test")):
        lines = []
        for name in ("dotted", "woven"):
            photograph(base / "images" / name / f"{split}.jpg", (100 * number, 0, 0))
            lines.append(f"{name}/{split}.jpg")
        (base / "labels").mkdir(exist_ok=True)
        (base / "labels" / f"{split}1.txt").write_text("\n".join(lines))
    source = TorchvisionImages("DTD", str(tmp_path), image_size=(8, 8))
    assert source.classes == ("dotted", "woven")
    for number, images in enumerate(source.load().values()):
        assert images.labels.tolist() == [0, 1]
        reds = images.items[:, 0].float()
        torch.testing.assert_close(reds, torch.full((2, 8, 8), 100.0 * number), atol=2, rtol=0)


def test_validation_images_are_the_test_where_there_is_no_other(tmp_path):
    """Imagenette has a training and a validation part."""
    for split, n in (("train", 10), ("val", 3)):
        for i in range(n):
            for wnid in ("n01440764", "n02102040"):
                photograph(tmp_path / "imagenette2" / split / wnid / f"{i}.jpeg", (0, i, 0))
    splits = TorchvisionImages("Imagenette", str(tmp_path), image_size=(8, 8)).index()
    assert {k: len(v) for k, v in splits.items()} == {"train": 18, "val": 2, "test": 6}


def test_a_set_without_parts_is_divided(tmp_path):
    """EuroSAT is one folder."""
    for name in ("Forest", "River"):
        for i in range(20):
            photograph(tmp_path / "eurosat" / "2750" / name / f"{i}.jpg", (i, 0, 0))
    source = TorchvisionImages("EuroSAT", str(tmp_path), image_size=(8, 8), val=0.2, test=0.1)
    splits = source.index()
    assert source.classes == ("Forest", "River")
    assert {k: len(v) for k, v in splits.items()} == {"train": 29, "val": 7, "test": 4}
    rows = torch.cat([images.rows for images in splits.values()])
    assert rows.sort().values.tolist() == list(range(40))


def test_food_has_training_and_test_images(tmp_path):
    names = {split: {"pie": [f"pie/{split}{i}" for i in range(10)]} for split in ("train", "test")}
    (tmp_path / "food-101" / "meta").mkdir(parents=True)
    for split, named in names.items():
        (tmp_path / "food-101" / "meta" / f"{split}.json").write_text(json.dumps(named))
        for name in named["pie"]:
            photograph(tmp_path / "food-101" / "images" / f"{name}.jpg", (9, 9, 9))
    splits = TorchvisionImages("Food101", str(tmp_path), image_size=(8, 8)).index()
    assert {k: len(v) for k, v in splits.items()} == {"train": 9, "val": 1, "test": 10}


def test_variants_have_classes_of_their_own():
    assert len(TorchvisionImages("EMNIST", split="balanced").classes) == 47
    with pytest.raises(UserError, match=r"pass data\.split=NAME \(byclass.*letters"):
        TorchvisionImages("EMNIST")


@pytest.mark.parametrize(
    ("name", "channels", "side", "classes"),
    [("SVHN", 3, 32, 10), ("USPS", 1, 16, 10), ("STL10", 3, 96, 10), ("CIFAR100", 3, 32, 100)],
)
def test_facts_of_well_known_sets_need_no_file(name, channels, side, classes):
    source = TorchvisionImages(name)
    assert (source.channels, source.size) == (channels, (side, side))
    assert len(set(source.classes)) == classes


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"name": "KMINST"}, "no such set; try KMNIST"),
        ({"name": "Food101"}, r"pass data\.image_size="),
        ({"name": "USPS", "split": "all"}, r"drop data\.split"),
        ({"name": "KMNIST", "channels": 2}, "1 channel"),
        ({"name": "KMNIST", "val": 1.0}, "shares"),
        ({"name": "ImageNet", "image_size": (8, 8), "download": True}, "does not fetch ImageNet"),
    ],
)
def test_bad_settings_are_refused(settings, word):
    with pytest.raises(UserError, match=word):
        TorchvisionImages(**settings)


def test_missing_files_and_too_few_classes_are_refused(tmp_path, kuzushiji):
    with pytest.raises(UserError, match=r"pass data\.root=FOLDER"):
        TorchvisionImages("KMNIST").load()
    with pytest.raises(UserError, match=r"USPS cannot be read .*data\.download=true"):
        TorchvisionImages("USPS", str(tmp_path / "nowhere")).load()
    with pytest.raises(UserError, match=r"no numbers below 2.*data\.class_names"):
        TorchvisionImages("KMNIST", str(kuzushiji), class_names=("a", "b")).load()


def test_the_configuration(kuzushiji):
    data = configured("+data=torchvision", "data.name=KMNIST", f"data.root={kuzushiji}")
    assert data.facts.channels == 1
    assert data.count("train") == 180

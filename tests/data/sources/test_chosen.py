"""Some classes of a source, under labels of their own."""

import pytest
import torch

from diffstn.data.modules.streamed import StreamedImages
from diffstn.data.modules.upright import UprightData
from diffstn.data.sources.chosen import ChosenClasses
from diffstn.data.sources.image_folder import ImageFolder
from diffstn.errors import UserError

from ..conftest import FewDigits, configured


def test_classes_are_chosen_by_name_in_that_order(few):
    chosen = ChosenClasses(few, [8, "3"])
    assert chosen.classes == ("8", "3")
    assert (chosen.size, chosen.channels) == (few.size, few.channels)
    for split, images in chosen.load().items():
        whole = few.splits[split]
        rows = (whole.labels == 8) | (whole.labels == 3)
        assert torch.equal(images.items, whole.items[rows])
        assert torch.equal(images.labels, (whole.labels[rows] == 3).long())


class Named(FewDigits):
    classes = ("nought", "one", "2", "three", "four", "five", "six", "seven", "1", "nine")


def test_a_number_chooses_where_it_is_no_name(few):
    images = Named(few.splits)
    assert ChosenClasses(images, [0, "nine"]).labels == [0, 9]
    assert ChosenClasses(images, [1, 2]).labels == [8, 2]


def test_facts_and_limits_follow(few):
    data = UprightData(few, classes=[1, 7, 2], limit_train=20)
    assert data.facts.classes == ("1", "7", "2")
    assert data.count("train") == 20
    assert set(data.labels("val").tolist()) == {0, 1, 2}


def test_streams_choose_alike(digit_folder):
    (digit_folder / "2").mkdir()
    for path in sorted((digit_folder / "1").iterdir())[::2]:
        path.rename(digit_folder / "2" / path.name)
    source = ImageFolder(str(digit_folder), (28, 28), 1, val=0.3, test=0.3)
    held = UprightData(source, classes=[2, 0])
    streamed = StreamedImages(source, classes=[2, 0], workers=0)
    assert streamed.facts == held.facts
    assert held.facts.classes == ("2", "0")
    for split in ("train", "test"):
        one, other = next(streamed.batches(split)), next(held.batches(split))
        assert torch.equal(one.image, other.image)
        assert torch.equal(one.label, other.label)


@pytest.mark.parametrize(
    ("classes", "word"),
    [
        (["1"], r"\[1\]: name two classes or more; null keeps all 10"),
        ([], "name two classes"),
        (["1", "one"], r"there is no class one; there are: 0, .*\(or 0 to 9\)"),
        (["1", -1], "there is no class -1"),
        (["1", 10], "there is no class 10"),
        (["1", 1], r"\[1,1\]: 1 is named twice"),
    ],
)
def test_what_is_no_choice_is_refused(few, classes, word):
    with pytest.raises(UserError, match=word) as caught:
        UprightData(few, classes=classes)
    assert "\n" not in str(caught.value)
    assert few.loads == 0


def test_a_split_without_any_is_refused(few):
    only = few.splits["val"].labels == 5
    few.splits["val"] = few.splits["val"].at(torch.nonzero(only).flatten())
    with pytest.raises(UserError, match="no val image is of 3 or 8"):
        UprightData(few, classes=[3, 8]).setup()


@pytest.mark.parametrize("name", ["mnist", "affine_mnist", "cifar10", "fashion_mnist"])
def test_the_configuration(name):
    data = configured(f"+data={name}", "data.classes=[1,5]", "data.flip=0.5", "data.crop=2")
    names = {"cifar10": ["automobile", "dog"], "fashion_mnist": ["trouser", "sandal"]}
    assert data.classes == names.get(name, ["1", "5"])
    assert (data.augmentation.flip, data.augmentation.crop) == (0.5, 2)

"""Images that are read as they are needed are the ones that would be in memory."""

import os

import pytest
import torch

from diffstn.data.modules.streamed import StreamedImages
from diffstn.data.modules.upright import UprightData
from diffstn.data.sources.image_folder import ImageFolder
from diffstn.errors import UserError

from ..conftest import configured
from .test_upright import Recorder, quiet_trainer


@pytest.fixture(params=[None, "mirrored"])
def pair(digit_folder, request):
    """The same digits, streamed and in memory."""
    options = {"batch_size": 8, "eval_batch_size": 5, "seed": 3, "limit_train": 30}
    options |= {"disc": request.param}
    source = ImageFolder(str(digit_folder), (28, 28), 1, val=0.2, test=0.2)
    return StreamedImages(source, workers=2, **options), UprightData(source, **options)


def test_batches_are_the_same_to_the_bit(pair):
    streamed, held = pair
    assert streamed.facts == held.facts
    for split in ("train", "val", "test"):
        assert streamed.count(split) == held.count(split)
        assert torch.equal(streamed.labels(split), held.labels(split))
        for one, other in zip(streamed.batches(split), held.batches(split), strict=True):
            assert torch.equal(one.items, other.items)
            assert torch.equal(one.label, other.label)
    rows = torch.tensor([4, 0, 0])
    assert torch.equal(streamed.batch("val", rows).image, held.batch("val", rows).image)


def test_a_trainer_sees_the_same_epochs(pair):
    seen = []
    for data in pair:
        model = Recorder()
        torch.manual_seed(0)
        quiet_trainer(max_epochs=2).fit(model, data)
        seen.append((model.seen, torch.rand(1)))
    (streamed, after), (held, expected) = seen
    for split in ("train", "val"):
        assert len(streamed[split]) == len(held[split]) > 0
        for one, other in zip(streamed[split], held[split], strict=True):
            assert torch.equal(one.image, other.image)
            assert torch.equal(one.label, other.label)
    assert torch.equal(after, expected)  # the workers take no random number of the training's


def test_a_digest_costs_no_reading_and_notices_changes(digit_folder, monkeypatch):
    def digest(disc=None):
        source = ImageFolder(str(digit_folder), (28, 28), 1, val=0.2, test=0.2)
        return StreamedImages(source, disc=disc).digest("train")

    before = digest()
    assert digest("mirrored") != before
    monkeypatch.setattr(
        "diffstn.data.sources.image_folder.read_image", lambda *args: pytest.fail("reads")
    )
    assert digest() == before
    assert len(before) == 24
    os.utime(digit_folder / "0" / "00.png", ns=(1, 1))
    assert digest() != before


@pytest.mark.parametrize("workers", [0, 1])
def test_an_unreadable_image_ends_the_pass_in_one_line(digit_folder, workers):
    for path in digit_folder.rglob("0*.png"):
        path.write_bytes(path.read_bytes()[:60])
    data = StreamedImages(ImageFolder(str(digit_folder)), workers=workers)
    with pytest.raises(UserError, match=r"0\d\.png: unreadable .*mend or remove it") as caught:
        list(data.batches("train"))
    assert "\n" not in str(caught.value)


def test_impossible_streams_are_refused(few, digit_folder):
    with pytest.raises(UserError, match="FewDigits is read as a whole"):
        StreamedImages(few)
    with pytest.raises(UserError, match=r"data\.workers is -1"):
        StreamedImages(ImageFolder(str(digit_folder)), workers=-1)


def test_the_configuration(digit_folder):
    data = configured("+data=streamed_image_folder", f"data.root={digit_folder}", "data.workers=0")
    assert isinstance(data, StreamedImages)
    assert data.kind == "upright"
    assert data.workers == 0
    assert next(data.batches("val")).items.shape[1:] == (3, 32, 32)

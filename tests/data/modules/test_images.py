"""Training images are augmented, in memory and streamed alike; no other image is."""

import pytest
import torch

from diffstn.cli.train import train_command
from diffstn.data.augmentation import Augmentation
from diffstn.data.modules.distorted import DistortedData
from diffstn.data.modules.streamed import StreamedImages
from diffstn.data.modules.upright import UprightData
from diffstn.data.sources.image_folder import ImageFolder
from diffstn.errors import UserError

from ..conftest import preset
from .test_upright import Recorder, quiet_trainer


def seen_by(data):
    torch.manual_seed(0)
    model = Recorder()
    trainer = quiet_trainer(max_epochs=2)
    trainer.fit(model, data)
    trainer.test(model, data, verbose=False)
    return model.seen


@pytest.mark.parametrize("streamed", [False, True])
def test_a_trainer_gets_augmented_images_and_every_label(digit_folder, streamed):
    source = ImageFolder(str(digit_folder), (28, 28), 1, val=0.2, test=0.2)
    kind = StreamedImages if streamed else UprightData
    plain = kind(source, batch_size=8, seed=3)
    changed = kind(source, batch_size=8, seed=3, flip=0.5, crop=3, crop_fill="zeros")
    as_they_are, seen = seen_by(plain), seen_by(changed)
    for split in ("val", "test"):
        for one, other in zip(as_they_are[split], seen[split], strict=True):
            assert torch.equal(one.image, other.image)
    torch.manual_seed(0)
    augmentation = Augmentation(0.5, 3, "zeros")
    for one, other in zip(as_they_are["train"], seen["train"], strict=True):
        assert torch.equal(augmentation(one.image), other.image)
        assert torch.equal(one.label, other.label)
        assert not torch.equal(one.image, other.image)
    # what is measured on training images is measured on them as they are
    rows = torch.arange(9)
    assert torch.equal(changed.batch("train", rows).image, plain.batch("train", rows).image)
    whole = zip(changed.batches("train"), plain.batches("train"), strict=True)
    assert all(torch.equal(one.image, other.image) for one, other in whole)


def test_distorted_images_are_augmented_before_they_are_distorted(few):
    data = DistortedData(few, preset("rts"), flip=1.0, batch_size=10, limit_train=20)
    batch = seen_by(data)["train"][0]
    order = next(iter(data.train_dataloader()))
    assert torch.equal(batch.upright, data.split("train").at(order).items.flip(3) / 255)
    corrected = data.distortion.distort(batch.upright, batch.A)
    assert torch.equal(batch.image, corrected)
    test = data.batch("test", torch.arange(5))
    assert torch.equal(test.upright, few.splits["test"].items[:5] / 255)


@pytest.mark.parametrize("distorted", [False, True])
def test_mirrors_alternate_by_rows_and_epochs(few, distorted):
    settings = {"flip": "alternate", "batch_size": 10, "limit_train": 20}
    data = DistortedData(few, preset("none"), **settings) if distorted else None
    data = data or UprightData(few, **settings)
    seen, loader = seen_by(data)["train"], data.train_dataloader()
    assert len(seen) == 4  # two batches of each of two epochs
    for epoch in range(2):
        loader.set_epoch(epoch)
        for rows, batch in zip(loader, seen[2 * epoch :], strict=False):
            images = few.splits["train"].items[rows] / 255
            mirrored = ((rows + epoch) % 2 == 1)[:, None, None, None]
            expected = torch.where(mirrored, images.flip(3), images)
            assert torch.equal(batch.upright if distorted else batch.image, expected)


def test_streamed_images_cannot_alternate(digit_folder):
    source = ImageFolder(str(digit_folder), (28, 28), 1, val=0.2, test=0.2)
    with pytest.raises(UserError, match=r"data\.flip=alternate is for images in memory"):
        StreamedImages(source, flip="alternate")


def test_crops_too_large_for_the_images_are_refused(few):
    with pytest.raises(UserError, match=r"data\.crop=28: images of 28 x 28"):
        UprightData(few, crop=28)


@pytest.mark.parametrize("data", ["image_folder", "streamed_image_folder"])
def test_a_run_resumes_with_the_draws_that_it_would_have_made(digit_folder, workplace, data):
    words = [
        *("model=classifier", "encoder=fc", "encoder.features=8", "accelerator=cpu"),
        *("trainer.precision=fp32", "report=false", "epochs=2", "seed=4"),
        *(f"data={data}", f"data.root={digit_folder}", "data.image_size=[12,12]"),
        *("data.batch_size=8", "data.flip=0.5", "data.crop=2", "data.classes=['1','0']"),
        *("data.val=0.2", "data.test=0.2"),
    ]
    if data.startswith("streamed"):
        words += ["data.workers=0", f"data.cache={workplace / 'kept'}"]
    assert train_command([*words, "out=straight"]) == 0
    assert train_command([*words, "out=stopped", "trainer.max_time=00:00:00:00"]) == 124
    assert train_command(["out=stopped", "resume=true", "trainer.max_time=null"]) == 0
    ours, theirs = (
        torch.load(workplace / name / "checkpoints" / "last.ckpt", weights_only=True)
        for name in ("stopped", "straight")
    )
    assert ours["global_step"] == theirs["global_step"] > 4
    for name, value in theirs["state_dict"].items():
        assert torch.equal(ours["state_dict"][name], value)


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("data.flip=2", "data.flip=2: must be a number of at least 0 and of at most 1"),
        ("data.crop=-1", "data.crop=-1: must be a whole number of at least 0"),
        ("data.crop=28", "data.crop=28: images of 28 x 28 pixels can be shifted by at most 27"),
        ("data.crop_fill=grey", "data.crop_fill=grey: must be one of reflection, border, zeros"),
        ("data.classes=[3]", "data.classes=[3]: name two classes or more; null keeps all 10"),
        ("data.classes=3", "data.classes=3: must be"),
        ("data.classes=dog", "data.classes=dog: must be"),
    ],
)
def test_the_command_line_refuses_in_one_line(workplace, capsys, word, line):
    assert train_command(["model=classifier", "data=mnist", "out=none", word]) == 2
    said = capsys.readouterr().err
    assert line in said
    assert not (workplace / "none").exists()

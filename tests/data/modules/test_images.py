"""Training images are augmented, in memory and streamed alike; no other image is."""

import pytest
import torch

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


def test_crops_too_large_for_the_images_are_refused(few):
    with pytest.raises(UserError, match=r"data\.crop=28: images of 28 x 28"):
        UprightData(few, crop=28)

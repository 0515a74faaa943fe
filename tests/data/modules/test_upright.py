import subprocess
import sys

import pytest
import torch
from pytorch_lightning import LightningModule, Trainer

from diffstn.data.batches import Batch
from diffstn.data.disc import in_disc
from diffstn.data.modules.upright import UprightData
from diffstn.errors import UserError

from ..conftest import configured


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, diffstn.data, diffstn.data.facts;"
        "from diffstn.data.sources import cifar10, hugging_face, image_folder, mnist, torchvision;"
        "print([m for m in ('torchvision', 'pytorch_lightning', 'datasets') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_a_model_must_know_is_known_before_anything_is_read(few):
    data = UprightData(few)
    assert (data.channels, data.size, data.canvas) == (1, (28, 28), (28, 28))
    assert data.classes == list("0123456789")
    assert data.distortion is None
    assert data.transformation is None
    assert few.loads == 0
    data.prepare_data()
    data.setup("fit")
    data.setup("test")
    assert few.loads == 1


def test_batches_are_the_images(few, digits):
    data = UprightData(few)
    batch = data.batch("test", torch.tensor([7, 3, 3]))
    image, label = batch
    assert batch.items is image
    assert image.dtype == torch.float32
    assert torch.equal(image, digits["test"].items[[7, 3, 3]] / 255)
    assert torch.equal(label, digits["test"].labels[[7, 3, 3]])
    whole = list(data.batches("val", batch_size=300))
    assert [len(batch.label) for batch in whole] == [300, 300, 300, 101]
    assert torch.equal(torch.cat([b.label for b in whole]), few.splits["val"].labels)


def test_limits(few):
    data = UprightData(few, limit_train=30, limit_val=20, limit_test=10)
    loaders = (data.train_dataloader(), data.val_dataloader(), data.test_dataloader())
    assert [sum(map(len, loader)) for loader in loaders] == [30, 20, 10]
    assert torch.equal(next(data.batches("test")).label, few.splits["test"].labels[:10])
    assert sum(map(len, UprightData(few, limit_test=5000).test_dataloader())) == 1002
    for argument in ("limit_train", "limit_val", "limit_test", "batch_size", "eval_batch_size"):
        with pytest.raises(UserError, match=f"{argument} is 0"):
            UprightData(few, **{argument: 0})


class Recorder(LightningModule):
    """Learns nothing, and remembers what it was given."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen = {"train": [], "val": [], "test": []}

    def training_step(self, batch, batch_idx):
        self.seen["train"].append(batch)
        return self.weight * batch.image.mean()

    def validation_step(self, batch, batch_idx):
        self.seen["val"].append(batch)

    def test_step(self, batch, batch_idx):
        self.seen["test"].append(batch)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


def quiet_trainer(**options):
    return Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )


def test_a_trainer_gets_every_image(few):
    model, data = Recorder(), UprightData(few, batch_size=100, seed=3)
    trainer = quiet_trainer(max_epochs=2, num_sanity_val_steps=1)
    trainer.fit(model, data)
    trainer.test(model, data, verbose=False)

    def labels(batches):
        return torch.cat([batch.label for batch in batches])

    assert all(isinstance(batch, Batch) for batches in model.seen.values() for batch in batches)
    first, second = labels(model.seen["train"][:11]), labels(model.seen["train"][11:])
    assert not torch.equal(first, second)  # each epoch has an order of its own
    for epoch in (first, second):
        assert torch.equal(epoch.bincount(), few.splits["train"].labels.bincount())
    sanity, *val = model.seen["val"]
    assert torch.equal(sanity.label, few.splits["val"].labels[:1000])
    assert torch.equal(labels(val), few.splits["val"].labels.repeat(2))
    assert torch.equal(labels(model.seen["test"]), few.splits["test"].labels)


@pytest.mark.parametrize("name", ["mnist", "cifar10", "affine_mnist", "affine_cifar10"])
def test_every_configuration_builds_at_once(name):
    data = configured(f"+data={name}", "data.limit_test=3")
    assert isinstance(data, UprightData)
    assert data.limits["test"] == 3
    assert data.seed == 0
    assert configured(f"+data={name}", "+seed=5").seed == 5


@pytest.mark.parametrize(("disc", "word"), [(None, None), (False, None), (True, "black")])
def test_images_may_be_their_discs(few, disc, word):
    data, whole = UprightData(few, disc=disc), UprightData(few)
    assert data.facts.disc == word
    items, own = data.split("test").items, whole.split("test").items
    assert torch.equal(items, own if word is None else in_disc(own, word))


def test_a_disc_that_cannot_be_is_refused(few):
    with pytest.raises(UserError, match=r"data\.disc=white: choose black or"):
        UprightData(few, disc="white")

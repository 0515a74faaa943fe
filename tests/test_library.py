"""The library's door, as a notebook uses it."""

from pathlib import Path

import numpy as np
import pytest
import torch

import diffstn
from diffstn.diffusion import Denoiser, Gaussian
from diffstn.diffusion.samplers import DDIM, DPMSolver
from diffstn.diffusion.schedules import Cosine
from diffstn.errors import UserError
from diffstn.networks.denoisers.unet import UNet
from tests.conftest import SMALL, mnist_once


@pytest.fixture(scope="module")
def corrector():
    return diffstn.load("pretrained/diff_in_stn_full")


@pytest.fixture(scope="module")
def turned() -> tuple[torch.Tensor, torch.Tensor]:
    """Sixty test digits, turned by right angles, and their labels."""
    digits = mnist_once()["test"].first(60)
    images = torch.stack([torch.rot90(x, i % 4, (-2, -1)) for i, x in enumerate(digits.items)])
    return images, digits.labels


def test_a_shipped_model_corrects_and_classifies(corrector, turned):
    images, labels = turned
    found = corrector.correct(images, hypotheses=4)
    assert found.images.shape == (60, 1, 28, 28)
    assert found.images.dtype == torch.uint8
    assert not found.probabilities.requires_grad
    assert (found.probabilities.argmax(-1) == labels).float().mean() > 0.9
    torch.testing.assert_close(corrector.classify(images, hypotheses=4), found.probabilities)
    again = corrector.correct(images, hypotheses=4)
    assert torch.equal(again.images, found.images)  # the same seed, the same answer


def test_arrays_and_single_images_come_back_as_they_went(corrector, turned):
    array = turned[0][0, 0].numpy()
    found = corrector.correct(array)
    assert found.images.shape == (1, 28, 28)
    assert found.probabilities.shape == (10,)
    floats = corrector.correct(array[None].astype(np.float64) / 255)
    assert floats.images.is_floating_point()
    assert float(floats.images.max()) <= 1
    with pytest.raises(ValueError, match="divide by 255"):
        corrector.correct(array.astype(np.float32))


def test_a_judge_classifies():
    judge = diffstn.load("pretrained/judge")
    digits = mnist_once()["test"].first(100)
    assert (judge.classify(digits.items).argmax(-1) == digits.labels).float().mean() > 0.97


def test_a_configuration_is_composed_and_slips_are_answered():
    config = diffstn.compose(["model=stn", "epochs=2"])
    assert config["model"]["_target_"] == "diffstn.models.stn.STN"
    assert config["trainer"]["max_epochs"] == 2
    for word, answer in [("epoch=2", "did you mean epochs?"), ("seed=1,2", "is a sweep")]:
        with pytest.raises(UserError, match=answer):
            diffstn.compose([word])


def test_a_model_is_trained_from_python(workplace: Path):
    words = ["model=classifier", "data=mnist", "encoder=fc", *SMALL]
    run = diffstn.train(words, out="here")
    assert run.path == Path("here")
    assert 0 <= run.metrics["accuracy"] <= 100
    assert not run.model.training
    assert run.model.classify(torch.zeros(28, 28)).shape == (10,)
    assert diffstn.load("here").facts.classes == tuple("0123456789")
    with pytest.raises(UserError, match="holds a run already"):
        diffstn.train(words, out="here")
    with pytest.raises(
        UserError, match="use data=affine_cifar10, affine_image_folder or affine_mnist"
    ):
        diffstn.train(["model=stn", "data=mnist"])


def test_a_run_that_is_not_there_lists_those_there_are():
    with pytest.raises(UserError, match="pretrained/mnist_unet"):
        diffstn.load("pretrained/none")


def test_a_sampler_walks_with_anybody_s_network_and_ours_stands_alone():
    network = torch.nn.Identity()
    denoiser = Denoiser(lambda x_t, t: network(x_t) * 0, Gaussian(Cosine()), prediction="x0")  # type: ignore[arg-type]
    x_0 = DPMSolver(steps=5)(denoiser, torch.randn(2, 3, 8, 8))
    assert torch.equal(x_0, torch.zeros(2, 3, 8, 8))
    unet = UNet(channels=3, size=(16, 16), width=16, attention=(2,), classes=10)
    x_t, t, label = torch.randn(2, 3, 16, 16), torch.tensor([1, 900]), torch.tensor([3, 10])
    assert unet(x_t, t, label).shape == (2, 3, 16, 16)


def test_digits_are_sampled_by_name_by_guidance_and_by_another_sampler():
    model = diffstn.load("pretrained/mnist_unet")
    judge = diffstn.load("pretrained/judge")
    threes = model.sample(6, label="3", guidance_scale=1.0, sampler=DDIM(steps=6))
    assert threes.shape == (6, 1, 28, 28)
    assert 0 <= float(threes.min()) <= float(threes.max()) <= 1
    assert (judge.classify(threes).argmax(-1) == 3).float().mean() > 0.6
    short = DDIM(steps=2)
    some = model.sample(3, label=torch.tensor([1, 2, 3]), sampler=short, seed=1)
    assert torch.equal(some, model.sample(3, label=torch.tensor([1, 2, 3]), sampler=short, seed=1))
    for bad in ({"label": "eleven"}, {"label": 10}, {"n": 0}):
        with pytest.raises(ValueError, match=r"classes|ask for one"):
            model.sample(**{"n": 1, "sampler": short, **bad})

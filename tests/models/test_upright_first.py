"""A user's classifier behind the shipped corrector, on real digits."""

import pytest
import torch
from torch import Tensor, nn

import diffstn
from diffstn.errors import UserError
from diffstn.spatial import Affine, affine_matrix, warp
from tests.conftest import mnist_once


class Bigger(nn.Module):
    """A classifier of 56 × 56 colour images: our judge of what is left of them, and a bias."""

    def __init__(self) -> None:
        super().__init__()
        self.judge = diffstn.load("pretrained/judge")
        self.bias = nn.Parameter(torch.zeros(10))

    def forward(self, images: Tensor) -> Tensor:
        self.seen = images
        grey = nn.functional.avg_pool2d(images, 2).mean(1, keepdim=True)
        return self.judge(grey) + self.bias


@pytest.fixture(scope="module")
def turned() -> tuple[Tensor, Tensor]:
    """Forty digits, large and yellow, turned by any angle, and what they are."""
    digits = mnist_once()["test"].first(40)
    large = nn.functional.interpolate(digits.items / 255, (56, 56), mode="bilinear")
    colour = large * torch.tensor([1.0, 0.9, 0.4])[:, None, None]
    angles = torch.linspace(-3, 3, 40)
    inverse = Affine().inverse(affine_matrix(angles).flatten(1))
    return warp(colour, inverse), digits.labels


def test_a_classifier_of_other_images_reads_them_upright_in_their_own_size(turned):
    images, labels = turned
    plain = Bigger().eval()
    upright = diffstn.wrap(plain, "pretrained/diff_in_stn_full", hypotheses=4).eval()
    with torch.no_grad():
        before = (plain(images).argmax(1) == labels).float().mean()
        after = (upright(images).argmax(1) == labels).float().mean()
    assert before < 0.6
    assert after > 0.9
    assert plain.seen.shape == (40, 3, 56, 56)
    assert plain.seen[:, 0].amax() > 2 * plain.seen[:, 2].amax()  # still yellow
    assert torch.equal(upright(images), upright(images))


def test_only_the_classifier_learns_behind_it(turned):
    images = turned[0][:4]
    wrapped = diffstn.wrap(Bigger(), diffstn.load("pretrained/diff_in_stn_full")).train()
    assert not wrapped.corrector.network.training
    wrapped(images).sum().backward()
    assert wrapped.classifier.bias.grad.abs().sum() > 0
    assert not any(p.requires_grad for p in wrapped.corrector.parameters())


@pytest.mark.parametrize("images", [torch.zeros(3, 28, 28), torch.zeros(2, 1, 28, 28).byte(), None])
def test_what_is_no_batch_of_floats_is_refused(images):
    wrapped = diffstn.wrap(nn.Identity(), diffstn.load("pretrained/diff_in_stn_full"))
    with pytest.raises(ValueError, match=r"takes floats \(B, C, H, W\)"):
        wrapped(images)


def test_a_model_without_poses_is_refused():
    with pytest.raises(UserError, match="ImageClassifier finds no poses"):
        diffstn.wrap(nn.Identity(), "pretrained/judge")

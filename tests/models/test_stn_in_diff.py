"""Redrawing distorted images upright."""

import pytest
import torch
from torch import nn

from diffstn.codecs.pixels import Pixels
from diffstn.data.batches import DistortedBatch
from diffstn.data.facts import Facts
from diffstn.diffusion.samplers import DDIM
from diffstn.diffusion.schedules import Cosine
from diffstn.models.stn_in_diff import STNInDiff


class Known(nn.Module):
    """A network that answers x_0 = what it is shown beside x_t, or a grey level it is told."""

    def __init__(self, channels, size, embedding, image_channels):
        super().__init__()
        self.channels = channels
        self.shown = image_channels > 0

    def forward(self, x_t, t, embedding=None, image=None):
        return image if self.shown else embedding[:, :1, None, None].expand_as(x_t)


class Brightness(nn.Module):
    features = 1

    def forward(self, image):
        return image.mean((1, 2, 3))[:, None]


class Judge(nn.Module):
    """Class 1 for bright images."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(100.0))

    def forward(self, images):
        bright = (images.mean((1, 2, 3)) - 0.5) * self.scale
        return torch.stack([-bright, bright], 1)


def build(spatial, judge=lambda facts: Judge().requires_grad_(False), **more):
    return STNInDiff(
        facts=Facts("distorted", ("dark", "bright"), 1, (12, 12)),
        encoder=Brightness,
        network=Known,
        schedule=Cosine(50),
        sampler=DDIM(steps=5),
        classifier=judge,
        codec=Pixels(),
        prediction="x0",
        spatial=spatial,
        optimizer=torch.optim.SGD,
        lr_scheduler=None,
        **more,
    )


def test_images_become_what_the_network_says():
    image = torch.rand(4, 1, 12, 12)
    redrawn = build(True)(image, 3)
    assert redrawn.images.shape == (4, 3, 1, 12, 12)
    assert redrawn.probabilities.shape == (4, 3, 2)
    torch.testing.assert_close(redrawn.images[:, 1], image, atol=1e-5, rtol=1e-5)


def test_hypotheses_stay_with_their_images():
    image = torch.tensor([0.1, 0.9]).view(2, 1, 1, 1).expand(2, 1, 12, 12)
    redrawn = build(False)(image, 2)
    level = (torch.tensor([0.1, 0.9]) + 1) / 2
    expected = level.view(2, 1, 1, 1, 1).expand(2, 2, 1, 12, 12)
    torch.testing.assert_close(redrawn.images, expected, atol=1e-5, rtol=1e-5)


def test_a_frame_shows_the_content_where_it_stands_for_itself():
    image = torch.zeros(1, 1, 24, 24)
    image[..., 2:8, 15:21] = 1  # a square in a corner
    seen = build(True, frame="moments").aligned(image, torch.zeros(1, 1)).detach()
    assert seen.shape == (1, 1, 12, 12)
    rows, columns = seen[0, 0].sum(1), seen[0, 0].sum(0)
    at = torch.arange(12) - 5.5
    for profile in (rows, columns):
        assert abs(float((at * profile).sum() / profile.sum())) < 0.3


def test_the_loss_is_that_of_pairs_alone():
    model = build(True, noise_levels=4, align_weight=0.5)
    upright = torch.rand(3, 1, 12, 12)
    batch = DistortedBatch(upright, torch.zeros(3).long(), torch.zeros(3, 6), upright)
    for value in model.losses(batch).values():
        torch.testing.assert_close(value, torch.tensor(0.0), atol=1e-9, rtol=0)
    other = model.losses(batch._replace(upright=1 - upright))
    gap = (2 * (2 * upright - 1)).square().mean()
    torch.testing.assert_close(other["diffusion"], gap)
    torch.testing.assert_close(other["alignment"], gap)
    torch.testing.assert_close(other["loss"], 1.5 * gap)


def test_pairs_teach_the_aligner():
    """All images are shifted by 2 of 12 pixels, which is a third in coordinates."""
    torch.manual_seed(0)
    model = build(True)
    upright = torch.zeros(8, 1, 12, 12)
    upright[..., 3:7, 3:7] = torch.rand(8, 1, 1, 1) + 0.5
    image = upright.roll(2, dims=-1)
    batch = DistortedBatch(image, torch.zeros(8).long(), torch.zeros(8, 6), upright)
    optimizer = torch.optim.Adam(model.aligner.parameters(), 0.02)
    start = model.losses(batch)["alignment"].item()
    for _ in range(150):
        optimizer.zero_grad()
        model.losses(batch)["loss"].backward()
        optimizer.step()
    assert model.losses(batch)["alignment"].item() < 0.1 * start
    A = model.aligner(model.encoder(image)).detach().mean(0)
    assert abs(float(A[2]) - 1 / 3) < 0.1  # to be read 2 pixels further right


@pytest.mark.parametrize("name", ["hypotheses", "noise_levels"])
def test_counts_are_positive(name):
    with pytest.raises(ValueError, match=name):
        build(True, **{name: 0})


def test_a_classifier_that_would_have_to_learn_is_refused():
    with pytest.raises(ValueError, match="classifier=frozen"):
        build(True, judge=lambda facts: Judge())


def test_users_get_the_drawing_that_the_classifier_is_surest_of():
    images = torch.rand(4, 1, 12, 12)
    model = build(True)
    redrawn = model.correct((images * 255).round().byte().numpy(), hypotheses=3)
    assert redrawn.images.dtype == torch.uint8
    assert (redrawn.images.float() / 255 - images).abs().max() < 0.01
    torch.testing.assert_close(model.classify(images), model.judge(images), atol=1e-3, rtol=1e-3)
    assert model.correct(images[0, 0]).images.shape == (1, 12, 12)


def test_an_answer_depends_on_its_image_and_on_the_seed_alone():
    model, images = build(True), torch.rand(4, 1, 12, 12)
    network = model.denoiser.network
    network.forward = lambda x_t, t, embedding=None, image=None: image + 0.5 * x_t.tanh()
    together = model.correct(images, hypotheses=3, seed=2)
    for i in range(4):
        alone = model.correct(images[i], hypotheses=3, seed=2)
        torch.testing.assert_close(alone.images, together.images[i])
        torch.testing.assert_close(alone.probabilities, together.probabilities[i])
    assert not torch.allclose(model.correct(images, 3, seed=3).images, together.images, atol=0.01)

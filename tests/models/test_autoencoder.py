"""The autoencoder's loss, and that it learns."""

from functools import partial

import pytest
import torch

from diffstn.data.facts import Facts
from diffstn.models.autoencoder import Autoencoder
from diffstn.networks.autoencoders.convolutional import ConvAutoencoder
from diffstn.networks.regularisations.kl import KL
from diffstn.networks.regularisations.vq import VQ
from diffstn.optim.lr_schedules import constant


def build(regularisation: object = KL, **settings: object) -> Autoencoder:
    torch.manual_seed(0)
    return Autoencoder(
        facts=Facts("upright", classes=("a",), channels=1, size=(16, 16)),
        network=partial(ConvAutoencoder, width=8, latent_channels=2, multipliers=(1,)),
        regularisation=partial(regularisation),  # type: ignore[operator]
        optimizer=torch.optim.Adam,  # type: ignore[arg-type]
        lr_scheduler=constant,
        **settings,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(("kind", "power"), [("l1", 1), ("l2", 2)])
def test_the_distance_is_the_formula(kind: str, power: int):
    model = build(pixel_loss=kind, edge_weight=0.5)
    made, truth = torch.rand(2, 3, 1, 5, 6)
    d = (made - truth).double()
    size = d.abs().pow(power).mean()
    across = (d[..., 1:] - d[..., :-1]).abs().pow(power).mean()
    down = (d[:, :, 1:] - d[:, :, :-1]).abs().pow(power).mean()
    assert float(model.distance(made, truth)) == pytest.approx(
        float(size + 0.5 * (across + down) / 2), rel=1e-5
    )


def test_validation_has_the_same_noise_every_time():
    model, images = build(), torch.rand(4, 1, 16, 16)
    with torch.no_grad():
        losses = [
            float(model.losses(images, torch.Generator().manual_seed(seed))[0])
            for seed in (0, 0, 1)
        ]
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize("regularisation", [KL, partial(VQ, codes=32)])
def test_it_learns_where_bars_are(regularisation: object):
    """Images of one bright bar."""
    model = build(regularisation)
    images = torch.zeros(28, 1, 16, 16)
    for i in range(28):
        images[i, 0, :, i % 14 : i % 14 + 3] = 1.0
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    errors = []
    for _ in range(60):
        optimizer.zero_grad()
        loss, parts = model.losses(images)
        loss.backward()
        optimizer.step()
        errors.append(float(parts["error"]))
    assert errors[-1] < 0.3 * errors[0]
    model.eval()
    with torch.no_grad():
        assert float((model(images) - images).abs().mean()) < 0.3 * errors[0]

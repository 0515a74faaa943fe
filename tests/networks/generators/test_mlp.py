"""Points from noise, and what tells them apart."""

import pytest
import torch

from diffstn.networks.discriminators.mlp import MLPDiscriminator
from diffstn.networks.generators.mlp import MLPGenerator


@pytest.mark.parametrize("classes", [0, 3])
def test_shapes(classes: int):
    generator = MLPGenerator(2, classes, latent=4, width=8)
    noise, label = torch.randn(5, generator.noise), torch.arange(5) % 3 if classes else None
    w = generator.styles(noise, label)
    points = generator.synthesis(w, noise)
    assert points.shape == (5, 2)
    assert MLPDiscriminator(2, classes, width=8)(points, label).shape == (5,)
    nearer = generator.truncated(w, 0.5, label)
    torch.testing.assert_close(nearer[:, :4], noise / 2)
    torch.testing.assert_close(nearer[:, 4:], w[:, 4:])


@pytest.mark.parametrize("network", [MLPGenerator, MLPDiscriminator])
def test_what_is_not_positive_is_refused(network: type):
    with pytest.raises(ValueError, match="must be at least 1"):
        network(2, width=0)

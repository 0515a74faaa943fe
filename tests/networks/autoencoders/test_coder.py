"""From images to latents and back."""

import pytest
import torch

from diffstn.networks.autoencoders.coder import Coder
from diffstn.networks.autoencoders.convolutional import ConvAutoencoder
from diffstn.networks.regularisations.kl import KL
from diffstn.networks.regularisations.vq import VQ


@pytest.mark.parametrize("kind", [KL, VQ])
def test_training_and_coding_go_the_same_way(kind: type):
    torch.manual_seed(0)
    network = ConvAutoencoder(1, (16, 16), kind.moments, width=8, groups=4)
    coder = Coder(network, kind(4))
    images = torch.rand(3, 1, 16, 16)
    coder(images, torch.zeros(3, *coder.latent_shape))  # the codes find their places
    coder.eval()
    latent = coder.encode(images)
    assert latent.shape == (3, *coder.latent_shape)
    coded = coder(images, torch.zeros_like(latent))
    assert torch.allclose(coder.decode(latent), coded.images.clamp(0, 1), atol=1e-6)
    low, high = coder.decode(100 * torch.randn(latent.shape)).detach().aminmax()
    assert 0 <= float(low) < float(high) <= 1
    coded.loss.backward()
    assert network.encoder[1].weight.grad.abs().sum() > 0  # type: ignore[union-attr]

"""Penalties on the slope of a discriminator, computed in float32 whatever autocast says."""

from collections.abc import Callable

import torch
from torch import Tensor

Critic = Callable[[Tensor], Tensor]
"""Items (B, *) → scores (B,)."""


def squared_slopes(critic: Critic, items: Tensor) -> Tensor:
    r"""$\|\nabla_x D(x)\|^2$ at items (B, *), (B,); gradients reach the critic's weights."""
    with torch.enable_grad(), torch.autocast(items.device.type, enabled=False):
        at = items.detach().float().requires_grad_()
        (slope,) = torch.autograd.grad(critic(at).sum(), at, create_graph=True)
    return slope.flatten(1).square().sum(1)


def zero_centred(critic: Critic, real: Tensor, fake: Tensor, weight: float) -> Tensor:
    r"""R1: $\frac{\gamma}{2}\,\mathbb E_\text{real} \|\nabla_x D(x)\|^2$, a number.

    At the data a discriminator that has nothing to tell apart is flat, so that training comes to
    rest where the generator is right. `fake` plays no part.

    Source: Mescheder et al., Which Training Methods for GANs do actually Converge?, 2018.
    """
    return weight / 2 * squared_slopes(critic, real).mean()


def one_centred(
    critic: Critic, real: Tensor, fake: Tensor, weight: float, between: Tensor
) -> Tensor:
    r"""WGAN-GP: $\lambda\,\mathbb E\,(\|\nabla_x D(\hat x)\| - 1)^2$, a number.

    $\hat x = u x + (1 - u) \tilde x$ lies between a real and a generated item: along such lines
    the best critic of Lipschitz constant 1 has slope 1.

    Args:
        between: u (B,) in [0, 1].

    Source: Gulrajani et al., Improved Training of Wasserstein GANs, 2017.
    """
    u = between.view(-1, *(1,) * (real.ndim - 1)).float()
    squares = squared_slopes(critic, u * real.float() + (1 - u) * fake.detach().float())
    return weight * ((squares + 1e-12).sqrt() - 1).square().mean()

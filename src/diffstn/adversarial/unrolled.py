"""A discriminator some steps ahead, as a function of what teaches it."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

Weights = dict[str, Tensor]


def unrolled(
    weights: Weights,
    loss: Callable[[Weights], Tensor],
    steps: int,
    moments: Mapping[str, Mapping[str, Any]],
    lr: float,
    betas: tuple[float, float],
    eps: float = 1e-8,
) -> Weights:
    r"""The weights after `steps` of Adam on a loss, through which gradients pass.

    The generator that maximises $L_D(\theta_G, \theta_D^K(\theta_G))$ feels how the discriminator
    will answer it: with $\theta_D^{k+1} = \theta_D^k - \eta\,\mathrm{Adam}(\nabla L_D)$,

    $$\frac{dL_D}{d\theta_G} = \frac{\partial L_D}{\partial \theta_G} +
      \frac{\partial L_D}{\partial \theta_D^K} \frac{d\theta_D^K}{d\theta_G}.$$

    To put all samples where D is highest no longer pays, as D will have gone down there, and up at
    the real items that were left out: those are in L_D, too, and not in the loss that a generator
    has otherwise. With that one in its place samples end on a single mode. All derivatives are
    exact, those of Adam's moments too. The root is $\sqrt{v + \epsilon^2}$ instead of
    $\sqrt v + \epsilon$, which has no derivative at 0.

    Args:
        weights: by name, where the steps begin.
        loss: weights → a number that depends on what is to be learnt.
        steps: how many.
        moments: by name, Adam's state: `step`, `exp_avg`, `exp_avg_sq`; empty before its first.
        lr, betas, eps: Adam's.

    Source: Metz et al., Unrolled Generative Adversarial Networks, 2017.
    """
    names = list(weights)
    first = {n: moments.get(n, {}).get("exp_avg", torch.zeros_like(weights[n])) for n in names}
    second = {n: moments.get(n, {}).get("exp_avg_sq", torch.zeros_like(weights[n])) for n in names}
    count = max((int(m.get("step", 0)) for m in moments.values()), default=0)
    b_1, b_2 = betas
    for k in range(count + 1, count + 1 + steps):
        gradients = torch.autograd.grad(loss(weights), list(weights.values()), create_graph=True)
        ahead = {}
        for name, g in zip(names, gradients, strict=True):
            first[name] = b_1 * first[name] + (1 - b_1) * g
            second[name] = b_2 * second[name] + (1 - b_2) * g.square()
            root = (second[name] / (1 - b_2**k) + eps**2).sqrt()
            ahead[name] = weights[name] - lr * first[name] / (1 - b_1**k) / root
        weights = ahead
    return weights

"""How often to augment, from what the discriminator says of real images."""

import torch
from torch import Tensor, nn

EVERY = 4
"""Steps of the discriminator from one change of p to the next."""


class Adaptive(nn.Module):
    r"""The probability p of `augment`, fixed, or led by a sign of overfitting.

    $r_t = \mathbb E\,\mathrm{sign}\,D(x)$ over real images of training is 0 while the discriminator
    cannot tell and 1 when it knows them all. Every four steps p rises where $r_t$ lies above the
    target and falls where it lies below, at a rate by which it goes from 0 to 1 in `thousands`
    thousand real images. p and the sums lie in buffers: a checkpoint holds them.

    Args:
        p: at the start, or for ever without a target.
        target: of r_t; None: p is fixed.
        thousands: of real images from 0 to 1.

    Raises:
        ValueError: p lies outside [0, 1], the target outside (−1, 1), or thousands is not positive.

    Source: Karras et al., Training Generative Adversarial Networks with Limited Data, 2020,
    section 3.2: target 0.6 and 500 thousand images.
    """

    p: Tensor
    sums: Tensor

    def __init__(
        self, p: float = 0.0, target: float | None = None, thousands: float = 500.0
    ) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"p={p}: the probability of augmentation lies in [0, 1]")
        if target is not None and not -1 < target < 1:
            raise ValueError(f"target={target}: the mean of signs lies between -1 and 1")
        if not thousands > 0:
            raise ValueError(f"thousands={thousands}: must be positive")
        self.target, self.thousands = target, thousands
        self.used = p > 0 or target is not None
        self.register_buffer("p", torch.tensor(float(p)))
        self.register_buffer("sums", torch.zeros(2))

    @torch.no_grad()
    def observe(self, sign: Tensor, images: int, step: int) -> None:
        """Take note of a batch, and change p if it is time.

        Args:
            sign: the mean of sign D(x) over the batch, of all processes, ().
            images: that it is the mean of.
            step: of the discriminator, which says whether it is time.
        """
        if self.target is None:
            return
        self.sums += torch.stack([sign * images, torch.full_like(sign, images)]).to(self.sums)
        if (step + 1) % EVERY == 0:
            excess = self.sums[0] / self.sums[1] - self.target
            self.p += excess.sign() * self.sums[1] / (1000 * self.thousands)
            self.p.clamp_(0, 1)
            self.sums.zero_()

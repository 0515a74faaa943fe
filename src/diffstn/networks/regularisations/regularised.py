"""What a regularisation makes of an encoder's answer."""

from typing import NamedTuple

from torch import Tensor


class Regularised(NamedTuple):
    """Of a batch, while it trains."""

    latent: Tensor
    """(B, c, h, w): what the decoder sees."""
    loss: Tensor
    """What the regularisation adds to the loss, a scalar."""
    logged: dict[str, Tensor]
    """Scalars that tell how it goes."""

"""A network asked about many images, so many at a time."""

import torch
from torch import Tensor, nn

from diffstn.networks.in_portions import AT_ONCE, in_portions


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def forward(self, images: Tensor, by: Tensor) -> Tensor:
        self.seen.append(len(images))
        return images.mean((1, 2, 3)) * by


def test_portions_are_answered_in_their_order_and_as_one_batch_where_that_matters():
    network = Scaled().eval()
    images, by = torch.rand(2 * AT_ONCE + 3, 1, 4, 4), torch.arange(2 * AT_ONCE + 3)
    expected = images.mean((1, 2, 3)) * by
    with torch.no_grad():
        torch.testing.assert_close(in_portions(network, images, by), expected)
        in_portions(network.train(), images, by)
        in_portions(network.eval(), images[:5], by[:5])
    in_portions(network, images, by)  # for a gradient
    assert network.seen == [AT_ONCE, AT_ONCE, 3, len(images), 5, len(images)]

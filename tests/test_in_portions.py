"""A network asked about many items, so many at a time."""

import torch
from torch import Tensor, nn

from diffstn.in_portions import NUMBERS, in_portions


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def forward(self, items: Tensor, by: Tensor, more: Tensor | None = None) -> Tensor:
        self.seen.append(len(items))
        return items.flatten(1).mean(1) * by + (0 if more is None else more)


def test_portions_are_answered_in_their_order_and_as_one_batch_where_that_matters():
    network = Scaled().eval()
    items, by = torch.rand(19, 1, 64, 128), torch.arange(19)
    rows = NUMBERS // items[0].numel()
    expected = items.mean((1, 2, 3)) * by
    with torch.no_grad():
        torch.testing.assert_close(in_portions(network, items, by, more=None), expected)
        torch.testing.assert_close(in_portions(network, items, by, more=by), expected + by)
        in_portions(network.train(), items, by)
        in_portions(network.eval(), items[:5], by[:5])
        in_portions(network, items.flatten(1)[:, :6], by)  # poses
    in_portions(network, items, by)  # for a gradient
    assert network.seen == [rows, rows, 3, rows, rows, 3, 19, 5, 19, 19]

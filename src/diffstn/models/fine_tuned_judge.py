"""A trained classifier of upright images that learns on."""

from torch import Tensor, nn

from diffstn.build import Kept
from diffstn.data.facts import Facts
from diffstn.models.frozen_judge import FrozenJudge


class FineTunedJudge(nn.Module):
    """The network of a run of `model=classifier`, which starts with its weights and trains along.

    Args:
        facts, run, kept: see `FrozenJudge`.

    Raises:
        UserError: as `FrozenJudge` does.
    """

    def __init__(self, facts: Facts, run: str, kept: Kept | None = None) -> None:
        super().__init__()
        self.network = FrozenJudge(facts, run, kept).network.requires_grad_(True).train()

    self_contained = staticmethod(FrozenJudge.self_contained)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, classes)."""
        return self.network(image)

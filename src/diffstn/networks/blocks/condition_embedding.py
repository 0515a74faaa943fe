"""What a denoiser is told beside the data: how noisy they are and, if so chosen, their class."""

import torch.nn.functional as F
from torch import Tensor, nn

from diffstn.networks.blocks.time_embedding import TimeEmbedding


class ConditionEmbedding(nn.Module):
    """Timestep and label → one vector that modulates every layer.

    Args:
        width: of the vector.
        classes: number of labels; 0 for a network without. One more label, `classes`, stands for
            no label, see classifier-free guidance.
        time_features: of the sinusoidal timestep embedding; 0 takes t / `steps` as it is.
        steps: T, for that.

    Shapes: t (B,), label (B,) or None → (B, width).

    Raises:
        ValueError: a label for a network without classes.
    """

    def __init__(
        self, width: int, classes: int = 0, time_features: int = 128, steps: int = 1000
    ) -> None:
        super().__init__()
        self.steps = steps
        self.sinusoids = TimeEmbedding(time_features) if time_features else None
        self.inner = nn.Linear(time_features or 1, width)
        self.outer = nn.Linear(width, width)
        self.classes = nn.Embedding(classes + 1, width) if classes else None

    def forward(self, t: Tensor, label: Tensor | None = None) -> Tensor:
        time = self.sinusoids(t) if self.sinusoids else t[..., None].float() / self.steps
        m = self.outer(F.silu(self.inner(time)))
        if self.classes is not None:
            count = self.classes.num_embeddings
            m = m + self.classes(t.new_full(t.shape, count - 1) if label is None else label)
        elif label is not None:
            raise ValueError("this network knows no classes: leave label out")
        return F.silu(m)

"""How sure and how varied a classifier's opinions of generated images are."""

import torch
from torch import Tensor


def inception_score(logits: Tensor, splits: int = 10) -> tuple[Tensor, Tensor]:
    r"""$\exp \mathbb{E}_x\,\mathrm{KL}(p(y|x) \,\|\, p(y))$: from 1 to the number of classes.

    Args:
        logits: (N, classes).
        splits: parts that are scored by themselves.

    Returns:
        Mean and standard deviation over the splits.

    Source: Salimans et al., Improved Techniques for Training GANs, 2016, section 4.
    """
    scores = []
    for part in logits.double().log_softmax(-1).chunk(min(splits, len(logits))):
        p = part.exp()
        marginal = p.mean(0).clamp(min=1e-300).log()
        scores.append((p * (part - marginal)).sum(-1).mean().exp())
    values = torch.stack(scores)
    return values.mean(), values.std() if len(values) > 1 else values.new_zeros(())

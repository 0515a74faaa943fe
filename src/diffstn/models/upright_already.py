r"""How much likelier an image is upright as it is than its corrector thought before it looked.

Let images be upright with odds ω to having been posed at random, as those of the training were. By
Bayes' rule the odds after looking are

$$\omega\,\frac{p(I \mid \mathrm{id})}{\int p(I \mid A)\,p(A)\,\mathrm dA}
  = \omega\,\frac{p(A = \mathrm{id} \mid I)}{p(A = \mathrm{id})},$$

the density of the corrector's posterior at the pose that changes nothing, over that of its training
there. Of the first there are k samples, and a kernel K counts those near the identity; beside them
one draw of the second stands in for what k samples cannot tell:

$$\frac{p(\mathrm{id} \mid I)}{p(\mathrm{id})} \approx
  \frac{\sum_i K(A_i) / m + 1}{k + 1}, \qquad
  K(A) = \exp\big({-\kappa\,d(A)^2 / 4}\big), \qquad m = \mathbb E_{p(A)} K(A),$$

where d is the distance of the corners. A rotation by φ moves them by $2\sqrt2\,\sin(\varphi/2)$, so
that $K = \exp(-\kappa(1 - \cos\varphi))$ is von Mises' density but for its height. What m is where
any angle is as likely as any other, $e^{-\kappa} I_0(\kappa)$, is taken for every family of poses;
of one that also scales and shifts, fewer lie near the identity, and the odds stay on the safe side.
"""

import torch
from torch import Tensor

from diffstn.spatial import Transformation, corner_distance

CONCENTRATION = 16.0
"""κ: a pose of 14° counts for 0.6, one of 30° for a tenth."""
AT_RANDOM = float(torch.special.i0e(torch.tensor(CONCENTRATION, dtype=torch.float64)))
"""m: what a random angle counts for, 0.1."""


def nearness(A: Tensor, identity: Tensor, family: Transformation) -> Tensor:
    """K of poses (B, k, dim) and the pose that changes nothing, (B, dim): (B, k), in (0, 1]."""
    k = A.shape[1]
    corners = corner_distance(A.flatten(0, 1), identity.repeat_interleave(k, dim=0), family)
    return torch.exp(-CONCENTRATION * corners.square() / 4).unflatten(0, (-1, k))


def evidence(near: Tensor) -> Tensor:
    """What odds of being upright are multiplied by, (B,), after k poses of nearness (B, k)."""
    return (near.sum(dim=1) / AT_RANDOM + 1) / (near.shape[1] + 1)

"""The earth mover's distance by entropic regularisation."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffstn.metrics.clouds.chamfer import squared_distances

_TINY = 1e-30
_BURST = 50


class Sinkhorn:
    r"""The cost ⟨P, C⟩ of a transport plan between uniform weights on two clouds of any sizes.

        P_ij = exp((f_i + g_j − C_ij) / ε) / NM ≈ argmin_P ⟨P, C⟩ − ε H(P),
        P 1 = 1/N,  Pᵀ 1 = 1/M,    C_ij = ‖x_i − y_j‖^p

    ε is halved from the mean cost down to `epsilon` times that; at each level the potentials f, g
    are updated once in the log domain and then by bursts of matrix-vector products with the kernel
    that they give. The plan is rounded to one with exact marginals, so its cost is an upper bound
    on W_p^p. The potentials, made feasible by a c-transform, give a lower bound. `error` holds how
    far apart the two were in the last block, relative to the upper one: the result, the upper
    bound to the power 1/p, is too large by at most that much.

    Args:
        p: 1 or 2.
        epsilon: final regularisation, relative to the mean cost.
        iterations: at most so many at the final regularisation.
        tolerance: of the row marginals, in total variation; iterations end once it is met.

    Raises:
        ValueError: an argument is out of range.

    Source: Cuturi, Sinkhorn Distances, 2013; the stabilised kernel: Schmitzer, Stabilized Sparse
    Scaling Algorithms, 2019; the rounding: Altschuler et al., Near-linear Time Approximation
    Algorithms for Optimal Transport via Sinkhorn Iteration, 2017, algorithm 2.
    """

    def __init__(
        self, p: int = 1, epsilon: float = 0.002, iterations: int = 1000, tolerance: float = 1e-3
    ) -> None:
        if p not in (1, 2):
            raise ValueError(f"p is 1 or 2, not {p}")
        if epsilon <= 0 or iterations < 1 or tolerance <= 0:
            raise ValueError("epsilon, iterations and tolerance must be positive")
        self.p, self.epsilon, self.iterations, self.tolerance = p, epsilon, iterations, tolerance
        self.error = torch.zeros(0, dtype=torch.float64)

    @property
    def name(self) -> str:
        return f"EMD, Sinkhorn W{self.p}, ε = {self.epsilon} × mean cost"

    def block(self, xs: Tensor, ys: Tensor) -> Tensor:
        """(A, N, D) and (B, M, D) to (A, B) float64; leaves (A, B) relative gaps in `error`."""
        cost = squared_distances(xs[:, None], ys[None]).clamp_min_(0)
        if self.p == 1:
            cost = cost.sqrt()
        upper, lower = self.bounds(cost.float())
        self.error = (upper - lower) / upper.clamp_min(_TINY)
        return upper.pow(1 / self.p)

    def bounds(self, cost: Tensor) -> tuple[Tensor, Tensor]:
        """An upper and a lower bound on the cost (..., N, M) of the best transport, (...)."""
        scale = cost.mean(dim=(-2, -1), keepdim=True).clamp_min(_TINY)
        g = torch.zeros_like(cost[..., 0, :])
        f = torch.zeros_like(cost[..., :, 0])
        levels = max(1, math.ceil(math.log2(1 / self.epsilon)))
        for level in range(levels + 1):
            last = level == levels
            epsilon = scale * (self.epsilon if last else 0.5**level)
            for _ in range(-(-self.iterations // _BURST) if last else 1):
                f = self._softmin(cost - g[..., None, :], epsilon, dim=-1)
                g = self._softmin(cost - f[..., :, None], epsilon, dim=-2)
                kernel = ((f[..., :, None] + g[..., None, :] - cost) / epsilon).exp_()
                if last and (kernel.mean(-1) - 1).abs().mean(-1).max() < self.tolerance:
                    break
                u, v = self._burst(kernel)
                f = f + epsilon[..., 0] * u.log()
                g = g + epsilon[..., 0] * v.log()
        kernel = ((f[..., :, None] + g[..., None, :] - cost) / epsilon).exp_()
        plan = self.rounded(kernel.double())
        upper = (plan * cost).sum(dim=(-2, -1))
        feasible = (cost - g[..., None, :]).amin(dim=-1)
        return upper, (feasible.mean(dim=-1) + g.mean(dim=-1)).double()

    @staticmethod
    def _softmin(slack: Tensor, epsilon: Tensor, dim: int) -> Tensor:
        """−ε log mean exp(−slack / ε), the soft minimum along `dim`."""
        level = (-slack / epsilon).logsumexp(dim=dim) - math.log(slack.shape[dim])
        return -epsilon[..., 0] * level

    @staticmethod
    def _burst(kernel: Tensor) -> tuple[Tensor, Tensor]:
        """Scalings u (..., N), v (..., M) after some alternating projections of the kernel."""
        n, m = kernel.shape[-2:]
        v = torch.ones_like(kernel[..., :1, :]).mT
        u = v
        for _ in range(_BURST):
            u = n_inverse(kernel @ v, m)
            v = n_inverse(kernel.mT @ u, n)
        return u[..., 0], v[..., 0]

    @staticmethod
    def rounded(kernel: Tensor) -> Tensor:
        """A plan (..., N, M) with uniform marginals near the kernel's, by algorithm 2."""
        n, m = kernel.shape[-2:]
        plan = kernel / (n * m)
        plan = plan * (1 / n / plan.sum(-1, keepdim=True).clamp_min(_TINY)).clamp_max(1)
        plan = plan * (1 / m / plan.sum(-2, keepdim=True).clamp_min(_TINY)).clamp_max(1)
        rows, columns = 1 / n - plan.sum(-1, keepdim=True), 1 / m - plan.sum(-2, keepdim=True)
        return plan + rows * columns / rows.sum(-2, keepdim=True).clamp_min(_TINY)


def n_inverse(total: Tensor, count: int) -> Tensor:
    """1 / (total / count), kept within float32."""
    return (count / total.clamp_min(_TINY)).clamp(_TINY, 1 / _TINY)

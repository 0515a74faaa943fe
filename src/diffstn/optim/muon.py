"""Muon for the hidden matrices of a network, AdamW for everything else."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

import torch
from torch import Tensor
from torch.optim import AdamW, Optimizer

from diffstn.annotations import AtLeast, AtMost

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of Newton–Schulz iterations that bring singular values from (0, 1] to about 0.7…1.2 in five."""


def as_matrix(kernel: Tensor) -> Tensor:
    """A kernel (out, in, *sides) as the matrix (out, in · sides) that maps patches to features."""
    return kernel.flatten(1)


def orthogonalised(matrix: Tensor, iterations: int = 5) -> Tensor:
    r"""About U Vᵀ of a matrix U S Vᵀ, (n, m) → (n, m).

    With X = matrix / ‖matrix‖, each of the iterations is X ← a X + (b X Xᵀ + c (X Xᵀ)²) X, which
    leaves U and V as they are and drives every singular value towards 1. In bfloat16 on a GPU,
    where that is fast, and as it comes elsewhere.
    """
    a, b, c = COEFFICIENTS
    wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix if wide else matrix.T
    if x.is_cuda:
        x = x.bfloat16()
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(iterations):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x if wide else x.T).to(matrix.dtype)


class OrthogonalSteps(Optimizer):
    """Muon alone, for matrices and kernels; see `Muon` for the rule and what the numbers are."""

    def __init__(
        self, params: Iterable[Any], lr: float, weight_decay: float, momentum: float
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(weight)
                average = state["momentum_buffer"]
                average.lerp_(weight.grad, 1 - group["momentum"])
                ahead = as_matrix(weight.grad.lerp(average, group["momentum"]))
                rate = group["lr"] * 0.2 * math.sqrt(max(ahead.shape))
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.sub_(orthogonalised(ahead).view_as(weight), alpha=rate)


class Muon(Optimizer):
    r"""One optimiser made of two, so that a network is trained by Muon in one line of a file.

    A matrix W that maps features to features moves by its orthogonalised momentum: all directions
    of the step are equally long, where a gradient is dominated by a few,

        W ← W − η · 0.2 √max(n, m) · U Vᵀ,    momentum = U S Vᵀ,

    with U Vᵀ from five Newton–Schulz iterations. The kernel of a convolution is the matrix that
    maps a patch to the features of its centre, (out, in · height · width). The factor gives a step
    the root mean square of AdamW's, so that both share one learning rate. Vectors, embeddings of
    classes and the thin first and last layers, whose short side is below `thin`, are AdamW's, and
    so are kernels of one channel each.

    Args:
        params: parameters or groups of them.
        lr: of both parts, η.
        weight_decay: decoupled, of both parts; a group's own takes precedence.
        momentum: Muon's, with Nesterov's look-ahead.
        thin: matrices with a shorter side than this are AdamW's.

    Raises:
        ValueError: a rate or momentum below 0.

    Source: Jordan et al., Muon: An Optimizer for Hidden Layers in Neural Networks, 2024; the
    factor: Liu et al., Muon is Scalable for LLM Training, 2025, eq. 4.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[Mapping[str, Any]],
        lr: float = 3e-3,
        weight_decay: float = 0.0,
        momentum: Annotated[float, AtLeast(0), AtMost(0.9999)] = 0.95,
        thin: int = 32,
    ) -> None:
        if min(lr, weight_decay) < 0:
            raise ValueError(f"lr={lr} and weight_decay={weight_decay}: neither can be below 0")
        groups = [
            one if isinstance(one, Mapping) else {"params": [one]}
            for one in params  # type: ignore[union-attr]
        ]
        hidden: list[dict[str, Any]] = []
        others: list[dict[str, Any]] = []
        for group in groups:
            matrices = [
                p for p in group["params"] if p.ndim > 1 and min(as_matrix(p).shape) >= thin
            ]
            taken = {id(p) for p in matrices}
            rest = [p for p in group["params"] if id(p) not in taken]
            hidden += [{**group, "params": matrices}] if matrices else []
            others += [{**group, "params": rest}] if rest else []
        self.parts: list[Optimizer] = []
        if hidden:
            self.parts.append(OrthogonalSteps(hidden, lr, weight_decay, momentum))
        if others:
            self.parts.append(AdamW(others, lr, weight_decay=weight_decay))
        settings = {"lr": lr, "weight_decay": weight_decay}
        super().__init__([g for part in self.parts for g in part.param_groups], settings)
        self._share()

    def _share(self) -> None:
        """Let the parts work on this optimiser's own groups and state."""
        groups = iter(self.param_groups)
        for part in self.parts:
            part.param_groups = [next(groups) for _ in part.param_groups]
            part.state = self.state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self._share()

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        """Both parts' steps; returns the closure's loss, if there is a closure."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self.parts:
            part.step()
        return loss

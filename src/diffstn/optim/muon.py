"""Muon for the hidden matrices of a network, AdamW for everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

import torch
from torch import Tensor
from torch.optim import AdamW, Optimizer

from diffstn.annotations import AtLeast, AtMost


class Muon(Optimizer):
    r"""One optimiser made of two, so that a network is trained by Muon in one line of a file.

    A matrix W that maps features to features moves by its orthogonalised momentum: all directions
    of the step are equally long, where a gradient is dominated by a few,

        W ← W − η · 0.2 √max(n, m) · U Vᵀ,    momentum = U S Vᵀ,

    with U Vᵀ from five Newton–Schulz iterations. The factor gives a step the root mean square of
    AdamW's, so that both share one learning rate. Vectors, kernels, embeddings of classes and the
    thin first and last layers, whose short side is below `thin`, are AdamW's.

    Args:
        params: parameters or groups of them.
        lr: of both parts, η.
        weight_decay: decoupled, of both parts; a group's own takes precedence.
        momentum: Muon's, with Nesterov's look-ahead.
        thin: matrices with a shorter side than this are AdamW's.

    Raises:
        ValueError: a rate or momentum that `torch.optim` refuses.

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
        groups = [
            one if isinstance(one, Mapping) else {"params": [one]}
            for one in params  # type: ignore[union-attr]
        ]
        hidden: list[dict[str, Any]] = []
        others: list[dict[str, Any]] = []
        for group in groups:
            matrices = [p for p in group["params"] if p.ndim == 2 and min(p.shape) >= thin]
            taken = {id(p) for p in matrices}
            rest = [p for p in group["params"] if id(p) not in taken]
            hidden += [{**group, "params": matrices}] if matrices else []
            others += [{**group, "params": rest}] if rest else []
        self.parts: list[Optimizer] = []
        if hidden:
            self.parts.append(
                torch.optim.Muon(hidden, lr, weight_decay, momentum, adjust_lr_fn="match_rms_adamw")
            )
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

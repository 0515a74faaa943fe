"""Whether weights are the same."""

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor


def digest_of(state: Mapping[str, Tensor], *words: str) -> Tensor:
    """16 bytes that are the same only for the same tensors by the same names, and the same words.

    As a tensor (16,) uint8, to be a buffer of whatever depends on them.
    """
    sha = hashlib.sha256()
    for name, value in state.items():
        sha.update(name.encode())
        sha.update(value.cpu().contiguous().numpy().tobytes())
    for word in words:
        sha.update(word.encode())
    return torch.tensor(list(sha.digest()[:16]), dtype=torch.uint8)

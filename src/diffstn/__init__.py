"""diffstn: train, sample and evaluate diffusion models and spatial transformers.

    model = diffstn.load("pretrained/diff_in_stn_full")
    upright = model.correct(images).images

`load`, `wrap`, `train` and `compose` are the library's door, see docs/library.md. The pieces are
there one by one: `diffstn.diffusion` (schedules, denoisers, samplers), `diffstn.spatial` (warps),
`diffstn.networks`, `diffstn.metrics`.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"
__all__ = ["__version__", "compose", "load", "train", "wrap"]

if TYPE_CHECKING:
    from diffstn.library import compose, load, train, wrap


def __getattr__(name: str) -> Any:
    """The door is opened where it is used: importing the package costs nothing."""
    if name in __all__[1:]:
        from diffstn import library

        return getattr(library, name)
    raise AttributeError(f"module 'diffstn' has no attribute '{name}'")

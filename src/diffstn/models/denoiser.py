"""The denoiser of a model, from the factory of its network."""

from collections.abc import Sequence
from typing import Any

from diffstn.build import Factory, asks_for, fitted
from diffstn.diffusion import Denoiser, Noised
from diffstn.diffusion.named import named
from diffstn.diffusion.variance import VARIANCES


def denoiser_for(
    network: Factory,
    process: Noised,
    prediction: str,
    variance: str,
    must: Sequence[str] = (),
    **told: Any,
) -> Denoiser:
    """What undoes a process.

    Args:
        network: makes the network, given what it asks for.
        process: how data turn into noise.
        prediction, variance: see `Denoiser`.
        must: what the network has to take, see `fitted`.
        told: what it may ask for beside `steps` and `outputs`.

    Raises:
        ValueError: the network answers a mean alone and the variance is to be learned.
    """
    outputs = named("variance", variance, VARIANCES).outputs
    if outputs > 1 and "outputs" not in asks_for(network):
        raise ValueError(
            f"model.variance={variance}: this network answers a mean alone; choose fixed_small or"
            " fixed_large, or network=unet"
        )
    made = fitted(network, must, steps=process.steps, outputs=outputs, **told)
    return Denoiser(made, process, prediction, variance)

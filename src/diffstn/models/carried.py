"""A pose on its way to the one that undoes it."""

from torch import Tensor

from diffstn.spatial import as_matrix, compose, exponential, invert


class Carried:
    r"""$P_t = A \circ \exp(-\tfrac tT v)$: a cold process whose data are poses A, (B, 6).

    A distorted image shows its content carried along by the pose A. Warped by P_t it shows what is
    left of that at t: all at T, where P_T is the identity if v = log A, and nothing at 0, where
    P_0 = A corrects it. The process's noise is the velocity v, (B, 6).

    Args:
        steps: T.

    Raises:
        ValueError: T is not positive.
    """

    def __init__(self, steps: int) -> None:
        if steps < 1:
            raise ValueError(f"steps must be at least 1, not {steps}")
        self.steps = steps

    def noise(self, z: Tensor) -> Tensor:
        """A velocity is no matter of chance: z as it is."""
        return z

    def corrupt(self, x_0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """P_t of A = x_0 and v = noise, both (B, 6), at t (B,)."""
        share = (t / self.steps)[:, None, None]
        return compose(as_matrix(x_0), exponential(-share * as_matrix(noise))).flatten(-2)

    def exchanged(self, x_t: Tensor, before: Tensor, after: Tensor) -> Tensor:
        """P_t ∘ before⁻¹ ∘ after, of poses (B, 6)."""
        change = compose(invert(as_matrix(before)), as_matrix(after))
        return compose(as_matrix(x_t), change).flatten(-2)

"""Vectors in the plane, neighbours near one another."""

import torch
from torch import Generator, Tensor

BISECTIONS = 60
EXAGGERATED = 0.3
"""Share of the iterations in which attraction is exaggerated."""
EXAGGERATION = 12.0


def affinities(x: Tensor, perplexity: float = 30.0) -> Tensor:
    r"""p_{j|i} ∝ exp(−β_i ‖x_i − x_j‖²), (N, D) → (N, N), zero on the diagonal.

    β_i is found by bisection, such that the entropy of row i is log(perplexity).

    Raises:
        ValueError: the perplexity is not between 1 and N − 1.
    """
    count = len(x)
    if not 1 < perplexity < count - 1:
        raise ValueError(f"a perplexity of {perplexity} needs more than {perplexity + 1} vectors")
    apart = torch.cdist(x, x).square()
    apart = apart / apart.mean().clamp(min=1e-12)
    apart.fill_diagonal_(torch.inf)
    low, high = x.new_full((count, 1), -12.0), x.new_full((count, 1), 12.0)  # of log β
    target = torch.tensor(perplexity).log()
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        p = (-middle.exp() * apart).softmax(1)
        flat = entropy(p) > target
        low, high = torch.where(flat, middle, low), torch.where(flat, high, middle)
    return p


def entropy(p: Tensor) -> Tensor:
    """In nats, of each row: (N, M) → (N, 1)."""
    return torch.special.entr(p).sum(1, keepdim=True)


def divergence(p: Tensor, y: Tensor) -> Tensor:
    """KL(P ‖ Q) of joint affinities P (N, N) and those of y (N, 2) under a Student t, a scalar."""
    q = student(y)[0]
    return (torch.xlogy(p, p) - p * q.clamp(min=1e-12).log()).sum()


def student(y: Tensor) -> tuple[Tensor, Tensor]:
    """q_{ij} ∝ w_{ij} = 1 / (1 + ‖y_i − y_j‖²), and w; zero on the diagonal."""
    w = 1 / (1 + torch.cdist(y, y, compute_mode="donot_use_mm_for_euclid_dist").square())
    w.fill_diagonal_(0)
    return w / w.sum(), w


@torch.no_grad()
def t_sne(
    x: Tensor,
    perplexity: float = 30.0,
    iterations: int = 500,
    generator: Generator | None = None,
) -> Tensor:
    r"""Points y (N, 2) that minimise KL(P ‖ Q), for x (N, D): exact, with N² memory.

    P is the symmetric mean of `affinities` and Q as `student` has it. Gradient descent,
    $4 \sum_j (p_{ij} - q_{ij})\,w_{ij}\,(y_i - y_j)$, with momentum and gains, begins at the two
    principal components, made small. Distances between far clusters mean little.

    Args:
        x: features.
        perplexity: about how many neighbours count.
        iterations: of the descent.
        generator: of the noise of the beginning, which parts what is equal; None: always the same.

    Raises:
        ValueError: see `affinities`.

    Source: van der Maaten and Hinton, Visualizing Data using t-SNE, 2008, eq. 1 to 5; the start and
    the learning rate: Kobak and Berens, The art of using t-SNE, 2019.
    """
    x = x.detach().cpu().double()
    p = affinities(x, perplexity)
    p = ((p + p.T) / (2 * len(x))).float()
    centred = x - x.mean(0)
    main = torch.linalg.svd(centred, full_matrices=False).Vh[:2]
    y = (centred @ main.T).float()
    y = 1e-4 * y / y.std().clamp(min=1e-12)
    y = y + 1e-6 * torch.randn(y.shape, generator=generator or Generator().manual_seed(0))
    rate = max(len(x) / EXAGGERATION / 4, 50.0)  # the gradient has the factor 4
    velocity, gains = torch.zeros_like(y), torch.ones_like(y)
    for step in range(iterations):
        early = step < EXAGGERATED * iterations
        q, w = student(y)
        forces = ((EXAGGERATION if early else 1.0) * p - q) * w
        gradient = 4 * (forces.sum(1, keepdim=True) * y - forces @ y)
        against = (gradient * velocity) < 0
        gains = torch.where(against, gains + 0.2, gains * 0.8).clamp(min=0.01)
        velocity = (0.5 if early else 0.8) * velocity - rate * gains * gradient
        y = y + velocity
        y = y - y.mean(0)
    return y

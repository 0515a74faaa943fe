r"""Affine maps along one-parameter subgroups: logarithm, exponential, and the way in between.

A map p ↦ M p + t is [M | t], (..., 2, 3), as in `affine`. Its logarithm [L | v] is a velocity:
points that move by dp/dτ = L p + v for a unit of time end where the map takes them. After a time τ
they have gone exp(τ log A), the geodesic from the identity to A: rotations turn at constant speed,
scales grow by constant factors, and exp(a log A) exp(b log A) = exp((a + b) log A).

Everything is written entry by entry, as in `affine`, and differentiable where the logarithm is.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import torch
from torch import Tensor

NODES = 16
"""Of the quadrature in `exponential`: exact to rounding for entries of a few units."""
SMALL = 0.1
"""Below this the series are used, where quotients would be 0 / 0."""
TERMS = 16
HALF_TURN = 1e-5
"""A map of determinant 1 this near to −I, entry by entry, is turned counter-clockwise."""


def exponential(log: Tensor) -> Tensor:
    r"""[exp L | V(L) v] of velocities [L | v], (..., 2, 3).

    With the mean m of L's diagonal, N = L − m I and δ = −det N, N² = δ I, so

        exp(uL) = e^{um} (C(u²δ) I + u S(u²δ) N),    C(δ) = cosh √δ,    S(δ) = sinh √δ / √δ

    which are entire in δ: cos and sin where it is negative. The translation is what the flow adds
    up, V(L) = ∫₀¹ exp(uL) du. The integrand is entire and slow, and the nodes of Gauss and Legendre
    give the integral to rounding where L⁻¹ (exp L − I) would divide by a singular L.
    """
    (a, b, v_x), (c, d, v_y) = (row.unbind(-1) for row in log.unbind(-2))
    m, n = (a + d) / 2, (a - d) / 2
    delta = n * n + b * c
    p, q = _flow(m, delta, 1.0)
    nodes, weights = (log.new_tensor(one) for one in gauss_legendre(NODES))
    p_mean, q_mean = (
        (one * weights).sum(-1) for one in _flow(m[..., None], delta[..., None], nodes)
    )
    t_x = p_mean * v_x + q_mean * (n * v_x + b * v_y)
    t_y = p_mean * v_y + q_mean * (c * v_x - n * v_y)
    entries = (p + q * n, q * b, t_x, q * c, p - q * n, t_y)
    return torch.stack(entries, dim=-1).unflatten(-1, (2, 3))


def logarithm(A: Tensor) -> Tensor:
    r"""The real [L | v] whose exponential is A = [M | t], (..., 2, 3); the one that turns least.

    With D = √det M and U = M / D, of determinant 1, h = tr U / 2 and N = U − h I, N² = q I,

        L = log D · I + g N,    g = arsinh(√q) / √q     where q > 0 and h > 0: stretched
                                g = atan2(√−q, h) / √−q     where q < 0: turned

    and g = 1 in between, a shear. A half turn, M = −D I, has a logarithm for either sense: it is
    turned counter-clockwise as seen, φ = −π, for y points down. Then v = V(L)⁻¹ t.

    Raises:
        ValueError: a map has no real logarithm: it mirrors, is singular, or its eigenvalues are
            negative and differ, as of a half turn with unequal scales. For those `geodesic` knows
            another way.
    """
    parts = _parts(A)
    if bool(parts.none.any()):
        raise ValueError(
            f"{int(parts.none.sum())} of {parts.none.numel()} affine maps have no real logarithm:"
            " their eigenvalues are negative and differ (a half turn with unequal scales);"
            " geodesic knows another way"
        )
    return _logarithm(A, parts)


def has_logarithm(A: Tensor) -> Tensor:
    """Whether maps (..., 2, 3) of positive determinant have a real logarithm, (...)."""
    return ~_parts(A).none


def velocity(A: Tensor) -> Tensor:
    """`logarithm` where there is one, else that of the similarity [D R(φ) | t] with M = R(φ) S.

    For ways that must start out to A and need not end there.
    """
    parts = _parts(A)
    if not bool(parts.none.any()):
        return _logarithm(A, parts)
    (a, b, t_x), (c, d, t_y) = (row.unbind(-1) for row in A.unbind(-2))
    phi = torch.atan2(c - b, a + d)
    cos, sin = parts.D * phi.cos(), parts.D * phi.sin()
    similar = torch.stack([cos, -sin, t_x, sin, cos, t_y], dim=-1).unflatten(-1, (2, 3))
    return logarithm(torch.where(parts.none[..., None, None], similar, A))


def geodesic(A: Tensor, tau: Tensor | float) -> Tensor:
    """exp(τ log A) of affine maps (..., 2, 3), or flat (..., 6), in the same layout; τ broadcasts.

    From the identity at τ = 0 to A at τ = 1. A map whose eigenvalues are negative and differ has
    no logarithm. Its way is that of the factors of M = R(φ) S, S symmetric and positive:
    R(τφ) exp(τ log S) and the translation τ t. It has the same ends and turns at constant speed,
    but is no one-parameter subgroup.

    Raises:
        ValueError: a map mirrors or is singular: no way of regular maps leads to it.
    """
    if A.shape[-2:] != (2, 3):
        return geodesic(A.unflatten(-1, (2, 3)), tau).flatten(-2)
    tau = torch.as_tensor(tau, dtype=A.dtype, device=A.device)[..., None, None]
    parts = _parts(A)
    if not bool(parts.none.any()):
        return exponential(tau * _logarithm(A, parts))
    none = parts.none[..., None, None]
    identity = torch.eye(2, 3, dtype=A.dtype, device=A.device)
    way = exponential(tau * logarithm(torch.where(none, identity, A)))
    return torch.where(none, _by_factors(A, tau), way)


class _Parts(NamedTuple):
    """M = D (h I + [[n, b], [c, −n]]), D = √det M, each (...)."""

    D: Tensor
    h: Tensor
    n: Tensor
    b: Tensor
    c: Tensor

    @property
    def q(self) -> Tensor:
        """N² = q I, and q = h² − 1."""
        return self.n * self.n + self.b * self.c

    @property
    def half_turn(self) -> Tensor:
        """Whether M is −D I, to rounding."""
        largest = torch.stack([self.n.abs(), self.b.abs(), self.c.abs()]).amax(0)
        return (self.h < 0) & (largest < HALF_TURN)

    @property
    def none(self) -> Tensor:
        """Whether there is no real logarithm."""
        return (self.h < 0) & (self.q >= 0) & ~self.half_turn


def _parts(A: Tensor) -> _Parts:
    (a, b, _), (c, d, _) = (row.unbind(-1) for row in A.unbind(-2))
    determinant = a * d - b * c
    if not bool((determinant > 0).all()):
        bad = int((~(determinant > 0)).sum())
        raise ValueError(
            f"{bad} of {determinant.numel()} affine maps mirror or are singular (determinant 0 or"
            " less): no way of regular maps leads to them"
        )
    D = determinant.sqrt()
    return _Parts(D, (a + d) / (2 * D), (a - d) / (2 * D), b / D, c / D)


def _logarithm(A: Tensor, parts: _Parts) -> Tensor:
    h, n, b, c, q = parts.h, parts.n, parts.b, parts.c, parts.q
    one, small = torch.ones_like(q), (h > 0) & (q.abs() < SMALL)
    stretched = torch.where(small | (q <= 0), one, q).sqrt()  # 1 where another case holds
    turned = torch.where(small | (q >= 0), one, -q).sqrt()
    g = torch.where(q > 0, stretched.asinh() / stretched, torch.atan2(turned, h) / turned)
    g = torch.where(small, _arsinh_series(torch.where(small, q, 0 * one)), g)
    grown, half = parts.D.log(), parts.half_turn
    a, d = grown + torch.where(half, 0 * n, g * n), grown - torch.where(half, 0 * n, g * n)
    b, c = torch.where(half, math.pi * one, g * b), torch.where(half, -math.pi * one, g * c)
    zero = torch.zeros_like(a)
    along_x = torch.stack([a, b, one, c, d, zero], dim=-1).unflatten(-1, (2, 3))
    along_y = torch.stack([a, b, zero, c, d, one], dim=-1).unflatten(-1, (2, 3))
    (xx, yx), (xy, yy) = (exponential(one)[..., 2].unbind(-1) for one in (along_x, along_y))
    t_x, t_y = A[..., 2].unbind(-1)
    v_x, v_y = yy * t_x - xy * t_y, xx * t_y - yx * t_x
    v_x, v_y = v_x / (xx * yy - xy * yx), v_y / (xx * yy - xy * yx)
    return torch.stack([a, b, v_x, c, d, v_y], dim=-1).unflatten(-1, (2, 3))


def _by_factors(A: Tensor, tau: Tensor) -> Tensor:
    """[R(τφ) exp(τ log S) | τ t] with M = R(φ) S and −π < φ ≤ π."""
    (a, b, _), (c, d, _) = (row.unbind(-1) for row in A.unbind(-2))
    phi = torch.atan2(c - b, a + d)
    cos, sin, zero = phi.cos(), phi.sin(), torch.zeros_like(phi)
    x, y, z = cos * a + sin * c, cos * b + sin * d, cos * d - sin * b  # S = R(−φ) M
    S = torch.stack([x, y, zero, y, z, zero], dim=-1).unflatten(-1, (2, 3))
    stretched = exponential(tau * _logarithm(S, _parts(S)))[..., :2]
    turn = tau[..., 0] * phi[..., None]
    top, bottom = stretched.unbind(-2)
    rows = (turn.cos() * top - turn.sin() * bottom, turn.sin() * top + turn.cos() * bottom)
    linear = torch.stack(rows, dim=-2)
    return torch.cat([linear, (tau * A[..., 2:]).expand(*linear.shape[:-1], 1)], dim=-1)


def _flow(m: Tensor, delta: Tensor, u: Tensor | float) -> tuple[Tensor, Tensor]:
    """p and q of exp(uL) = p I + q N, see `exponential`."""
    even, odd = _even_odd(u * u * delta)
    growth = (u * m).exp()
    return growth * even, growth * u * odd


def _even_odd(delta: Tensor) -> tuple[Tensor, Tensor]:
    """cosh √δ and sinh √δ / √δ, which for δ < 0 are cos √−δ and sin √−δ / √−δ."""
    one, small = torch.ones_like(delta), delta.abs() < SMALL
    grown = torch.where(small | (delta < 0), one, delta).sqrt()  # 1 where another case holds
    turned = torch.where(small | (delta > 0), one, -delta).sqrt()
    even = torch.where(delta > 0, grown.cosh(), turned.cos())
    odd = torch.where(delta > 0, grown.sinh() / grown, turned.sin() / turned)
    near = torch.where(small, delta, 0 * one)
    C, S = one, one
    for k in range(TERMS // 2, 0, -1):
        C, S = 1 + near * C / (2 * k * (2 * k - 1)), 1 + near * S / (2 * k * (2 * k + 1))
    return torch.where(small, C, even), torch.where(small, S, odd)


def _arsinh_series(q: Tensor) -> Tensor:
    """arsinh(√q) / √q = Σ_k (−q)^k (2k)! / (4^k k!² (2k + 1)), for |q| ≤ 0.1."""
    found = torch.zeros_like(q)
    for k in range(TERMS, -1, -1):
        found = (-1) ** k * math.comb(2 * k, k) / (4**k * (2 * k + 1)) + found * q
    return found


@functools.cache
def gauss_legendre(n: int) -> tuple[list[float], list[float]]:
    """Nodes and weights of the quadrature on [0, 1].

    Source: Golub and Welsch, Calculation of Gauss Quadrature Rules, 1969.
    """
    k = torch.arange(1, n, dtype=torch.float64)
    beside = k / (4 * k * k - 1).sqrt()
    values, vectors = torch.linalg.eigh(torch.diag(beside, 1) + torch.diag(beside, -1))
    return ((values + 1) / 2).tolist(), vectors[0].square().tolist()

"""Square roots of matrices and Sylvester equations from inverses and products alone, which every accelerator has.

Idea: Newton's iteration in the forms of Denman and Beavers; then corrections from the residual A - X², which is computed to
twice the working precision, by the Sylvester equation X dX + dX X = A - X², which the sign iteration solves.
Source: N. Higham, Functions of Matrices, SIAM 2008, sections 2.4, 5.3, 6.3; K. Ozaki et al., Numerical Algorithms 59 (2012), 95.
Private to lecture_utils: one matrix [N, N] at a time, real or complex.
"""
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

dot = partial(jnp.matmul, precision=lax.Precision.HIGHEST)      # or a GPU rounds float32 to 10 bits
SERIES = [float(np.prod([-0.5 - j for j in range(k)]) / np.prod(range(1, k + 1))) for k in range(8)]     # (1 + d)^-1/2


def tolerance(A):
    return float(jnp.finfo(A.dtype).eps)


def norm(A):
    return jnp.sqrt(jnp.sum(jnp.abs(A) ** 2))


def nan_unless(ok, A):
    return A * jnp.where(ok, 1, jnp.nan).astype(jnp.finfo(A.dtype).dtype)     # so the derivatives are NaN as well


def normalized(A):
    """Return A / 4^k and k, with entries of at most 1: exact, so nothing that follows overflows."""
    largest = jnp.max(jnp.abs(A))
    k = (jnp.frexp(jnp.where(jnp.isfinite(largest), largest, 1))[1] + 1) // 2
    half = k // 2                                            # in two steps: 4^-k itself may not be a number of this type
    return times_power_of_two(times_power_of_two(A, -2 * half), -2 * (k - half)), k


def times_power_of_two(A, k):
    return A * jnp.ldexp(jnp.ones((), jnp.finfo(A.dtype).dtype), k)


def inverse(A):
    """Return A^-1 and |det A|^(1/N), from one LU decomposition with row exchanges."""
    lu, _, permutation = lax.linalg.lu(A)
    right = jnp.eye(A.shape[-1], dtype=A.dtype)[permutation]
    right = lax.linalg.triangular_solve(lu, right, left_side=True, lower=True, unit_diagonal=True)
    right = lax.linalg.triangular_solve(lu, right, left_side=True, lower=False)
    return right, jnp.exp(jnp.mean(jnp.log(jnp.abs(jnp.diagonal(lu)))))


def regular(A, inv):
    """Return whether roundings of its entries leave A invertible: of size ε they change log |det A| by up to ε tr |A^-1| |A|.

    This number is at least N ε, does not change with the scaling of rows and columns, and is about 1 for a singular A.
    """
    return jnp.sum(jnp.abs(inv.T) * jnp.abs(A)) * tolerance(A) < 0.2


def newton(A, coupled):
    """Return X, about the square root of A, and whether the iteration converged: it does not with an eigenvalue on (-∞, 0].

    The product form carries X and X² A^-1, one inverse a step; the coupled form X and its partner Y near X^-1, two inverses,
    but no squares: near the negative axis it loses half as many digits.
    """
    identity = jnp.eye(A.shape[-1], dtype=A.dtype)
    # Near the cut the steps tell the bits that are lost. An eigenvalue on it comes off by rounding, in 23 steps or more (11 in
    # 32 bits), to a wrong root. What the pair loses is measured later; for the product the limit is all that tells.
    limit = -(0.55 if coupled else 0.38) * np.log2(tolerance(A))

    def product(state):
        X, M, d, k = state
        inv, size = inverse(M)
        g = jnp.where(d > 0.1, 1 / size, 1)                  # scaled by the determinant as long as it is far off
        X, M = 0.5 * jnp.sqrt(g) * (X + dot(X, inv) / g), 0.5 * identity + 0.25 * (g * M + inv / g)
        return X, M, norm(M - identity), k + 1

    def pair(state):
        X, Y, d, k = state
        (X_inv, Y_inv), sizes = jax.vmap(inverse)(jnp.stack([X, Y]))
        g = jnp.where(d > 0.1, 1 / jnp.sqrt(sizes[0] * sizes[1]), 1)
        X, Y = 0.5 * (g * X + Y_inv / g), 0.5 * (g * Y + X_inv / g)
        return X, Y, norm(dot(X, Y) - identity), k + 1

    X, M, d, _ = lax.while_loop(lambda s: (s[2] > 0.01) & (s[3] < limit), pair if coupled else product,
                                (A, identity if coupled else A, norm(A - identity), 0))
    D = dot(M, X) - identity if coupled else M - identity    # X² = A (I + D), so the root is X (I + D)^-1/2: its series
    series = SERIES[-1] * D
    for c in SERIES[-2:0:-1]:
        series = dot(D, series) + c * D
    return X + dot(X, series), d <= 0.01


def sign_sylvester(X, C):
    """Return Z with X Z + Z X = C, [..., N, N], by the sign iteration; NaN unless X has its eigenvalues in the right half-plane."""
    identity, limit = jnp.eye(X.shape[-1], dtype=X.dtype), -np.log2(tolerance(X)) - 7

    def step(state):
        P, Q, d, k = state
        inv, size = inverse(P)
        g = jnp.where(d > 0.1, 1 / size, 1)
        P, Q = 0.5 * (g * P + inv / g), 0.5 * (g * Q + dot(dot(inv, Q), inv) / g)
        return P, Q, norm(P - identity), k + 1

    small = tolerance(X) ** 0.5
    P, Q, d, _ = lax.while_loop(lambda s: (s[2] > small) & (s[3] < limit), step, (X, C, norm(X - identity), 0))
    inv = 2 * identity - P
    return nan_unless(d <= small, 0.25 * (Q + dot(dot(inv, Q), inv)))


def sylvester(X, C, A, refine):
    """Return Z with X Z + Z X = C, for X² = A: linear in C, differentiable in both modes to any order.

    With refine, X counts as the exact root of A, and Z is corrected once from a residual of twice the working precision.
    """
    def solve(X, C, A):
        if refine:
            X_low, Z = sign_sylvester(X, jnp.stack([minus_products(A, (X, X)), C]))
            return corrected(Z, X, X_low, C)
        return sign_sylvester(X, C)

    return lax.custom_linear_solve(lambda Z: dot(X, Z) + dot(Z, X), C, lambda _, C: solve(X, C, A),
                                   lambda _, C: solve(X.T, C, A.T))


def corrected(Z, X, X_low, C):
    """Return Z, the solution of X Z + Z X = C, corrected to that of (X + X_low) Z + Z (X + X_low) = C."""
    return Z + sign_sylvester(X, minus_products(C, (X, Z), (Z, X)) - dot(X_low, Z) - dot(Z, X_low))


def slices(X, axis):
    """Return three matrices with the sum X, whose products have so few bits that no sum of N of them is rounded."""
    bits = np.finfo(X.dtype).nmant + 1
    kept = (bits - int(np.ceil(np.log2(X.shape[-1])))) // 2
    exponent = jnp.frexp(jnp.max(jnp.abs(X), axis=axis, keepdims=True))[1]
    out = []
    for i in range(1, 3):
        shift = jnp.ldexp(jnp.full(exponent.shape, 1.5, X.dtype), exponent - i * kept + bits - 1)
        out.append((X + shift) - shift)
        X = X - out[-1]
    return [*out, X]


def minus_products(A, *factors):
    """Return A - L R - …, for the pairs (L, R) of matrices, to about twice the working precision."""
    if jnp.iscomplexobj(A):                                  # Re + i Im as [[Re, -Im], [Im, Re]]
        real = jax.tree.map(lambda Z: jnp.block([[Z.real, -Z.imag], [Z.imag, Z.real]]), (A, *factors))
        both, n = minus_products(*real), A.shape[-1]
        return lax.complex(both[:n, :n], both[n:, :n])
    small: Any = 0
    for L, R in factors:
        (L1, L2, L3), (R1, R2, R3) = slices(L, 1), slices(R, 0)
        A = A - dot(L1, R1)
        A = (A - dot(L1, R2)) - dot(L2, R1)
        small = small + (dot(L1, R3) + dot(L2, R2) + dot(L3, R1 + R2))
    return A - small


def root_pair(A, A_low, stop):
    """Return (X, X_low): their sum, unrounded, is the square root of A + A_low; NaN where there is none, or none to be had.

    Corrects until a correction is smaller than `stop` times X. The first one measures the error of the iteration: one in the
    fourth digit or more means that rounding errors decide (an eigenvalue too near to (-∞, 0]), and the result is NaN.
    """
    X, converged = newton(A, True)

    def step(state):
        X, X_low, _, k, ok = state
        change = sign_sylvester(X, minus_products(A, (X, X)) + (A_low - dot(X, X_low) - dot(X_low, X)))
        size = norm(change) / norm(X)
        low = X_low + change
        total = X + low
        back = total - X
        return total, (X - (total - back)) + (low - back), size, k + 1, ok & (size < 1e-3)

    X, X_low, size, _, ok = lax.while_loop(lambda s: (s[2] > stop) & (s[3] < 6) & s[4], step,
                                           (X, jnp.zeros_like(X), jnp.full((), jnp.inf, size_type(A)), 0, converged))
    return nan_unless(ok & (size <= stop), X), X_low


def size_type(A):
    return jnp.finfo(A.dtype).dtype


def square_root(A, refine):
    """Return the principal square root of A, with corrections if refine; NaN where there is none."""
    B, k = normalized(A)
    B = nan_unless(regular(B, inverse(B)[0]), B)
    if refine:
        X, _ = root_pair(B, jnp.zeros_like(B), tolerance(A) ** 0.5)
    else:
        X, converged = newton(B, False)
        X = nan_unless(converged & (norm(B - dot(X, X)) <= tolerance(A) ** 0.5 * norm(B)), X)
    return times_power_of_two(X, k)

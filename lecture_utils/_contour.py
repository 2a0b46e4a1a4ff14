"""A function of a matrix as Cauchy's integral over a circle, by the trapezoidal rule, with the checks that tell when it is none.

Idea: f(A) = ∮ f(z) (z I - A)^-1 dz / 2πi. On a circle the rule with p points converges like a geometric series, for any Jordan
form; and as a sum of inverses it can be differentiated.
Source: L. N. Trefethen, J. A. C. Weideman, SIAM Review 56 (2014), 385, sections 2, 12. Private to lecture_utils.
"""
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lecture_utils import _sqrtm

POINTS = 64           # on the circle; even, since for a real matrix one half gives the other


def integral(f, center, radius, A):
    """Return f(A) for one matrix, or NaN: the trapezoidal rule on the circle, for the resolvent times f."""
    real, tiny = not jnp.iscomplexobj(A), _sqrtm.tolerance(A)
    identity = jnp.eye(A.shape[-1], dtype=A.dtype)
    fixed = lax.stop_gradient(A)
    c = jnp.trace(fixed) / A.shape[-1] if center is None else center
    r = default_radius(fixed - c * identity, jnp.abs(c)) if radius is None else radius
    unit = jnp.exp(2j * np.pi * (np.arange(POINTS) + 0.5) / POINTS).astype(jnp.result_type(A.dtype, jnp.complex64))
    z, inside = c + r * unit, c + 0.5 * r * unit[::POINTS // 8]
    both = jnp.asarray(f(jnp.concatenate([z, inside])))
    if both.shape != (len(z) + len(inside),) or not jnp.issubdtype(both.dtype, jnp.inexact):
        raise ValueError(f"f returned {both.dtype} {list(both.shape)} for complex numbers [{len(z) + len(inside)}], expected as "
                         "many")
    values, known = both[:POINTS], lax.stop_gradient(both[POINTS:])
    used = POINTS // 2 if real else POINTS
    resolvents = jnp.linalg.inv(z[:used, None, None] * identity - A)

    def cauchy(values):
        total = jnp.tensordot(unit[:used] * values[:used], resolvents, 1, precision=lax.Precision.HIGHEST) * r / POINTS
        return 2 * total.real if real else total

    orders = jnp.abs(jnp.fft.fft(lax.stop_gradient(values)))
    largest = jnp.max(orders)
    ok = jnp.max(orders[POINTS // 2:]) <= tiny ** 0.8 * largest
    ok &= _sqrtm.norm(lax.stop_gradient(cauchy(jnp.ones_like(values))) - identity) <= tiny ** 0.6
    by_integral = jnp.sum(lax.stop_gradient(values) * r * unit / (z - inside[:, None]), 1) / POINTS
    ok &= jnp.max(jnp.abs(by_integral - known)) <= (tiny ** 0.8 + 2.0 ** (1 - POINTS)) * largest
    if real:
        ok &= jnp.max(jnp.abs(values - values[::-1].conj())) <= tiny ** 0.8 * largest
    return _sqrtm.nan_unless(ok, cauchy(values))


def default_radius(B, distance):
    """Return twice a bound of the |eigenvalues| of B, from the norms of B^(2^k), or what keeps off the resolvent's poles."""
    log_scale: Any = 0.0
    bound, power = _sqrtm.norm(B), 1
    least = jnp.maximum(jnp.maximum(distance, 1) / 4, jnp.minimum(bound, 1))     # a derivative divides rounding errors by it
    for _ in range(6):
        size = _sqrtm.norm(B)
        B = B / jnp.where(size > 0, size, 1)
        log_scale = 2 * (log_scale + jnp.log(jnp.where(size > 0, size, 1)))
        B, power = _sqrtm.dot(B, B), 2 * power
        size = _sqrtm.norm(B)
        root = jnp.exp((log_scale + jnp.log(jnp.where(size > 0, size, 1))) / power)
        bound = jnp.minimum(bound, jnp.where(size > 0, root, 0))
    return jnp.maximum(2 * bound, least)

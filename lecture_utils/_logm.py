"""The logarithm and the exponential of a matrix from inverses and products alone.

Idea: log A = 2^s log A^(1/2^s), and near the identity Gauss-Legendre quadrature of log(I + Z) = ∫ Z (I + t Z)^-1 dt; exp by the
Padé approximant of degree 13 to A / 2^s, squared s times. The derivative of log is the inverse of that of exp.
Source: N. Higham, Functions of Matrices, SIAM 2008, sections 10.3, 11.4, 11.5; A. Al-Mohy, N. Higham, SIAM J. Matrix Anal. Appl.
31 (2009), 970. Private to lecture_utils: one matrix [N, N] at a time, real or complex.
"""
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from lecture_utils import _sqrtm
from lecture_utils._sqrtm import dot, inverse, times_power_of_two

NODES, WEIGHTS = (np.polynomial.legendre.leggauss(12)[i] / 2 + (0.5, 0)[i] for i in (0, 1))     # on [0, 1]
NEAR = 0.58                                                  # |Z| up to which 12 nodes give 16 digits (Higham, table 11.1)
PADE = [64764752532480000., 32382376266240000., 7771770303897600., 1187353796428800., 129060195264000., 10559470521600.,
        670442572800., 33522128640., 1323241920., 40840800., 960960., 16380., 182., 1.]
SQUARINGS = 20


def one_norm(A):
    return jnp.max(jnp.sum(jnp.abs(A), axis=0))


def scaled(A):
    """Return A / 2^k and k, with |det A|^(1/N) / 2^k between √½ and √2: k = 0 for A near I, or log A would lose its digits.

    NaN for a singular A.
    """
    B, k = _sqrtm.normalized(A)
    inv, size = inverse(B)
    B = _sqrtm.nan_unless(_sqrtm.regular(B, inv), B)
    m = jnp.frexp(jnp.where(jnp.isfinite(size) & (size > 0), size, 1) * 2 ** 0.5)[1] - 1
    return times_power_of_two(B, -m), 2 * k + m


def rooted(A, E=None):
    """Take square roots of A until it is near I: (A^(1/2^s) - I, s), and with E also the derivative of A^(1/2^s) along E."""
    identity, stop = jnp.eye(A.shape[-1], dtype=A.dtype), _sqrtm.tolerance(A) ** 0.75

    def step(state):
        X, X_low, E, k = state
        X, X_low = _sqrtm.root_pair(X, X_low, stop)
        return X, X_low, None if E is None else _sqrtm.corrected(_sqrtm.sign_sylvester(X, E), X, X_low, E), k + 1

    X, X_low, E, k = lax.while_loop(lambda s: (one_norm(s[0] - identity) > NEAR) & (s[3] < 100), step,
                                    (A, jnp.zeros_like(A), E, 0))
    return (X - identity) + X_low, k, E


def logarithm(A):
    B, k = scaled(A)
    Z, s, _ = rooted(B)
    identity = jnp.eye(A.shape[-1], dtype=A.dtype)
    inverses = jax.vmap(lambda t: inverse(identity + t * Z)[0])(jnp.array(NODES, _sqrtm.size_type(A)))
    L = dot(jnp.tensordot(jnp.array(WEIGHTS, A.dtype), inverses, 1, precision=lax.Precision.HIGHEST), Z)
    return times_power_of_two(L, s) + (k * np.log(2)).astype(A.dtype) * identity


def logarithm_derivative(A, E):
    """Return the Fréchet derivative of the logarithm at A along E."""
    B, k = scaled(A)
    Z, s, E = rooted(B, times_power_of_two(E, -k))
    identity = jnp.eye(A.shape[-1], dtype=A.dtype)
    inverses = jax.vmap(lambda t: inverse(identity + t * Z)[0])(jnp.array(NODES, _sqrtm.size_type(A)))
    terms = dot(dot(inverses, E), inverses)
    return times_power_of_two(jnp.tensordot(jnp.array(WEIGHTS, A.dtype), terms, 1, precision=lax.Precision.HIGHEST), s)


def exponential(A):
    """Return the exponential; NaN where more than SQUARINGS squarings are needed."""
    identity = jnp.eye(A.shape[-1], dtype=A.dtype)
    s = lax.stop_gradient(squarings(lax.stop_gradient(A)))
    A = times_power_of_two(A, -s)
    A2 = dot(A, A)
    A4 = dot(A2, A2)
    A6 = dot(A4, A2)
    b = PADE
    U = dot(A, dot(A6, b[13] * A6 + b[11] * A4 + b[9] * A2) + b[7] * A6 + b[5] * A4 + b[3] * A2 + b[1] * identity)
    V = dot(A6, b[12] * A6 + b[10] * A4 + b[8] * A2) + b[6] * A6 + b[4] * A4 + b[2] * A2 + b[0] * identity
    X = identity + 2 * jnp.linalg.solve(V - U, U)
    X = lax.scan(lambda X, i: (lax.cond(i < s, lambda X: dot(X, X), lambda X: X, X), None), X, jnp.arange(SQUARINGS))[0]
    return _sqrtm.nan_unless(s <= SQUARINGS, X)


def squarings(A):
    """Return s: A / 2^s is small enough for the approximant of degree 13, judged by its powers as far as rounding allows."""
    B, half = _sqrtm.normalized(A)
    B2 = dot(B, B)
    B4, absolute = dot(B2, B2), jnp.abs(B)
    B6 = dot(B4, B2)
    d6, d8, d10 = one_norm(B6) ** (1 / 6), one_norm(dot(B4, B4)) ** (1 / 8), one_norm(dot(B4, B6)) ** (1 / 10)
    eta = jnp.minimum(jnp.maximum(d6, d8), jnp.maximum(d8, d10))
    s = 2 * half + jnp.ceil(jnp.log2(jnp.where(eta > 0, eta, 1) / 4.25))
    s = jnp.where(eta > 0, jnp.maximum(s, 0), 0)
    column_sums = lax.fori_loop(0, 27, lambda _, v: dot(v, absolute), jnp.ones(A.shape[-1], absolute.dtype))
    first = jnp.log2(jnp.max(column_sums) / one_norm(B)) - 116.447 + 26 * (2 * half - s)     # the first term cut off
    more = jnp.ceil((first - np.log2(_sqrtm.tolerance(A) / 2)) / 26)
    return (s + jnp.where(more > 0, more, 0)).astype(int)

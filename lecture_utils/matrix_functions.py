"""Functions of matrices (exponential, logarithm, square root, any analytic f), differentiable in both modes, on any device.

Idea: inverses and products only, no Schur decomposition. The derivatives are linear equations (X dX + dX X = dA for the root,
and that of the logarithm is the inverse of that of the exponential), solved inside `jax.lax.custom_linear_solve`, so that both
modes and all orders work.
Source: N. Higham, Functions of Matrices, SIAM 2008; R. Mathias, SIAM J. Matrix Anal. Appl. 17 (1996), 610 (the block matrix).
"""
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from lecture_utils import _contour, _inputs, _logm, _sqrtm


def expm(A):
    """Return exp(A): [..., N, N], by scaling, the Padé approximant of degree 13, and squaring.

    A: [..., N, N], real or complex, of 32 or 64 bits a number; each matrix by itself. The scaling looks at powers of A, so
    a strongly nonnormal or badly scaled A costs no digits by itself; a norm of 300 costs about two. `jax.scipy.linalg.expm` is
    not used: it scales down by a factor of 2 too little, and gives NaN for badly scaled matrices.

    NaN comes out where NaN or infinity goes in, where entries or their products overflow, and where the powers of A are those
    of a matrix of norm 4 million or more: also for a generator with rates of 1e7 or more, and for -1e7 I, whose exponentials
    exist: each squaring adds to the error, which is 1e-11 for a generator with rates of 1e6.

    Cost: 14 products, a solve, and a squaring for each factor of 2 in the norm (under `jax.vmap`, 20 for each matrix).
    Raises TypeError or ValueError if A is no such array, or one of 64 bits while JAX computes in 32.

    >>> expm(jnp.array([[0.0, 1.0], [0.0, 0.0]])).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    return _expm(_matrices("A", A))


def sqrtm(A, *, refine=True):
    """Return the principal square root: X with X² = A and eigenvalues in the open right half-plane, [..., N, N].

    A: [..., N, N], real or complex, of 32 or 64 bits a number; each matrix by itself. Newton's iteration (Denman and
    Beavers), then corrections from the residual A - X² in twice the precision: X is then right to the last digit or two, for
    strongly nonnormal A too. refine=False leaves them out: twice as fast, and the error grows with the condition of the problem
    (about 1e-12 for a rotated triangular matrix of order 10 with entries of size 5, up to 1e-8 for a condition number of 1e9).

    Domain: no eigenvalue on the closed negative axis (-∞, 0]. Elsewhere the result is NaN, and so are its derivatives: also
    for eigenvalues so near that rounding errors decide the branch, and where a few of them in the entries make A singular (a
    condition number of about 1e15, or 1e6 in 32 bits, unless it comes from the scaling of rows or columns). refine=False
    gives NaN for more: within an angle of about 1e-9 (1e-4 in 32 bits) of the axis, and where X² misses A by half the digits.
    `check_domain` says why, except for these. Real A gives real X.

    Cost: about 8 steps with two inverses each, and a Sylvester equation of about 8 inverses for each correction, mostly one;
    a derivative solves three such equations in two runs (one with refine=False).
    Raises TypeError or ValueError as `expm` does.

    >>> sqrtm(jnp.array([[4.0, 4.0], [0.0, 4.0]])).tolist()
    [[2.0, 1.0], [0.0, 2.0]]
    """
    if not isinstance(refine, (bool, np.bool_)):
        raise TypeError(f"refine is {refine!r}, expected True or False")
    return _sqrtm_jit(bool(refine), _matrices("A", A))


def logm(A):
    """Return the principal logarithm: L with exp(L) = A and eigenvalues of imaginary part in (-π, π), [..., N, N].

    A: [..., N, N], real or complex, of 32 or 64 bits a number; each matrix by itself. Inverse scaling and squaring: square
    roots, kept in twice the precision, until A^(1/2^s) is near I, then Gauss-Legendre quadrature with 12 nodes. Against 60
    digits (orders 1 to 50) the error is at most 2e-15 of the norm of L up to condition numbers of 1e10, also for triangular
    matrices with entries of size 5, rotated or not; at 1e14 it is 1e-10. Derivatives are within
    1e-14 there, but 3e-14 for the rotated triangular ones, and 4e-13 with an eigenvalue at an angle of 1e-6 from the cut.

    Domain: no eigenvalue on the closed negative axis (-∞, 0]; elsewhere NaN, as with `sqrtm`. Real A gives real L.

    Cost: s + 1 times that of `sqrtm`, s ≈ log2 |log A| + 1; a derivative about twice as much.
    Raises TypeError or ValueError as `expm` does.

    >>> logm(jnp.array([[1.0, 1.0], [0.0, 1.0]])).round(6).tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    return _logm_jit(_matrices("A", A))


def matrix_function(f, *, center=None, radius=None):
    """Return the function A -> f(A), [..., N, N] -> [..., N, N], by Cauchy's integral over a circle around the eigenvalues.

    f: analytic, a function of JAX applied to a complex vector elementwise, such as jnp.cos; it may depend on parameters that
    are differentiated. center, radius: the circle, numbers. Left out, they come from each A: its mean eigenvalue, and twice a
    bound of the distances from it, at least 1/4 (for a function with a singularity such as jnp.log, choose them). For
    real A the center is real and f(conj z) = conj f(z); the result is real.

    Domain: f analytic inside the circle and a little beyond, all eigenvalues inside and not near it. Any such A will do:
    repeated eigenvalues, Jordan blocks. It is a rational function of A, so all derivatives exist and are the true ones.
    Elsewhere the result is NaN, which is found from the Fourier coefficients of f on the circle (those of negative order are
    0 for an analytic f), from f inside by the same integral, and from the integral for f = 1 (it must be I). The error is
    relative to the largest |f| on the circle, that of a derivative to |f| / radius; 1e-16 of it at best, 1e-9 at worst.

    Cost: 64 inverses of complex matrices, 32 for real A.
    Raises ValueError or TypeError for bad arguments.

    >>> matrix_function(jnp.exp)(jnp.array([[0.0, 2.0], [0.0, 0.0]]))[0].round(4).tolist()
    [1.0, 2.0]
    """
    _inputs.function("f", f)
    if center is not None:
        center = _number("center", center, complex_allowed=True)
    if radius is not None:
        radius = _number("radius", radius)
        if radius <= 0:
            raise ValueError(f"radius is {radius}, expected a positive number")

    def function_of_matrix(A):
        A = _matrices("A", A)
        if isinstance(center, complex) and not jnp.iscomplexobj(A):
            raise ValueError(f"center is {center}, expected a real number for a real matrix")
        return jnp.vectorize(partial(_contour.integral, f, center, radius), signature="(n,n)->(n,n)")(A)

    return function_of_matrix


def block_frechet(f, A, E):
    """Return the derivative of a matrix function along E from one value: the upper right block of f([[A, E], [0, A]]).

    f: a function of [..., N, N] arrays of this module, or of SciPy; A, E: [..., N, N] of the same shape and type, E the
    direction.
    True for primary matrix functions (a scalar function applied to the spectrum: exp, log, square root, A^-1, polynomials),
    with 2N - 1 continuous derivatives near the eigenvalues (one, if A and E are symmetric). Of another function (the elementwise
    exponential, Aᵀ, A times its trace) the block is a number all the same, and a wrong one; nothing in it tells.

    Cost: f of a matrix of twice the size, about 8 times as much. The result is not linear in E to JAX: as a rule it is
    forward-only.
    Raises ValueError or TypeError for bad arguments.

    >>> A, E = jnp.array([[2.0, 1.0], [0.0, 2.0]]), jnp.eye(2)
    >>> block_frechet(lambda A: A @ A, A, E).tolist()                        # 2 A
    [[4.0, 2.0], [0.0, 4.0]]
    """
    _inputs.function("f", f)
    A, E = _matrices("A", A), _matrices("E", E)
    if E.shape != A.shape or E.dtype != A.dtype:
        raise ValueError(f"E has shape {list(E.shape)} and dtype {E.dtype}, expected those of A: {list(A.shape)}, {A.dtype}")
    n = A.shape[-1]
    top, bottom = jnp.concatenate([A, E], -1), jnp.concatenate([jnp.zeros_like(A), A], -1)
    value = f(jnp.concatenate([top, bottom], -2))
    if np.shape(value) != (*A.shape[:-2], 2 * n, 2 * n):
        raise ValueError(f"f returned shape {list(np.shape(value))}, expected [..., {2 * n}, {2 * n}] as it was given")
    return value[..., :n, n:]


def check_domain(A):
    """Return None if `logm` has a finite value at A, and so `sqrtm` with refine=True; else raise ValueError, which says why not.

    A: [..., N, N], numbers, not traced. The message names the matrix of the batch and its eigenvalue on or nearest to the
    closed negative axis.

    Cost: that of `logm`, and eigenvalues by NumPy on the host where it failed.
    Raises TypeError or ValueError for bad arguments as well.

    >>> check_domain(jnp.array([[2.0, 0.0], [0.0, -1.0]]))
    Traceback (most recent call last):
    ValueError: A has the eigenvalue -1, expected none on the negative axis (-∞, 0], nor so near that rounding decides
    """
    if isinstance(A, jax.core.Tracer):
        raise TypeError("A is traced by jax.jit, grad or vmap, expected numbers: call this outside of them")
    A = _matrices("A", A)
    bad = ~jnp.isfinite(logm(A)).all((-2, -1))
    if not bad.any():
        return
    index = tuple(np.argwhere(bad)[0].tolist())
    matrix, name = np.asarray(A[index]), f"A[{', '.join(map(str, index))}]" if index else "A"
    if not np.isfinite(matrix).all():
        raise ValueError(f"{name} holds NaN or infinity, expected finite numbers")
    values = np.linalg.eigvals(matrix)
    small = np.finfo(matrix.dtype).eps * len(matrix) * np.linalg.norm(matrix)
    worst = min(values, key=lambda z: -1 if abs(z) <= small else np.pi - abs(np.angle(z)))
    worst = worst.real if worst.imag == 0 else worst
    if abs(worst) <= small:
        raise ValueError(f"{name} has the eigenvalue {worst:.3g}, 0 to rounding: it is singular, expected an invertible matrix")
    raise ValueError(f"{name} has the eigenvalue {worst:.6g}, expected none on the negative axis (-∞, 0], nor so near that "
                     "rounding decides")


def _matrices(name, value):
    """Return value as a JAX array, after checking that it is floating-point or complex [..., N, N], N > 0, not of 16 bits."""
    if not isinstance(value, jax.core.Tracer):
        if hasattr(value, "detach"):
            raise TypeError(f"{name} is a {type(value).__name__} of PyTorch, expected NumPy or JAX: convert it")
        try:
            value = value if isinstance(value, jax.Array) else np.asarray(value)
        except (TypeError, ValueError):
            raise ValueError(f"{name} is {value!r}, expected numbers in a rectangular array") from None
    if not jnp.issubdtype(value.dtype, jnp.inexact) or jnp.finfo(value.dtype).bits < 32 or value.dtype.itemsize > 16:
        raise TypeError(f"{name} has dtype {value.dtype}, expected floating-point or complex numbers of 32 or 64 bits")
    if jax.dtypes.canonicalize_dtype(value.dtype) != value.dtype:
        raise TypeError(f"{name} has dtype {value.dtype}, expected {jax.dtypes.canonicalize_dtype(value.dtype)}, or "
                        'jax.config.update("jax_enable_x64", True) before')
    if value.ndim < 2 or value.shape[-1] != value.shape[-2] or value.shape[-1] == 0:
        raise ValueError(f"{name} has shape {list(value.shape)}, expected square matrices [..., N, N] with N > 0")
    return jnp.asarray(value)


def _number(name, value, complex_allowed=False):
    """Return value as a float (or complex), after checking that it is one finite number."""
    kinds: Any = (int, float, np.integer, np.floating) + ((complex, np.complexfloating) if complex_allowed else ())
    if isinstance(value, bool) or not isinstance(value, kinds) or not np.isfinite(value):
        raise ValueError(f"{name} is {value!r}, expected one finite number")
    return complex(value) if np.iscomplexobj(value) else float(value)


_expm = jax.jit(jnp.vectorize(_logm.exponential, signature="(n,n)->(n,n)"))


@partial(jax.jit, static_argnums=0)
def _sqrtm_jit(refine, A):
    return jnp.vectorize(partial(_sqrt, refine), signature="(n,n)->(n,n)")(A)


@jax.jit
def _logm_jit(A):
    return jnp.vectorize(_log, signature="(n,n)->(n,n)")(A)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _sqrt(refine, A):
    return _sqrtm.square_root(A, refine)


@_sqrt.defjvp
def _(refine, primals, tangents):
    (A,), (E,) = primals, tangents
    X = _sqrt(refine, A)
    return X, _sqrtm.sylvester(X, E, A, refine)


@jax.custom_jvp
def _log(A):
    return _logm.logarithm(A)


@_log.defjvp
def _(primals, tangents):
    (A,), (E,) = primals, tangents
    L = _log(A)
    return L, lax.custom_linear_solve(lambda Z: jax.jvp(_logm.exponential, (L,), (Z,))[1], E,
                                      lambda _, E: _logm.logarithm_derivative(A, E),
                                      lambda _, E: _logm.logarithm_derivative(A.T, E))

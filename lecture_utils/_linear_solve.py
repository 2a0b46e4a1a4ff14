"""The linear equation behind the derivative of `implicit`, solved without its matrix where that is large, and checked.

Idea: Krylov's method needs products with the matrix only; its answer counts if what it leaves is of the size of rounding errors.
Source: Y. Saad, Iterative Methods for Sparse Linear Systems, 2nd ed., SIAM 2003, section 6.5 (GMRES), by jax.scipy.sparse.linalg;
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, section 7.1 (the backward error).
"""
import jax
import jax.numpy as jnp
from jax.numpy.linalg import norm
from jax.scipy.sparse.linalg import gmres

DENSE = 64        # with at most so many unknowns the matrix is built and factored
CYCLE = 20        # steps of GMRES between restarts; each keeps a vector
CYCLES = 100      # restarts before it gives up
DOUBT = 0.1       # the part of the answer that may hang on rounding, and on where the matrix was taken


def linear_solve(M, b, nearby):
    """Return x: [N] with M x = b, or NaN where it cannot be trusted; differentiable in both modes.

    M: a linear function. nearby(scale): M at a point that differs by scale, a vector [N], as a linear function.
    """
    def transpose_solve(MT, b):
        return checked_solve(MT, b, lambda scale: lambda u: jax.linear_transpose(nearby(scale), b)(u)[0])

    return jax.lax.custom_linear_solve(M, b, lambda M, b: checked_solve(M, b, nearby), transpose_solve)


def checked_solve(M, b, nearby=None):
    """Return x: [N] with M x = b, or NaN if that is not known well; no derivative is defined here. Arguments: `linear_solve`."""
    size = jnp.max(jnp.abs(b))
    b = b / jnp.where(size > 0, size, 1)                             # or the squares of small numbers would vanish
    v = jnp.cos(jnp.arange(b.size, dtype=b.dtype) ** 2)              # a vector without a pattern, to measure M with
    Mv = M(v)

    def rounding(x):
        return jnp.finfo(b.dtype).eps * (norm(b) + norm(Mv) / norm(v) * norm(x))

    def unfinished(state):
        x, rest, better, k = state
        return better & (norm(rest) > 5 * rounding(x)) & (k < CYCLES)

    def cycle(state):                  # one at a time, since GMRES does not say if it failed
        x, rest, _, k = state
        # "incremental" would save steps, but where it stops early it leaves errors of 5e-12, "batched" of 4e-14
        new = x + gmres(M, rest, restart=CYCLE, maxiter=1, solve_method="batched")[0]
        new_rest = b - M(new)
        better = norm(new_rest) < norm(rest)
        return jnp.where(better, new, x), jnp.where(better, new_rest, rest), better, k + 1

    if b.size == 1:
        x = b * v / Mv
    elif b.size <= DENSE:
        x = jnp.linalg.solve(jax.vmap(M, out_axes=1)(jnp.eye(b.size, dtype=b.dtype)), b)
    else:
        x = jax.lax.while_loop(unfinished, cycle, (jnp.zeros_like(b), b, True, 0))[0]
    good = (norm(b - M(x)) <= 100 * rounding(x)) & (rounding(x) <= DOUBT * norm(b))
    if nearby is not None:
        good &= norm(nearby(x / jnp.where(size > 0, norm(b), 1))(x) - M(x)) <= DOUBT * norm(b)
    return jnp.where(good | (size == 0), x * size, jnp.nan)

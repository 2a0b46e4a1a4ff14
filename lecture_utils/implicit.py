"""Fixed points and roots as functions of their parameters: any solver finds them, one linear equation differentiates them.

Idea: where F(a, z) = 0, a step da moves the solution by the dz that keeps F at zero: ∂_z F dz = -∂_a F da. No step of a solver
is differentiated. What the solver returns is checked first, since at any other point that equation gives a wrong number.
Source: A. L. Dontchev, R. T. Rockafellar, Implicit Functions and Solution Mappings, 2nd ed., Springer 2014, theorem 1B.1.
"""
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jax.scipy.sparse.linalg import gmres

from lecture_utils import _inputs

_DENSE = 64      # with at most so many unknowns the matrix is built and factored; with more it is never built
_CYCLE = 50      # steps of GMRES between restarts; each keeps a vector
_CYCLES = 50     # restarts before it gives up
_DOUBT = 0.1     # the part of a derivative that may hang on rounding, and on the error of the solution


class Status(NamedTuple):
    """How a solution was found: converged, a bool; error, the largest |step| / (1 + |z|) left; iterations, -1 if not counted."""
    converged: jax.Array
    error: jax.Array
    iterations: jax.Array


class ConvergenceError(RuntimeError):
    """The solver returned something that is no solution."""


def fixed_point(f, a, z0, *, tol=None, maxiter=10_000, solver=None, full_output=False):
    """Return the fixed point z* = f(a, z*), differentiable in a.

    >>> square_root = lambda a: fixed_point(lambda a, z: (z + a / z) / 2, a, 1.0)         # by Heron's method
    >>> float(square_root(4.0)), float(jax.grad(square_root)(4.0))
    (2.0, 0.25)
    """
    return _solution(f, True, a, z0, tol, maxiter, solver, full_output)


def root(F, a, z0, *, tol=None, maxiter=50, solver=None, full_output=False):
    """Return the root z* of F(a, z*) = 0, differentiable in a.

    >>> square_root = lambda a: root(lambda a, z: z**2 - a, a, 1.0)
    >>> float(square_root(4.0)), float(jax.grad(square_root)(4.0))
    (2.0, 0.25)
    """
    return _solution(F, False, a, z0, tol, maxiter, solver, full_output)


def _solution(f, fixed, a, z0, tol, maxiter, solver, full_output):
    a, z0, tol = _check(f, fixed, a, z0, tol, maxiter, solver, full_output)
    converted, hoisted = jax.closure_convert(f, a, z0)          # traced arrays that f closes over become arguments too
    f = converted if hoisted else f
    theta = a, hoisted
    (a, hoisted), z0 = known = jax.lax.stop_gradient((theta, z0))
    if solver is not None:
        z0, maxiter = jax.lax.stop_gradient(solver(lambda z: f(a, z, *hoisted), z0)), 0
        _check_like("the result of solver", z0, known[1])
    z, error, iterations = _iterate(f, fixed, known[0], z0, tol, maxiter)
    status = Status(error <= tol, error, iterations if solver is None else jnp.full_like(iterations, -1))
    if not full_output and not isinstance(status.converged, jax.core.Tracer) and not status.converged:
        after = f"after {iterations} iterations" if solver is None else "by solver"
        raise ConvergenceError(f"no solution {after}: the next step has size {float(error):.1e}, expected at most tol = {tol:.1e}: "
                               "try a better z0, a larger maxiter, or another solver")
    z, unravel = ravel_pytree(z)
    z = _attach(_flat(f, fixed, unravel), theta, z)
    z = unravel(z * jnp.where(status.converged, 1, jnp.nan).astype(z.dtype))      # a factor makes its derivatives NaN too
    return (z, status) if full_output else z


def _check(f, fixed, a, z0, tol, maxiter, solver, full_output):
    """Return a and z0 as pytrees of arrays and tol as a float, after checking all arguments."""
    name = "f" if fixed else "F"
    _inputs.function(name, f)
    if solver is not None:
        _inputs.function("solver", solver)
    if not isinstance(full_output, bool):
        raise TypeError(f"full_output is {full_output!r}, expected True or False")
    if isinstance(maxiter, bool) or not isinstance(maxiter, int):
        raise TypeError(f"maxiter is {maxiter!r}, expected an int")
    if maxiter < 1:
        raise ValueError(f"maxiter is {maxiter}, expected at least 1")
    a, z0 = _arrays("a", a), _arrays("z0", z0)
    for leaf in jax.tree.leaves(z0):
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            raise TypeError(f"z0 has dtype {leaf.dtype}, expected real floating-point numbers")
    sizes = [leaf.size for leaf in jax.tree.leaves(z0)]
    if not sum(sizes):
        raise ValueError("z0 is empty, expected at least one number")
    _check_like(f"what {name} returned", jax.eval_shape(f, a, z0), z0)
    eps = max(float(jnp.finfo(leaf.dtype).eps) for leaf in jax.tree.leaves(z0))
    return a, z0, eps**0.75 if tol is None else _inputs.positive("tol", tol)


def _arrays(name, tree):
    """Return a pytree with its numbers as arrays, none of them of a weak type."""
    def array(leaf):
        try:
            return jnp.asarray(leaf, jnp.result_type(leaf))
        except TypeError:
            raise TypeError(f"{name} holds {leaf!r}, expected arrays or numbers") from None

    return jax.tree.map(array, tree)


def _check_like(name, tree, z0):
    """Refuse a pytree that has not the structure, shapes and dtypes of z0."""
    kind = lambda tree: jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(jnp.shape(leaf), jnp.result_type(leaf)), tree)
    if jax.tree.structure(tree) != jax.tree.structure(z0) or kind(tree) != kind(z0):
        raise ValueError(f"{name} is like {kind(tree)}, expected the structure, shapes and dtypes of z0: {kind(z0)}")


def _flat(f, fixed, unravel):
    """Return F(theta, z) for vectors z: [N], zero at the solution."""
    def F(theta, z):
        a, hoisted = theta
        value = ravel_pytree(f(a, unravel(z), *hoisted))[0]
        return value - z if fixed else value

    return F


def _step(F, fixed, theta, z):
    """Return the next step of the default method from z: [N], and its size |step| / (1 + |z|)."""
    if fixed:
        step = F(theta, z)
    else:
        value, M = jax.linearize(partial(F, theta), z)
        step = -_checked(M, value)
    error = jnp.max(jnp.abs(step) / (1 + jnp.abs(z)))
    if not fixed:                                    # at a pole steps are short too, but F is larger there than beside it
        beside = F(theta, z + jnp.finfo(z.dtype).eps ** 0.375 * (1 + jnp.abs(z)))
        error = jnp.where(jnp.linalg.norm(value) > jnp.linalg.norm(beside), jnp.inf, error)
    return step, error


@partial(jax.jit, static_argnums=(0, 1))
def _iterate(f, fixed, theta, z0, tol, maxiter):
    """Return the point that the last step led to, the size of that step, and how many came before it."""
    z, unravel = ravel_pytree(z0)
    step_from = partial(_step, _flat(f, fixed, unravel), fixed, theta)

    def unfinished(state):
        z, step, error, k = state
        return (error > tol) & (k < maxiter)

    def iterate(state):
        z, step, error, k = state
        return z + step, *step_from(z + step), k + 1

    z, step, error, k = jax.lax.while_loop(unfinished, iterate, (z, *step_from(z), 0))
    return unravel(z + step), error, k


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _attach(F, theta, z):
    """Return z, the solution of F(theta, z) = 0, with its derivative in theta."""
    return z


@_attach.defjvp
def _attach_jvp(F, primals, tangents):
    theta, z = primals
    z = _attach(F, theta, z)
    b = jax.jvp(lambda theta: F(theta, z), (theta,), (tangents[0],))[1]
    at = lambda h: jax.linearize(partial(F, theta), z + h)
    value, M = jax.linearize(partial(F, theta), z)
    noise = jax.lax.stop_gradient(jnp.linalg.norm(value) + jnp.finfo(z.dtype).eps * jnp.linalg.norm(z))
    return z, -_solve(M, b, lambda h: jax.linearize(partial(F, theta), z + h)[1], noise)


def _solve(M, b, M_at, noise):
    """Return x with M x = b, differentiable in both modes."""
    def transpose_solve(MT, b):
        MT_at = lambda h: lambda u: jax.linear_transpose(M_at(h), b)(u)[0]
        return _checked(MT, b, MT_at, noise)

    return jax.lax.custom_linear_solve(M, b, lambda M, b: _checked(M, b, M_at, noise), transpose_solve)


def _checked(M, b, M_at=None, noise=0.0):
    """Return x: [N] with M x = b, or NaN where it cannot be trusted. M is a linear function, M_at(h) what it is at z + h."""
    eps = float(jnp.finfo(b.dtype).eps)
    norm = jnp.linalg.norm
    size = jnp.max(jnp.abs(b))
    b = b / jnp.where(size > 0, size, 1)
    v = jnp.cos(jnp.arange(b.size, dtype=b.dtype) ** 2)                        # a vector without a pattern
    Mv = M(v)
    scale = norm(Mv) / norm(v)
    rounding = lambda x: eps * (norm(b) + scale * norm(x))

    def unfinished(state):
        x, r, last, k = state
        return (norm(r) > 5 * rounding(x)) & (norm(r) < 0.9 * last) & (k < _CYCLES)

    def cycle(state):
        x, r, last, k = state
        goal = 5 * rounding(x) / norm(r)
        x = x + gmres(M, r, tol=goal, restart=_CYCLE, maxiter=1, solve_method="incremental")[0]
        return x, b - M(x), norm(r), k + 1

    if b.size == 1:
        x = b * v / Mv
    elif b.size <= _DENSE:
        x = jnp.linalg.solve(jax.vmap(M, out_axes=1)(jnp.eye(b.size, dtype=b.dtype)), b)
    else:
        x = jax.lax.while_loop(unfinished, cycle, (jnp.zeros_like(b), b, jnp.inf, 0))[0]
    good = (norm(b - M(x)) <= 100 * rounding(x)) & (rounding(x) <= _DOUBT * norm(b))
    if M_at is not None:                                         # would the derivative change with the error of z?
        h = x * noise / jnp.where(size > 0, norm(b), 1)
        good &= norm(M_at(h)(x) - M(x)) <= _DOUBT * norm(b)
    return jnp.where(good | (size == 0), x * size, jnp.nan)

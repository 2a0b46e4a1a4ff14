"""Fixed points and roots as functions of their parameters: any solver finds them, one linear equation differentiates them.

Idea: where F(a, z) = 0, a step da moves the solution by the dz that keeps F at zero: ∂_z F dz = -∂_a F da. No step of a solver
is differentiated. What the solver returns is checked first, since at any other point that equation gives a wrong number.
Source: A. L. Dontchev, R. T. Rockafellar, Implicit Functions and Solution Mappings, 2nd ed., Springer 2014, theorem 1B.1.
"""
from functools import partial

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from lecture_utils import _inputs
from lecture_utils._linear_solve import checked_solve, linear_solve


class ConvergenceError(RuntimeError):
    """What was returned as a solution is none."""


def fixed_point(f, a, z0, *, tol=None, maxiter=10_000, solver=None):
    """Return the fixed point z* = f(a, z*), like z0, with its derivatives of any order in a: both modes, jit, vmap.

    f: a function of a and z that JAX can trace; what it returns is like z. Traced arrays that it closes over are differentiated
    as well. a: a pytree of arrays or numbers (None and integers pass). z0: a pytree of float32 or float64 arrays where the
    search starts; z* has its structure, shapes and dtypes, and does not depend on it: that derivative is 0.
    solver(g, z0): returns a z with z = g(z), by any means; it is never differentiated. By default z ← f(a, z).

    Checked: one step, dz = f(a, z) - z, is taken from what the solver found, and each |dz| must be at most tol (1 + |z|), where
    tol is a float, by default eps^(3/4): 1.8e-12 in float64. If f contracts by ρ, z* is then known to tol ρ / (1 - ρ), and its
    derivative to some multiple of that. Where |z| is far below 1, tol is absolute: choose units in which it is not.
    A failure raises ConvergenceError. Under jit and vmap nothing can be raised: there all of z* is NaN, and so are its
    derivatives (but one that JAX knows to be zero from the form of f stays 0, as that of jnp.sign does).
    A derivative is NaN, too, where its linear equation is singular or is not solved to rounding, and where it hangs on the last
    digits of z*: at a fold, next to it, and at a kink. (The test: z* moves by as much as its residual allows; does the derivative
    change by a tenth?) Beyond 64 unknowns a singular matrix can pass if the equation still has solutions: fix the numeraire.

    Cost: one f a step (at most maxiter, an int); a derivative of either mode, by GMRES with one product with ∂_z f a step and
    20 vectors kept (with at most 64 unknowns: by the matrix), whatever the number of iterations was. Outside of jax.jit each
    call compiles anew.
    Raises ConvergenceError, or TypeError or ValueError at arguments of the wrong kind or value, such as an f whose result is
    not like z0.

    >>> square_root = lambda a: fixed_point(lambda a, z: (z + a / z) / 2, a, 1.0)         # by Heron's method
    >>> float(square_root(4.0)), float(jax.grad(square_root)(4.0))
    (2.0, 0.25)
    """
    return _solution(f, True, a, z0, tol, maxiter, solver)


def root(F, a, z0, *, tol=None, maxiter=50, solver=None):
    """Return the root z*, F(a, z*) = 0, like z0, with its derivatives of any order in a: both modes, jit, vmap.

    F: a function of a and z; it returns as many numbers as z, in z's structure. solver(g, z0): returns a z with g(z) = 0, by any
    means, such as bisection. By default Newton's method from z0: M dz = -F(a, z) with M = ∂_z F, and z ← z + dz.

    Checked: one step of Newton's method is taken from what the solver found; each |dz| must be at most tol (1 + |z|), and F must
    not be larger there than beside it, as it is at a pole. The scale of F plays no role. A double root fails: M is singular.
    The other arguments are as in `fixed_point`.

    Cost: one linear equation a step.
    Raises what `fixed_point` raises.

    >>> square_root = lambda a: root(lambda a, z: z**2 - a, a, 1.0)
    >>> float(square_root(4.0)), float(jax.grad(square_root)(4.0))
    (2.0, 0.25)
    """
    return _solution(F, False, a, z0, tol, maxiter, solver)


def _solution(f, fixed, a, z0, tol, maxiter, solver):
    a, z0, tol = _check(f, fixed, a, z0, tol, maxiter, solver)
    converted, hoisted = jax.closure_convert(f, a, z0)          # traced arrays that f closes over become arguments too
    f = converted if hoisted else f
    theta = a, hoisted
    known = (a, hoisted), z0 = jax.lax.stop_gradient((theta, z0))
    if solver is not None:
        found = solver(lambda z: f(a, z, *hoisted), z0)
        _check_like("solver", found, z0)
        z0, maxiter = jax.lax.stop_gradient(jax.tree.map(jnp.asarray, found)), 0
    z, error, iterations = _iterate(f, fixed, known[0], z0, tol, maxiter)
    converged = error <= tol
    if not isinstance(converged, jax.core.Tracer) and not converged:
        after = f"after {iterations} iterations" if solver is None else "by solver"
        raise ConvergenceError(f"no solution {after}: the next step has size {float(error):.1e}, expected at most tol = {tol:.1e}: "
                               "try a better z0, a larger maxiter, or another solver")
    z, unravel = ravel_pytree(z)
    z = _attach(_flat(f, fixed, unravel), theta, z)
    return unravel(z * jnp.where(converged, 1, jnp.nan).astype(z.dtype))          # a factor makes its derivatives NaN too


def _check(f, fixed, a, z0, tol, maxiter, solver):
    """Return a and z0 as pytrees of arrays and tol as a float, after checking all arguments."""
    name = "f" if fixed else "F"
    _inputs.function(name, f)
    if solver is not None:
        _inputs.function("solver", solver)
    if isinstance(maxiter, bool) or not isinstance(maxiter, int):
        raise TypeError(f"maxiter is {maxiter!r}, expected an int")
    if maxiter < 1:
        raise ValueError(f"maxiter is {maxiter}, expected at least 1")
    a, z0 = _arrays("a", a), _arrays("z0", z0)
    for leaf in jax.tree.leaves(z0):
        if leaf.dtype not in (jnp.float32, jnp.float64):
            raise TypeError(f"z0 has dtype {leaf.dtype}, expected float32 or float64")
    if not sum(leaf.size for leaf in jax.tree.leaves(z0)):
        raise ValueError("z0 is empty, expected at least one number")
    try:
        value = jax.eval_shape(f, a, z0)
    except (TypeError, jax.errors.JAXTypeError) as error:
        raise TypeError(f"{name} cannot be traced at these a and z0, expected a function of JAX: {error}") from error
    _check_like(f"{name} at this a", value, z0)
    eps = max(float(jnp.finfo(leaf.dtype).eps) for leaf in jax.tree.leaves(z0))
    return a, z0, eps**0.75 if tol is None else _inputs.positive("tol", tol)


def _arrays(name, tree):
    """Return a pytree with its numbers as arrays, none of them of a weak type."""
    def array(leaf):
        if hasattr(leaf, "detach") or not hasattr(leaf, "dtype") and not isinstance(leaf, (int, float, complex)):
            raise TypeError(f"{name} holds {leaf!r}, expected arrays of NumPy or JAX, or numbers")
        return jnp.asarray(leaf, jnp.result_type(leaf))

    return jax.tree.map(array, tree)


def _check_like(name, value, z0):
    """Refuse what the function `name` returned if it has not the structure, shapes and dtypes of z0."""
    kinds = lambda tree: [(jnp.shape(leaf), getattr(leaf, "dtype", type(leaf).__name__)) for leaf in jax.tree.leaves(tree)]
    if jax.tree.structure(value) != jax.tree.structure(z0):  # type: ignore[operator]  # jaxlib's stub of PyTreeDef has no __ne__
        raise ValueError(f"{name} returned {jax.tree.structure(value)}, expected the structure of z0: {jax.tree.structure(z0)}")
    if hasattr(value, "detach") or kinds(value) != kinds(z0):
        raise ValueError(f"{name} returned shapes and types {kinds(value)}, expected those of z0: {kinds(z0)}")


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
        step = -checked_solve(M, value)
    error = jnp.max(jnp.abs(step) / (1 + jnp.abs(z)))
    if not fixed:                                    # at a pole steps are short too, but F is larger there than beside it
        beside = F(theta, z + jnp.finfo(z.dtype).eps ** 0.375 * (1 + jnp.abs(z)))
        error = jnp.where(jnp.linalg.norm(value) > jnp.linalg.norm(beside), jnp.inf, error)
    return step, error


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

    start = z, jnp.zeros_like(z), jnp.asarray(jnp.inf, z.dtype), -1              # the first round takes no step but measures one
    z, step, error, k = jax.lax.while_loop(unfinished, iterate, start)
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
    value, M = jax.linearize(partial(F, theta), z)
    doubt = jnp.linalg.norm(value) + jnp.finfo(z.dtype).eps * jnp.linalg.norm(z)                # of F at z*
    fixed, at, doubt = jax.lax.stop_gradient((theta, z, doubt))                                 # used for a check only
    return z, -linear_solve(M, b, lambda scale: jax.linearize(partial(F, fixed), at + doubt * scale)[1])

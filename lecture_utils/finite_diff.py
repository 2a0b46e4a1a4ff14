"""Numerical differentiation: derivatives from values of the function alone.

Idea: weigh values of f near x so that the low powers of the step h cancel, with an h that balances the truncation that
remains against the rounding of f, which is divided by h. The complex step subtracts nothing, so it has no such balance.
Source: B. Fornberg, Math. Comp. 51 (1988) 699-706, for the weights; J. E. Dennis, R. B. Schnabel, Numerical Methods for
Unconstrained Optimization and Nonlinear Equations, SIAM 1996, section 5.4, for the steps; W. Squire, G. Trapp, SIAM
Review 40 (1998) 110-112, for the complex step.
"""
import math
from fractions import Fraction
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from lecture_utils import _inputs

_OFFSETS = {"forward": (0, 1), "central": (-1, 1), "five_point": (-2, -1, 1, 2), "complex_step": None}


def stencil(offsets, order):
    """Return the weights w with f^(order)(x) ≈ Σ_j w[j] f(x + offsets[j] h) / h**order.

    offsets: [P] distinct numbers, in units of h, P > order. order: of the derivative, 1, 2, … The weights, float64 [P],
    are exact for polynomials of degree below P; for an arrangement symmetric about 0, of degree P when P - order is odd.
    Cost: about P² order / 2 operations in exact rational arithmetic, and one rounding at the end; f is not called.
    Raises TypeError for numbers that are not real, ValueError for offsets that are not finite, not distinct or too few.

    >>> stencil([-1, 0, 1], 2)
    array([ 1., -2.,  1.])
    >>> stencil([0, 1, 2], 1)          # one-sided, second order
    array([-1.5,  2. , -0.5])
    """
    z = np.asarray(offsets)
    if z.dtype.kind not in "iuf":
        raise TypeError(f"offsets has dtype {z.dtype}, expected real numbers")
    if isinstance(order, bool) or not isinstance(order, (int, np.integer)) or order < 1:
        raise ValueError(f"order is {order!r}, expected the order of a derivative: 1, 2, …")
    if z.ndim != 1 or len(z) <= order:
        raise ValueError(f"offsets has shape {z.shape}, expected [P] with P > order = {order}")
    if not np.all(np.isfinite(z)) or len(set(z.tolist())) < len(z):
        raise ValueError(f"offsets is {z.tolist()}, expected finite numbers, each different from the others")
    z = [Fraction(offset) for offset in z.tolist()]
    # w[j][k]: the weight of point j for the k-th derivative, for the points seen so far; a new point updates all.
    w = [[Fraction(1)] + [Fraction(0)] * order]
    last = Fraction(1)                                       # Π (z[n-1] - z[i]) over the points i before the last
    for n in range(1, len(z)):
        this = math.prod(z[n] - z[j] for j in range(n))
        old = w[n - 1]
        new = [last / this * ((k * old[k - 1] if k else 0) - z[n - 1] * old[k]) for k in range(order + 1)]
        for j in range(n):
            w[j] = [(z[n] * w[j][k] - (k * w[j][k - 1] if k else 0)) / (z[n] - z[j]) for k in range(order + 1)]
        w.append(new)
        last = this
    return np.array([float(row[order]) for row in w])


def default_step(method, dtype, x):
    """Return the step h for differentiating at x: the best one for a function that varies on the scale of x itself.

    With ε the machine epsilon of dtype and s = |x| (1 where x = 0), h is 2 √ε s for "forward", (3ε)^(1/3) s for
    "central", (11.25 ε)^(1/5) s for "five_point", rounded to a power of two so that multiplying and dividing by h
    rounds nothing; 1e-20 s for "complex_step". x: a number or array; the result has its shape, in float64.

    The constants are those of a function with f, x f', x² f'', … of one size. It cannot know the function: where f varies on
    another scale, is noisy, or x is a small number by accident (1e-17 where 0 is meant), choose h yourself.
    Raises ValueError for an unknown method or an x that is not finite, TypeError for a dtype that is not a float's.

    >>> [float(np.log2(default_step("central", dtype, 1.0))) for dtype in (np.float64, np.float32)]
    [-17.0, -7.0]
    """
    _inputs.choice("method", method, _OFFSETS)
    try:
        epsilon = float(jnp.finfo(dtype).eps)
    except (TypeError, ValueError):
        raise TypeError(f"dtype is {dtype!r}, expected a floating-point type such as np.float64") from None
    x = np.asarray(x)
    if x.dtype.kind not in "iuf" and not jnp.issubdtype(x.dtype, jnp.floating):
        raise TypeError(f"x has dtype {x.dtype}, expected real numbers")
    x = np.abs(x.astype(float))
    if x.size == 0 or not np.all(np.isfinite(x)):
        raise ValueError(f"x is {x}, expected finite numbers")
    scale = np.where(x == 0, 1.0, x)
    if method == "complex_step":
        return (1e-20 * scale)[()]
    relative = {"forward": 2 * epsilon**0.5, "central": (3 * epsilon) ** (1 / 3), "five_point": (11.25 * epsilon) ** 0.2}
    return (2.0 ** np.round(np.log2(relative[method] * scale)))[()]


def jvp_fd(f, x, v, *, method="central", h=None):
    """Return the directional derivative ∂f(x)[v] = J v by differences: an array of the shape of f(x).

    f: a function of a real vector [N] to [M] or to a scalar, in NumPy or JAX. x, v: [N], of the same floating type; the
    result is computed in it. h: the step along v; None takes the largest for which no x[i] moves by more than
    `default_step("…", x.dtype, x[i])`.
    method      evaluations   error in h   best error, relative to f, with machine epsilon ε
    "forward"        2            h        ε^(1/2)
    "central"        2            h²       ε^(2/3)
    "five_point"     4            h⁴       ε^(4/5)
    "complex_step"   1            h²       ε      (f analytic, and evaluated in complex numbers)

    Raises ValueError or TypeError if f is no function, x or v is no floating-point [N] or not finite, the method is
    unknown, h is not positive or so small that x + h v is x in that type; if f returns values that are not finite or
    not real, or of lower precision than x while h is None; if f loses the imaginary part (complex_step).
    No method can see a jump or a kink between its points, noise in f larger than rounding, or that an f run on complex
    numbers is not analytic: abs(z), conj(z) or z.real inside give a wrong number. `checks.taylor_test` finds out.

    >>> jvp_fd(lambda x: x**2, np.array([1.0, 3.0]), np.array([1.0, -1.0]))
    array([ 2., -6.])
    """
    _inputs.function("f", f)
    _inputs.choice("method", method, _OFFSETS)
    x = _inputs.vector("x", x)
    v = _inputs.direction("v", v, x)
    take = partial(_inputs.evaluate, f, precision=x.dtype if h is None else None)
    return _derivative(take, x, v, _check_step(_step_along(x, v, method) if h is None else h, x, v, method), method)


def jacobian_fd(f, x, *, method="central", h=None):
    """Return the Jacobian J of f at x by differences, one column for each direction e_i: [M, N], or [N] for a scalar f.

    f, x, method, errors: as for `jvp_fd`. h: one step for all columns, or one for each, [N]; None takes
    `default_step(method, x.dtype, x)`.
    Cost in evaluations of f: N + 1 ("forward"), 2N ("central"), 4N ("five_point"), N ("complex_step").

    >>> jacobian_fd(lambda x: np.array([x[0] * x[1], x[0], 2 * x[1]]), np.array([2.0, 4.0]))
    array([[4., 2.],
           [1., 0.],
           [0., 2.]])
    """
    _inputs.function("f", f)
    _inputs.choice("method", method, _OFFSETS)
    x = _inputs.vector("x", x)
    units = np.eye(len(x), dtype=x.dtype)
    if h is None:
        steps = default_step(method, x.dtype, x)
    else:
        if np.ndim(h) > 1 or np.size(h) not in (1, len(x)):
            raise ValueError(f"h has shape {np.shape(h)}, expected one number, or [N] = {[len(x)]}")
        steps = np.broadcast_to(h, x.shape)
    take = partial(_inputs.evaluate, f, precision=x.dtype if h is None else None)
    center = take(x) if method == "forward" else None
    columns = [_derivative(take, x, e, _check_step(step, x, e, method), method, center) for e, step in zip(units, steps)]
    return (jnp if isinstance(columns[0], jax.Array) else np).stack(columns, axis=-1)


def step_sweep(f, df, x, hs, method):
    """Return the median relative error over the points x, for each step: float64 [H]. This draws a V-curve.

    f: an elementwise function of an array of points, x: [K] of the precision to measure. df: the derivative that is
    right, called with the same points in float64. hs: [H] steps, the same at all points. method: one of those of
    `jvp_fd`, or a pair (offsets, order) for the derivative of that order by that stencil.

    Where a value is not finite, the error counts as infinite; a step too small to move x gives the error 1. Cost: one
    evaluation of f, on K points, for each step and stencil point. Raises ValueError or TypeError as `jvp_fd` does.

    >>> errors = step_sweep(np.exp, np.exp, np.array([1.0]), [1e-1, 1e-5, 1e-12], "central")
    >>> print(f"{errors[0]:.0e}", errors[1] < 1e-10, errors[2] > 1e-7)     # too large, good, too small
    2e-03 True True
    """
    _inputs.function("f", f)
    _inputs.function("df", df)
    x = _inputs.vector("x", x)
    hs = _inputs.steps("hs", hs)
    if not isinstance(method, tuple):
        _inputs.choice("method", method, _OFFSETS)
    elif len(method) != 2:
        raise ValueError(f"method is {method!r}, expected a name or a pair (offsets, order)")
    exact = np.asarray(df(np.asarray(x).astype(float)), dtype=float)
    errors = []
    for h in hs.tolist():
        approximate = np.asarray(_derivative(f, x, np.ones(x.shape, x.dtype), h, method)).astype(float)
        if approximate.shape != exact.shape:
            raise ValueError(f"f returned shape {approximate.shape}, df {exact.shape}: expected functions of each point, {x.shape}")
        with np.errstate(invalid="ignore", divide="ignore"):
            errors.append(np.median(np.nan_to_num(np.abs(approximate / exact - 1), nan=np.inf)))
    return np.array(errors)


def _derivative(f, x, v, h, method, center=None):
    """Apply a method, or a pair (offsets, order), with the step h. center: f(x), where it is known already."""
    if method == "complex_step":
        value = f(x + 1j * h * v)
        if not jnp.iscomplexobj(value):
            raise TypeError(f"f returned {value.dtype} for a complex argument, expected complex numbers: its imaginary part, "
                            "which holds the derivative, was lost (abs, real, float or a cast in f); use another method")
        return value.imag / h
    offsets, order = method if isinstance(method, tuple) else (_OFFSETS[method], 1)
    values = [center if o == 0 and center is not None else f(x + (o * h * v).astype(x.dtype)) for o in offsets]
    # The weights sum to 0, so differences may be weighed instead of values: what gets rounded is then small.
    terms = [w * (value - values[0]) for w, value in zip(stencil(offsets, order).tolist()[1:], values[1:])]
    return (sum(terms[1:], terms[0]) / h**order).astype(values[0].dtype)      # NumPy widens bfloat16 on the way


def _step_along(x, v, method):
    """Return the largest power of two h for which no h |v[i]| exceeds the default step of its x[i]."""
    largest = np.max(np.abs(np.asarray(v).astype(float)) / default_step(method, x.dtype, x))
    return float(2.0 ** np.floor(-np.log2(largest))) if largest > 0 else 1.0      # v = 0: any step will do


def _check_step(h, x, v, method):
    """Return h as a float, after checking that it is positive and moves x, whatever the precision of x."""
    if np.ndim(h) != 0 or not np.isreal(h) or not np.isfinite(h) or h <= 0:
        raise ValueError(f"h is {h!r}, expected a positive number")
    x, v, h = np.asarray(x), np.asarray(v), float(h)
    still = not np.any((h * v).astype(x.dtype)) if method == "complex_step" else np.array_equal(x + (h * v).astype(x.dtype), x)
    if still and np.any(v):
        raise ValueError(f"h is {h:.3g}, too small for {x.dtype}: x + h v is x itself; expected about "
                         f"{_step_along(x, v, method):.1e}, which is what h=None takes")
    return h

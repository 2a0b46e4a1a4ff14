"""Numerical differentiation: derivatives from values of the function alone.

Idea: weigh values of f near x so that the low powers of the step h cancel, with an h that balances the truncation that
remains against the rounding of f, which is divided by h. The complex step subtracts nothing, so it has no such balance.
Source: B. Fornberg, Math. Comp. 51 (1988) 699-706, for the weights; J. E. Dennis, R. B. Schnabel, Numerical Methods for
Unconstrained Optimization and Nonlinear Equations, SIAM 1996, section 5.4, for the steps; W. Squire, G. Trapp, SIAM
Review 40 (1998) 110-112, for the complex step.
"""
import math
from fractions import Fraction
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lecture_utils import _inputs

_OFFSETS = {"forward": (0, 1), "central": (-1, 1), "five_point": (-2, -1, 1, 2), "complex_step": None}


def stencil(offsets, order):
    """Return the weights w with f^(order)(x) ≈ Σ_j w[j] f(x + offsets[j] h) / h**order.

    offsets: [P] distinct numbers, in units of h and as float64, P > order. order: of the derivative, 1, 2, … The weights, float64 [P],
    are exact for polynomials of degree below P; for an arrangement symmetric about 0, of degree P when P - order is odd.

    Cost: about P² order / 2 operations in exact rational arithmetic, and one rounding at the end; f is not called.
    Raises TypeError for numbers that are not real, ValueError for offsets that are not finite, not distinct or too few.

    >>> stencil([-1, 0, 1], 2)
    array([ 1., -2.,  1.])
    >>> stencil([0, 1, 2], 1)          # one-sided, second order
    array([-1.5,  2. , -0.5])
    """
    given = np.asarray(_inputs.numbers("offsets", offsets)).astype(float)
    if isinstance(order, bool) or not isinstance(order, (int, np.integer)) or order < 1:
        raise ValueError(f"order is {order!r}, expected the order of a derivative: 1, 2, …")
    if given.ndim != 1 or len(given) <= order:
        raise ValueError(f"offsets has shape {list(given.shape)}, expected [P] with P > order = {order}")
    if not np.all(np.isfinite(given)) or len(set(given.tolist())) < len(given):
        raise ValueError(f"offsets is {given.tolist()}, expected finite numbers, each different from the others")
    z = [Fraction(offset) for offset in given.tolist()]
    # w[j][k]: the weight of point j for the k-th derivative, for the points seen so far; a new point updates all.
    w = [[Fraction(1)] + [Fraction(0)] * order]
    last = Fraction(1)                                       # Π (z[n-1] - z[i]) over the points i before the last
    for n in range(1, len(z)):
        this = math.prod((z[n] - z[j] for j in range(n)), start=Fraction(1))
        old = w[n - 1]
        new = [last / this * ((k * old[k - 1] if k else 0) - z[n - 1] * old[k]) for k in range(order + 1)]
        for j in range(n):
            w[j] = [(z[n] * w[j][k] - (k * w[j][k - 1] if k else 0)) / (z[n] - z[j]) for k in range(order + 1)]
        w.append(new)
        last = this
    exact = [row[order] for row in w]
    try:
        weights = np.array([float(weight) for weight in exact])
    except OverflowError:
        weights = np.array([np.inf])
    if not np.all(np.isfinite(weights)) or any(weight != 0 and rounded == 0 for weight, rounded in zip(exact, weights)):
        raise ValueError(f"offsets is {offsets!r}, expected numbers of moderate size: a weight leaves the range of float64")
    return weights


def default_step(method, dtype, x, *, typical=0.0):
    """Return the step h for differentiating at x: about the best for a function that varies on the scale of x itself.

    With ε the machine epsilon of dtype and s = max(|x|, typical), or 1 where that is 0, h is √(2ε) s for "forward",
    (ε/2)^(1/3) s for "central", (3ε/32)^(1/5) s for "five_point", rounded to a power of two so that multiplying and
    dividing by h rounds nothing; ε^(5/4) s for "complex_step". x: a number or array; the result has its shape, in float64.
    typical: the size below which x counts as zero, a number or array like x; give it where x may be near 0.

    The constants put |f^(m)(x)| = m! |f(x)| / s^m into the bound on the error, as for powers, 1/x and log. The function
    is not known here: where f varies on another scale, or is noisy, choose h yourself; where x is tiny by accident (1e-17,
    and 0 is meant), give typical.

    Raises ValueError for an unknown method, for x not finite or so small that h underflows, for typical negative or not
    finite; TypeError for a dtype that is not a float's.

    >>> [float(np.log2(default_step("central", dtype, 1.0))) for dtype in (np.float64, np.float32)]
    [-18.0, -8.0]
    """
    _inputs.choice("method", method, _OFFSETS)
    epsilon = _inputs.epsilon("dtype", dtype)
    scale = np.abs(np.asarray(_inputs.numbers("x", x)).astype(float))
    if scale.size == 0 or not np.all(np.isfinite(scale)):
        raise ValueError(f"x is {x}, expected finite numbers")
    floor = np.asarray(_inputs.numbers("typical", typical)).astype(float)
    if floor.shape not in ((), scale.shape) or not np.all(np.isfinite(floor) & (floor >= 0)):
        raise ValueError(f"typical is {typical}, expected one finite number that is not negative, or one for each x")
    scale = np.maximum(scale, floor)
    scale = np.where(scale == 0, 1.0, scale)
    relative = {"forward": (2 * epsilon) ** (1 / 2), "central": (epsilon / 2) ** (1 / 3),
                "five_point": (3 * epsilon / 32) ** (1 / 5), "complex_step": epsilon**1.25}
    h = relative[method] * scale
    if np.any(h == 0):
        raise ValueError(f"x is {x}, expected 0 or a number large enough that a small part of it is a float: rescale x")
    return (h if method == "complex_step" else 2.0 ** np.floor(np.log2(h) + 0.5 + 1e-9))[()]      # 1e-9: ties go up


def jvp_fd(f, x, v, *, method="central", h=None):
    """Return the directional derivative ∂f(x)[v] = J v by differences: an array of the shape of f(x).

    f: a function of a real vector [N] to [M] or to a scalar, in NumPy or JAX. x, v: [N], of the same floating type. The
    result has the type of f(x). h: the step along v; None takes the largest for which no x[i] moves by more than its
    `default_step`, so accuracy falls by about max|x| / min|x| over what v moves; `jacobian_fd` does not suffer from that.
    method      evaluations   error in h   best error, relative to f, with machine epsilon ε
    "forward"        2            h        ε^(1/2)
    "central"        2            h²       ε^(2/3)
    "five_point"     4            h⁴       ε^(4/5)
    "complex_step"   1            h²       ε      (f analytic, and evaluated in complex numbers)

    Raises ValueError or TypeError if f is no function, x or v is no floating-point [N] or not finite, the method is
    unknown, h is not positive or so small that rounding loses a tenth of h v in x + h v; if f returns values that are not
    finite, not real, of changing shape, or of lower precision than x while h is None; for complex_step, if f loses the
    imaginary part or x is of less than 32 bits; under jax.jit, grad and vmap (f itself may use them).
    No method can see a jump or a kink between its points, or noise in f larger than rounding. The complex step cannot see
    that f is not analytic (abs(z), conj(z), z.real inside) or outside its domain (log(-1)), and gives a wrong number.
    `checks.taylor_test` finds out.

    >>> jvp_fd(lambda x: x**2, np.array([1.0, 3.0]), np.array([1.0, -1.0]))
    array([ 2., -6.])
    """
    _inputs.function("f", f)
    _inputs.choice("method", method, _OFFSETS)
    x = _inputs.vector("x", x)
    v = _inputs.direction("v", v, x)
    take = partial(_inputs.evaluate, f, precision=x.dtype if h is None else None)
    return _checked_derivative(take, x, v, h, method)


def jacobian_fd(f, x, *, method="central", h=None):
    """Return the Jacobian J of f at x by differences, one column for each direction e_i: [M, N], or [N] for a scalar f.

    f, x, method: as for `jvp_fd`. h: one step for all columns, or one for each, [N]; None takes
    `default_step(method, x.dtype, x)`.

    Cost: evaluations of f, N + 1 ("forward"), 2N ("central"), 4N ("five_point") or N ("complex_step").
    Raises what `jvp_fd` raises.

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
        steps: Any = [None] * len(x)
    else:
        steps = np.asarray(_inputs.numbers("h", h))
        if steps.shape not in ((), x.shape):
            raise ValueError(f"h has shape {list(steps.shape)}, expected one number, or [N] = {[len(x)]}")
        steps = np.broadcast_to(steps, x.shape)
    take = partial(_inputs.evaluate, f, precision=x.dtype if h is None else None)
    center = take(x.copy()) if method == "forward" else None
    columns = [_checked_derivative(take, x, e, step, method, center) for e, step in zip(units, steps)]
    return (jnp if isinstance(columns[0], jax.Array) else np).stack(columns, axis=-1)


def step_sweep(f, df, x, hs, method):
    """Return the median relative error over the points x, for each step: float64 [H]. This draws a V-curve.

    f: an elementwise function of an array of points, x: [K] of the precision to measure. df: the derivative that is
    right, called with the same points in float64. hs: [H] steps, the same at all points. method: one of those of
    `jvp_fd`, or a pair (offsets, order) for the derivative of that order by that stencil.

    Where a value is not finite, the error counts as infinite; a step too small to move x gives the error 1.

    Cost: one evaluation of f, on K points, for each step and stencil point.
    Raises ValueError or TypeError as `jvp_fd` does.

    >>> errors = step_sweep(np.exp, np.exp, np.array([1.0]), [1e-1, 1e-5, 1e-12], "central")
    >>> print(f"{errors[0]:.0e}", errors[1] < 1e-10, errors[2] > 1e-7)     # too large, good, too small
    2e-03 True True
    """
    _inputs.function("f", f)
    _inputs.function("df", df)
    x = _inputs.vector("x", x)
    hs = _inputs.steps("hs", hs)
    if isinstance(method, tuple):
        try:
            stencil(*method)
        except (TypeError, ValueError) as error:
            raise ValueError(f"method is {method!r}, expected a name or (offsets, order): {error}") from None
    else:
        _inputs.choice("method", method, _OFFSETS)
    exact = np.asarray(_inputs.result("df", df(np.asarray(x).astype(float)))).astype(float)
    take = lambda point: _inputs.result("f", f(point), finite=False, complex_allowed=jnp.iscomplexobj(point))
    ones, errors = np.ones(x.shape, x.dtype), []
    for h in hs.tolist():
        with np.errstate(invalid="ignore", divide="ignore"):
            approximate = np.asarray(_derivative(take, x, ones, h, method)).astype(float)
        if not approximate.shape == exact.shape == x.shape:
            raise ValueError(f"f returned shape {list(approximate.shape)} and df {list(exact.shape)}, expected one value for each "
                             f"of the points x, {list(x.shape)}")
        with np.errstate(invalid="ignore", divide="ignore"):
            relative = np.abs(approximate / exact - 1)
        move = (h * ones).astype(x.dtype)
        still = not np.any(move >= jnp.finfo(x.dtype).tiny) if method == "complex_step" else np.array_equal(x + move, x)
        errors.append(1.0 if still else np.median(np.where(np.isnan(relative), np.inf, relative)))
    return np.array(errors)


def _checked_derivative(f, x, v, h, method, center=None):
    """Apply a method with the step h, or the default, after checking the step in the precision of x and in that of f."""
    h = _step(h, x, v, method)
    value = _derivative(f, x, v, h, method, center)
    if jnp.finfo(value.dtype).eps > jnp.finfo(x.dtype).eps:
        _step(h, x.astype(value.dtype), v.astype(value.dtype), method)
    return value


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
    if len({value.shape for value in values}) > 1:
        raise ValueError(f"f returned shapes {[list(value.shape) for value in values]}, expected one and the same at every point")
    # The weights sum to 0, so differences may be weighed instead of values: what gets rounded is then small.
    terms = [w * (value - values[0]) for w, value in zip(_weights(tuple(offsets), order)[1:], values[1:])]
    return (sum(terms[1:], terms[0]) / h**order).astype(values[0].dtype)      # NumPy widens bfloat16 on the way


@cache
def _weights(offsets, order):
    """Return the weights of a stencil as a list: they are asked for again in each column and at each step."""
    return stencil(offsets, order).tolist()


def _step(h, x, v, method):
    """Return h, or the default step along v, as a float, after checking that x + h v keeps what matters of h v."""
    kind, given = jnp.finfo(x.dtype), h is not None
    if method == "complex_step" and kind.bits < 32:
        raise ValueError(f"x has dtype {x.dtype}, expected at least 32 bits for the complex step: smaller types have no complex one")
    size, move = np.abs(np.asarray(x).astype(float)), np.abs(np.asarray(v).astype(float))
    if not np.any(move):
        return _inputs.positive("h", h) if given else 1.0      # v = 0: any step will do
    if not given:                                              # the largest that moves no x[i] too far; a power of two
        with np.errstate(over="ignore"):
            h = 2.0 ** np.floor(-np.log2(np.max(move / default_step(method, x.dtype, x))))
        if not 0 < h < np.inf:
            raise ValueError(f"v holds numbers up to {np.max(move):.1e}, expected ones for which a step is a float: rescale v")
    h = _inputs.positive("h", h)
    move = move * h
    lost = np.where(move < kind.tiny, move, 0) if method == "complex_step" else np.minimum(kind.eps * size + kind.tiny, move)
    loss = np.linalg.norm(lost / np.max(move)) / np.linalg.norm(move / np.max(move))
    if loss > max(0.1, 2 * float(kind.eps) ** 0.5):             # bfloat16 cannot do better
        advice = "a larger h" if given else "numbers of one size where v moves them: give h, or use jacobian_fd(f, x) @ v"
        raise ValueError(f"h is {h:.3g}, too small for {x.dtype}: rounding loses {loss:.0%} of h v in x + h v, expected {advice}")
    return h

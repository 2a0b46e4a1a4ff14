"""Checks of a chapter's numbers: derivatives against their own function, results against something published.

Idea: a right derivative leaves a remainder that falls with the square of the step, a wrong one a remainder that falls with
the step; and a published number is right to half a unit of its last printed digit, which is the tolerance.
Source: P. E. Farrell, D. A. Ham, S. W. Funke, M. E. Rognes, SIAM J. Sci. Comput. 35 (2013) C369-C393, section 4.3, for the
Taylor test; N. J. Higham, Accuracy and Stability of Numerical Algorithms, SIAM 2002, section 1.2, for correct digits.
"""
import textwrap
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lecture_utils import _inputs


class TaylorResult(NamedTuple):
    """What `taylor_test` found: one slope fewer than steps, the verdict, and the points behind them."""
    slopes: np.ndarray
    ok: bool
    hs: np.ndarray
    remainders: np.ndarray


def taylor_test(f, x, v, *, jvp=None, hs=None):
    """Test whether jvp(x, v) is the derivative of f at x along v: does the Taylor remainder fall as h²?

    The remainder is R(h) = ‖f(x + h v) - f(x) - h jvp(x, v)‖. Halving h divides it by four if the derivative is right, by
    two if it is wrong: the slopes of log R against log h are 2 (or more, where f has no curvature along v) or 1.

    f: a function of a real vector [N] to [M] or to a scalar, in NumPy or JAX. x, v: [N], of the same floating type. jvp: a
    function (x, v) -> [M]; None takes `jax.jvp` of f. hs: [H] steps, H > 1, sorted here from large to small; None takes
    twelve, between ε^(1/8) and ε^(1/2) of the size of x, with ε the machine epsilon of x.

    Returns TaylorResult(slopes [H-1], ok, hs [H], remainders [H]). A slope is NaN where R is down to rounding, about 16 ε of
    what f and x amount to. ok: the last of the other slopes is at least 1.5, since it is at small steps that a wrong
    derivative shows; or, where there is no such slope, R is rounding at the smallest step.

    Cost: H + 1 evaluations of f and one of jvp. It sees errors in jvp above about √(16 ε ‖f‖/‖Jv‖) of its size: 1e-7 in float64,
    1e-3 in float32, less if f carries a large constant; no error across v (use a random v, and v[i] about in proportion
    to x[i]). Near a kink, or where f jumps, a right derivative fails.
    Raises ValueError or TypeError if f or jvp is no function, x or v is no floating-point [N], not finite, or v is zero; if
    f or jvp returns values that are not finite or not real, or of other shapes; if hs are not at least two different
    positive steps; if f changes along v by less than its rounding, so that nothing can be seen.

    >>> x, v = np.array([0.3, 0.7]), np.array([1.0, -0.5])
    >>> taylor_test(np.sin, x, v, jvp=lambda x, v: np.cos(x) * v).ok
    True
    >>> taylor_test(np.sin, x, v, jvp=lambda x, v: -np.cos(x) * v).ok
    False
    """
    _inputs.function("f", f)
    x = _inputs.vector("x", x)
    v = _inputs.direction("v", v, x)
    if not np.any(np.asarray(v)):
        raise ValueError("v is zero, expected a direction: every derivative passes along zero")
    epsilon = max(float(jnp.finfo(x.dtype).eps), np.finfo(float).eps)
    size = np.abs(np.asarray(x).astype(float))
    if hs is None:
        hs = np.geomspace(epsilon**0.125, epsilon**0.5, 12) / np.max(np.abs(np.asarray(v).astype(float)) / np.where(size == 0, 1, size))
    hs = np.unique(_inputs.steps("hs", hs))[::-1]
    if len(hs) < 2:
        raise ValueError(f"hs is {hs}, expected at least two different steps: a slope needs two")
    if jvp is not None:
        _inputs.function("jvp", jvp)
    take = lambda point: np.asarray(_inputs.evaluate(f, point, precision=x.dtype)).astype(float)
    value = take(x.copy())
    slope = _inputs.result("jvp", _jax_jvp(f, x, v) if jvp is None else jvp(x.copy(), v.copy()))
    slope = np.asarray(slope).astype(float)
    moved = [take(x + (h * v).astype(x.dtype)) for h in hs.tolist()]
    if len({y.shape for y in [value, *moved]}) > 1:
        raise ValueError(f"f returned shapes {[list(y.shape) for y in [value, *moved]]}, expected one and the same at every point")
    if slope.shape != value.shape:
        raise ValueError(f"jvp returned shape {list(slope.shape)}, expected that of f(x): {list(value.shape)}")
    unit = max(np.max(np.abs(y), initial=0) for y in [value, slope, *moved]) or 1.0      # against under- and overflow
    norm = lambda y: float(np.linalg.norm(np.ravel(y) / unit))
    remainders = np.array([norm(y - value - h * slope) for y, h in zip(moved, hs)])
    rounding = 16 * epsilon * (norm(value) + np.linalg.norm(size) / np.linalg.norm(np.asarray(v).astype(float)) * norm(slope))
    above = remainders > rounding
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.diff(np.log(remainders)) / np.diff(np.log(hs))
    slopes[~(above[:-1] & above[1:])] = np.nan
    seen = slopes[~np.isnan(slopes)]
    if not len(seen) and 0 < hs[0] * norm(slope) <= 10 * rounding:
        raise ValueError(f"hs is {hs}: along them f changes by less than its rounding, expected larger hs, or x in a wider type")
    ok = bool(seen[-1] >= 1.5) if len(seen) else not above[-1]
    return TaylorResult(slopes, bool(ok), hs, remainders * unit)


def _jax_jvp(f, x, v):
    """Return the derivative of f at x along v by JAX, which must be able to trace f."""
    try:
        return jax.jvp(f, (x,), (v,))[1]
    except jax.errors.TracerArrayConversionError:
        raise TypeError("f is no function of JAX, expected one, or jvp: NumPy functions cannot be traced") from None


def dot_product_test(matvec, rmatvec, n, m, key):
    """Test whether rmatvec is the adjoint of matvec: return |⟨u, J v⟩ - ⟨J'u, v⟩| / max(‖J v‖, ‖J'u‖), a float.

    matvec: v [N] -> J v [M]; rmatvec: u [M] -> J'u [N], both linear, of real NumPy or JAX vectors. n, m: N and M. key: of
    `jax.random`, split in two, for v and u with independent standard normal entries (NumPy, of JAX's default type).

    If J' is Jᵀ the result is rounding: about 1e-15 in float64, 1e-7 in float32. If not, ⟨u, J v⟩ - ⟨J'u, v⟩ has mean 0 and
    standard deviation ‖Jᵀ - J'‖, the norm being the root of the sum of squares, so that the result is about the relative
    error of J': 1 if all of it is wrong, 1e-3 if it is wrong in the third digit or in one entry of a million. With one key
    in a hundred or so it falls below a hundredth of that. Both may still be wrong together: `taylor_test` compares J with f.

    Cost: one call of each.
    Raises ValueError or TypeError if matvec or rmatvec is no function, n or m no positive int, key no key, or if what they
    return is not finite, not real or not of shape [M] and [N].

    >>> A, key = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), jax.random.key(0)
    >>> dot_product_test(lambda v: A @ v, lambda u: A.T @ u, 2, 3, key) < 1e-6
    True
    >>> dot_product_test(lambda v: A @ v, lambda u: A[::-1].T @ u, 2, 3, key) > 1e-2
    True
    """
    _inputs.function("matvec", matvec)
    _inputs.function("rmatvec", rmatvec)
    for name, size in (("n", n), ("m", m)):
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
            raise ValueError(f"{name} is {size!r}, expected the dimension of a space: 1, 2, …")
    if not (isinstance(key, jax.Array) and (key.shape == () and jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
                                            or key.shape == (2,) and key.dtype == np.uint32)):
        raise TypeError(f"key is {key!r}, expected one key of jax.random, such as jax.random.key(0)")
    v, u = (np.asarray(jax.random.normal(k, (int(size),))) for k, size in zip(jax.random.split(key), (n, m)))
    Jv, Ju = (np.asarray(_inputs.result(name, product(vector.copy()))).astype(float)
              for name, product, vector in (("matvec", matvec, v), ("rmatvec", rmatvec, u)))
    for name, image, size in (("matvec", Jv, m), ("rmatvec", Ju, n)):
        if image.shape != (size,):
            raise ValueError(f"{name} returned shape {list(image.shape)}, expected {[int(size)]}")
    unit = max(np.max(np.abs(Jv)), np.max(np.abs(Ju))) or 1.0                            # against under- and overflow
    Jv, Ju = Jv / unit, Ju / unit
    return float(abs(u @ Jv - Ju @ v) / (max(np.linalg.norm(Jv), np.linalg.norm(Ju)) or 1.0))


def assert_published(name, value, published, *, digits, source):
    """Check that `value` agrees with a published number to the `digits` decimals that the source prints.

    name: what the number is. value: ours, a real scalar or array (NumPy, JAX, PyTorch). published: the source's number or
    numbers, of the same shape; a str keeps the zeros at its end ("5.70"). digits: how many decimals the source prints.
    source: where it is printed.

    Returns None and prints the comparison, then the source, in lines of up to 38 characters; it shows a scalar of ours to one
    decimal more than published, so compute in float64.

    Raises AssertionError, with both numbers and the source, if any difference exceeds half a unit of the last decimal, if
    ours is not finite, or if the shapes differ.
    Raises ValueError or TypeError if the claim itself makes no sense: digits is no count, published is not finite or has other
    than `digits` decimals, or value is not real.

    >>> assert_published("pi", 3.14159265, "3.1416", digits=4, source="any table")
    pi: 3.14159, published 3.1416
      source: any table
    """
    if isinstance(digits, bool) or not isinstance(digits, int) or digits < 0:
        raise ValueError(f"digits is {digits!r}, expected a number of decimals: 0, 1, 2, …")
    wanted = _published_array(published, digits)
    ours = np.asarray(_inputs.numbers("value", np.asarray(value.detach().cpu()) if hasattr(value, "detach") else value)).astype(float)
    if ours.shape != wanted.shape:
        raise AssertionError(f"{name}: ours has shape {ours.shape}, published has shape {wanted.shape}\n  source: {source}")

    # Half a unit, and a hair for the rounding of the decimal numbers themselves.
    tolerance = 0.5 * 10.0**-digits * (1 + 1e-9) + 4 * np.finfo(float).eps * np.abs(wanted)
    wrong = np.argwhere(~(np.abs(ours - wanted) <= tolerance))  # `not <=`, so that NaN is wrong
    if len(wrong):
        at = tuple(wrong[0].tolist())
        where = f" at index {list(at)} ({len(wrong)} of {ours.size} values differ)" if at else ""
        raise AssertionError(f"{name}: ours is {ours[at]:.{digits + 2}f}, published is {wanted[at]:.{digits}f}{where}; "
                             f"they differ within {digits} decimals\n  source: {source}")
    if ours.ndim == 0:
        shown = round(float(ours), digits + 1) + 0.0  # + 0.0: no minus sign before a zero
        result = f"{name}: {shown:.{digits + 1}f}, published {wanted:.{digits}f}"
    else:
        result = f"{name}: all {ours.size} as published, to {digits} {'decimal' if digits == 1 else 'decimals'}"
    for line, indent in ((result, "  "), (f"  source: {source}", "    ")):
        print(textwrap.fill(line, 38, subsequent_indent=indent))        # what a phone shows without a break of its own


def _published_array(published, digits):
    """Return the published numbers as float64, after checking that they have `digits` decimals."""
    if isinstance(published, str):
        try:
            decimals = -int(Decimal(published).as_tuple().exponent)
        except (InvalidOperation, ValueError):  # not a number; NaN and Infinity, whose exponent is a letter
            raise ValueError(f"published is {published!r}, expected a finite decimal number") from None
        if decimals != digits:
            raise ValueError(f"published is {published!r} with {max(decimals, 0)} decimals, expected digits={digits} of them")
    try:
        wanted = np.asarray(published, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"published is {published!r}, expected a finite decimal number, or several") from None
    if wanted.size == 0 or not np.all(np.isfinite(wanted)):
        raise ValueError(f"published is {published!r}, expected finite numbers")
    if np.any(np.abs(np.round(wanted, digits) - wanted) > 4 * np.finfo(float).eps * np.abs(wanted)):
        raise ValueError(f"published is {published!r} with more than {digits} decimals, expected digits to count all of them")
    return wanted

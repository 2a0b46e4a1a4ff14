"""Checks of a chapter's numbers against something outside the chapter.

Idea: a published number is right to half a unit of its last printed digit, and that is the tolerance; no other is chosen.
Source: N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, section 1.2 (correct digits).
"""
from decimal import Decimal, InvalidOperation

import numpy as np


def assert_published(name, value, published, *, digits, source):
    """Check that `value` agrees with a published number to the `digits` decimals that the source prints.

    name: what the number is. value: ours, a real scalar or array (NumPy, JAX, PyTorch). published: the source's number or
    numbers, of the same shape; a str keeps the zeros at its end ("5.70"). digits: how many decimals the source prints.
    source: where it is printed.

    Returns None and prints two lines, the comparison and the source; it shows a scalar of ours to one decimal more than published, so compute in float64.
    Raises AssertionError, with both numbers and the source, if any difference exceeds half a unit of the last decimal, if
    ours is not finite, or if the shapes differ. Raises ValueError or TypeError if the claim itself makes no sense: digits
    is no count, published is not finite or has other than `digits` decimals, or value is not real.

    >>> assert_published("pi", 3.14159265, "3.1416", digits=4, source="any table")
    pi: 3.14159 agrees with 3.1416 to 4 decimals
      source: any table
    """
    if isinstance(digits, bool) or not isinstance(digits, int) or digits < 0:
        raise ValueError(f"digits is {digits!r}, expected a number of decimals: 0, 1, 2, …")
    wanted = _published_array(published, digits)
    ours = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    if ours.dtype.kind not in "iuf" and ours.dtype.name != "bfloat16":
        raise TypeError(f"value has dtype {ours.dtype}, expected real numbers")
    ours = ours.astype(float)
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
    unit = "decimal" if digits == 1 else "decimals"
    if ours.ndim == 0:
        shown = round(float(ours), digits + 1) + 0.0  # + 0.0: no minus sign before a zero
        print(f"{name}: {shown:.{digits + 1}f} agrees with {wanted:.{digits}f} to {digits} {unit}\n  source: {source}")
    else:
        print(f"{name}: all {ours.size} values agree with the published ones to {digits} {unit}\n  source: {source}")


def _published_array(published, digits):
    """Return the published numbers as float64, after checking that they have `digits` decimals."""
    if isinstance(published, str):
        try:
            decimals = -Decimal(published).as_tuple().exponent
        except (InvalidOperation, TypeError):  # not a number; NaN and Infinity, whose exponent is a letter
            raise ValueError(f"published is {published!r}, expected a finite decimal number") from None
        if decimals != digits:
            raise ValueError(f"published is {published!r} with {max(decimals, 0)} decimals, expected digits={digits} of them")
    wanted = np.asarray(published, dtype=float)
    if wanted.size == 0 or not np.all(np.isfinite(wanted)):
        raise ValueError(f"published is {published!r}, expected finite numbers")
    if np.any(np.abs(np.round(wanted, digits) - wanted) > 4 * np.finfo(float).eps * np.abs(wanted)):
        raise ValueError(f"published is {published!r} with more than {digits} decimals, expected digits to count all of them")
    return wanted

"""What the library accepts: each check names the argument, what came, and what was expected.

Idea: a wrong argument stops at the door, with TypeError for a wrong kind of thing and ValueError for a wrong value.
Source: the Python documentation, Built-in Exceptions. Private to lecture_utils; chapters do not import it.
"""
import jax
import jax.numpy as jnp
import numpy as np


def function(name, value):
    """Refuse what cannot be called."""
    if not callable(value):
        raise TypeError(f"{name} is {value!r}, expected a function")


def choice(name, value, options):
    """Refuse what is not one of the options, which are str."""
    if not isinstance(value, str) or value not in options:
        raise ValueError(f"{name} is {value!r}, expected one of {', '.join(map(repr, options))}")


def vector(name, value):
    """Return value as an array (NumPy, or JAX as it came), after checking that it is a floating-point [N], N > 0, finite."""
    if not isinstance(value, (np.ndarray, jax.Array)):
        if hasattr(value, "detach"):
            raise TypeError(f"{name} is a {type(value).__name__}, expected a NumPy or JAX array: convert it, and convert inside f")
        value = np.asarray(value)
    if not jnp.issubdtype(value.dtype, jnp.floating):
        raise TypeError(f"{name} has dtype {value.dtype}, expected floating-point numbers")
    if value.ndim != 1 or value.size == 0:
        raise ValueError(f"{name} has shape {list(value.shape)}, expected [N] with N > 0")
    if not np.all(np.isfinite(np.asarray(value).astype(float))):
        raise ValueError(f"{name} holds NaN or infinity, expected finite numbers")
    return value


def direction(name, value, x):
    """Return value as an array like x, the point at which it is a direction."""
    value = vector(name, value)
    if value.shape != x.shape:
        raise ValueError(f"{name} has shape {list(value.shape)}, expected that of x: {list(x.shape)}")
    if value.dtype != x.dtype:
        raise TypeError(f"{name} has dtype {value.dtype}, expected that of x: {x.dtype}")
    return value


def steps(name, value):
    """Return value as float64 [H], H > 0, after checking that they are finite and positive."""
    value = np.asarray(value)
    if value.dtype.kind not in "iuf":
        raise TypeError(f"{name} has dtype {value.dtype}, expected real numbers")
    value = value.astype(float)
    if value.ndim != 1 or value.size == 0:
        raise ValueError(f"{name} has shape {list(value.shape)}, expected [H] with H > 0")
    if not np.all(np.isfinite(value) & (value > 0)):
        raise ValueError(f"{name} is {value}, expected finite positive numbers")
    return value


def evaluate(f, point, precision=None, name="f"):
    """Return f(point), after checking that it is a floating-point [M] or scalar, finite, no less precise than asked.

    Complex values pass at a complex point only. precision: a dtype, or None for any. name: what the caller calls f.
    """
    value = f(point)
    if not hasattr(value, "dtype") or not hasattr(value, "ndim"):
        value = np.asarray(value)
    if not jnp.issubdtype(value.dtype, jnp.inexact) or jnp.iscomplexobj(value) and not jnp.iscomplexobj(point):
        raise TypeError(f"{name} returned dtype {value.dtype}, expected real floating-point numbers")
    if value.ndim > 1:
        raise ValueError(f"{name} returned shape {list(value.shape)}, expected [M] or a scalar")
    if not np.all(np.isfinite(np.asarray(value).astype(complex))):
        raise ValueError(f"{name} returned {value} at {point}, expected finite numbers: is the point outside its domain?")
    if precision is not None and jnp.finfo(value.dtype).eps > jnp.finfo(precision).eps:
        raise TypeError(f"{name} returned {value.dtype} for x in {precision}, expected at least that precision: convert x, "
                        "turn on jax_enable_x64, or choose the step yourself")
    return value

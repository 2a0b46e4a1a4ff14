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


def epsilon(name, value):
    """Return the machine epsilon of a floating-point type as a float."""
    try:
        floating = value is not None and jnp.issubdtype(value, jnp.floating)
    except TypeError:
        floating = False
    if not floating:
        raise TypeError(f"{name} is {value!r}, expected a floating-point type such as np.float64")
    return float(jnp.finfo(value).eps)


def numbers(name, value):
    """Return value as an array of real numbers (NumPy, or JAX as it came); booleans and text are none."""
    if hasattr(value, "detach"):
        raise TypeError(f"{name} is a {type(value).__name__} of PyTorch, expected NumPy or JAX: convert it")
    if isinstance(value, jax.core.Tracer):
        raise TypeError(f"{name} is traced by jax.jit, grad or vmap, expected numbers: call this outside of them")
    if not isinstance(value, (np.ndarray, jax.Array)):
        try:
            value = np.asarray(value)
        except (TypeError, ValueError):                      # rows of different lengths, for one
            raise ValueError(f"{name} is {value!r}, expected numbers in a rectangular array") from None
    if value.dtype.kind not in "iuf" and not jnp.issubdtype(value.dtype, jnp.floating):
        raise TypeError(f"{name} has dtype {value.dtype}, expected real numbers")
    return value


def vector(name, value):
    """Return value as an array, after checking that it is a floating-point [N], N > 0, and finite."""
    value = numbers(name, value)
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
    value = np.asarray(numbers(name, value)).astype(float)
    if value.ndim != 1 or value.size == 0:
        raise ValueError(f"{name} has shape {list(value.shape)}, expected [H] with H > 0")
    if not np.all(np.isfinite(value) & (value > 0)):
        raise ValueError(f"{name} is {value}, expected finite positive numbers")
    return value


def positive(name, value):
    """Return value as a float, after checking that it is one finite positive number."""
    value = np.asarray(numbers(name, value)).astype(float)
    if value.ndim != 0 or not np.isfinite(value) or value <= 0:
        raise ValueError(f"{name} is {value}, expected one finite positive number")
    return float(value)


def result(name, value, *, finite=True, complex_allowed=False, at=""):
    """Return what the function `name` returned as an array of its own, after checking that it is a floating-point [M] or scalar."""
    if hasattr(value, "detach"):
        raise TypeError(f"{name} returned a {type(value).__name__} of PyTorch, expected NumPy or JAX: convert it in {name}")
    if isinstance(value, jax.core.Tracer):
        raise TypeError(f"{name} returned a traced value, expected numbers: call this outside of jax.jit, grad and vmap")
    if not isinstance(value, jax.Array):
        try:
            value = np.array(value)                          # a copy: f may use the same buffer again
        except (TypeError, ValueError):
            raise ValueError(f"{name} returned {value!r}, expected [M] or a scalar") from None
    if not jnp.issubdtype(value.dtype, jnp.inexact) or jnp.iscomplexobj(value) and not complex_allowed:
        raise TypeError(f"{name} returned dtype {value.dtype}, expected real floating-point numbers")
    if value.ndim > 1:
        raise ValueError(f"{name} returned shape {list(value.shape)}, expected [M] or a scalar")
    if finite and not np.all(np.isfinite(np.asarray(value).astype(complex))):
        raise ValueError(f"{name} returned {value}{at}, expected finite numbers: is the point outside its domain?")
    return value


def evaluate(f, point, precision=None):
    """Return f(point) as a floating-point [M] or scalar: finite, complex at complex points only, no less precise than asked."""
    value = result("f", f(point), complex_allowed=jnp.iscomplexobj(point), at=f" at {point}")
    if precision is not None and jnp.finfo(value.dtype).eps > jnp.finfo(precision).eps:
        raise TypeError(f"f returned {value.dtype} for x in {precision}, expected at least that precision: convert x, or "
                        "turn on jax_enable_x64")
    return value

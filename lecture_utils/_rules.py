"""The pullbacks of `tape`, one for each primitive, in plain NumPy.

Idea: a rule gets the result and the arguments of a call and returns one function for each argument, g -> what the argument
receives when the result receives g. A function keeps what its body names, and nothing else: that is what the tape stores.
Source: A. Griewank, A. Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, section 4.3; M. B. Giles (2008) for matrices.
Since NumPy's functions accept traced arrays, so do the rules: derivatives of derivatives need nothing more.
"""
import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple


def shape(x):
    """The shape of an array, a traced one too, of a number, or of a list."""
    return () if isinstance(x, (float, int)) else x.shape if hasattr(x, "shape") else np.shape(x)


def sum_to(g, to):
    """The adjoint of broadcasting from shape `to`: sum g over the axes that broadcasting added or stretched."""
    if g.shape == to:
        return g
    new = len(g.shape) - len(to)
    stretched = (i for i, n in enumerate(to, new) if n == 1 != g.shape[i])
    return np.reshape(np.sum(g, axis=(*range(new), *stretched)), to)


def kept(full, axis):
    """The shape that a reduction leaves if it keeps its axes, with length 1."""
    axes = range(len(full)) if axis is None else normalize_axis_tuple(axis, len(full))
    return tuple(1 if i in axes else n for i, n in enumerate(full))


def add(out, x, y):
    to_x, to_y = shape(x), shape(y)                              # no value is stored, only shapes
    return lambda g: sum_to(g, to_x), lambda g: sum_to(g, to_y)


def subtract(out, x, y):
    to_x, to_y = shape(x), shape(y)
    return lambda g: sum_to(g, to_x), lambda g: sum_to(-g, to_y)


def multiply(out, x, y):
    to_x, to_y = shape(x), shape(y)
    return lambda g: sum_to(g * y, to_x), lambda g: sum_to(g * x, to_y)


def divide(out, x, y):
    to_x, to_y = shape(x), shape(y)
    return lambda g: sum_to(g / y, to_x), lambda g: sum_to(-g * out / y, to_y)


def power(out, x, y):
    """y x^(y-1), which is 0 for y = 0 whatever x is; and log(x) x^y, which is 0 at x = 0 and NaN for x < 0."""
    to_x, to_y = shape(x), shape(y)
    less = (y - 1 if y else 1) if isinstance(y, (float, int)) else np.where(y == 0, 1.0, y - 1)
    return (lambda g: sum_to(g * (y * x**less), to_x), lambda g: sum_to(g * (np.log(np.where(x == 0, 1.0, x)) * out), to_y))


def maximum(out, x, y):
    """Where the two are equal, each receives half."""
    to_x, to_y, share = shape(x), shape(y), np.where(x == y, 0.5, x > y)
    return lambda g: sum_to(g * share, to_x), lambda g: sum_to(g * (1 - share), to_y)


def minimum(out, x, y):
    to_x, to_y, share = shape(x), shape(y), np.where(x == y, 0.5, x < y)
    return lambda g: sum_to(g * share, to_x), lambda g: sum_to(g * (1 - share), to_y)


def logaddexp(out, x, y):
    to_x, to_y = shape(x), shape(y)
    return lambda g: sum_to(g * np.exp(x - out), to_x), lambda g: sum_to(g * np.exp(y - out), to_y)


def where(out, condition, x, y):
    to_x, to_y = shape(x), shape(y)
    return (None, lambda g: sum_to(np.where(condition, g, 0.0), to_x), lambda g: sum_to(np.where(condition, 0.0, g), to_y))


def sum_(out, x, axis=None, keepdims=False):
    full = x.shape
    return (lambda g: np.broadcast_to(g if axis is None and not keepdims else np.reshape(g, kept(full, axis)), full),)


def max_(out, x, axis=None, keepdims=False):
    """Of max and min: where several are the result, they share."""
    one = kept(x.shape, axis)
    won = x == np.reshape(out, one)
    share = won / np.sum(won, axis=axis, keepdims=True)
    return (lambda g: np.reshape(g, one) * share,)


def matmul(out, x, y):
    """As matrices: a vector x is one row, a vector y one column; leading axes broadcast."""
    to_x, to_y = shape(x), shape(y)
    if len(to_x) == 2 and len(to_y) == 1:
        return lambda g: np.reshape(g, (-1, 1)) * y, lambda g: g @ x
    rows, columns = (to_x if len(to_x) > 1 else (1, *to_x)), (to_y if len(to_y) > 1 else (*to_y, 1))
    both = (*np.broadcast_shapes(rows[:-2], columns[:-2]), rows[-2], columns[-1])
    turn = lambda A: np.transpose(A, (*range(len(A.shape) - 2), -1, -2))
    return (lambda g: np.reshape(sum_to(np.reshape(g, both) @ turn(np.reshape(y, columns)), rows), to_x),
            lambda g: np.reshape(sum_to(turn(np.reshape(x, rows)) @ np.reshape(g, both), columns), to_y))


def transpose(out, x, axes=None):
    back = None if axes is None else tuple(np.argsort(normalize_axis_tuple(axes, len(x.shape))))
    return (lambda g: np.transpose(g, back),)


def reshape(out, x, shape):
    old = x.shape
    return (lambda g: np.reshape(g, old),)


def broadcast_to(out, x, shape):
    old = x.shape
    return (lambda g: sum_to(g, old),)


def concatenate(out, *xs, axis=0):
    ends, before = np.cumsum([shape(x)[axis] for x in xs]), (slice(None),) * (axis % len(out.shape))
    return [lambda g, part=slice(end - shape(x)[axis], end): g[(*before, part)] for x, end in zip(xs, ends)]


def getitem(out, x, index):
    full = x.shape
    return (lambda g: scatter(g, full, index),)


def scatter(g, full, index):
    """The adjoint of x[index] for x of shape `full`: zeros, to which g is added at index as often as it is named there."""
    if hasattr(g, "tape"):
        return g.scatter(full, index)
    zeros = np.zeros(full, g.dtype)
    np.add.at(zeros, index, g)
    return zeros


# name: (what it computes, its rule)
RULES = {
    "add": (np.add, add), "subtract": (np.subtract, subtract), "multiply": (np.multiply, multiply), "divide": (np.divide, divide),
    "power": (np.power, power), "maximum": (np.maximum, maximum), "minimum": (np.minimum, minimum),
    "logaddexp": (np.logaddexp, logaddexp),
    "negative": (np.negative, lambda out, x: (lambda g: -g,)),
    "abs": (np.abs, lambda out, x: (lambda g: g * np.sign(x),)),
    "sign": (np.sign, lambda out, x: (None,)),
    "exp": (np.exp, lambda out, x: (lambda g: g * out,)),
    "expm1": (np.expm1, lambda out, x: (lambda g: g * (out + 1),)),
    "log": (np.log, lambda out, x: (lambda g: g / x,)),
    "log1p": (np.log1p, lambda out, x: (lambda g: g / (1 + x),)),
    "sqrt": (np.sqrt, lambda out, x: (lambda g: g / (2 * out),)),
    "square": (np.square, lambda out, x: (lambda g: g * (2 * x),)),
    "sin": (np.sin, lambda out, x: (lambda g: g * np.cos(x),)),
    "cos": (np.cos, lambda out, x: (lambda g: -g * np.sin(x),)),
    "tanh": (np.tanh, lambda out, x: (lambda g: g * ((1 + out) * (1 - out)),)),
    "where": (np.where, where), "matmul": (np.matmul, matmul),
    "sum": (lambda x, axis=None, keepdims=False: np.sum(x, axis=axis, keepdims=keepdims), sum_),
    "max": (lambda x, axis=None, keepdims=False: np.max(x, axis=axis, keepdims=keepdims), max_),
    "min": (lambda x, axis=None, keepdims=False: np.min(x, axis=axis, keepdims=keepdims), max_),
    "reshape": (lambda x, shape: np.reshape(x, shape), reshape), "transpose": (lambda x, axes=None: np.transpose(x, axes), transpose),
    "broadcast_to": (lambda x, shape: np.broadcast_to(x, shape), broadcast_to),
    "concatenate": (lambda *xs, axis=0: np.concatenate(xs, axis=axis), concatenate),
    "getitem": (lambda x, index: x[index], getitem),
    "scatter": (scatter, lambda out, g, full, index: (lambda h: h[index], None, None)),
}

"""Forward mode by dual numbers: an ordinary NumPy program, run on numbers that carry their tangents.

Idea: x + ẋε with ε² = 0, and f(x + ẋε) = f(x) + ∂f(x)[ẋ] ε; each derivative call has an ε of its own, told apart by a tag.
Source: J. M. Siskind, B. A. Pearlmutter, Nesting forward-mode AD in a functional framework, Higher-Order and Symbolic
Computation 21 (2008) 361-376, for the tags; A. Griewank, A. Walther, Evaluating Derivatives, SIAM 2008, for the rules.
"""
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np

from lecture_utils import _inputs

_tags = itertools.count(1)                                    # a later derivative call gets a larger tag


class Dual:
    """The number primal + tangent ε, where ε belongs to one derivative call, the one with this tag.

    primal: a float, a NumPy array, a JAX array or tracer, or a Dual with a smaller tag. tangent: the same, of the shape of
    primal. tag: an int; the call that started last has the largest, and its Dual is the outermost one.

    The NumPy functions of RULES, scipy.special.erf, `@`, indexing, np.sum, mean, cumsum, reshape, transpose, stack,
    concatenate and where work on Duals, and call jax.numpy where a JAX array is inside. Comparisons look at primals. What
    would lose the tangent raises TypeError: float(x), int(x), functions of `math`, np.array([x, …]), writing into an array
    (NumPy makes a ValueError of it, "setting an array element with a sequence", where one entry is written).
    Where a function has no derivative, the result is a convention: abs and sign have 0 at 0; maximum and minimum have half
    of each at a tie; a branch, and where, have the derivative of the side taken; sqrt and log have inf or NaN at 0.

    >>> np.sin(Dual(0.0, 1.0, 1)) * 3 + 1
    Dual(1.0, 3.0, tag=1)
    """
    __slots__ = ("primal", "tangent", "tag")
    __hash__ = None  # type: ignore[assignment]  # == compares elementwise, so a Dual is no key

    def __init__(self, primal, tangent, tag):
        self.primal, self.tangent, self.tag = primal, tangent, tag

    def __repr__(self):
        show = lambda part: repr(part.item() if isinstance(part, (np.generic, np.ndarray)) and np.ndim(part) == 0 else part)
        return f"Dual({show(self.primal)}, {show(self.tangent)}, tag={self.tag})"

    shape = property(lambda self: np.shape(_base(self)))
    ndim = property(lambda self: np.ndim(_base(self)))
    size = property(lambda self: np.size(_base(self)))
    dtype = property(lambda self: _base(self).dtype)
    T = property(lambda self: np.transpose(self))
    sum = lambda self, axis=None, keepdims=False: np.sum(self, axis=axis, keepdims=keepdims)
    mean = lambda self, axis=None, keepdims=False: np.mean(self, axis=axis, keepdims=keepdims)
    reshape = lambda self, *shape: np.reshape(self, shape[0] if len(shape) == 1 else shape)
    ravel = lambda self: np.ravel(self)
    __pos__ = lambda self: self
    __len__ = lambda self: len(self.primal)
    __iter__ = lambda self: (self[i] for i in range(len(self)))
    __getitem__ = lambda self, i: Dual(self.primal[i], self.tangent[i], self.tag)
    __bool__ = lambda self: bool(self.primal)

    def __array_ufunc__(self, ufunc, method, *args, **options):
        if method != "__call__" or options:
            raise TypeError(f"np.{ufunc.__name__} came with a Dual and {'.' + method if method != '__call__' else list(options)}, "
                            "expected a plain call: a tangent cannot be written into an array in place")
        return _elementwise(ufunc, [np.asarray(x) if isinstance(x, (list, tuple)) else x for x in args])

    def __array_function__(self, function, types, args, options):
        name = function.__name__
        first, *rest = args or (None,)
        if name in ("shape", "ndim", "size", "zeros_like", "ones_like"):
            return _call(function, _base(first), *rest, **options)
        if not args or len(args) > (3 if name == "where" else 2) or set(options) - _OPTIONS:
            raise TypeError(f"np.{name} came with a Dual, {len(args)} positional arguments and the options {sorted(options)}, "
                            f"expected the array first, one argument more at most, and only {', '.join(sorted(_OPTIONS))}")
        if name == "where":
            return _linear(lambda *parts: _call(function, _base(first), *parts), rest)
        if name in ("stack", "concatenate"):
            return _linear(lambda *parts: _call(function, list(parts), *rest, **options), first)
        if name in _LINEAR:
            return _linear(lambda part: _call(function, part, *rest, **options), [first])
        raise TypeError(f"np.{name} came with a Dual and has no rule, expected a function that the docstring of Dual names")


def _tangent_of_power(t, y, a, b):
    """b a^(b-1) t, and 0 where a and b are 0."""
    if isinstance(b, (int, float)):
        return t * (b * a ** (b - 1)) if b else t * 0.0
    both = (a == 0) & (b == 0)
    return t * _call(np.where, both, 0.0, b * _call(np.where, both, 1.0, a) ** (b - 1))


def _tangent_of_base(t, y, a, b):
    """y log(a) t, and 0 where a is 0; in the type of t where a is a number of Python."""
    if isinstance(a, (int, float)):
        return t * y * (math.log(a) if a > 0 else 0.0 if a == 0 else math.nan)
    return t * y * _call(np.log, _call(np.where, a == 0, 1.0, a))


def _share(t, a, b):
    """t where a > b, half of it where they are equal, 0 elsewhere."""
    return _call(np.where, a > b, t, _call(np.where, a == b, 0.5 * t, 0.0))


# One rule for each argument: its tangent t, the value y and the arguments a, b -> its share of the result's tangent.
RULES: dict[str, tuple] = {
    "add": (lambda t, y, a, b: t, lambda t, y, a, b: t),
    "subtract": (lambda t, y, a, b: t, lambda t, y, a, b: -t),
    "multiply": (lambda t, y, a, b: t * b, lambda t, y, a, b: a * t),
    "divide": (lambda t, y, a, b: t / b, lambda t, y, a, b: -y * t / b),
    "matmul": (lambda t, y, a, b: t @ b, lambda t, y, a, b: a @ t),
    "power": (_tangent_of_power, _tangent_of_base),
    "maximum": (lambda t, y, a, b: _share(t, a, b), lambda t, y, a, b: _share(t, b, a)),
    "minimum": (lambda t, y, a, b: _share(t, b, a), lambda t, y, a, b: _share(t, a, b)),
    "negative": (lambda t, y, a: -t,),
    "square": (lambda t, y, a: 2.0 * a * t,),
    "sqrt": (lambda t, y, a: t / (2.0 * y),),
    "exp": (lambda t, y, a: y * t,),
    "expm1": (lambda t, y, a: (y + 1.0) * t,),
    "log": (lambda t, y, a: t / a,),
    "log1p": (lambda t, y, a: t / (1.0 + a),),
    "sin": (lambda t, y, a: _call(np.cos, a) * t,),
    "cos": (lambda t, y, a: -_call(np.sin, a) * t,),
    "tan": (lambda t, y, a: (1.0 + y * y) * t,),
    "tanh": (lambda t, y, a: (1.0 - y * y) * t,),
    "arctan": (lambda t, y, a: t / (1.0 + a * a),),
    "absolute": (lambda t, y, a: _call(np.sign, a) * t,),
    "sign": (lambda t, y, a: 0.0 * t,),
    "erf": (lambda t, y, a: 2 / math.sqrt(math.pi) * _call(np.exp, -a * a) * t,),
}
_COMPARISONS = {"lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal}
_OPTIONS = {"axis", "axes", "keepdims", "where", "shape"}
_LINEAR = ("sum", "mean", "cumsum", "reshape", "ravel", "transpose", "broadcast_to")


def _operator(ufunc):
    return lambda self, *other: ufunc(self, *other)


for _name, _ufunc in {"add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "pow": np.power,
                      "matmul": np.matmul}.items():
    setattr(Dual, f"__{_name}__", _operator(_ufunc))
    setattr(Dual, f"__r{_name}__", lambda self, other, ufunc=_ufunc: ufunc(other, self))
for _name, _ufunc in {**_COMPARISONS, "neg": np.negative, "abs": np.absolute}.items():
    setattr(Dual, f"__{_name}__", _operator(_ufunc))


def _refuse(self, *args, **options):
    raise TypeError("a Dual was to become a float, an int or an entry of an array, which would drop its tangent, expected "
                    "NumPy's functions (np.exp(x), not math.exp(x)), and np.stack([x, …]) for np.array or writing into one")


for _name in ("float", "int", "complex", "index", "round", "floor", "ceil", "trunc", "array"):
    setattr(Dual, f"__{_name}__", _refuse)


def _base(x):
    """The number inside all Duals."""
    while isinstance(x, Dual):
        x = x.primal
    return x


def _call(function, *args, **options):
    """Call a function of NumPy, which hands Duals back to Dual, or jax.numpy's if there is a JAX array and no Dual."""
    parts = [x for arg in args for x in (arg if isinstance(arg, list) else [arg])]
    if any(isinstance(x, jax.Array) for x in parts) and not any(isinstance(x, Dual) for x in parts):
        function = getattr(jnp, function.__name__, None) or getattr(jax.scipy.special, function.__name__)
    return function(*args, **options)


def _split(args):
    """The largest tag, which arguments are Duals of it, and the arguments without their tangents there."""
    tag = max(x.tag for x in args if isinstance(x, Dual))
    mine = [isinstance(x, Dual) and x.tag == tag for x in args]
    return tag, mine, [x.primal if own else x for x, own in zip(args, mine)]


def _elementwise(ufunc, args):
    """The value by the function itself, the tangent by its rule; both recurse where primals are Duals of smaller tags."""
    tag, mine, primals = _split(args)
    y = _call(ufunc, *primals)
    if ufunc in _COMPARISONS.values():
        return y
    if ufunc.__name__ not in RULES:
        raise TypeError(f"np.{ufunc.__name__} came with a Dual and has no rule, expected one of {', '.join(RULES)}")
    first, *second = [rule(x.tangent, y, *primals) for rule, x, own in zip(RULES[ufunc.__name__], args, mine) if own]
    tangent = first + second[0] if second else first
    if np.shape(_base(tangent)) != np.shape(_base(y)):        # x + [1, 2, 3] has three tangents, all of them x's
        tangent = tangent + _call(np.zeros_like, _base(y))
    return Dual(y, tangent, tag)


def _linear(function, args):
    """A linear function of primals, and of tangents; what has no tangent here has zeros."""
    tag, mine, primals = _split(args)
    zeros = [0.0 if isinstance(x, (int, float)) else _call(np.zeros_like, _base(x)) for x in primals]
    return Dual(function(*primals), function(*[x.tangent if own else zero for x, own, zero in zip(args, mine, zeros)]), tag)


def jvp(f, primals, tangents):
    """Return f(*primals) and its derivative along tangents, both from one run of f: the pair (y, ∂f(x)[v]).

    f: a program as the docstring of Dual describes it; it may call derivative or jvp itself. primals: a tuple of floats,
    NumPy arrays, JAX arrays or tracers, or Duals, floating-point, of any shapes. tangents: a tuple of directions, one for
    each, of the same shape and type.

    Cost: one run of f on Duals, which takes for each operation of f at most a few more of the same size.
    Raises TypeError or ValueError if primals or tangents are no such tuples, or f returns something else than one real
    number or array; TypeError if f leaves the overloading (float(x), math.exp(x), an array that is written into).

    >>> y, dot = jvp(lambda x, z: x * np.exp(z), (2.0, 0.0), (1.0, 3.0))
    >>> float(y), float(dot)
    (2.0, 7.0)
    """
    _inputs.function("f", f)
    if not isinstance(primals, (tuple, list)) or not primals:
        raise TypeError(f"primals is {primals!r}, expected a tuple with one number or array for each argument of f")
    if not isinstance(tangents, (tuple, list)) or len(tangents) != len(primals):
        raise TypeError(f"tangents is {tangents!r}, expected a tuple as long as primals, {len(primals)}")
    primals = [_number(f"primals[{i}]", x) for i, x in enumerate(primals)]
    tangents = [_number(f"tangents[{i}]", v) for i, v in enumerate(tangents)]
    for i, (x, v) in enumerate(zip(map(_base, primals), map(_base, tangents))):
        if v.shape != x.shape:
            raise ValueError(f"tangents[{i}] has shape {list(v.shape)}, expected that of primals[{i}]: {list(x.shape)}")
        if v.dtype != x.dtype:
            raise TypeError(f"tangents[{i}] has dtype {v.dtype}, expected that of primals[{i}]: {x.dtype}")
    tag = next(_tags)
    y = f(*[Dual(x, v, tag) for x, v in zip(primals, tangents)])
    if isinstance(y, (Dual, jax.Array)) and np.iscomplexobj(_base(y)):
        raise TypeError("f returned complex numbers, expected real ones")
    if isinstance(y, Dual) and y.tag > tag:
        raise ValueError("f returned a Dual of a derivative inside it that has ended, expected what that derivative returned")
    if isinstance(y, Dual) and y.tag == tag:
        return y.primal, y.tangent
    if not isinstance(y, (Dual, jax.Array)):
        if isinstance(y, (tuple, list)):
            raise TypeError(f"f returned a {type(y).__name__}, expected one number or array: np.stack makes one of several")
        _inputs.numbers("what f returned", y)
    return y, 1.0 * _call(np.zeros_like, _base(y))[()]        # it does not depend on the primals


def derivative(f):
    """Return the derivative of a function of one number: derivative(f)(x, *rest) is ∂f/∂x at x, with the rest held fixed.

    f: a program as the docstring of Dual describes it; it may return an array, and may call derivative itself: nest it for
    higher derivatives. x: a floating-point scalar: a float, NumPy or JAX scalar or tracer, or Dual. Inside jax.vmap, x is one too.

    Cost: one run of f on Duals; nested k deep, each operation costs up to a constant times 3 to the k.
    Raises TypeError if f is no function; the function returned raises TypeError or ValueError if x is no such scalar (for
    arrays, take jvp with a direction), and whatever jvp raises.

    >>> f = lambda x: x**3 + np.exp(0 * x)
    >>> [float(d(2.0)) for d in (derivative(f), derivative(derivative(f)), derivative(derivative(derivative(f))))]
    [12.0, 12.0, 6.0]
    """
    _inputs.function("f", f)

    def df(x, *rest):
        x = _number("x", x)
        if x.shape != ():
            raise ValueError(f"x has shape {list(x.shape)}, expected one number: for an array, take jvp with a direction")
        return jvp(lambda x: f(x, *rest), (x,), (_call(np.ones_like, _base(x))[()],))[1]

    return df


def _number(name, value):
    """Return value as a floating-point scalar or array of NumPy, as a JAX array, or as the Dual that it is."""
    if isinstance(value, Dual):
        return value
    if not isinstance(value, jax.Array):
        value = _inputs.numbers(name, value)
    if not jnp.issubdtype(value.dtype, jnp.floating):
        raise TypeError(f"{name} has dtype {value.dtype}, expected floating-point numbers, such as 2.0 for 2")
    return value if isinstance(value, jax.Array) else value[()]

"""Reverse mode on NumPy arrays: write down each operation of a run, then go through the list from its end.

Idea: a record of the list knows its parents and, for each of them, the pullback: the function that takes the cotangent of
the result to what the parent receives of it. One loop over the list, backward, adds up what arrives; nothing recurses.
Source: A. Griewank, A. Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, section 3.2; B. Speelpenning (1980) for the list.
"""
import gc
import itertools
import operator
import types
from typing import Any

import numpy
from numpy.lib.array_utils import normalize_axis_index

from lecture_utils import _inputs
from lecture_utils._graph import Node
from lecture_utils._rules import RULES

_levels = itertools.count()
_OPERATORS = {"add": "add", "subtract": "sub", "multiply": "mul", "divide": "truediv", "power": "pow", "matmul": "matmul"}
np: Any                                                          # the namespace of primitives, made below, as are these two:
_getitem: Any
_scatter: Any
_COMPARISONS = {"less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge", "equal": "eq", "not_equal": "ne"}


class Tape:
    """The list. A record is (op, links), a link (parent, pullback) for each argument: the index of a record, an int, and None for
    the pullback if nothing is sent there (sign); or for a constant (its value, a float, or None for an array, None).

    values: the result of each record, kept with the constants for `to_graph` where the program was run on `inputs`; else None.
    """
    __slots__ = ("records", "level", "values")

    def __init__(self, values=None):
        self.records, self.level, self.values = [], next(_levels), values


class Var:
    """A traced array: its value, its tape, its index there. Python's operators and the functions of `tape.np` record themselves.

    value: a NumPy array or number, or a Var of an older tape where derivatives are nested. Comparisons and `if` look at values.
    NumPy's own functions work where `tape.np` has them. What would lose the derivative raises TypeError: float(x),
    numpy.asarray(x), x[i] = ..., other functions.
    """
    __slots__ = ("value", "tape", "index")
    __hash__ = None  # type: ignore[assignment]  # == compares elementwise, so a Var is no key

    def __init__(self, value, tape, index):
        self.value, self.tape, self.index = value, tape, index

    shape = property(lambda self: self.value.shape)
    ndim = property(lambda self: len(self.value.shape))
    size = property(lambda self: self.value.size)
    dtype = property(lambda self: self.value.dtype)
    T = property(lambda self: np.transpose(self))
    sum = lambda self, axis=None, keepdims=False: np.sum(self, axis=axis, keepdims=keepdims)
    mean = lambda self, axis=None, keepdims=False: np.mean(self, axis=axis, keepdims=keepdims)
    max = lambda self, axis=None, keepdims=False: np.max(self, axis=axis, keepdims=keepdims)
    min = lambda self, axis=None, keepdims=False: np.min(self, axis=axis, keepdims=keepdims)
    reshape = lambda self, *shape: np.reshape(self, shape[0] if len(shape) == 1 else shape)
    scatter = lambda self, full, index: _scatter(self, full, index)
    __getitem__ = lambda self, index: _getitem(self, index)
    __neg__ = lambda self: np.negative(self)
    __abs__ = lambda self: np.abs(self)
    __len__ = lambda self: len(_value(self))
    __iter__ = lambda self: (self[i] for i in range(len(self)))
    __bool__ = lambda self: bool(_value(self))
    __repr__ = lambda self: f"Var({_value(self)!r})"

    def __setitem__(self, index, value):
        raise TypeError("a traced array was written to, expected no assignment: use np.where or np.concatenate")

    def _lost(self, *_, **__):
        raise TypeError("a traced Var would become a plain number and lose its derivative, expected functions of tape.np, on "
                        "NumPy's arrays: of pandas take .to_numpy()")

    __float__ = __int__ = __complex__ = __index__ = __array__ = item = _lost

    def __array_ufunc__(self, ufunc, method, *args, **options):
        if method == "__call__" and not options:
            if ufunc.__name__ in _OPS:                           # above all array + Var, on its way to Var's operator
                return _OPS[ufunc.__name__](*args)
            if ufunc.__name__ in _COMPARISONS:
                return ufunc(*map(_value, args))
        return self.__array_function__(ufunc if method == "__call__" else getattr(ufunc, method), (), args, options)

    def __array_function__(self, function, kinds, args, options):
        name = {"absolute": "abs", "amax": "max", "amin": "min"}.get(function.__name__, function.__name__)
        if name not in vars(np) or options.keys() - {"axis", "keepdims", "shape", "axes"} or len(args) > 2 and name != "where":
            raise TypeError(f"numpy.{name} got a traced Var{f' and {list(options)}' if options else ''}, expected a function of "
                            f"tape.np, without other options than axis and keepdims: {', '.join(sorted(vars(np)))}")
        return getattr(np, name)(*args, **options)


_PLAIN = (Var, numpy.ndarray, numpy.generic)


def _value(x):
    """The plain number or array under all levels of tracing."""
    while type(x) is Var:
        x = x.value
    return x


def _primitive(name, forward, rule):
    """Return forward as a function that also takes Vars: it then runs on the values and writes a record on their newest tape."""
    run = getattr(operator, _OPERATORS[name]) if name in _OPERATORS else forward     # far faster than NumPy's on single numbers

    def op(*args, **options):
        tape: Any = None
        links: Any
        for x in args:
            if type(x) is Var and (tape is None or x.tape.level > tape.level):
                tape = x.tape
        if tape is None:
            return forward(*args, **options)
        if len(args) == 1:
            value = args[0].value
            result = run(value, **options)
            links = ((args[0].index, rule(result, value, **options)[0]),)
        else:
            values, links = [], []
            for x in args:
                values.append(x.value if type(x) is Var and x.tape is tape else x)
            result = run(*values, **options)
            if not isinstance(result, _PLAIN):                   # pandas would go by its labels, JAX by its precision: neither may
                values = [x if isinstance(x, (*_PLAIN, int, float)) else numpy.asarray(x) for x in values]
                result = run(*values, **options)
            for x, pullback in zip(args, rule(result, *values, **options)):
                if type(x) is Var and x.tape is tape:
                    links.append((x.index, pullback))
                elif tape.values is not None:                    # a constant: its pullback, and all that it names, is dropped
                    links.append((float(x) if isinstance(x, (int, float)) else None, None))
        records = tape.records
        records.append((name, links))
        if tape.values is not None:
            tape.values.append(result)
        return Var(result, tape, len(records) - 1)

    op.__name__ = op.__qualname__ = name
    return op


_OPS = {name: _primitive(name, *rule) for name, rule in RULES.items()}
_getitem, _scatter, _join = _OPS.pop("getitem"), _OPS.pop("scatter"), _OPS.pop("concatenate")


def _mean(x, axis=None, keepdims=False):
    total = np.sum(x, axis=axis, keepdims=keepdims)
    return total / (numpy.size(_value(x)) / numpy.size(_value(total)))


def _stack(xs, axis=0):
    shapes = {numpy.shape(_value(x)) for x in xs}
    if len(shapes) != 1:
        raise ValueError(f"stack got arrays of shapes {', '.join(str(list(s)) for s in sorted(shapes)) or 'none'}, expected one")
    (shape,) = shapes
    axis = normalize_axis_index(axis, len(shape) + 1)
    return np.concatenate([np.reshape(x, (*shape[:axis], 1, *shape[axis:])) for x in xs], axis)


np = types.SimpleNamespace(
    **_OPS, mean=_mean, stack=_stack, concatenate=lambda xs, axis=0: _join(*xs, axis=axis))

for _name, _symbol in _OPERATORS.items():
    setattr(Var, f"__{_symbol}__", _OPS[_name])
    setattr(Var, f"__r{_symbol}__", lambda x, y, op=_OPS[_name]: op(y, x))
for _name, _symbol in _COMPARISONS.items():
    setattr(Var, f"__{_symbol}__", lambda x, y, compare=getattr(numpy, _name): compare(_value(x), _value(y)))


def inputs(*primals):
    """Return the primals as Vars, a tuple, at the start of a new tape.

    primals: floating-point numbers or arrays, of NumPy or JAX, or Vars of an older tape; a Python float counts as float64.
    Arrays are kept by reference, not copied: write to none of them before the last pullback. This tape also keeps all results.

    Raises TypeError if a primal is not real floating-point.

    >>> x, = inputs(2.0)
    >>> y = 3 * np.sin(x)
    >>> [op for op, links in y.tape.records]
    ['', 'sin', 'multiply']
    """
    return _start(Tape(values=[]), primals)


def _start(tape, primals):
    """Return the primals as Vars at the start of the tape, checked."""
    variables = []
    for i, primal in enumerate(primals):
        if type(primal) is not Var:
            primal = numpy.asarray(_inputs.numbers(f"primals[{i}]", primal))[()]
        if not numpy.issubdtype(primal.dtype, numpy.floating):
            raise TypeError(f"primals[{i}] has dtype {primal.dtype}, expected floating-point numbers")
        tape.records.append(("", []))
        variables.append(Var(primal, tape, i))
        if tape.values is not None:
            tape.values.append(primal)
    return tuple(variables)


def vjp(f, *primals):
    """Return (y, pullback): y = f(*primals), and the function u -> (∂f/∂primal)ᵀ[u], one result for each primal.

    f: a function of arrays to one array, in the names of NumPy that `tape.np` has. primals: as for `inputs`. u: of y's shape.
    A pullback may be called again, with another u. Where f has no derivative: abs gets 0 at 0; of equal arguments, maximum
    and max give each the same share. The derivative is that of the path that was run: an `if` on values is not seen.

    Cost: f once, and about a microsecond more for each operation. The tape keeps, until pullback is dropped, what the pullbacks
    name: nothing for a sum, the other factor for a product, the result for exp. So write into no primal, not into y, and into no
    array that f used, before the last pullback: the gradient would be wrong without a word. A pullback goes through the tape
    once, from its end, at a few times the cost of f, whatever the number of primals; nothing recurses. Python's collector of
    cyclic garbage rests while f runs.
    Raises TypeError if f is no function, returns anything but one real array or number, or loses the derivative on the way
    (see `Var`), or if a primal is not floating-point; ValueError or TypeError in pullback if u is not like y.

    >>> y, pullback = vjp(lambda A, x: A @ np.sin(x), numpy.ones((2, 3)), numpy.zeros(3))
    >>> [cotangent.shape for cotangent in pullback(numpy.array([1.0, 2.0]))]
    [(2, 3), (3,)]
    """
    _inputs.function("f", f)
    tape = Tape()
    variables, collecting = _start(tape, primals), gc.isenabled()
    gc.disable()                                                 # else Python walks the growing tape again and again for nothing
    try:
        y = f(*variables)
    finally:
        if collecting:
            gc.enable()
    if type(y) is not Var:
        if isinstance(y, (list, tuple)):
            raise TypeError(f"f returned a {type(y).__name__}, expected one array: use np.stack or np.concatenate")
        y = numpy.asarray(_inputs.numbers("the result of f", y))[()]
    traced = type(y) is Var and y.tape is tape
    if type(y) is Var and not traced and y.tape.level >= tape.level:
        raise ValueError("f returned a Var of another run, or a copy of one, expected a result of its arguments")
    if y.dtype.kind == "c":
        raise TypeError(f"f returned dtype {y.dtype}, expected real numbers")
    value = y.value if traced else y                             # if not traced, f does not depend on its arguments

    def pullback(u):
        u = u if type(u) is Var else numpy.asarray(_inputs.numbers("u", u))[()]
        if u.shape != value.shape:
            raise ValueError(f"u has shape {list(u.shape)}, expected that of f's result: {list(value.shape)}")
        if traced and type(u) is not Var:
            u = u.astype(value.dtype, copy=False)                # a float64 u would make all of a float32 sweep float64
        found = _sweep(y, u, len(variables)) if traced else [None] * len(variables)
        return tuple(_own(g, x.value, (u, *found[:i])) for i, (g, x) in enumerate(zip(found, variables)))

    return value, pullback


def _sweep(y, u, n):
    """Return what arrives at the first n records of y's tape when u sets out from y; None where nothing does."""
    records, cotangents = y.tape.records, [None] * max(y.index + 1, n)
    cotangents[y.index] = u
    for i in range(y.index, n - 1, -1):
        g = cotangents[i]                                        # complete: all that uses record i stands after it
        if g is not None:
            cotangents[i] = None                                 # and no longer needed
            for parent, pullback in records[i][1]:
                if pullback is not None:
                    sent, before = pullback(g), cotangents[parent]
                    cotangents[parent] = sent if before is None else before + sent      # not in place: sent may be g itself
    return cotangents[:n]


def _own(g, x, others):
    """The cotangent g of an input of value x as an array of x's type that is no part of another one; zeros if nothing arrived."""
    if g is None:
        return numpy.zeros_like(_value(x))[()]
    if g.dtype.kind == "c":
        raise TypeError("f computed with complex numbers on the way, expected real ones")
    if type(g) is Var:
        return g
    g = numpy.asarray(g, dtype=x.dtype)
    return g.copy() if g.base is not None or any(g is other for other in others) else g[()]


def grad(f):
    """Return the function (x, *rest) -> gradient of the scalar f(x, *rest) with respect to x, of x's shape and type.

    f: as for `vjp`, with a scalar result. rest: passed on as they are. grad(grad(f)) works where f's derivative is a scalar.

    Cost: one run of f and one pullback, whatever the size of x.
    Raises, beside what `vjp` raises, ValueError if f's result is no scalar.

    >>> grad(lambda x: np.sum(x * x))(numpy.array([1.0, 2.0]))
    array([2., 4.])
    """
    _inputs.function("f", f)

    def gradient(x, *rest):
        y, pullback = vjp(lambda x: f(x, *rest), x)
        if y.shape != ():
            raise ValueError(f"f returned shape {list(y.shape)}, expected a scalar: use vjp")
        return pullback(1.0)[0]

    return gradient


def to_graph(y):
    """Return the tape up to y as a list of `plot.Node`s (name, op, parents, value), in order, for `plot.graph_plot`.

    y: a Var, from a program run on `inputs`. Inputs are x1, x2, … (x, if there is one), steps a, b, c, … without x;
    constants stand in the op: "multiply(3, ·)", "…" for an array. value: the number, or for an array its shape.
    Steps that y does not need are left out, inputs never.

    Cost: one pass over the tape; value only of numbers.
    Raises TypeError if y is no Var.

    >>> x, = inputs(0.0)
    >>> [node.op for node in to_graph(3 * np.sin(x))]
    ['', 'sin', 'mul(3, ·)']
    """
    if type(y) is not Var:
        raise TypeError(f"y is {y!r}, expected a Var: run the program on tape.inputs(...)")
    records, values = y.tape.records, y.tape.values
    if values is None:
        raise TypeError("y is from a run inside vjp or grad, expected a Var from a run on tape.inputs(...)")
    needed, inputs_ = {y.index}, sum(op == "" for op, _ in records)
    for i in range(y.index, -1, -1):
        if i in needed:
            needed.update(parent for parent, _ in records[i][1] if type(parent) is int)
    letters, names, nodes = _letters(), {}, []
    for i, ((op, links), value) in enumerate(zip(records[:y.index + 1], values)):
        if i in needed or op == "":
            names[i] = next(letters) if op else "x" if inputs_ == 1 else f"x{i + 1}"
            op = _OPERATORS.get(op, op).replace("truediv", "div").replace("negative", "neg")
            if any(type(parent) is not int for parent, _ in links):
                shown = ("·" if type(parent) is int else "…" if parent is None else f"{parent:.4g}" for parent, _ in links)
                op += f"({', '.join(shown)})"
            number = float(_value(value)) if value.shape == () else str(list(value.shape))
            nodes.append(Node(names[i], op, tuple(names[parent] for parent, _ in links if type(parent) is int), number))
    return nodes


def _letters():
    """a, b, …, z, aa, ab, … without x, which names inputs."""
    for n in itertools.count(1):
        yield from ("".join(word) for word in itertools.product("abcdefghijklmnopqrstuvwyz", repeat=n))

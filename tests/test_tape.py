"""The tape gives JAX's gradients on random programs, of any length, stores only what its pullbacks name, and loses nothing silently."""
import copy
import gc
import math
import operator
import sys
import tracemalloc

import jax
import jax.numpy as jnp
import numpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lecture_utils import tape

np = tape.np

pytestmark = pytest.mark.usefixtures("x64")


# ---- random programs: each line takes results of earlier lines, by number, and a number that chooses among variants

UNARY = [
    lambda np, x: np.sin(x), lambda np, x: np.cos(x), lambda np, x: np.tanh(x), lambda np, x: np.exp(np.tanh(x)),
    lambda np, x: np.log1p(np.square(x)), lambda np, x: np.sqrt(1 + x * x), lambda np, x: np.log(2 + np.sin(x)), lambda np, x: -x,
    lambda np, x: abs(x), lambda np, x: np.expm1(np.sin(x)), lambda np, x: (2 + np.sin(x)) ** 3 / 9, lambda np, x: x**2,
    lambda np, x: 1 / (2 + np.cos(x)), lambda np, x: 1.5**np.tanh(x), lambda np, x: x - 0.5, lambda np, x: 2 - x,
]
BINARY = [
    lambda np, x, y: x + y, lambda np, x, y: x - y, lambda np, x, y: x * y, lambda np, x, y: x / (2 + np.sin(y)),
    lambda np, x, y: np.maximum(x, y), lambda np, x, y: np.minimum(x, y), lambda np, x, y: np.logaddexp(x, y),
    lambda np, x, y: (1.5 + np.tanh(x)) ** np.tanh(y), lambda np, x, y: np.where(x > y, x * y, np.sin(x)),
    lambda np, x, y: np.where(y <= 0.1, 1.0, x), lambda np, x, y: x * x,
]
REDUCE = ["sum", "mean", "max", "min"]


def reduce(np, x, k):
    name, k = REDUCE[k % 4], k // 4
    axis = [None, *range(-x.ndim, x.ndim), tuple(range(x.ndim))][k % (2 * x.ndim + 2)]
    return getattr(np, name)(x, axis=axis, keepdims=bool(k // 7 % 2))


def index(np, x, k):
    if x.ndim == 0:
        return x
    n = x.shape[0]
    twice = numpy.array([0, n - 1, 0])
    return [lambda: x[0], lambda: x[..., -1], lambda: x[::-1], lambda: x[twice], lambda: x[numpy.arange(n) % 2 == 0],
            lambda: x[None], lambda: x[1:] if n > 1 else x, lambda: x[..., twice % x.shape[-1]]][k % 8]()


def product(np, x, y, k):
    if x.ndim and y.ndim and x.shape[-1] == y.shape[-2 if y.ndim > 1 else 0]:
        return x @ y
    if x.ndim > 1:
        return np.matmul(x, np.transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2)))
    return x @ x if x.ndim else x


def rearrange(np, x, k):
    return [lambda: np.reshape(x, (-1,)), lambda: x.T, lambda: np.transpose(x, tuple(range(x.ndim))[::-1]),
            lambda: np.broadcast_to(x, (2, *x.shape)), lambda: x.reshape(1, *x.shape), lambda: np.stack([x, x * 2.0], axis=-1),
            lambda: np.stack([x, 0.0 * x]), lambda: np.concatenate([x, x + 1.0], axis=-1) if x.ndim else x][k % 8]()


def run(np, lines, *xs, last=1000):
    """All lines, and a sum over the last so many results: [primals] -> scalar. Results stay small, and below 200 numbers."""
    found = list(xs)
    for kind, i, j, k in lines:
        x, y = found[i % len(found)], found[j % len(found)]
        if kind == 0:
            z = UNARY[k % len(UNARY)](np, x)
        elif kind == 1:
            try:
                numpy.broadcast_shapes(x.shape, y.shape)
            except ValueError:
                y = np.sum(y)
            z = BINARY[k % len(BINARY)](np, x, y)
        else:
            z = {2: lambda: reduce(np, x, k), 3: lambda: index(np, x, k), 4: lambda: product(np, x, y, k),
                 5: lambda: rearrange(np, x, k)}[kind]()
        if z.size <= 200:
            found.append(2.0 * np.sin(z) if kind == 4 or kind == 1 and k % 2 else z)
    return sum(np.sum(z * z) * (0.3 + n) / len(found) + np.sum(np.sin(z)) for n, z in enumerate(found[-last:]))


LINE = st.tuples(st.integers(0, 5), st.integers(0, 20), st.integers(0, 20), st.integers(0, 60))
SHAPES = st.sampled_from([(), (3,), (2, 3), (3, 1), (2, 1, 3)])


def assert_close(ours, theirs, tolerance=1e-12):
    """Equal to tolerance, relative to the largest entry of all."""
    theirs = [numpy.asarray(b) for b in theirs]
    scale = max(numpy.max(numpy.abs(b), initial=0) for b in theirs)
    assert numpy.isfinite(scale)
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        assert numpy.max(numpy.abs(a - b), initial=0) <= tolerance * scale, (a, b)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(SHAPES, min_size=1, max_size=3), st.lists(LINE, min_size=1, max_size=6), st.integers(0, 2**32 - 1),
       st.sampled_from([1, 2, 1000]))
def test_random_programs_have_the_gradients_of_jax(shapes, lines, seed, last):
    random = numpy.random.default_rng(seed)
    xs = [random.uniform(-2, 2, shape) for shape in shapes]
    y, pullback = tape.vjp(lambda *xs: run(np, lines, *xs, last=last), *xs)
    value, theirs = jax.value_and_grad(lambda *xs: run(jnp, lines, *xs, last=last), tuple(range(len(xs))))(*map(jnp.asarray, xs))
    assert_close([y], [value])
    assert_close(pullback(1.0), theirs)


def test_random_programs_use_all_that_tape_np_has():
    used, tried = set(), {name: getattr(np, name) for name in vars(np)}
    watched = type(np)(**{name: lambda *a, name=name, **k: (used.add(name), tried[name](*a, **k))[1] for name in tried})
    random = numpy.random.default_rng(0)
    for kind in range(6):
        for k in range(61):
            tape.vjp(lambda x, y: run(watched, [(kind, 0, 1, k), (kind, 1, 0, k)], x, y), *random.normal(size=(2, 2, 3)))
    operators = {"add", "subtract", "multiply", "divide", "power", "negative", "abs", "sign", "matmul"}
    assert set(vars(np)) - used - operators == set()


# ---- single functions, where random programs say little

X = numpy.array([[0.3, -1.2, 2.0], [1.5, 0.7, -0.4]])
SINGLE = {
    "power with exponent 0": lambda np, x: np.sum(x**0),
    "power at base 0": lambda np, x: np.sum((x - x) ** 2.0 + (x - x) ** 1.0),
    "power of arrays with exponents 0, 1, 2": lambda np, x: np.sum(x ** numpy.array([0.0, 1.0, 2.0])),
    "exponent of base 0": lambda np, x: np.sum(numpy.array([0.0, 1.0, 2.0]) ** abs(x)),
    "abs at 0": lambda np, x: np.sum(abs(x - x)),
    "maximum of equals": lambda np, x: np.sum(np.maximum(x, 1.0 * x)),
    "max of equals": lambda np, x: np.sum(np.max(np.stack([x, x * 1.0, x - 1.0]), axis=0)),
    "where with scalars": lambda np, x: np.sum(np.where(x > 0, x, 2.0) * np.where(x > 0, 0.5, x)),
    "sign": lambda np, x: np.sum(np.sign(x) * x),
    "constant on the left": lambda np, x: np.sum(numpy.ones((2, 1)) * x + numpy.arange(3.0) - numpy.array(2.0) / (x * x)),
    "batches of matrices": lambda np, x: np.sum(np.matmul(np.reshape(x, (1, 2, 3)), numpy.ones((4, 3, 2)) * 0.3) ** 2),
    "a vector times batches": lambda np, x: np.sum((x[0] @ numpy.linspace(0, 1, 24).reshape(2, 3, 4)) ** 2),
    "batches times a vector": lambda np, x: np.sum((numpy.linspace(0, 1, 24).reshape(2, 4, 3) @ x[1]) ** 2),
    "a list on the left": lambda np, x: np.sum(np.matmul(numpy.array([1.0, 2.0]), x)),
    "python's sum, max and iteration": lambda np, x: sum(row[0] * row[2] for row in x) + max(x[0, 0], x[0, 1]),
    "a branch on a value": lambda np, x: np.sum(x * x) if x[0, 0] > 0 else np.sum(x),
    "augmented assignment": lambda np, x: _augmented(np, x),
}


def _augmented(np, x):
    z = x
    z += 1.0
    z *= z
    return np.sum(z)


@pytest.mark.parametrize("name", SINGLE)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_the_convention_is_that_of_jax(name):
    f = SINGLE[name]
    assert_close([tape.grad(lambda x: f(np, x))(X)], [jax.grad(lambda x: f(jnp, x))(jnp.asarray(X))])


def test_numpys_own_functions_record_themselves():
    f = lambda np, x: np.sum(np.exp(x) * np.where(x > 0, x, 0.0), axis=0).max() + np.multiply(numpy.ones(3), x[0]).mean()
    assert_close([tape.grad(lambda x: f(numpy, x))(X)], [tape.grad(lambda x: f(np, x))(X)])


# ---- more than one level

def test_derivatives_nest_three_deep():
    f = lambda x: np.sin(x) * x**3
    for g, h in [(f, lambda x: jnp.sin(x) * x**3)]:
        for _ in range(3):
            g, h = tape.grad(g), jax.grad(h)
            assert math.isclose(g(1.3), h(1.3), rel_tol=1e-13)


def test_the_hessian_row_of_every_function_is_that_of_jax():
    lines = [(0, 0, 0, 3), (1, 1, 0, 3), (4, 2, 0, 0), (3, 2, 0, 3), (2, 1, 0, 2), (5, 3, 0, 5), (1, 0, 2, 7)]
    row = lambda np, grad: lambda x: np.sum(grad(lambda x: run(np, lines, x))(x) * numpy.linspace(-1, 1, 6).reshape(2, 3))
    assert_close([tape.grad(row(np, tape.grad))(X)], [jax.grad(row(jnp, jax.grad))(jnp.asarray(X))])


def test_an_inner_derivative_takes_the_outer_variable_for_a_constant():
    inner = lambda x: tape.grad(lambda y: x + y)(1.0)
    assert tape.grad(lambda x: x * inner(x))(1.0) == 1.0
    assert tape.grad(lambda x: x * tape.grad(lambda y: x * y * tape.grad(lambda z: x * y * z)(1.0))(2.0))(3.0) == 108.0    # 4 x^3


def test_a_cotangent_that_two_parents_receive_is_not_written_into():
    f = lambda np: lambda x, y: np.sum((x + y) * (1.5 * x) * x * y)       # of x + y both get the same array; then x gets more
    assert_close(tape.vjp(f(np), X, X + 1)[1](1.0), jax.grad(f(jnp), (0, 1))(jnp.asarray(X), jnp.asarray(X + 1)))
    g = lambda np: lambda x, y: np.sum((lambda v: (x + y) * v)(1.5 * x) ** 2)
    assert_close(tape.vjp(g(np), X, X + 1)[1](1.0), jax.grad(g(jnp), (0, 1))(jnp.asarray(X), jnp.asarray(X + 1)))


# ---- length, order, memory

def test_a_chain_of_100_000_operations_needs_no_recursion():
    def chain(x):
        for _ in range(50_000):
            x = np.sin(1.1 * x)
        return x

    deep, frame = 0, sys._getframe()
    while frame:
        deep, frame = deep + 1, frame.f_back
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(deep + 30)
    try:
        slope = tape.grad(chain)(0.5)
    finally:
        sys.setrecursionlimit(before)
    x, expected = 0.5, 1.0
    for _ in range(50_000):
        x, expected = math.sin(1.1 * x), expected * 1.1 * math.cos(1.1 * x)
    assert math.isclose(slope, expected, rel_tol=1e-9) or abs(slope) < 1e-300 > abs(expected)


def calls(f, *args):
    """How many functions Python calls while f runs, those in C included."""
    count = 0

    def watch(frame, event, _):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(watch)
    try:
        f(*args)
    finally:
        sys.setprofile(None)
    return count


def test_ten_times_the_length_takes_ten_times_the_calls():
    def chain(n):
        def f(x):
            for _ in range(n):
                x = 1.0 * x + 0.0 * x
            return x
        return calls(tape.grad(f), 0.5)

    short, long = chain(200), chain(2000)
    assert 9.5 < long / short < 10.5


def test_a_record_is_visited_once_however_often_its_result_is_used():
    def shared(x):
        for _ in range(60):                                      # 2**60 paths
            x = x + x
        return x

    assert tape.grad(shared)(1.0) == 2.0**60
    assert calls(tape.grad(shared), 1.0) < 3000


BIG = numpy.linspace(0.5, 1.5, 125_000)                          # one megabyte


def held(f):
    """Megabytes that the pullback of f at BIG keeps."""
    tracemalloc.start()
    try:
        _, pullback = tape.vjp(f, BIG)
        return round(tracemalloc.get_traced_memory()[0] / BIG.nbytes)
    finally:
        tracemalloc.stop()


def loop(step, times=10):
    def f(x):
        for _ in range(times):
            x = step(x)
        return np.sum(x)
    return f


@pytest.mark.parametrize("step, arrays", [
    (lambda x: x + 1.0, 0), (lambda x: x - BIG, 0), (lambda x: -x, 0), (lambda x: 0.5 * x, 0), (lambda x: x * BIG, 0),
    (lambda x: np.exp(-x), 10), (lambda x: np.sin(x), 9), (lambda x: x * x, 9), (lambda x: x[::-1], 0),
    (lambda x: np.reshape(x, (5, -1)).T.reshape(-1), 0)])
def test_the_tape_stores_what_the_pullbacks_name_and_no_more(step, arrays):
    assert held(loop(step)) == arrays                            # x * x and sin keep their argument, exp its result


def test_peak_memory_is_at_most_that_of_autograd():
    sys.path.insert(0, "benchmarks")
    try:
        import reverse_mode
    finally:
        sys.path.pop(0)
    for program in (reverse_mode.logit, reverse_mode.network, reverse_mode.chain):
        ours, theirs = reverse_mode.gradients(program)
        assert reverse_mode.peak_bytes(ours) <= reverse_mode.peak_bytes(theirs)
        for a, b in zip(ours(), theirs(), strict=True):
            assert numpy.max(numpy.abs(a - b)) <= 1e-12 * max(1.0, numpy.max(numpy.abs(b)))


@pytest.mark.parametrize("before", [True, False])
def test_the_garbage_collector_is_left_as_it_was(before):
    try:
        (gc.enable if before else gc.disable)()
        tape.grad(lambda x: tape.grad(np.sin)(x))(1.0)
        assert gc.isenabled() == before
        with pytest.raises(ZeroDivisionError):
            tape.grad(lambda x: x * (1 / 0))(1.0)
        assert gc.isenabled() == before
    finally:
        gc.enable()


# ---- what comes back

def test_a_pullback_can_be_used_again():
    y, pullback = tape.vjp(lambda x, z: np.sum(x * z, axis=1) + x[:, 0], X, X + 1)
    u, w = numpy.array([1.0, -2.0]), numpy.array([0.5, 3.0])
    first = pullback(u)
    assert_close([a + b for a, b in zip(pullback(u), pullback(w))], pullback(u + w))
    assert all(numpy.array_equal(a, b) for a, b in zip(first, pullback(u)))


def test_results_share_no_memory_with_each_other_with_u_or_with_the_inputs():
    x, z, u = numpy.ones(3), numpy.full(3, 2.0), numpy.ones(3)
    for f in (lambda x, z: x + z, lambda x, z: (x + z)[::-1], lambda x, z: np.broadcast_to(x, (3,)) - 0.0 * z, lambda x, z: x):
        y, pullback = tape.vjp(f, x, z)
        found = pullback(u)
        for i, a in enumerate(found):
            assert a.flags.writeable
            assert not any(numpy.shares_memory(a, b) for b in (u, x, z, *found[:i]))


def test_what_is_not_used_gets_zeros():
    y, pullback = tape.vjp(lambda x, z: np.sum(x), X, 2.0)
    assert pullback(1.0)[1] == 0.0 and pullback(1.0)[1].shape == ()
    assert tape.vjp(lambda x: 3.0, X)[0] == 3.0
    assert numpy.array_equal(tape.vjp(lambda x: 3.0, X)[1](1.0)[0], numpy.zeros_like(X))


def test_the_type_of_an_input_is_that_of_its_cotangent():
    x32 = X.astype(numpy.float32)
    y, pullback = tape.vjp(lambda x, z: np.sum(np.tanh(x) * z) * 2.0, x32, x32)
    assert y.dtype == numpy.float32 and [g.dtype for g in pullback(1.0)] == [numpy.float32] * 2
    y, pullback = tape.vjp(lambda x, z: np.sum(x * z), x32, X)
    assert [g.dtype for g in pullback(1.0)] == [numpy.float32, numpy.float64]
    assert tape.grad(lambda x: np.sum(x))(jnp.asarray(X)).dtype == numpy.float64


# ---- what is refused

@pytest.mark.parametrize("f", [
    lambda x: float(x[0, 0]), lambda x: int(x[0, 0]), lambda x: math.exp(x[0, 0]), lambda x: numpy.asarray(x).sum(),
    lambda x: numpy.array([x[0, 0], x[0, 1]]), lambda x: numpy.zeros_like(x), lambda x: numpy.cumsum(x), lambda x: numpy.floor(x),
    lambda x: numpy.add.reduce(x), lambda x: numpy.sum(x, dtype=int), lambda x: numpy.sum(x, 0, int),
    lambda x: numpy.sum(x, initial=5.0), lambda x: numpy.max(x, 0, numpy.ones(3)), lambda x: numpy.reshape(x, (3, 2), "F"), lambda x: operator.setitem(x, 0, 1.0),
    lambda x: x[0, 0].item(), lambda x: numpy.exp(x, out=numpy.ones((2, 3)))])
def test_what_would_lose_the_derivative_is_refused(f):
    with pytest.raises(TypeError, match="tape.np|np.where"):
        tape.vjp(f, X)


def test_a_traced_number_cannot_be_written_into_a_plain_array():
    with pytest.raises(ValueError, match="setting an array element") as error:            # NumPy's own; the reason is below it
        tape.vjp(lambda x: operator.setitem(numpy.zeros(3), 0, x[0, 0]), X)
    assert "expected functions of tape.np" in str(error.value.__cause__)


@pytest.mark.parametrize("result, kind", [
    ((1.0, 2.0), TypeError), ([1.0], TypeError), (None, TypeError), ("y", TypeError), (1j, TypeError), (True, TypeError)])
def test_a_result_that_is_no_array_is_refused(result, kind):
    with pytest.raises(kind, match="f"):
        tape.vjp(lambda x: result, X)


def test_u_must_be_like_the_result():
    pullback = tape.vjp(lambda x: x[0], X)[1]
    for u, kind in ((1.0, ValueError), (numpy.ones((1, 3)), ValueError), ("u", TypeError), (None, TypeError), (1j * X[0], TypeError)):
        with pytest.raises(kind, match="u "):
            pullback(u)


def test_a_gradient_is_that_of_a_scalar():
    with pytest.raises(ValueError, match=r"f returned shape \[3\], expected a scalar"):
        tape.grad(lambda x: x[0])(X)


def test_stack_takes_arrays_of_one_shape_along_an_axis_that_is_there():
    with pytest.raises(ValueError, match="stack got arrays of shapes"):
        tape.vjp(lambda x: np.stack([x, numpy.ones((3, 2))]), X)
    with pytest.raises(ValueError, match="axis 5"):
        tape.vjp(lambda x: np.stack([x, x], axis=5), X)


@pytest.mark.parametrize("f", [lambda x: x * 1j, lambda x: np.sum(abs(x * 1j)), lambda x: abs(2 * x + 1j * x)])
def test_complex_numbers_are_refused(f):
    with pytest.raises(TypeError, match="complex"):
        y, pullback = tape.vjp(f, X)
        pullback(numpy.ones(y.shape))


def test_a_result_of_another_run_is_refused():
    kept = []
    for f in (lambda x: copy.deepcopy(x), lambda x: (tape.grad(lambda z: kept.append(z) or np.sum(z))(x), kept[-1])[1]):
        with pytest.raises(ValueError, match="f returned a Var of another run"):
            tape.vjp(f, X)


def test_unsigned_and_boolean_constants_do_not_wrap():
    f = lambda np: lambda x: np.sum(np.minimum(x, numpy.array([2, 2, 2], numpy.uint8)) * np.maximum(x, numpy.array([True, False, True])))
    assert_close([tape.grad(f(np))(X)], [jax.grad(f(jnp))(jnp.asarray(X))])


def test_constants_of_pandas_go_by_position():
    pandas = pytest.importorskip("pandas")
    labels = pandas.Series([1.0, 2.0, 3.0], index=["a", "b", "c"]), pandas.Series([10.0, 20.0, 30.0], index=["c", "b", "a"])
    gradient = tape.grad(lambda x: np.sum((x * labels[0]) * labels[1]))(X[0])
    assert numpy.array_equal(gradient, [10.0, 40.0, 90.0])


def test_u_takes_the_type_of_the_result():
    pullback = tape.vjp(lambda x: -x, X[0])[1]
    assert numpy.array_equal(pullback(numpy.array([1, 2, 3], numpy.uint8))[0], [-1.0, -2.0, -3.0])


# ---- the graph

def test_the_graph_is_the_program_in_order_with_its_values():
    x1, x2 = tape.inputs(2.0, 5.0)
    unused = np.exp(x1)
    y = np.log(x1) + x1 * x2 - np.sin(x2)
    nodes = tape.to_graph(y)
    assert [tuple(node[:3]) for node in nodes] == [
        ("x1", "", ()), ("x2", "", ()), ("a", "log", ("x1",)), ("b", "mul", ("x1", "x2")), ("c", "add", ("a", "b")),
        ("d", "sin", ("x2",)), ("e", "sub", ("c", "d"))]
    assert [node.value for node in nodes] == [2.0, 5.0, math.log(2), 10.0, 10 + math.log(2), math.sin(5), y.value]
    assert "e" == nodes[-1].name and unused.index == 2


def test_the_graph_shows_constants_in_the_op_and_the_shape_of_arrays():
    x, = tape.inputs(X)
    nodes = tape.to_graph(np.sum((3.0 - x) * X / 2, axis=0)[0])
    assert [(node.op, node.value) for node in nodes] == [
        ("", "[2, 3]"), ("sub(3, ·)", "[2, 3]"), ("mul(·, …)", "[2, 3]"), ("div(·, 2)", "[2, 3]"), ("sum", "[3]"),
        ("getitem", pytest.approx(numpy.sum((3 - X) * X / 2, axis=0)[0]))]


def test_the_graph_has_an_arrow_also_where_no_cotangent_goes():
    x1, x2 = tape.inputs(2.0, 5.0)
    nodes = tape.to_graph(np.where(np.sign(3 * x2), x1, 7.0))
    assert [(node.op, node.parents) for node in nodes[2:]] == [
        ("mul(3, ·)", ("x2",)), ("sign", ("a",)), ("where(·, ·, 7)", ("b", "x1"))]


def test_the_graph_of_a_run_inside_vjp_is_refused():
    kept = []
    tape.vjp(lambda x: kept.append(x) or np.sum(x), X)
    with pytest.raises(TypeError, match="expected a Var from a run on tape.inputs"):
        tape.to_graph(kept[0])

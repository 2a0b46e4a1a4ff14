"""lecture_utils.dual: derivatives are exact, nest without confusion, agree with JAX, and nothing drops a tangent in silence."""
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from lecture_utils import dual
from lecture_utils.dual import RULES, Dual, derivative, jvp

many = settings(derandomize=True, deadline=None, max_examples=200)
some = settings(many, max_examples=40)
few = settings(many, max_examples=15)
points = st.floats(-2, 2, width=32).filter(lambda x: abs(x) > 1e-3)

pytestmark = pytest.mark.usefixtures("x64")


def near(a, b, rtol=1e-12, atol=1e-13):
    return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=rtol, atol=atol)


# Random programs: a list of steps on a list of values, for NumPy on Duals and for JAX.

UNARY = {"sin": None, "cos": None, "tanh": None, "arctan": None, "negative": None, "square": None,
         "abs": lambda m, x: m.abs(x + 0.0123), "sign": lambda m, x: m.sign(x + 0.0123) * x,          # no program ties by construction
         "exp": lambda m, x: m.exp(m.sin(x)), "expm1": lambda m, x: m.expm1(m.cos(x)), "log": lambda m, x: m.log(1.5 + m.sin(x)),
         "log1p": lambda m, x: m.log1p(x * x), "sqrt": lambda m, x: m.sqrt(1 + x * x), "tan": lambda m, x: m.tan(m.tanh(x)),
         "cube": lambda m, x: m.tanh(x) ** 3, "inverse": lambda m, x: (2 + m.cos(x)) ** -1.5, "base": lambda m, x: 1.5 ** m.sin(x),
         "where": lambda m, x: m.where(x > 0.1, m.sin(x), x * x), "sum": lambda m, x: x / (1 + m.sum(x * x)),
         "index": lambda m, x: x * x[0] - x[-1], "reshape": lambda m, x: m.sum(m.reshape(m.sin(x), (3, 1)) * x, axis=0),
         "matmul": lambda m, x: np.array([[1.0, -2, 0], [0.5, 1, 3], [0, 0, 1]]) @ m.sin(x), "cumsum": lambda m, x: m.cumsum(m.sin(x)),
         "stack": lambda m, x: m.stack([m.sin(x[1]), 2.0 * x[0], x[2] * x[0]]), "mean": lambda m, x: x - m.mean(x) + x.mean(),
         "concatenate": lambda m, x: m.concatenate([x[1:], m.cos(x[:1])]), "dot": lambda m, x: m.tanh(x) * (x @ x)}
BINARY = {"add": lambda m, x, y: x + y, "sub": lambda m, x, y: x - y, "mul": lambda m, x, y: m.sin(x) * y,
          "div": lambda m, x, y: x / (2 + m.sin(y)), "pow": lambda m, x, y: (2 + m.sin(x)) ** m.cos(y),
          "max": lambda m, x, y: m.maximum(x, 1.1 * y + 0.0123),
          "min": lambda m, x, y: m.minimum(m.sin(x), 1.1 * y + 0.0123)}


@st.composite
def programs(draw):
    steps = []
    for k in range(draw(st.integers(1, 8))):
        name = draw(st.sampled_from(sorted(UNARY) + sorted(BINARY)))
        steps.append((name, draw(st.integers(0, k)), draw(st.integers(0, k))))
    return steps


def run(steps, m, x):
    values = [x]
    for name, i, j in steps:
        x, y = m.tanh(values[i] / 2) * 2, m.tanh(values[j] / 2) * 2             # keeps the values of long programs bounded
        values.append(BINARY[name](m, x, y) if name in BINARY else UNARY[name](m, x) if UNARY[name] else getattr(m, name)(x))
    return values[-1]


vectors = st.lists(st.floats(-2, 2, width=32).filter(lambda x: abs(x) > 1e-3), min_size=3, max_size=3, unique=True).map(np.array)


@many
@given(programs(), vectors, vectors)
def test_value_and_tangent_of_random_programs_equal_those_of_jax_jvp(steps, x, v):
    ours, theirs = jvp(lambda x: run(steps, np, x), (x,), (v,)), jax.jvp(lambda x: run(steps, jnp, x), (x,), (v,))
    assert near(ours[0], theirs[0]) and near(ours[1], theirs[1], rtol=1e-11, atol=1e-11)


@few
@given(programs(), vectors, vectors, vectors)
def test_nested_twice_random_programs_equal_nested_jax_jvp(steps, x, v, w):
    def twice(jvp, m):
        return jvp(lambda x: jvp(lambda x: run(steps, m, x), (x,), (v,))[1], (x,), (w,))[1]
    assert near(twice(jvp, np), twice(jax.jvp, jnp), rtol=1e-9, atol=1e-9)


@few
@given(programs(), vectors, vectors)
def test_jax_arrays_and_tracers_inside_give_the_same_as_numpy(steps, x, v):
    tangent = lambda x, v: jvp(lambda x: run(steps, np, x), (x,), (v,))[1]
    assert near(jax.jit(tangent)(jnp.array(x), jnp.array(v)), tangent(x, v), rtol=1e-10, atol=1e-11)


# Nesting.

Z = sympy.Symbol("z")
CLOSED = {"exp(z)*sin(z)": lambda z: np.exp(z) * np.sin(z), "z**z": lambda z: z**z, "sin(z)/z": lambda z: np.sin(z) / z,
          "log(1+z**2)": lambda z: np.log1p(z**2), "sqrt(1+z)*tanh(z)": lambda z: np.sqrt(1 + z) * np.tanh(z),
          "erf(z)/z**3": lambda z: special.erf(z) / z**3, "2**z*atan(z)": lambda z: 2**z * np.arctan(z), "tan(z)": np.tan,
          "exp(z)-1+z**0.5": lambda z: np.expm1(z) + np.sqrt(z), "cos(z)**2/(1-z)": lambda z: np.square(np.cos(z)) / (1 - z)}


@pytest.mark.parametrize("formula", CLOSED)
@pytest.mark.parametrize("x", [0.3, 1.2])
def test_nested_three_deep_the_derivatives_are_sympys(formula, x):
    f, exact = CLOSED[formula], sympy.sympify(formula)
    for _ in range(3):
        f, exact = derivative(f), sympy.diff(exact, Z)
        assert near(f(x), float(exact.subs(Z, sympy.Float(x, 30))), rtol=1e-11), formula


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=6), st.integers(-3, 3))
@some
def test_three_derivatives_of_a_polynomial_are_exact(coefficients, x):
    f, p = lambda z: sum(c * z**k for k, c in enumerate(coefficients)), np.polynomial.Polynomial(coefficients)
    for order in (1, 2, 3):
        f, p = derivative(f), p.deriv()
        assert float(f(float(x))) == float(p(x)), (order, "also at 0, where 0**0 is 1 and 0**-1 must not be taken")


def test_three_deep_equals_jet():
    jet = pytest.importorskip("jax.experimental.jet").jet
    x, f = 0.7, lambda m: lambda z: m.exp(m.sin(z)) / (1 + z * z)
    _, series = jet(f(jnp), (x,), ([1.0, 0.0, 0.0],))
    g = f(np)
    for order in range(3):
        g = derivative(g)
        assert near(g(x), series[order], rtol=1e-12)


def test_no_perturbation_confusion_two_deep():
    assert derivative(lambda x: x * derivative(lambda y: x + y)(1.0))(1.0) == 1


@some
@given(points, points, points)
def test_no_perturbation_confusion_three_deep(x, y, z):
    def program(d, exp):
        inner = lambda x, y: d(lambda z: exp(x * y * z) + x)(z)
        middle = lambda x: d(lambda y: y * inner(x, y) - x)(y)
        return d(lambda x: x * middle(x) * x)(x)
    assert near(program(derivative, np.exp), program(jax.grad, jnp.exp), rtol=1e-9, atol=1e-9)


def test_the_inner_call_may_differentiate_at_the_outer_variable():
    assert derivative(lambda x: derivative(lambda y: x * y**2)(x**2))(3.0) == 6 * 9      # 2 x³, whose derivative is 6 x²


def test_a_dual_that_escapes_from_an_inner_call_is_refused():
    kept = []
    with pytest.raises(ValueError, match="f returned a Dual of a derivative inside"):
        derivative(lambda x: (derivative(lambda y: kept.append(y) or y)(x), kept[0])[1])(1.0)


# Algebra.

@some
@given(points, points, points, points)
def test_sums_and_products_obey_the_laws_of_arithmetic_and_the_square_of_epsilon_is_zero(a, b, c, d):
    x, y = Dual(a, b, 1), Dual(c, d, 1)
    pair = lambda z: (z.primal, z.tangent)
    assert pair(x + y) == pair(y + x) and pair(x * y) == pair(y * x) and pair(x - x) == (0, 0)
    assert near(pair(x * (y + x)), pair(x * y + x * x)) and near(pair((x / y) * y), pair(x)) and near(pair(x**2), pair(x * x))
    assert pair(Dual(0.0, b, 1) * Dual(0.0, d, 1)) == (0, 0)


@some
@given(programs(), vectors, vectors, vectors, st.floats(-2, 2))
def test_the_tangent_is_linear_in_the_direction(steps, x, v, w, s):
    along = lambda v: jvp(lambda x: run(steps, np, x), (x,), (v,))[1]
    assert near(along(v + s * w), along(v) + s * along(w), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", sorted(RULES))
def test_each_rule_agrees_with_a_complex_step_or_a_difference(name):
    if name == "matmul":
        A, b, dA, db = np.eye(2) + 1, np.array([1.0, 2]), np.array([[1.0, 2], [3, 4]]), np.array([0.5, -1])
        assert near(jvp(np.matmul, (A, b), (dA, db))[1], dA @ b + A @ db)
        return
    f = special.erf if name == "erf" else getattr(np, name)
    for x in ([0.4, 1.7], [1.7, 0.4]):
        for i in range(f.nin):
            at = lambda z: f(*[z if k == i else x[k] for k in range(f.nin)])
            difference = (at(x[i] - 2e-3) - 8 * at(x[i] - 1e-3) + 8 * at(x[i] + 1e-3) - at(x[i] + 2e-3)) / 12e-3
            assert near(derivative(at)(x[i]), difference, rtol=1e-7, atol=1e-9), (name, i)


# Shapes, types and places where there is no derivative.

def test_broadcasting_gives_each_result_its_tangent():
    y, dot = jvp(lambda x, b: x + b, (2.0, np.zeros(3)), (5.0, np.ones(3)))
    assert near(y, [2.0, 2, 2]) and near(dot, [6.0, 6, 6])
    assert near(derivative(lambda x: x + np.arange(3.0))(1.0), np.ones(3))
    assert near(derivative(derivative(lambda x: x * x * np.arange(3.0) + x))(1.0), 2 * np.arange(3.0))
    assert near(jvp(lambda A: A.T @ np.ones(2), (np.ones((2, 3)),), (np.arange(6.0).reshape(2, 3),))[1], [3.0, 5, 7])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_type_is_kept(dtype):
    y, dot = jvp(lambda x: special.erf(np.exp(2.0 * x) / 3) ** 2 + np.sqrt(x), (np.ones(2, dtype),), (np.ones(2, dtype),))
    assert y.dtype == dot.dtype == dtype
    assert derivative(lambda x: np.sin(x) * 2)(dtype(1)).dtype == dtype


def test_powers_at_zero_and_of_negative_numbers():
    assert derivative(lambda x: x**2)(0.0) == 0 and derivative(derivative(lambda x: x**2))(0.0) == 2
    assert derivative(lambda x: x**0)(0.0) == 0 and derivative(lambda x: x**1)(0.0) == 1
    assert derivative(lambda x: x**3)(-2.0) == 12 and derivative(lambda x: x**-1)(-2.0) == -0.25
    assert derivative(lambda x: 0.0**x)(2.0) == 0 and near(derivative(lambda x: 2.0**x)(3.0), 8 * math.log(2))
    assert near(derivative(lambda x: x ** np.array([0, 1, 2, 0.5]))(4.0), [0, 1, 8, 0.25])
    assert near(jvp(lambda x: x ** np.array([0, 1, 2]), (np.zeros(3),), (np.ones(3),))[1], [0.0, 1, 0])


def test_what_is_returned_where_there_is_no_derivative_is_what_the_docstring_says():
    assert derivative(np.abs)(0.0) == derivative(np.sign)(0.0) == 0
    assert derivative(lambda x: np.maximum(x, 0.0))(0.0) == derivative(lambda x: np.minimum(x, 0.0))(0.0) == 0.5
    assert derivative(lambda x: x if x > 0 else -x)(0.0) == -1 and derivative(lambda x: np.where(x >= 0, 3 * x, x))(0.0) == 3
    with np.errstate(all="ignore"):
        assert derivative(np.sqrt)(0.0) == derivative(np.log)(0.0) == math.inf and math.isnan(derivative(lambda x: np.sqrt(x * x))(0.0))


def test_a_result_that_does_not_depend_on_the_argument_has_the_derivative_zero():
    assert derivative(lambda x: 3)(1.0) == 0 and derivative(lambda x: x * derivative(lambda y: x)(2.0))(1.0) == 0
    assert near(derivative(lambda x: np.ones(3))(1.0), np.zeros(3)) and near(jvp(lambda x, y: y, (1.0, 2.0), (1.0, 0.0))[1], 0.0)


def fill(x):
    row = np.zeros(2)
    row[:] = x
    return row


def add_in_place(x):
    row = np.zeros(2)
    row += x
    return row


@pytest.mark.parametrize("f", [float, int, complex, round, math.exp, math.floor, np.array, lambda x: np.array([x, x]), fill,
                               add_in_place, lambda x: np.asarray(x), lambda x: [1, 2, 3][x]])
def test_what_would_drop_the_tangent_raises(f):
    with pytest.raises(TypeError, match="tangent.*expected|expected.*tangent"):
        derivative(f)(1.0)


def test_writing_one_entry_raises_numpys_error_with_ours_as_its_cause():
    def write(x):
        row = np.zeros(2)
        row[0] = x
        return row
    with pytest.raises(ValueError, match="setting an array element") as error:
        derivative(write)(1.0)
    assert "drop its tangent" in str(error.value.__cause__)


@pytest.mark.parametrize("f", [np.arcsin, np.linalg.norm, lambda x: np.add.reduce(np.stack([x, x])), np.floor, jnp.exp,
                               lambda x: x % 2, lambda x: np.linalg.solve(np.eye(2), np.stack([x, x]))])
def test_what_has_no_rule_raises_and_returns_no_number(f):
    with pytest.raises(TypeError):
        derivative(f)(0.5)


def test_comparisons_look_at_primals_to_any_depth_and_give_plain_booleans():
    x = Dual(Dual(1.0, 9.0, 1), Dual(5.0, 0.0, 1), 2)
    for result in (x < 2, x <= 1, x == 1, x != 2, x > 0, x >= Dual(1.0, 0.0, 1), 0 < x, np.float64(0) < x):
        assert result is True or result is np.True_
    assert not bool(Dual(0.0, 1.0, 1))


# Cost.

def test_one_run_of_the_program_for_each_direction_and_a_small_factor_for_each_operation():
    runs = []

    def f(x):
        runs.append(1)
        return np.sum(np.exp(x) * x)

    for e in np.eye(4):
        jvp(f, (np.ones(4),), (e,))
    assert len(runs) == 4
    count = lambda f: len(jax.make_jaxpr(lambda x, v: jvp(f, (x,), (v,)))(1.5, 1.0).eqns)
    for name, f in {"x + x": lambda x: x + x, "x x": lambda x: x * x, "x / x": lambda x: x / x, "exp": np.exp, "sin": np.sin,
                    "sqrt": np.sqrt, "tanh": np.tanh, "log": np.log, "cube": lambda x: x**3}.items():
        assert 2 <= count(f) <= 6, name


@pytest.mark.parametrize("f", [
    lambda x: np.sum(x, initial=5.0), lambda x: np.sum(x, dtype=int), lambda x: np.sum(x, out=np.zeros(())), lambda x: np.sum(x, 0, int),
    lambda x: np.cumsum(x, out=np.zeros(2)), lambda x: np.mean(x, 0, float, np.zeros(())), lambda x: np.stack([x, x], out=np.ones((2, 2))),
    lambda x: np.sum(a=x)])
def test_options_that_would_reach_value_and_tangent_alike_are_refused(f):
    with pytest.raises(TypeError, match="came with a Dual"):
        dual.jvp(f, (np.array([0.5, 2.0]),), (np.array([1.0, 1.0]),))


def test_a_complex_result_is_refused():
    with pytest.raises(TypeError, match="f returned complex numbers, expected real ones"):
        dual.jvp(lambda x: x * 1j, (2.0,), (1.0,))


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_list_is_an_array():
    assert np.array_equal(dual.derivative(lambda x: [0, 1, 2] ** x)(2.0), [0, 0, 4 * np.log(2)])
    assert np.array_equal(dual.derivative(lambda x: [1, 2, 3] * x)(2.0), [1, 2, 3])
    assert np.array_equal(dual.derivative(lambda x: x ** [0, 1, 2])(2.0), [0, 1, 4])


@pytest.mark.parametrize("f", [lambda x: np.maximum(x, 1), lambda x: np.minimum(x, 2.0 * x), lambda x: 2**x, lambda x: abs(x) ** 2.5])
def test_tangents_keep_32_bits(f):
    x = np.array([0.5, 2.0], np.float32)
    y, dot = dual.jvp(f, (x,), (x,))
    assert y.dtype == dot.dtype == np.float32
    assert dual.jvp(f, (y,), (dot,))[1].dtype == np.float32


def test_the_side_that_is_not_taken_does_not_reach_the_tangent():
    with np.errstate(all="ignore"):
        assert dual.derivative(lambda x: np.maximum(np.sqrt(x), 1.0))(0.0) == 0.0


def test_methods_do_what_the_functions_do():
    x, v = np.arange(6.0).reshape(2, 3), np.linspace(-1, 1, 6).reshape(2, 3)
    for f in (lambda x: x.reshape(3, 2), lambda x: x.reshape((3, 2)), lambda x: x.ravel(), lambda x: x.sum(1, keepdims=True),
              lambda x: +x, lambda x: np.where(x, x * x, 1.0), lambda x: x * x.size):
        assert np.allclose(dual.jvp(f, (x,), (v,))[1], (f(x + 1e-6 * v) - f(x - 1e-6 * v)) / 2e-6, atol=1e-5)

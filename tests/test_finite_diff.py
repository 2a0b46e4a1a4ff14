"""lecture_utils.finite_diff: the weights, steps, orders of accuracy and costs are those that it claims."""
from fractions import Fraction
from math import factorial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from lecture_utils.finite_diff import default_step, jacobian_fd, jvp_fd, stencil, step_sweep

ORDERS = {"forward": 1, "central": 2, "five_point": 4, "complex_step": 2}         # the power of h in the error
BEST = {"forward": 1 / 2, "central": 2 / 3, "five_point": 4 / 5, "complex_step": 1}  # the power of ε in the best error
DIFFERENCES = ("forward", "central", "five_point")
METHODS = tuple(ORDERS)
many = settings(derandomize=True, deadline=None, max_examples=30)
few = settings(many, max_examples=8, phases=[Phase.generate])          # of random seeds: a smaller one is no simpler

pytestmark = pytest.mark.usefixtures("x64")


def epsilon(dtype):
    return float(jnp.finfo(dtype).eps)


def smooth(seed, n=3, m=8):
    """A random f: [n] -> [m] of exponentials and sines, in NumPy at any precision and on complex numbers, and its jvp."""
    rng = np.random.default_rng(seed)
    A, B = rng.uniform(-1, 1, (2, m, n))
    return (lambda x: np.exp(A.astype(x.real.dtype) @ x) + np.sin(B.astype(x.real.dtype) @ x),
            lambda x, v: np.exp(A @ x) * (A @ v) + np.cos(B @ x) * (B @ v))


# Weights.

@pytest.mark.parametrize("offsets, order, published", [          # B. Fornberg, Math. Comp. 51 (1988) 699-706, the tables
    ([-1, 0, 1], 1, "-1/2 0 1/2"),
    ([-2, -1, 0, 1, 2], 1, "1/12 -2/3 0 2/3 -1/12"),
    ([-3, -2, -1, 0, 1, 2, 3], 1, "-1/60 3/20 -3/4 0 3/4 -3/20 1/60"),
    ([-4, -3, -2, -1, 0, 1, 2, 3, 4], 1, "1/280 -4/105 1/5 -4/5 0 4/5 -1/5 4/105 -1/280"),
    ([-1, 0, 1], 2, "1 -2 1"),
    ([-2, -1, 0, 1, 2], 2, "-1/12 4/3 -5/2 4/3 -1/12"),
    ([-3, -2, -1, 0, 1, 2, 3], 2, "1/90 -3/20 3/2 -49/18 3/2 -3/20 1/90"),
    ([-2, -1, 0, 1, 2], 3, "-1/2 1 0 -1 1/2"),
    ([-2, -1, 0, 1, 2], 4, "1 -4 6 -4 1"),
    ([0, 1], 1, "-1 1"),
    ([0, 1, 2], 1, "-3/2 2 -1/2"),
    ([0, 1, 2, 3], 1, "-11/6 3 -3/2 1/3"),
    ([0, 1, 2, 3], 2, "2 -5 4 -1"),
    ([-1.5, -0.5, 0.5, 1.5], 1, "1/24 -9/8 9/8 -1/24"),
    ([-2, -1, 1, 2], 1, "1/12 -8/12 8/12 -1/12"),                # the five-point formula: (1, -8, 0, 8, -1) / 12
])
def test_the_weights_are_the_published_ones_to_the_last_bit(offsets, order, published):
    weights = stencil(offsets, order)
    assert weights.dtype == np.float64 and weights.tolist() == [float(Fraction(w)) for w in published.split()]


numbers = st.one_of(st.integers(-50, 50), st.fractions(-9, 9, max_denominator=12).map(float), st.floats(-4, 4, width=16))


@st.composite
def arrangements(draw, numbers=numbers):
    """Distinct offsets, and an order that they allow."""
    z = draw(st.lists(numbers, min_size=2, max_size=7, unique=True))
    return z, draw(st.integers(1, len(z) - 1))


def assert_moment(z, weights, degree, exact):
    """Σ w z^degree, in exact arithmetic, is `exact` up to the one rounding of each weight."""
    terms = [Fraction(w) * Fraction(x) ** degree for w, x in zip(weights.tolist(), z)]
    assert abs(sum(terms) - exact) <= sum(map(abs, terms)) * Fraction(1, 2**53)


@many
@given(arrangements())
def test_the_weights_are_exact_for_polynomials_of_degree_below_the_number_of_points(case):
    z, order = case
    for degree in range(len(z)):
        assert_moment(z, stencil(z, order), degree, factorial(order) if degree == order else 0)


def node_polynomial(z):
    """The coefficients of Π (t - z[j]), lowest power first, as fractions."""
    c = [Fraction(1)]
    for x in map(Fraction, z):
        c = [(c[i - 1] if i else 0) - x * (c[i] if i < len(c) else 0) for i in range(len(c) + 1)]
    return c


@many
@given(arrangements())
def test_the_next_degree_is_missed_by_what_interpolation_says(case):
    z, order = case                  # t^P = Π (t - z[j]) + its interpolant, and the weights differentiate the interpolant
    assert_moment(z, stencil(z, order), len(z), -factorial(order) * node_polynomial(z)[order])


@many
@given(st.sets(st.integers(1, 40), min_size=1, max_size=4), st.booleans(), st.data())
def test_a_symmetric_arrangement_gains_one_degree_where_the_points_less_the_order_are_odd_and_only_there(half, zero, data):
    z = sorted(half | {-a for a in half} | ({0} if zero else set()))
    order = data.draw(st.integers(1, len(z) - 1))
    weights, next_degree = stencil(z, order), len(z)
    if (len(z) - order) % 2:
        assert_moment(z, weights, next_degree, 0)
    else:
        with pytest.raises(AssertionError):
            assert_moment(z, weights, next_degree, 0)


@many
@given(arrangements(), st.randoms(use_true_random=False))
def test_the_order_of_the_offsets_does_not_matter(case, random):
    z, order = case
    shuffled = random.sample(z, len(z))
    weights = dict(zip(z, stencil(z, order).tolist()))
    assert stencil(shuffled, order).tolist() == [weights[x] for x in shuffled]


@many
@given(arrangements(st.integers(-50, 50)), st.integers(-9, 9).filter(bool))
def test_offsets_c_times_as_far_have_weights_divided_by_c_to_the_order(case, c):
    z, order = case
    np.testing.assert_allclose(stencil([c * x for x in z], order), stencil(z, order) / float(c) ** order, rtol=2**-52, atol=0)


# Steps.

@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, jnp.bfloat16])
@pytest.mark.parametrize("method, offsets", [("forward", (0, 1)), ("central", (-1, 1)), ("five_point", (-2, -1, 1, 2))])
def test_the_default_step_is_the_power_of_two_nearest_to_the_best_step(method, offsets, dtype):
    p, w = ORDERS[method], stencil(offsets, 1)
    truncation = abs(w @ np.array(offsets) ** (p + 1.0))       # with x^m f^(m) = m! f, the error is truncation h^p + ε Σ|w| / h
    best = (epsilon(dtype) * np.abs(w).sum() / (p * truncation)) ** (1 / (p + 1))                     # times f, and least here
    x = np.geomspace(1, 4, 500)
    step = default_step(method, dtype, x)
    assert np.all(np.abs(np.log2(step / (best * x))) <= 0.5 + 1e-9) and np.all(np.log2(step) % 1 == 0)


def test_the_default_complex_step_is_far_below_the_root_of_epsilon_and_far_above_underflow():
    for dtype in (np.float64, np.float32):
        step = default_step("complex_step", dtype, np.array([1.0, -300.0, 0.0]))
        assert np.allclose(step / epsilon(dtype) ** 1.25, [1, 300, 1], rtol=1e-12)


def test_typical_is_a_floor_below_the_size_of_x():
    small = default_step("central", np.float64, [1e-12, 3.0, 0.0], typical=0.5)
    assert small.tolist() == default_step("central", np.float64, [0.5, 3.0, 0.5]).tolist()
    assert default_step("central", np.float64, [1.0, 1.0], typical=[8.0, 0.1])[0] == 8 * default_step("central", np.float64, 1.0)


@pytest.mark.parametrize("method", METHODS)
@many
@given(x=st.floats(1e-100, 1e100), k=st.integers(-50, 50))
def test_the_default_step_scales_with_the_size_of_x_and_is_that_of_one_at_zero(method, x, k):
    assert default_step(method, np.float64, 2.0**k * x) == 2.0**k * default_step(method, np.float64, x)
    assert default_step(method, np.float64, -x) == default_step(method, np.float64, x)
    assert default_step(method, np.float64, 0.0) == default_step(method, np.float64, 1.0)


@pytest.mark.parametrize("method", METHODS)
def test_default_steps_have_the_shape_of_x_in_float64(method):
    for x in (0.5, 3, np.float32(2), [1, 2], np.ones((2, 3), np.float32), jnp.ones(4, jnp.bfloat16)):
        step = default_step(method, np.float32, x)
        assert step.shape == np.shape(x) and step.dtype == np.float64
        assert np.ravel(step).tolist() == [default_step(method, np.float32, t) for t in np.ravel(x).tolist()]


# Directional derivatives.

@pytest.mark.parametrize("method, h", [("forward", 1e-4), ("central", 1e-2), ("five_point", 1e-1), ("complex_step", 1e-1)])
@few
@given(seed=st.integers(0, 10**6))
def test_the_error_falls_with_the_order_that_is_claimed(method, h, seed):
    f, jvp = smooth(seed)
    x, v = np.random.default_rng(seed + 1).uniform(-1, 1, (2, 3))
    errors = [np.linalg.norm(jvp_fd(f, x, v, method=method, h=step) - jvp(x, v)) for step in (h, h / 2)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(ORDERS[method], abs=0.02)


@pytest.mark.parametrize("method, degree", [("forward", 1), ("central", 2), ("five_point", 4), ("complex_step", 2)])
@few
@given(seed=st.integers(0, 10**6))
def test_polynomials_up_to_the_order_have_no_truncation_error_and_the_next_one_has(method, degree, seed):
    rng = np.random.default_rng(seed)
    c, x, v, h = rng.uniform(0.5, 1, degree + 2), rng.uniform(1, 2, 4), rng.uniform(0.5, 1, 4), 0.5
    for top, exact in ((degree, True), (degree + 1, False)):
        p = np.polynomial.Polynomial(c[:top + 1])
        error = np.abs(jvp_fd(p, x, v, method=method, h=h) - p.deriv()(x) * v)
        rounding = 30 * epsilon(float) * p(x + 2 * h * v) / h            # all terms are positive, so p bounds each of them
        assert np.all(error <= rounding) if exact else np.all(error > rounding)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("library", [np, jnp])
def test_the_default_step_reaches_the_accuracy_that_is_claimed_at_every_scale_of_x_and_v(library, dtype, method):
    def e(x): return library.exp(x) + library.sin(x)
    cases = [(e, np.exp(x) + np.cos(x), x, np.exp(x) + 1) for x in (0.0, 0.4, -0.7, 1.5)]
    cases += [(library.log, 1 / x, x, 1 + abs(np.log(x))) for x in (3e-6, 0.3, 3e6)]
    for f, slope, x, size in cases:
        x, slope = np.float64(dtype(x)), slope * (1 + 0 * x)
        for v in (1.0, -3e-3, 700.0):
            got = jvp_fd(f, library.full(2, x, dtype), library.full(2, v, dtype), method=method)
            error = np.abs(np.asarray(got).astype(float) / float(dtype(v)) - slope)
            assert np.all(error < 30 * epsilon(dtype) ** BEST[method] * size / (abs(x) or 1)), (x, v)


@pytest.mark.parametrize("method", METHODS)
@few
@given(seed=st.integers(0, 10**6), k=st.integers(-20, 20))
def test_the_step_along_v_is_the_largest_power_of_two_that_moves_no_component_by_more_than_its_default_step(method, seed, k):
    x, v = np.random.default_rng(seed).uniform(-1, 1, (2, 4))
    points = []

    def f(z):
        points.append(z)
        return np.sin(z)
    results = [jvp_fd(f, x, c * v, method=method) for c in (1, 2.0**k)]
    assert np.array_equal(results[1], 2.0**k * results[0])               # so the scale of v changes no digit of the result
    unit = {"five_point": 2, "complex_step": 1j}.get(method, 1)            # the last point of each is the farthest along v
    moved = np.abs((points[-1] - x) / unit) / default_step(method, x.dtype, x)
    assert 0.5 < np.max(moved) <= 1 + 1e-4


@few
@given(seed=st.integers(0, 10**6))
def test_the_complex_step_is_right_to_rounding_and_linear_in_v(seed):
    f, jvp = smooth(seed)
    x, u, v = np.random.default_rng(seed + 1).uniform(-1, 1, (3, 3))
    along_u, along_v, along_both = (jvp_fd(f, x, w, method="complex_step") for w in (u, v, 2 * u - 3 * v))
    np.testing.assert_allclose(along_u, jvp(x, u), rtol=0, atol=30 * epsilon(float))
    np.testing.assert_allclose(along_both, 2 * along_u - 3 * along_v, rtol=0, atol=60 * epsilon(float))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("library, dtype", [(np, np.float64), (np, np.float32),
                                            (jnp, np.float64), (jnp, np.float32), (jnp, jnp.bfloat16)])
def test_results_have_the_shape_of_f_and_the_library_and_precision_of_x(library, dtype, method):
    x, v, zero = (library.array(a, dtype=dtype) for a in ([1.0, 2.0, 3.0], [1.0, 0.0, -1.0], [0.0, 0.0, 0.0]))
    if dtype == jnp.bfloat16 and method == "complex_step":             # there are no complex numbers of that precision
        with pytest.raises(ValueError, match="x has dtype bfloat16, expected at least 32 bits"):
            jvp_fd(lambda x: x.sum(), x, v, method=method)
        return
    kind = jax.Array if library is jnp else (np.ndarray, np.generic)
    functions = ((lambda x: x.sum(), ()), (lambda x: x[None].sum(1), (1,)), (lambda x: x * x, (3,)))
    for f, shape in functions[::1 if library is np else 2]:
        got, still, J = jvp_fd(f, x, v, method=method), jvp_fd(f, x, zero, method=method), jacobian_fd(f, x, method=method)
        assert isinstance(got, kind) and isinstance(J, kind)
        assert got.shape == still.shape == shape and J.shape == (*shape, 3) and not np.any(np.asarray(still))
        assert got.dtype == still.dtype == J.dtype == dtype


@pytest.mark.parametrize("method", METHODS)
def test_x_and_v_are_left_as_they_were(method):
    x, v = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    for a in (x, v):
        a.setflags(write=False)
    jvp_fd(np.sin, x, v, method=method), jacobian_fd(np.sin, x, method=method)
    assert x.tolist() == [1, 2] and v.tolist() == [3, 4]


# Jacobians.

@jax.jit
def network(x, A, B):
    return A @ jnp.tanh(B @ x)


@jax.jit
def energy(x, A, B):
    return jnp.sin(B.T @ B @ x) @ x


automatic = {f: jax.jit(jax.jacfwd(f)) for f in (network, energy)}


@pytest.mark.parametrize("library", [np, jnp])
@few
@given(seed=st.integers(0, 10**6))
def test_the_jacobian_is_that_of_automatic_differentiation(library, seed):
    rng = np.random.default_rng(seed)
    A, B, x = rng.normal(size=(2, 4)), rng.uniform(-0.5, 0.5, (4, 3)), rng.uniform(0.5, 2, 3) * rng.choice([-1, 1], 3)
    for f, df in automatic.items():
        J, exact = jacobian_fd(lambda x, f=f: f(x, A, B), library.array(x)), df(x, A, B)
        assert J.shape == exact.shape and np.linalg.norm(J - exact) <= 1e-9 * np.linalg.norm(exact)


@pytest.mark.parametrize("method", METHODS)
def test_each_column_is_the_directional_derivative_along_its_axis_with_its_own_step(method):
    f, _ = smooth(0)
    x, h = np.array([0.5, -1.0, 2.0]), np.array([1e-3, 2e-3, 5e-3])
    for steps, column_steps in ((h, h), (1e-3, [1e-3] * 3), (None, [None] * 3)):
        columns = [jvp_fd(f, x, e, method=method, h=step) for e, step in zip(np.eye(3), column_steps)]
        np.testing.assert_allclose(jacobian_fd(f, x, method=method, h=steps), np.stack(columns, axis=1), rtol=4 * epsilon(float))


@pytest.mark.parametrize("method, along_v, jacobian", [("forward", 2, 11), ("central", 2, 20), ("five_point", 4, 40),
                                                       ("complex_step", 1, 10)])
def test_f_is_evaluated_as_often_as_claimed(method, along_v, jacobian):
    calls = []

    def f(x):
        calls.append(x)
        return np.sum(np.exp(x))
    jvp_fd(f, np.ones(10), np.ones(10), method=method)
    assert len(calls) == along_v
    jacobian_fd(f, np.ones(10), method=method)
    assert len(calls) - along_v == jacobian


# The V-curve.

@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("method", DIFFERENCES)
def test_the_lowest_point_of_the_v_curve_is_where_the_theory_puts_it(method, dtype):
    hs = 2.0 ** np.arange(-1, -48, -1)
    errors = step_sweep(np.exp, np.exp, np.linspace(0.7, 1.4, 401).astype(dtype), hs, method)
    assert errors.shape == hs.shape and errors.dtype == np.float64
    assert 1 / 5 <= hs[np.argmin(errors)] / default_step(method, dtype, 1.0) <= 5


def test_the_complex_step_has_no_v_curve():
    errors = step_sweep(np.exp, np.exp, np.linspace(0.7, 1.4, 401), 10.0 ** np.arange(-8, -300, -20), "complex_step")
    assert np.all(errors <= epsilon(float))


def test_a_pair_of_offsets_and_order_sweeps_higher_derivatives():
    errors = step_sweep(np.sin, lambda x: -np.sin(x), np.linspace(0.5, 1, 11), [2e-2, 1e-2], ([-1, 0, 1], 2))
    np.testing.assert_allclose(errors, [2e-2**2 / 12, 1e-2**2 / 12], rtol=1e-3)
    errors = step_sweep(np.exp, np.exp, np.linspace(0.5, 1, 11), [2e-2, 1e-2], ((0, 1, 2, 3), 3))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(1, abs=0.05)


def test_the_derivative_that_is_right_is_asked_for_in_float64_at_the_same_points():
    x, asked = np.array([0.1, 0.2], np.float32), []
    step_sweep(np.exp, lambda t: asked.append(t) or np.exp(t), x, [1e-2], "central")
    assert len(asked) == 1 and asked[0].dtype == np.float64 and np.array_equal(asked[0], x.astype(float))


@pytest.mark.parametrize("method", [*DIFFERENCES, ([-1, 0, 1], 2)])
def test_a_step_too_small_to_move_x_has_the_error_one(method):
    assert step_sweep(np.exp, np.exp, np.ones(3), [1e-20], method) == [1]
    assert step_sweep(np.exp, np.exp, np.ones(3, np.float32), [1e-9], method) == [1]


def test_errors_where_f_has_no_value_count_as_infinite_in_the_median():
    def log_below(h, x):
        with np.errstate(invalid="ignore", divide="ignore"):
            return step_sweep(np.log, lambda x: 1 / x, np.array(x), [h], "central")[0]
    assert log_below(0.5, [0.1, 0.2, 2.0]) == np.inf
    assert log_below(0.5, [0.1, 2.0, 2.0]) == pytest.approx(np.arctanh(0.25) / 0.25 - 1) == log_below(0.5, [2.0])


# Refusals.

def halve(x):
    return (x / 2).astype(np.float32)


@pytest.mark.parametrize("f, x, arguments, error, says", [
    (np.sin, np.ones(2, np.float32), {"h": 1.5e-8}, ValueError, "h is 1.5e-08, too small for float32.*expected a larger h"),
    (np.sin, np.ones(2, np.float32), {"h": 1e-200, "method": "complex_step"}, ValueError, "h is 1e-200, too small for float32"),
    (np.sin, np.ones(2), {"h": 1e-17, "method": "forward"}, ValueError, "too small for float64"),
    (np.sin, np.ones(2), {"h": 0.0}, ValueError, "h is 0.0, expected one finite positive number"),
    (halve, np.ones(2), {}, TypeError, "f returned float32 for x in float64, expected"),
    (np.log, np.full(2, 1e-3), {"h": 0.1}, ValueError, "f returned .*nan.* expected finite numbers: .*outside its domain"),
    (np.abs, np.ones(2), {"method": "complex_step"}, TypeError, "f returned float64 for a complex argument, expected"),
    (lambda x: x.real, np.ones(2), {"method": "complex_step"}, TypeError, "f returned float64 for a complex argument, expected"),
    (lambda x: np.sign(x).astype(int), np.ones(2), {}, TypeError, "f returned dtype int64, expected real floating-point"),
    (lambda x: 1j * x, np.ones(2), {}, TypeError, "f returned dtype complex128, expected real"),
    (lambda x: np.outer(x, x), np.ones(2), {}, ValueError, r"f returned shape \[2, 2\], expected \[M\] or a scalar"),
])
def test_what_would_give_a_wrong_number_is_refused(f, x, arguments, error, says):
    with np.errstate(invalid="ignore"), pytest.raises(error, match=says):
        jvp_fd(f, x, np.ones_like(x), **arguments)
    with np.errstate(invalid="ignore"), pytest.raises(error, match=says):
        jacobian_fd(f, x, **arguments)


@pytest.mark.parametrize("points", [1, 2, 3])
def test_a_derivative_of_an_order_that_the_points_do_not_reach_is_refused(points):
    with pytest.raises(ValueError, match=f"offsets has shape .* expected .*order = {points}"):
        stencil(range(points), points)


def test_a_lower_precision_of_f_passes_with_a_step_that_was_chosen():
    assert jvp_fd(halve, np.ones(2), np.ones(2), h=2**-7).tolist() == [0.5, 0.5]
    assert jacobian_fd(halve, np.ones(2), h=2**-7).tolist() == [[0.5, 0], [0, 0.5]]


def test_a_tensor_of_torch_is_refused():
    torch = pytest.importorskip("torch")
    for refused in (lambda x: jvp_fd(torch.sin, x, x), lambda x: jvp_fd(np.sin, np.ones(2), x),
                    lambda x: jacobian_fd(torch.sin, x)):
        with pytest.raises(TypeError, match="expected NumPy or JAX"):
            refused(torch.ones(2, dtype=torch.float64))


# What once gave a wrong number, found by trying.

def test_a_direction_over_scales_that_no_step_can_serve_is_refused():
    for x, dtype in (([1000, 1e-3], np.float32), ([1.0, 1e-11], np.float64)):
        with pytest.raises(ValueError, match=r"rounding loses .*% of h v in x \+ h v, expected numbers of one size"):
            jvp_fd(lambda x: np.sum(x**2), np.array(x, dtype), np.ones(2, dtype))


def test_a_negligible_component_of_the_direction_need_not_move():
    assert abs(jvp_fd(lambda x: np.sum(x**2), np.ones(2), np.array([1.0, 1e-20])) - 2) < 1e-9


def test_a_step_too_small_for_its_power_counts_as_an_error_of_one():
    for x, h, method in ((np.ones(3, np.float32), 1e-50, "central"), (np.ones(3, np.float32), 1e-50, "complex_step"),
                         (np.ones(3), 1e-200, ((-1, 0, 1), 2))):
        assert step_sweep(np.exp, np.exp, x, [h], method).tolist() == [1.0]


def test_an_f_that_works_in_place_changes_neither_x_nor_the_result():
    def f(x):
        x *= x
        return x

    x = np.array([1.0, 2.0])
    assert np.allclose(jacobian_fd(f, x, method="forward"), np.diag([2.0, 4.0]), atol=1e-6) and x.tolist() == [1, 2]


def test_weights_and_steps_that_leave_the_range_of_floats_are_refused():
    for offsets in ([0, 1e-200, 2e-200], [0, 1e300, 2e300]):
        with pytest.raises(ValueError, match="offsets is .* expected numbers of moderate size"):
            stencil(offsets, 2)
    with pytest.raises(ValueError, match="x is 1e-320, expected"):
        default_step("central", float, 1e-320)


def test_a_small_component_of_x_that_moves_along_is_refused_or_accurate():
    for small in 10.0 ** -np.arange(3, 14):
        try:
            slope = jvp_fd(lambda x: np.exp(x[0]), np.array([1, small]), np.ones(2))
        except ValueError:
            assert small < 1e-9
        else:
            assert abs(slope / np.e - 1) < 2e-2


def test_an_f_that_returns_the_same_buffer_each_time_is_differentiated():
    buffer = np.zeros(2)
    f = lambda x: np.multiply(x, x, out=buffer)
    assert np.allclose(jvp_fd(f, np.array([1.0, 2.0]), np.ones(2)), [2, 4])
    assert np.allclose(jacobian_fd(f, np.array([1.0, 2.0]), method="forward"), np.diag([2.0, 4.0]), atol=1e-6)


def test_values_of_another_shape_at_another_point_are_refused():
    with pytest.raises(ValueError, match="f returned shapes .* expected one and the same"):
        jvp_fd(lambda x: x[:1] if x[0] > 1 else x, np.array([1.0, 2.0]), np.ones(2))


def test_the_complex_step_does_not_underflow_in_32_bits():
    f, df = (lambda x: jnp.exp(-(x**2) / 2)), lambda x: -x * np.exp(-(x**2) / 2)
    assert abs(jvp_fd(f, jnp.array([10.0], jnp.float32), jnp.ones(1, jnp.float32), method="complex_step")[0] / df(10.0) - 1) < 1e-5


def test_an_infinite_value_counts_as_an_infinite_error():
    assert step_sweep(lambda x: np.where(x > 1, np.inf, x), np.ones_like, np.ones(1), [1e-2], "central").tolist() == [np.inf]


def test_inside_a_transformation_the_argument_is_named():
    for transform in (jax.jit, jax.vmap, jax.grad):
        with pytest.raises(TypeError, match="x is traced by jax.jit, grad or vmap, expected numbers"):
            transform(lambda x: jvp_fd(jnp.sin, x * jnp.ones(2), jnp.ones(2))[0])(jnp.ones(3)[0] if transform is not jax.vmap else jnp.ones(3))


def test_a_direction_too_large_for_any_step_is_refused():
    with pytest.raises(ValueError, match="v holds numbers up to 1.0e\\+308, expected ones for which a step is a float"):
        jvp_fd(np.sin, np.ones(2), np.full(2, 1e308) * 1.0e0)


def test_a_step_too_small_for_the_precision_of_f_is_refused():
    f = lambda x: np.sin(x.astype(np.float32))
    assert np.allclose(jvp_fd(f, np.ones(2), np.ones(2), h=1e-3), np.cos(1), atol=1e-3)
    with pytest.raises(ValueError, match="h is 1e-09, too small for float32"):
        jvp_fd(f, np.ones(2), np.ones(2), h=1e-9)

"""lecture_utils.implicit: derivatives of solutions in both modes, for any solver, and NaN or an error instead of a wrong number."""
import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx
import pytest
import scipy.optimize
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture_utils import bench, checks
from lecture_utils.implicit import ConvergenceError, fixed_point, root

few = settings(derandomize=True, deadline=None, max_examples=5)
seeds = st.integers(0, 2**20)
BOTH = [jax.grad, jax.jacfwd]

pytestmark = pytest.mark.usefixtures("x64")


def random(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def contraction(n, seed=0):
    """W: [n, n] of spectral radius 0.8, a: [n], u: [n]."""
    W = random(seed, n, n)
    return W * 0.8 / np.max(np.abs(np.linalg.eigvals(W))), random(seed + 1, n), random(seed + 2, n)


def dense(W, a, u):
    """z = tanh(W z + a), and the gradient of u z in a by the matrix I - ∂_z f, after so many steps that nothing moves."""
    z = np.zeros_like(a)
    for _ in range(500):
        z = np.tanh(W @ z + a)
    slope = 1 - z**2
    return z, slope * np.linalg.solve((np.eye(len(a)) - slope[:, None] * W).T, u)


def value_first_second(z, inner, outer):
    """z and its first and second derivatives as one function of a scalar, so that one search is compiled, not three."""
    def first(a):
        slope, value = inner(lambda a: (z(a),) * 2, has_aux=True)(a)
        return slope, (value, slope)

    def together(a):
        second, (value, slope) = outer(first, has_aux=True)(a)
        return jnp.stack([value, slope, second])

    return together


def tangent_and_cotangent(solution, a, v, u):
    """The value, J v and u J, by the two modes."""
    value, J = jax.linearize(solution, a)
    return value, J(v), jax.linear_transpose(J, a)(u)[0]


def bisection(low, high):
    def solver(g, z0):
        def halve(_, bracket):
            low, high = bracket
            middle = (low + high) / 2
            below = g(low) * g(middle) > 0
            return jnp.where(below, middle, low), jnp.where(below, high, middle)

        return jax.lax.fori_loop(0, 60, halve, (jnp.full_like(z0, low), jnp.full_like(z0, high)))[0]

    return solver


def cubic(a, z):
    return z**3 - z - a


def slides(a, z):
    return a * z**3 - z - 2


def heron(a, z):
    return (z + a / z) / 2


Z = 1.521379706804567569                                    # cubic at a = 2, by mpmath: z³ - z = 2
X = 1.165373043062414716                                    # slides at a = 2, by mpmath: 2 z³ - z - 2 = 0
CLOSED = {                                                  # z(a), a, z, dz/da, d²z/da²
    "heron": (lambda a: fixed_point(heron, a, 1.0), 2.0, 2**0.5, 2**-1.5, -(2**-3.5)),
    "newton": (lambda a: root(lambda a, z: z**2 - a, a, 1.0), 2.0, 2**0.5, 2**-1.5, -(2**-3.5)),
    "newton in a dict": (lambda a: root(lambda a, z: {"z": z["z"]**2 - a}, a, {"z": jnp.ones(1)})["z"][0], 2.0, 2**0.5, 2**-1.5, -(2**-3.5)),
    "slides": (lambda a: root(slides, a, 1.5, solver=bisection(1.0, 2.0)), 2.0, X, -X**3 / (6 * X**2 - 1),
               -(12 * X * (X**3 / (6 * X**2 - 1))**2 - 6 * X**5 / (6 * X**2 - 1)) / (6 * X**2 - 1)),
}


@pytest.mark.parametrize("name, inner, outer", [
    ("heron", jax.grad, jax.grad), ("heron", jax.jacfwd, jax.jacfwd), ("newton", jax.grad, jax.jacfwd), ("newton", jax.jacfwd, jax.grad),
    ("newton in a dict", jax.grad, jax.grad), ("slides", jax.grad, jax.jacfwd), ("slides", jax.jacfwd, jax.jacfwd)])
def test_first_and_second_derivatives_are_those_of_the_closed_form(name, inner, outer):
    z, a, *expected = CLOSED[name]
    np.testing.assert_allclose(jax.jit(value_first_second(z, inner, outer))(a), expected, rtol=0, atol=1e-12)


def test_the_reservation_wage_of_mccall():
    w, p = jnp.linspace(10, 60, 51), jnp.asarray(scipy.stats.betabinom(50, 200, 100).pmf(np.arange(51)))

    def R(beta, c):
        return fixed_point(lambda a, R: a[1] * (1 - a[0]) + a[0] * p @ jnp.maximum(w, R), (beta, c), 40.0, tol=1e-14)

    def first(*a):
        value, slopes = jax.value_and_grad(R, (0, 1))(*a)
        return slopes[0], (value, slopes)

    hessian, (value, (by_beta, by_c)) = jax.jit(jax.jacfwd(first, has_aux=True))(0.99, 25.0)
    checks.assert_published("R", value, "47.316499767", digits=9, source="QuantEcon's test of McCallModel")
    rejected = p @ (w < value)                                       # not 1 less the rest: the p add up to 1 only to 1e-12
    slope = 1 - 0.99 * rejected                                # the derivative of R - f, piecewise constant
    np.testing.assert_allclose(value, (0.25 + 0.99 * p @ jnp.where(w >= value, w, 0)) / slope, rtol=1e-13)
    np.testing.assert_allclose(by_c, 0.01 / slope, rtol=1e-11)
    np.testing.assert_allclose(by_beta, (p @ jnp.maximum(w, value) - 25) / slope, rtol=1e-11)
    second = 2 * rejected * by_beta / slope                          # from ∂_β ∂_R f
    np.testing.assert_allclose(hessian, second, rtol=1e-10)


@pytest.mark.parametrize("way, n, dtype, tol", [
    ("fixed_point", 64, np.float64, 1e-11),
    ("fixed_point", 3, np.float32, 1e-4), ("fixed_point", 100, np.float32, 1e-4),
    ("root", 100, np.float64, 1e-13), ("root", 1, np.float32, 1e-5)])
def test_gradients_are_those_of_a_dense_solve_whatever_the_size(way, n, dtype, tol):
    W, a, u = contraction(n, seed=n)
    z, expected = dense(W, a, u)
    W, a, u = (jnp.asarray(x, dtype) for x in (W, a, u))
    if way == "root":
        solution = lambda a: root(lambda a, z: jnp.tanh(W @ z + a) - z, a, jnp.zeros(n, dtype))
    else:
        solution = lambda a: fixed_point(lambda a, z: jnp.tanh(W @ z + a), a, jnp.zeros(n, dtype))
    value, tangent, slope = jax.jit(lambda a, u: tangent_and_cotangent(solution, a, u, u))(a, u)
    assert value.dtype == slope.dtype == tangent.dtype == dtype
    np.testing.assert_allclose(value, z, rtol=0, atol=tol)
    np.testing.assert_allclose(slope, expected, rtol=0, atol=tol * np.max(np.abs(expected)))
    np.testing.assert_allclose(u @ tangent, expected @ u, rtol=0, atol=tol * n * np.max(np.abs(expected)))


@pytest.fixture(scope="module")
def market():
    """Demand and supply of two goods, and a wage: pytrees in and out, with None and integers in a."""
    def f(a, z):
        demand = jnp.exp(a["shift"] - a["elasticity"][0] * z["p"] ** a["power"] * 0.1)
        return {"p": 0.5 * z["p"] + 0.3 * demand + 0.1 * z["w"], "w": 0.4 * jnp.tanh(jnp.sum(z["p"])) + a["base"]}

    def solution(shift, elasticity, base):
        a = {"shift": shift, "elasticity": [elasticity, None], "base": base, "power": 2}
        z = fixed_point(f, a, {"p": jnp.ones(2), "w": jnp.ones(())})
        return jnp.append(z["p"], z["w"])

    return jax.jit(solution), jax.jit(jax.jacfwd(solution, (0, 1, 2))), jax.jit(jax.jacrev(solution, (0, 1, 2)))


@few
@given(seeds)
def test_pytrees_go_in_and_out_and_forward_is_reverse_is_the_difference(market, seed):
    solution, forward, reverse = market
    shift, elasticity, base = random(seed, 2) / 2, abs(random(seed + 1, 2)), random(seed + 2)
    for i, (J, K) in enumerate(zip(forward(shift, elasticity, base), reverse(shift, elasticity, base))):
        np.testing.assert_allclose(J, K, atol=1e-11)
        v = random(seed + 3, *np.shape((shift, elasticity, base)[i]))
        moved = lambda t: solution(*(x + t * v if j == i else x for j, x in enumerate((shift, elasticity, base))))
        np.testing.assert_allclose(J @ v if v.ndim else J * v, (moved(1e-4) - moved(-1e-4)) / 2e-4, atol=1e-6)


square_root = jax.value_and_grad(lambda a: fixed_point(heron, a, 1.0, maxiter=30))
one, many = jax.jit(square_root), jax.jit(jax.vmap(square_root))


@few
@given(seeds)
def test_vmap_is_a_loop_and_only_what_fails_is_nan(seed):
    a = np.append(np.exp(random(seed, 4)), [-1.0, 4.0])                       # there is no square root of -1
    values, slopes = many(a)
    np.testing.assert_allclose(np.transpose([values, slopes]), [one(x) for x in a], rtol=1e-15)
    assert np.isnan(values).tolist() == np.isnan(slopes).tolist() == [False] * 4 + [True, False]


scaled_cubic = jax.jit(jax.value_and_grad(lambda a, scale: root(lambda a, z: scale * cubic(a, z), a, 1.5)))


@few
@given(st.floats(1e-8, 1e8), st.floats(0.5, 3.0))
def test_the_scale_of_F_plays_no_role(scale, a):
    np.testing.assert_allclose(scaled_cubic(a, scale), scaled_cubic(a, 1.0), rtol=1e-12)


@pytest.fixture(scope="module")
def value_and_slope():
    """u z and its gradient, each with its Jvp, of (a, W, u)."""
    z = lambda a, W, u: u @ fixed_point(lambda a, z: jnp.tanh(W @ z + a), a, jnp.zeros(3))
    pairs = []
    for f in (z, jax.grad(z)):
        pairs.append((jax.jit(f), jax.jit(lambda a, v, W, u, f=f: jax.jvp(lambda a: f(a, W, u), (a,), (v,))[1])))
    return pairs


@few
@given(seeds)
def test_the_taylor_test_of_a_value_and_of_a_gradient_passes(value_and_slope, seed):
    W, a, u = contraction(3, seed)
    for f, jvp in value_and_slope:
        assert checks.taylor_test(lambda a: f(a, W, u), a, random(seed, 3), jvp=lambda a, v: jvp(a, v, W, u)).ok


def scipy_brentq(g, z0):
    g = jax.jit(g)
    return jax.pure_callback(lambda a: np.asarray(scipy.optimize.brentq(lambda z: z**3 - z - a, 1.0, 3.0, xtol=1e-14)), z0, -g(0.0))


@pytest.mark.parametrize("name", ["bisection", "scipy", "optimistix", "exact"])
def test_any_solver_gives_the_same_derivatives(name):
    solver = {"bisection": bisection(1.0, 3.0), "scipy": scipy_brentq, "exact": lambda g, z0: jnp.asarray(Z),
              "optimistix": lambda g, z0: optx.root_find(lambda z, _: g(z), optx.Newton(1e-12, 1e-12), z0).value}[name]
    z = lambda a: root(cubic, a, 1.5, solver=solver)
    result = jax.jit(value_first_second(z, jax.grad, jax.jacfwd))(2.0)
    slope = 1 / (3 * Z**2 - 1)
    checks.assert_published("z", result[0], "1.521", digits=3, source="JAXopt, docs/root_finding.rst")
    np.testing.assert_allclose(result, [Z, slope, -6 * Z * slope**3], rtol=1e-13)


def test_without_jit_a_solver_may_be_plain_python():
    def newton(g, z0):
        z = float(z0)
        for _ in range(30):
            z -= float(g(z)) * 1e-6 / float(g(z + 1e-6) - g(z))
        return np.asarray(z)

    np.testing.assert_allclose(jax.grad(lambda a: root(cubic, a, 1.5, solver=newton))(2.0), 0.16824286008482, rtol=1e-12)


FAILING = {
    "diverges": lambda a: fixed_point(lambda a, z: 2 * z + a, a, 1.0),
    "swings": lambda a: fixed_point(lambda a, z: a - z, a, 0.0, maxiter=100),
    "no root": lambda a: root(lambda a, z: z**2 + a, a, 0.7),
    "a linear equation, and a wrong solver": lambda a: fixed_point(lambda a, z: 0.5 * z + a, a, 1.0, solver=lambda g, z0: z0),
    "a solver of other tolerance": lambda a: root(cubic, a, 1.5, solver=lambda g, z0: jnp.asarray(Z + 1e-9)),
    "one of two goods": lambda a: fixed_point(lambda a, z: {"p": 0.1 * z["p"] + a, "q": 0.999 * z["q"] + a}, a,
                                                   {"p": jnp.ones(2), "q": jnp.ones(())}, maxiter=40),
    "the pole of an excess demand": lambda a: root(lambda a, z: 1 / (z - a), a, 0.5, solver=lambda g, z0: jnp.nextafter(1.0, 2.0) * jnp.ones(())),
    "a jump": lambda a: root(lambda a, z: a * jnp.sign(z - a), a, 0.5, solver=lambda g, z0: jnp.ones(())),
}


LINEAR = ["diverges", "swings", "a linear equation, and a wrong solver", "one of two goods", "a jump"]


@pytest.mark.parametrize("name", FAILING)
def test_a_failed_solver_is_an_error_and_under_jit_all_of_it_is_nan(name):
    z = FAILING[name]
    flat = lambda a: jax.flatten_util.ravel_pytree(z(a))[0]
    with pytest.raises(ConvergenceError, match="expected at most tol = 1.8e-12"):
        (jax.grad(lambda a: flat(a)[0]) if name == "no root" else z)(1.0)

    def derivatives(a):
        value, forward, reverse = tangent_and_cotangent(flat, a, 1.0, jnp.ones(flat(a).shape))
        return forward, jnp.append(value, reverse)

    (forward, others), (second, _) = jax.jit(lambda a: jax.jvp(derivatives, (a,), (1.0,)))(1.0)
    assert np.all(np.isnan(forward)) and np.all(np.isnan(others))
    assert np.all(np.isnan(second)) or np.all(second == 0) and name in LINEAR            # such a zero is right, and JAX knows it


def test_it_stops_at_the_first_step_within_the_tolerance_or_after_maxiter_and_says_so():
    halve = lambda a, z: 0.5 * z + a                                 # |dz| = 2^-k <= tol 3: the step after k
    k = int(np.ceil(np.log2(2 / 3 / np.finfo(float).eps**0.75))) - 1
    np.testing.assert_allclose(fixed_point(halve, 1.0, 0.0, maxiter=k), 2, atol=4e-12)
    with pytest.raises(ConvergenceError, match=f"after {k - 1} iterations"):
        fixed_point(halve, 1.0, 0.0, maxiter=k - 1)
    with pytest.raises(ConvergenceError, match=f"after 7 iterations: the next step has size {2.0**-7 / (3 - 2.0**-6):.1e}"):
        fixed_point(halve, 1.0, 0.0, maxiter=7)
    both = jax.jit(jax.vmap(lambda a: fixed_point(halve, a, 0.0, maxiter=50)))(np.array([1.0, 1e30, np.nan]))
    assert np.isfinite(both).tolist() == [True, True, False]


@pytest.mark.parametrize("mode", BOTH)
def test_at_a_fold_and_next_to_it_derivatives_are_nan_and_before_it_right(mode):
    slope = jax.jit(mode(lambda a: root(lambda a, z: z**2 - a, a, 1.0, solver=lambda g, z0: jnp.sqrt(-g(0.0)))))
    assert np.isnan(slope(0.0))
    np.testing.assert_allclose(slope(1e-14), 0.5e7, rtol=1e-6)
    fold = jax.jit(lambda a, d: mode(lambda a: fixed_point(lambda a, z: z + a - z**2, a, 1.0, solver=lambda g, z0: jnp.sqrt(a + 0 * d) + d))(a))
    assert np.isnan(fold(0.0, 0.0))
    np.testing.assert_allclose(fold(1e-6, 0.0), 500, rtol=1e-6)
    assert np.isnan(fold(1e-20, 3e-8))                               # |f - z| = 1e-15 passes, but the solution is 1e-10, not 3e-8


@pytest.mark.parametrize("n", [1, 3, 100])
def test_a_singular_equation_gives_nan_and_never_a_number(n):
    A = np.diag(np.arange(n, dtype=float))                           # the first of n equations says nothing on z
    z = lambda a: root(lambda a, z: A @ (z - 1) + 0 * a, a, jnp.ones(n), solver=lambda g, z0: z0)
    F = lambda a, z: A @ (z - 1) + a * jnp.sin(z - 1)                # regular at a = 1, singular at a = 0
    solution = lambda a: fixed_point(lambda a, z: z - F(a[0], z) + a[1], a, jnp.ones(n), solver=lambda g, z0: z0)
    both = jax.jit(lambda a, v: tangent_and_cotangent(lambda b: solution((a, b)), 0.0, 1.0, v)[1:])
    tangent, cotangent = both(1.0, np.ones(n))
    np.testing.assert_allclose(tangent, 1 / (np.arange(n) + 1), rtol=1e-12)
    np.testing.assert_allclose(cotangent, np.sum(tangent), rtol=1e-12)
    tangent, cotangent = both(0.0, np.ones(n))
    assert np.all(np.isnan(tangent)) and np.isnan(cotangent)
    if n < 100:
        with pytest.raises(ConvergenceError):
            z(1.0)


@pytest.mark.parametrize("n, fails", [(64, False), (100, True)])
def test_where_gmres_stalls_the_derivative_is_nan(n, fails):
    shift = lambda z: jnp.roll(z, 1)                                 # regular, but GMRES learns nothing in its first 99 steps
    z = lambda a: fixed_point(lambda a, z: z - shift(z) + a, a, a, solver=lambda g, z0: jnp.roll(g(z0 * 0), -1))
    first = np.eye(n)[0]
    _, tangent, cotangent = jax.jit(lambda a: tangent_and_cotangent(z, a, first, first))(random(n, n))
    for slope, right in ((tangent, np.eye(n)[-1]), (cotangent, np.eye(n)[1])):
        assert np.all(np.isnan(slope)) if fails else np.array_equal(slope, right)


def test_the_start_has_no_derivative_and_what_f_closes_over_has_one():
    through = lambda a: fixed_point(lambda _, z: (z + a / z) / 2, None, 1.0)
    start = lambda z0: fixed_point(heron, 2.0, z0)
    inside = lambda a: root(cubic, a, 1.5, solver=bisection(a - 1, a + 1))           # the solver closes over a: no part of it
    assert jax.grad(start)(1.0) == 0 == jax.jit(jax.jacfwd(start))(1.0)
    for mode in BOTH:
        result = jax.jit(jax.vmap(value_first_second(through, mode, mode)))(jnp.array([2.0, 4.0]))
        np.testing.assert_allclose(result, [[2**0.5, 2**-1.5, -(2**-3.5)], [2, 0.25, -1 / 32]], rtol=1e-13)
        np.testing.assert_allclose(jax.jit(mode(inside))(2.0), 0.16824286008482, rtol=1e-12)
    np.testing.assert_allclose(jax.grad(through)(2.0), 2**-1.5, rtol=1e-14)                # without jit it is closed over, too


def test_a_global_that_changes_is_seen():
    rate = 0.5

    def f(a, z):
        return rate * z + a

    before = fixed_point(f, 1.0, 0.0)
    rate = 0.75
    np.testing.assert_allclose([before, fixed_point(f, 1.0, 0.0), jax.grad(fixed_point, argnums=1)(f, 1.0, 0.0)], [2, 4, 4], rtol=1e-11)


def test_tiny_and_huge_cotangents_are_neither_lost_nor_infinite():
    W, a, u = (jnp.asarray(x) for x in contraction(70))
    pullback = jax.vjp(jax.jit(lambda a: fixed_point(lambda a, z: jnp.tanh(W @ z + a), a, jnp.zeros(70))), a)[1]
    one, tiny, huge, zero = jax.jit(jax.vmap(lambda s: pullback(s * u)[0]))(np.array([1.0, 1e-250, 1e250, 0.0]))
    np.testing.assert_allclose(tiny, 1e-250 * one, rtol=1e-12)
    np.testing.assert_allclose(huge, 1e250 * one, rtol=1e-12)
    assert np.all(zero == 0)


@pytest.fixture(scope="module")
def bar():
    """200 unknowns: the gradient by fixed_point, by optimistix and by unrolling, and the dense solve."""
    W, a, u = contraction(200)
    f, z0 = lambda a, z: jnp.tanh(W @ z + a), jnp.zeros(200)
    solver = optx.FixedPointIteration(rtol=1e-12, atol=1e-12)
    ours = lambda maxiter: lambda a: u @ fixed_point(f, a, z0, tol=1e-12, maxiter=maxiter)
    theirs = lambda a: u @ optx.fixed_point(lambda z, a: f(a, z), solver, z0, args=a, max_steps=1000).value
    unrolled = lambda steps: lambda a: u @ jax.lax.scan(lambda z, _: (f(a, z), None), z0, length=steps)[0]
    return a, dense(W, a, u)[1], ours, theirs, unrolled


def test_the_gradient_of_200_unknowns_is_exact_to_1e_12(bar):
    a, expected, ours, _, _ = bar
    assert np.max(np.abs(jax.jit(jax.grad(ours(1000)))(a) - expected)) <= 1e-12


def test_its_memory_is_at_most_0_3_of_optimistix_and_does_not_grow_with_the_iterations_as_unrolling_does(bar):
    a, _, ours, theirs, unrolled = bar
    size = bench.temp_bytes(jax.grad(ours(1000)), a)
    assert size <= 0.3 * bench.temp_bytes(jax.grad(theirs), a)
    assert size == bench.temp_bytes(jax.grad(ours(100_000)), a)
    assert bench.temp_bytes(jax.grad(unrolled(200)), a) > 1.8 * bench.temp_bytes(jax.grad(unrolled(100)), a) > 1.8 * size

"""lecture_utils.linop and checks.dot_product_test: matrices from products, Jacobians as operators, adjoints put to the test."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.linalg import LinearOperator, gmres, lsmr

from lecture_utils.checks import dot_product_test
from lecture_utils.linop import jacobian_operator, materialize, materialize_adjoint

many = settings(derandomize=True, deadline=None, max_examples=30)
few = settings(derandomize=True, deadline=None, max_examples=8)
sizes, seeds = st.integers(1, 7), st.integers(0, 2**20)

pytestmark = pytest.mark.usefixtures("x64")


def matrix(seed, m, n):
    return np.random.default_rng(seed).standard_normal((m, n))


def smooth(seed, m, n):
    """f: [n] -> [m] of exponentials, with its Jacobian by hand."""
    A = matrix(seed, m, n)
    return lambda x: jnp.exp(0.3 * A @ x), lambda x: np.exp(0.3 * A @ x)[:, None] * 0.3 * A


# Matrices.

@many
@given(seeds, sizes, sizes)
def test_columns_and_rows_give_the_same_matrix_to_the_last_bit(seed, m, n):
    A = matrix(seed, m, n)
    assert np.array_equal(materialize(lambda v: A @ v, n), A)
    assert np.array_equal(materialize_adjoint(lambda u: A.T @ u, m), A)


@many
@given(sizes, sizes)
def test_each_basis_vector_is_asked_for_once_and_may_be_written_into(m, n):
    seen = []

    def matvec(v):
        seen.append(v.copy())
        image = np.full(m, v.sum())
        v[:] = 7
        return image

    assert np.array_equal(materialize(matvec, n), np.ones((m, n)))
    assert np.array_equal(seen, np.eye(n))


def test_a_buffer_that_is_used_again_does_no_harm():
    A, buffer = matrix(0, 3, 2), np.empty(3)
    assert np.array_equal(materialize(lambda v: np.matmul(A, v, out=buffer), 2), A)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_matrix_has_the_type_and_the_library_of_what_the_map_returns(dtype):
    A = matrix(1, 3, 2).astype(dtype)
    assert materialize(lambda v: A @ v.astype(dtype), 2).dtype == dtype
    by_jax = materialize(lambda v: jnp.asarray(A) @ v.astype(dtype), 2)
    assert isinstance(by_jax, jax.Array) and by_jax.dtype == dtype


@pytest.mark.parametrize("matvec, said", [(lambda v: v[: int(v[0]) + 1], "basis vector 1"), (lambda v: v.sum(), r"shape \[\]")])
def test_a_map_whose_values_change_shape_or_are_scalars_is_refused(matvec, said):
    with pytest.raises(ValueError, match=said):
        materialize(matvec, 2)


# The Jacobian as an operator.

@few
@given(seeds, sizes, sizes)
def test_the_operator_is_the_jacobian_from_both_sides(seed, m, n):
    f, jacobian = smooth(seed, m, n)
    x = matrix(seed + 1, n, 1)[:, 0]
    J = jacobian_operator(f, x)
    assert isinstance(J, LinearOperator) and J.shape == (m, n) and J.dtype == np.float64
    for found in (materialize(J.matvec, n), materialize_adjoint(J.rmatvec, m), J @ np.eye(n), (J.T @ np.eye(m)).T, (J.H @ np.eye(m)).T):
        assert found.dtype == np.float64 and np.allclose(found, jacobian(x), rtol=1e-13, atol=1e-14)
    assert dot_product_test(J.matvec, J.rmatvec, n, m, jax.random.key(seed)) < 1e-14


def test_f_is_run_once_however_many_products_follow():
    calls, values = [], []

    def f(x):
        calls.append(1)
        jax.debug.callback(lambda _: values.append(1), x[0])          # once each time the program itself runs
        return jnp.sin(x) * x[0]

    J = jacobian_operator(f, np.array([0.3, 0.7]))
    for _ in range(3):
        J.matvec(np.ones(2)), J.rmatvec(np.ones(2))
    jax.effects_barrier()
    assert len(calls) == 1 and len(values) <= 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_type_of_x_is_kept(dtype):
    J = jacobian_operator(jnp.sin, np.array([0.3, 0.7], dtype))
    assert J.dtype == dtype
    for given_type in (np.float32, np.float64, int):
        assert J.matvec(np.ones(2, given_type)).dtype == J.rmatvec(np.ones(2, given_type)).dtype == dtype


def test_float64_is_refused_while_jax_computes_in_32_bits():
    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(TypeError, match="x has dtype float64, expected float32"):
            jacobian_operator(jnp.sin, np.array([0.3, 0.7]))
    finally:
        jax.config.update("jax_enable_x64", True)


def test_a_scalar_function_has_one_row_which_is_its_gradient():
    x = np.array([0.3, 0.7, -1.0])
    J = jacobian_operator(lambda x: jnp.sum(x**3), x)
    assert J.shape == (1, 3)
    assert np.allclose(J.rmatvec(np.ones(1)), 3 * x**2, rtol=1e-14) and np.allclose(J.matvec(x), [3 * np.sum(x**3)], rtol=1e-14)


def test_a_complex_vector_and_one_of_another_length_are_refused():
    J = jacobian_operator(jnp.sin, np.array([0.3, 0.7]))
    with pytest.raises(TypeError, match="v is complex, expected real"):
        J.matvec(np.ones(2) * 1j)
    with pytest.raises(TypeError, match="u is complex, expected real"):
        J.rmatvec(np.ones(2) * 1j)
    with pytest.raises(ValueError):
        J.matvec(np.ones(3))


@few
@given(seeds)
def test_gmres_and_lsmr_solve_with_it(seed):
    A = 0.1 * matrix(seed, 6, 6)
    f = lambda x: x + jnp.tanh(A @ x)
    x, b = matrix(seed + 1, 2, 6)
    J = jacobian_operator(f, x)
    dense = np.eye(6) + (1 - np.tanh(A @ x) ** 2)[:, None] * A
    solution, info = gmres(J, b, rtol=1e-12)
    assert info == 0 and np.allclose(solution, np.linalg.solve(dense, b), rtol=1e-9, atol=1e-10)
    adjoint, info = gmres(J.T, b, rtol=1e-12)
    assert info == 0 and np.allclose(adjoint, np.linalg.solve(dense.T, b), rtol=1e-9, atol=1e-10)
    g, jacobian = smooth(seed, 9, 4)
    wide = jacobian_operator(g, x[:4])
    b = matrix(seed + 2, 9, 1)[:, 0]
    least = lsmr(wide, b, atol=1e-13, btol=1e-13)[0]
    assert np.allclose(least, np.linalg.lstsq(jacobian(x[:4]), b, rcond=None)[0], rtol=1e-7, atol=1e-8)


# The dot-product test.

@many
@given(seeds, sizes, sizes, st.sampled_from([1e-200, 1e-6, 1.0, 1e200]))
def test_a_right_adjoint_passes_at_any_scale(seed, m, n, scale):
    A = scale * matrix(seed, m, n)
    assert dot_product_test(lambda v: A @ v, lambda u: A.T @ u, n, m, jax.random.key(seed)) < 1e-14


def test_the_result_is_about_the_relative_error_of_the_adjoint():
    A, E = matrix(0, 30, 20), matrix(1, 20, 30)
    for size in (1e-8, 1e-3, 1e-1):
        wrong = A.T + size * E * np.linalg.norm(A) / np.linalg.norm(E)
        found = [dot_product_test(lambda v: A @ v, lambda u: wrong @ u, 20, 30, jax.random.key(k)) for k in range(200)]
        assert 0.8 < np.sqrt(np.mean(np.square(found))) / size < 1.2
        assert np.mean(np.array(found) > size / 100) > 0.97


@pytest.mark.parametrize("wrong", [lambda A: A, lambda A: -A.T, lambda A: 2 * A.T, lambda A: np.triu(A.T), lambda A: 0 * A],
                         ids=["not transposed", "sign", "factor", "a part missing", "zero"])
def test_wrong_adjoints_of_the_right_shape_are_found(wrong):
    A = matrix(3, 8, 8)
    found = [dot_product_test(lambda v: A @ v, lambda u: wrong(A) @ u, 8, 8, jax.random.key(k)) for k in range(50)]
    assert np.median(found) > 0.2 and np.mean(np.array(found) > 1e-3) >= 0.98


def test_one_key_gives_one_result_and_another_another():
    A = matrix(0, 3, 3)
    test = lambda key: dot_product_test(lambda v: A @ v, lambda u: A @ u, 3, 3, key)
    assert test(jax.random.key(0)) == test(jax.random.key(0)) == test(jax.random.PRNGKey(0)) != test(jax.random.key(1))


def test_the_arguments_of_the_products_are_theirs_to_change():
    def matvec(v):
        v *= 2
        return v

    assert dot_product_test(matvec, matvec, 4, 4, jax.random.key(0)) < 1e-15


def test_the_map_to_zero_passes():
    assert dot_product_test(lambda v: np.zeros(3), lambda u: np.zeros(2), 2, 3, jax.random.key(0)) == 0


def test_products_in_float32_pass_to_their_own_precision():
    A = matrix(0, 50, 40).astype(np.float32)
    found = dot_product_test(lambda v: A @ v.astype(np.float32), lambda u: A.T @ u.astype(np.float32), 40, 50, jax.random.key(0))
    assert found < 2e-6


@pytest.mark.parametrize("m, n, name", [(2, 3, "matvec"), (3, 3, "matvec")])
def test_a_product_of_another_shape_is_refused_with_its_name(m, n, name):
    with pytest.raises(ValueError, match=rf"{name} returned shape \[2\], expected \[3\]|rmatvec returned"):
        dot_product_test(lambda v: v[:2], lambda u: u, n, m, jax.random.key(0))


# Chapter 07: the adjoint with weights.

@few
@given(seeds, st.integers(1, 5), st.integers(2, 6))
def test_the_weighted_adjoint_satisfies_its_identity_to_1e_13_and_the_plain_transpose_does_not(seed, n, m):
    f, _ = smooth(seed, m, n)
    v, u = matrix(seed + 1, 1, n)[0], matrix(seed + 2, 1, m)[0]
    J = jacobian_operator(f, matrix(seed + 3, 1, n)[0])
    spd = lambda B: B @ B.T + np.eye(len(B))
    W_x, W_y = spd(matrix(seed + 4, n, n)), spd(matrix(seed + 5, m, m))
    star = np.linalg.solve(W_x, J.T @ (W_y @ u))
    size = np.linalg.norm(W_y @ u) * np.linalg.norm(J @ v)
    assert abs(u @ W_y @ (J @ v) - star @ W_x @ v) < 1e-13 * size
    assert abs(u @ W_y @ (J @ v) - (J.T @ u) @ W_x @ v) > 1e-6 * size


def test_a_list_of_results_is_refused_at_the_door():
    with pytest.raises(TypeError, match="f returned a list, expected one array"):
        jacobian_operator(lambda x: [x[0], x[1]], np.ones(2, np.float32))

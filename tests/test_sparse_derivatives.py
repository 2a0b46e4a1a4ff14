"""lecture_utils.sparse, the compiled half: sparse Jacobians and Hessians, their products counted, wrong patterns found."""
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.experimental.sparse import BCOO

from lecture_utils import sparse
from lecture_utils.sparse import sparse_hessian, sparse_jacobian

few = settings(derandomize=True, deadline=None, max_examples=8)
seeds, sizes = st.integers(0, 2**20), st.sampled_from([1, 5, 8])

pytestmark = pytest.mark.usefixtures("x64")


def point(n, seed=0, low=0.5, high=1.5):
    return np.random.default_rng(seed).uniform(low, high, n)


def band(n, width):
    return sp.csr_array(abs(np.subtract.outer(np.arange(n), np.arange(n))) <= width)


def line(x):
    z = jnp.pad(x, 1)
    return z[:-2] - 2 * x + z[2:] + x**2 * jnp.exp(-x)


def plane(x):
    u = x.reshape(5, 5)
    z = jnp.pad(u, 1)
    return (z[:-2, 1:-1] + z[2:, 1:-1] + z[1:-1, :-2] + z[1:-1, 2:] - 4 * u - jnp.sin(u) * u).ravel()


def five_point():
    one = sp.csr_array(sp.eye_array(5))
    return sp.csr_array(sp.kron(band(5, 1), one) + sp.kron(one, band(5, 1)))


def arrow(x):
    return jnp.concatenate([jnp.sum(x**2)[None], x[1:] ** 2 * x[0]])


def arrowhead(n):
    pattern = np.eye(n)
    pattern[0] = pattern[:, 0] = 1
    return pattern


def thin(x):
    return x[1:4] * x[:3] + x[4:7]


def chain(x):
    """Rosenbrock's valley."""
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def shared(x):
    return jnp.sum(x[1:] ** 2 * jnp.exp(x[0]) + x[1:] ** 4)


def mesh(x):
    u = jnp.pad(x.reshape(5, 5), 1)
    return jnp.sum(jnp.diff(u, axis=0) ** 2) + jnp.sum(jnp.diff(u, axis=1) ** 2) + jnp.sum(jnp.cosh(x))


JACOBIANS = {"line": (line, 9, band(9, 1)), "plane": (plane, 25, five_point()), "arrow": (arrow, 8, arrowhead(8)),
             "thin": (thin, 9, np.eye(3, 9) + np.eye(3, 9, k=1) + np.eye(3, 9, k=4)),
             "tall": (lambda x: jnp.concatenate([jnp.sin(x), x[1:] * x[:-1]]), 6, np.vstack([np.eye(6), np.eye(5, 6) + np.eye(5, 6, k=1)]))}
HESSIANS = {"chain": (chain, 9, band(9, 1)), "shared": (shared, 9, arrowhead(9)), "mesh": (mesh, 25, five_point()),
            "separable": (lambda x: jnp.sum(jnp.exp(x)), 6, np.eye(6))}


@functools.cache
def dense(f, n, derivative=jax.jacfwd):
    """The derivative of f at point(n) as a dense array, compiled and computed once."""
    return np.asarray(jax.jit(derivative(f))(point(n)))


def random_case(seed, m, n):
    """A pattern [m, n] with a function that has it: rows, columns and all of it may be empty; and the function's Jacobian."""
    random = np.random.default_rng(seed)
    A = random.uniform(1, 2, (m, n)) * (random.uniform(size=(m, n)) < random.uniform(0, 1))
    return A, lambda x: jnp.sin(A @ x) + A @ (x**2), lambda x: np.cos(A @ x)[:, None] * A + 2 * A * x


def equal(got, wanted):
    """To 1e-13 of each entry, and exactly zero where the other is."""
    got = got.toarray() if sp.issparse(got) else np.asarray(got.todense())
    np.testing.assert_allclose(got, np.asarray(wanted), rtol=1e-13, atol=0)


# Values.

@pytest.mark.parametrize("mode", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("name", JACOBIANS)
def test_a_sparse_jacobian_equals_the_dense_one_in_every_mode(name, mode):
    f, n, pattern = JACOBIANS[name]
    x, wanted = point(n), dense(f, n)
    J = sparse_jacobian(f, x, pattern=pattern, mode=mode, output="csr")
    equal(J(x), wanted)
    equal(sparse_jacobian(f, x, coloring=J.coloring, linearize_once=True, check=True)(x), wanted)


@pytest.mark.parametrize("name, method", [*((name, method) for name in HESSIANS for method in ("star", "acyclic")),
                                          ("chain", "column")])
def test_a_sparse_hessian_equals_the_dense_one_by_every_method(name, method):
    f, n, pattern = HESSIANS[name]
    x, wanted = point(n), dense(f, n, jax.hessian)
    how = {"coloring": sparse.color_columns(pattern)} if method == "column" else {"pattern": pattern, "method": method}
    H = sparse_hessian(f, x, output="csr", **how)
    # Substitution subtracts, so there the size of the row, not of the entry, is what the error is measured by.
    size = abs(wanted).max(axis=1, keepdims=True) if method == "acyclic" else abs(wanted)
    assert np.all(abs(H(x).toarray() - wanted) <= 1e-13 * size)
    again = sparse_hessian(f, x, coloring=H.coloring, linearize_once=True, check=True)(x)
    assert np.all(abs(again.todense() - wanted) <= 1e-13 * size)


@few
@given(seeds, sizes, sizes, st.sampled_from(["auto", "forward", "reverse", "bidirectional"]))
def test_random_patterns_empty_full_and_rectangular_give_the_dense_jacobian(seed, m, n, mode):
    A, f, df = random_case(seed, m, n)
    x = point(n, seed)
    J = sparse_jacobian(f, x, pattern=A, mode=mode, check=True)
    got = np.asarray(J(x).todense())
    assert np.array_equal(got != 0, A != 0)
    np.testing.assert_allclose(got, df(x), rtol=1e-12, atol=0)         # the order of the sums in A @ x differs
    one_sided = {"forward": n, "reverse": m}
    assert J.coloring.num_colors <= one_sided.get(mode, 1.25 * min(m, n))


def test_the_pattern_found_by_asdex_is_the_pattern_of_f():
    pytest.importorskip("asdex")
    for f, n, pattern in JACOBIANS.values():
        J = sparse_jacobian(f, point(n))
        assert np.array_equal(J.pattern.toarray() != 0, sp.csr_array(pattern).toarray() != 0)
        equal(J(point(n)), dense(f, n))
    for f, n, pattern in HESSIANS.values():
        H = sparse_hessian(f, point(n))
        assert np.array_equal(H.pattern.toarray() != 0, sp.csr_array(pattern).toarray() != 0)


def test_an_empty_pattern_gives_an_empty_matrix_and_a_scalar_function_of_no_curvature_too():
    J = sparse_jacobian(lambda x: jnp.ones(3) + 0 * x[0], np.ones(4), pattern=np.zeros((3, 4)), check=True)
    assert J(np.ones(4)).nse == 0 and J(np.ones(4)).shape == (3, 4)
    none = sparse.check_coloring(np.zeros((3, 4)), ([-1] * 4, [-1] * 3), method="bidirectional")
    assert none.num_colors == sparse_jacobian(lambda x: jnp.ones(3), np.ones(4), coloring=none, check=True)(np.ones(4)).nse == 0
    assert sparse_hessian(jnp.sum, np.ones(4), pattern=sp.csr_array((4, 4)), output="csr", check=True)(np.ones(4)).nnz == 0


def test_float32_stays_float32_and_is_right_to_its_precision():
    x = point(9).astype(np.float32)
    for mode in ("forward", "reverse", "bidirectional"):
        J = sparse_jacobian(line, x, pattern=band(9, 1), mode=mode, check=True)(x)
        assert J.dtype == np.float32
        np.testing.assert_allclose(J.todense(), dense(line, 9), rtol=1e-5)
    assert sparse_hessian(chain, x, pattern=band(9, 1), check=True)(x).dtype == np.float32


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("inner, outer", [(np.float32, np.float64), (np.float64, np.float32)])
def test_where_f_changes_the_type_check_counts_with_the_coarser_one(mode, inner, outer):
    x = point(9).astype(inner)
    J = sparse_jacobian(lambda x: line(x.astype(outer)), x, pattern=band(9, 1), mode=mode, check=True)(x)
    assert J.dtype == outer
    np.testing.assert_allclose(J.todense(), dense(line, 9), rtol=1e-5)


def test_large_seeds_are_made_in_the_program_and_give_the_same(monkeypatch):
    wanted = sparse_jacobian(line, point(9), pattern=band(9, 1), output="data")(point(9))
    monkeypatch.setattr("lecture_utils.sparse._evaluate._LARGE", 0)
    assert np.array_equal(sparse_jacobian(line, point(9), pattern=band(9, 1), output="data")(point(9)), wanted)


# Inside of other transformations.

@pytest.mark.parametrize("once, check", [(False, False), (True, True)])
def test_data_and_bcoo_go_under_jit_and_vmap(once, check):
    x, X = point(9), np.stack([point(9), point(9, 2)])
    how = {"pattern": band(9, 1), "linearize_once": once, "check": check}
    J, data = sparse_jacobian(line, x, **how), sparse_jacobian(line, x, output="data", **how)
    assert np.array_equal(data(x), J(x).data)
    equal(jax.jit(J)(x), dense(line, 9))
    np.testing.assert_allclose(jax.vmap(J)(X).todense()[0], dense(line, 9), rtol=1e-13)
    np.testing.assert_allclose(jax.jit(jax.vmap(data))(X), [data(X[0]), data(X[1])], rtol=1e-13)
    assert isinstance(jax.jit(J)(x), BCOO) and jax.jit(lambda x: J(x) @ x)(x).shape == (9,)


def test_the_data_can_be_differentiated_once_more():
    pattern, x, v = band(9, 1), point(9), point(9, 3)
    data = sparse_jacobian(line, x, pattern=pattern, output="data")
    i, j = np.nonzero(pattern.toarray())
    second = jax.jit(jax.jacfwd(jax.jacfwd(line)))(x)[i, j]
    np.testing.assert_allclose(jax.jit(jax.jacfwd(data))(x), second, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(jax.jit(jax.grad(lambda x: data(x) @ data(x)))(x), 2 * data(x) @ second, rtol=1e-12)
    hessian = sparse_hessian(chain, x, pattern=pattern, method="acyclic", output="data")
    third = jax.jit(jax.jacfwd(jax.hessian(chain)))(x) @ v
    np.testing.assert_allclose(jax.jvp(hessian, (x,), (v,))[1], third[i, j], rtol=1e-12, atol=1e-12)


def test_csr_is_refused_under_jit_with_the_way_out():
    J = sparse_jacobian(line, point(9), pattern=band(9, 1), output="csr")
    for transformed, x in ((jax.jit(J), point(9)), (jax.vmap(J), np.ones((2, 9)))):
        with pytest.raises(TypeError, match="output is 'csr', expected 'data' or 'bcoo'"):
            transformed(x)


def test_a_csr_matrix_is_the_callers_own():
    J = sparse_jacobian(line, point(9), pattern=band(9, 1), output="csr")
    first = J(point(9))
    first.data[::2] = 0
    first.eliminate_zeros()
    equal(J(point(9)), dense(line, 9))
    with pytest.raises(ValueError, match="read-only"):
        J.pattern.data[0] = 0


def test_products_that_need_longer_indices_than_jax_has_are_refused(monkeypatch):
    monkeypatch.setattr("lecture_utils.sparse._recovery._small", lambda index: index)         # as if there were that many
    assert sparse_jacobian(line, point(9), pattern=band(9, 1))(point(9)).shape == (9, 9)
    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(ValueError, match=r"coloring has 3 products of more than 2\*\*31 numbers together, expected fewer"):
            sparse_jacobian(line, point(9).astype(np.float32), pattern=band(9, 1))
    finally:
        jax.config.update("jax_enable_x64", True)


def test_the_entries_stand_row_by_row_and_bcoo_says_that_they_are_sorted_and_unique():
    shuffled = sp.coo_array(band(9, 1))
    order = np.random.default_rng(0).permutation(shuffled.nnz)
    pattern = sp.coo_array((np.ones(shuffled.nnz), (shuffled.coords[0][order], shuffled.coords[1][order])), shape=(9, 9))
    for J in (f(point(9)) for f in (sparse_jacobian(line, point(9), pattern=pattern), jax.jit(sparse_jacobian(line, point(9), pattern=pattern)))):
        assert J.indices_sorted and J.unique_indices and J.indices.dtype == np.int32
        assert J.indices.tolist() == np.argwhere(band(9, 1).toarray()).tolist()


# The number of products.

def products(monkeypatch, make, x):
    """Return how many products J v and uᵀJ a function computes: what jax.vmap is asked to map over, by kind."""
    found = []
    vmap = jax.vmap
    monkeypatch.setattr(jax, "vmap", lambda g: lambda s: (found.append(s.shape), vmap(g)(s))[1])
    make()(x)
    monkeypatch.undo()
    return found


def test_as_many_products_are_computed_as_there_are_colors(monkeypatch):
    n = 10_000
    x = point(n)
    i = np.arange(n)
    pattern = sp.coo_array((np.ones(3 * n), (np.r_[i, 0 * i, i], np.r_[i, i, 0 * i])), shape=(n, n))
    shapes = products(monkeypatch, lambda: sparse_jacobian(arrow, x, pattern=pattern), x)
    assert sum(p for p, _ in shapes) <= 3
    assert products(monkeypatch, lambda: sparse_jacobian(line, point(9), pattern=band(9, 1)), point(9)) == [(3, 9)]
    assert products(monkeypatch, lambda: sparse_jacobian(thin, point(9), pattern=JACOBIANS["thin"][2], mode="reverse"), point(9)) == [(2, 3)]
    assert products(monkeypatch, lambda: sparse_hessian(shared, point(9), pattern=arrowhead(9)), point(9)) == [(2, 9)]
    assert products(monkeypatch, lambda: sparse_hessian(chain, point(9), pattern=band(9, 1), method="acyclic"), point(9)) == [(2, 9)]


@pytest.mark.parametrize("once", [False, True])
def test_f_is_traced_at_the_first_call_and_not_run_in_python_again(once):
    calls = []
    J = sparse_jacobian(lambda x: (calls.append(1), line(x))[1], point(9), pattern=band(9, 1), linearize_once=once)
    J(point(9))
    before = len(calls)
    J(point(9, 1))
    assert len(calls) == before > 0


# Wrong patterns.

def without(pattern, i, j):
    pattern = sp.lil_array(pattern)
    pattern[i, j] = 0
    pattern = sp.csr_array(pattern)
    pattern.eliminate_zeros()
    return pattern


@pytest.mark.parametrize("i, j", [(7, 8), (0, 0), (4, 3)])
def test_check_names_the_row_of_an_entry_that_the_pattern_lacks(i, j):
    with pytest.raises(ValueError, match=rf"pattern lacks entries in row {i}, expected"):
        sparse_jacobian(line, point(9), pattern=without(band(9, 1), i, j), check=True)
    with pytest.raises(ValueError, match=rf"pattern lacks entries in row .*\b{i}\b.*, expected"):
        sparse_jacobian(line, point(9), pattern=without(band(9, 1), i, j), check=True, mode="reverse")


@few
@given(seeds, st.sampled_from(["forward", "reverse", "bidirectional"]), st.booleans())
def test_check_finds_every_planted_gap_wherever_it_is(seed, mode, once):
    A, f, _ = random_case(seed, 5, 8)
    i, j = np.nonzero(A)
    if len(i):
        k = seed % len(i)
        with pytest.raises(ValueError, match=rf"pattern lacks entries in row .*\b{i[k]}\b"):
            sparse_jacobian(f, point(8), pattern=without(A, i[k], j[k]), check=True, mode=mode, linearize_once=once)


def test_without_check_a_gap_gives_a_wrong_jacobian_which_is_why_there_is_a_check():
    wrong = sparse_jacobian(line, point(9), pattern=without(band(9, 1), 7, 8), coloring=np.arange(9) % 2 * 0 + np.arange(9) % 3)
    assert np.array_equal(wrong(point(9)).todense()[:7], dense(line, 9)[:7]) and wrong(point(9)).todense()[7, 8] == 0


def test_check_finds_a_gap_in_the_pattern_of_a_hessian():
    pattern = without(without(band(9, 1), 4, 5), 5, 4)
    for method in ("star", "acyclic"):
        with pytest.raises(ValueError, match=r"pattern lacks entries in row .*\b4\b"):
            sparse_hessian(chain, point(9), pattern=pattern, method=method, check=True)


def test_where_substitution_loses_the_small_entries_of_a_hessian_check_says_that_too():
    sizes, pattern = np.logspace(0, -14, 29), band(30, 1)
    f = lambda x: sizes @ jnp.sin(x[1:] * x[:-1])
    H = sparse_hessian(f, point(30), pattern=pattern, method="acyclic", output="csr")(point(30)).toarray()
    wanted = dense(f, 30, jax.hessian)
    error = abs(H - wanted).max(axis=1)
    assert np.all(error < 1e-14) and np.max(error / abs(wanted).max(axis=1)) > 1e-6
    with pytest.raises(ValueError, match="; or substitution lost small entries beside large ones: method 'star' keeps them"):
        sparse_hessian(f, point(30), pattern=pattern, method="acyclic", check=True)
    sparse_hessian(f, point(30), pattern=pattern, check=True)


def late(x):
    """Diagonal as long as x[0] is small; then not."""
    return x + jnp.where(x[0] > 2, jnp.roll(x, 1), 0.0)


def test_a_gap_that_opens_later_raises_at_that_call_and_is_nan_where_nothing_can_be_raised():
    x = point(5)
    J = sparse_jacobian(late, x, pattern=np.eye(5), output="data", check=True)
    assert np.array_equal(J(x), np.ones(5))
    with pytest.raises(ValueError, match="pattern lacks entries in row 0, 1, 2, 3, 4, expected"):
        J(x + 2)
    assert np.isnan(jax.jit(J)(x + 2)).all() and np.array_equal(jax.jit(J)(x), np.ones(5))
    assert np.isnan(jax.vmap(J)(np.stack([x, x + 2]))).all(axis=1).tolist() == [False, True]
    row = sparse_jacobian(lambda x: jnp.stack([x[0], jnp.where(x[0] > 2, x[1], 0.0)]), x, pattern=np.eye(2, 5) * [[1], [0]],
                          output="data", check=True)
    assert np.isnan(jax.jit(row)(x + 2)).all()                   # the row that lacks its entry has none to be marked


def test_a_function_that_gives_nan_is_not_taken_for_a_wrong_pattern():
    f = lambda x: jnp.sqrt(x) * jnp.roll(x, 1)
    pattern = np.eye(5) + np.roll(np.eye(5), 1, 0)
    J = sparse_jacobian(f, point(5), pattern=pattern, check=True)
    bad = J(np.array([1.0, -1, 1, 1, 1])).todense()
    assert np.isnan(bad[1]).any() and np.isfinite(bad[3]).all()
    assert np.isinf(J(np.array([1.0, 0, 1, 1, 1])).todense()[1, 1])
    hidden = sparse_jacobian(lambda x: jnp.stack([x[0], jnp.where(x[0] > 2, jnp.sqrt(x[1]), 0.0)]), point(2),
                             pattern=np.diag([1, 0]), output="data", check=True)
    assert np.isnan(hidden(np.array([3.0, -1.0]))).all()         # NaN outside of the pattern: nobody knows, and J says so


def test_check_works_for_a_function_that_has_a_reverse_rule_only():
    @jax.custom_vjp
    def double(x):
        return 2 * x
    double.defvjp(lambda x: (2 * x, None), lambda _, u: (2 * u,))
    equal(sparse_jacobian(double, point(5), pattern=np.eye(5), mode="reverse", check=True)(point(5)), 2 * np.eye(5))
    with pytest.raises(ValueError, match="row 1"):
        sparse_jacobian(double, point(5), pattern=np.diag([1, 0, 1, 1, 1]), mode="reverse", check=True)


# The caller's own colorings, and what is refused.

def test_a_coloring_of_the_callers_is_used_after_it_is_verified():
    x = point(9)
    J = sparse_jacobian(line, x, pattern=band(9, 1), coloring=np.arange(9) % 4)
    assert J.coloring.num_colors == 4 and J.coloring.order == "given"
    equal(J(x), dense(line, 9))
    rows = sparse_jacobian(line, x, pattern=band(9, 1), coloring=np.arange(9) % 3, mode="reverse")
    assert rows.coloring.method == "row"
    equal(rows(x), dense(line, 9))
    star = sparse_hessian(chain, x, pattern=band(9, 1), coloring=np.arange(9) % 3)
    assert star.coloring.method == "star"
    equal(star(x), dense(chain, 9, jax.hessian))
    with pytest.raises(ValueError, match="coloring gives columns 0 and 2 color 0"):
        sparse_jacobian(line, x, pattern=band(9, 1), coloring=np.arange(9) % 2)
    with pytest.raises(ValueError, match="coloring"):
        sparse_jacobian(line, x, pattern=band(9, 2), coloring=sparse.color_columns(band(9, 1)))
    with pytest.raises(ValueError, match="coloring is of method 'star', expected 'column'"):
        sparse_jacobian(line, x, coloring=sparse.color_symmetric(band(9, 1)))
    with pytest.raises(ValueError, match="coloring is of method 'row', expected 'column' for mode 'forward'"):
        sparse_jacobian(line, x, coloring=sparse.color_rows(band(9, 1)), mode="forward")


def test_shapes_that_do_not_fit_are_named():
    x = point(9)
    with pytest.raises(ValueError, match=r"pattern has shape \[8, 8\], expected \[9, 9\]"):
        sparse_jacobian(line, x, pattern=band(8, 1))
    with pytest.raises(ValueError, match=r"coloring.pattern has shape \[8, 8\], expected \[9, 9\]"):
        sparse_jacobian(line, x, coloring=sparse.color_columns(band(8, 1)))
    with pytest.raises(ValueError, match=r"f returned shape \[\], expected \[M\]"):
        sparse_jacobian(chain, x, pattern=band(9, 1))
    with pytest.raises(ValueError, match=r"f returned shape \[0\], expected \[M\] with M > 0"):
        sparse_jacobian(lambda x: x[:0], x, pattern=band(9, 1))
    with pytest.raises(ValueError, match=r"f returned shape \[9\], expected one number"):
        sparse_hessian(line, x, pattern=band(9, 1))
    with pytest.raises(ValueError, match="without its mirror|symmetric"):
        sparse_hessian(chain, x, pattern=np.triu(band(9, 1).toarray()))


@pytest.mark.parametrize("once", [False, True])
def test_another_shape_or_type_than_prepared_for_is_refused_at_the_call(once):
    J = sparse_jacobian(line, point(9), pattern=band(9, 1), linearize_once=once)
    for other in (point(8), point(9).astype(np.float32), np.ones((9, 1)), np.arange(9), [1.0] * 9):
        with pytest.raises((ValueError, TypeError), match="x has .*, expected what the Jacobian was prepared for"):
            J(other)


def test_without_64_bits_float64_is_refused_rather_than_rounded():
    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(TypeError, match="x has dtype float64, expected float32"):
            sparse_jacobian(line, point(9), pattern=band(9, 1))
    finally:
        jax.config.update("jax_enable_x64", True)


def test_without_a_pattern_and_without_asdex_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "asdex", None)
    with pytest.raises(ImportError, match="pattern is None, expected one, .*pip install asdex==0.5.1"):
        sparse_jacobian(line, point(9))


def test_where_asdex_cannot_see_through_f_the_error_asks_for_a_pattern():
    pytest.importorskip("asdex")
    solve = lambda x: jnp.linalg.solve(3 * jnp.eye(4) + jnp.diag(x), x)
    with pytest.raises(NotImplementedError, match="pattern is None, expected one, since asdex cannot see through f"):
        sparse_jacobian(solve, point(4))
    equal(sparse_jacobian(solve, point(4), pattern=np.eye(4), check=True)(point(4)), np.diag(np.diag(jax.jacfwd(solve)(point(4)))))


# PyTorch.

def test_the_same_colorings_serve_pytorch():
    torch = pytest.importorskip("torch")
    x = torch.tensor(point(9))

    def f(x):
        return torch.cat([torch.sum(x**2)[None], x[1:] ** 2 * x[0] ** 3])

    wanted = torch.func.jacfwd(f)(x)
    for color in (sparse.color_columns, sparse.color_rows, sparse.color_bidirectional):
        coloring = color(arrowhead(9))
        J = sparse.torch_sparse_jacobian(f, x, coloring=coloring)
        assert J(x).is_coalesced() and torch.allclose(J(x).to_dense(), wanted, rtol=1e-14, atol=0)
        data = sparse.torch_sparse_jacobian(f, x, coloring=coloring, output="data")
        assert torch.equal(data(x), J(x).values())
        assert torch.equal(torch.func.vmap(data)(torch.stack([x, 2 * x]))[1], data(2 * x))
        twice = torch.func.jacfwd(lambda x: torch.sum(torch.func.jacfwd(f)(x) ** 2))(x)
        assert torch.allclose(torch.func.grad(lambda x: torch.sum(data(x) ** 2))(x), twice, rtol=1e-13, atol=0)
        J(x).t_()                                                # in place: the indices that it exchanges are its own
        assert torch.allclose(J(x).to_dense(), wanted, rtol=1e-14, atol=0)
        single = sparse.torch_sparse_jacobian(f, x.float(), coloring=coloring)(x.float())
        assert single.dtype == torch.float32 and torch.allclose(single.to_dense().double(), wanted, rtol=1e-6, atol=0)
    none = sparse.check_coloring(np.zeros((9, 9)), ([-1] * 9, [-1] * 9), method="bidirectional")
    assert sparse.torch_sparse_jacobian(f, x, coloring=none, output="data")(x).shape == (0,)
    with pytest.raises(ValueError, match="x has shape .*8.*, expected what"):
        J(x[:8])

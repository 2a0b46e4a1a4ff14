"""lecture_utils.sparse, the graph half: colorings, their bounds, and the matrix back from its products."""
import dataclasses
import itertools
import re
import sys
import tracemalloc

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sparse_problems as problems
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize._numdiff import group_columns

from lecture_utils.sparse import (
    Coloring,
    check_coloring,
    color_bidirectional,
    color_columns,
    color_rows,
    color_symmetric,
    compress,
    decompress,
    seed_matrix,
)
from lecture_utils.sparse import _coloring as one_sided
from lecture_utils.sparse import _symmetric as symmetric
from lecture_utils.sparse._pattern import as_pattern
from lecture_utils.sparse._recovery import recovery

many = settings(derandomize=True, deadline=None, max_examples=80)
few = settings(derandomize=True, deadline=None, max_examples=40)
METHODS = ("column", "row", "star", "acyclic", "bidirectional")
ORDERS = {"column": one_sided.ORDERS, **symmetric.ORDERS}

pytestmark = pytest.mark.usefixtures("x64")


@st.composite
def patterns(draw, largest=9):
    """Dense 0-1 arrays [M, N]: empty, full, with rows and columns that are empty or full, and anything between."""
    M, N = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    A = (rng.random((M, N)) < draw(st.sampled_from([0, 0.1, 0.25, 0.5, 0.8, 1]))).astype(int)
    for _ in range(draw(st.integers(0, 2))):
        A[rng.integers(M)] = rng.integers(2)
        A[:, rng.integers(N)] = rng.integers(2)
    return A


@st.composite
def symmetric_patterns(draw, largest=16):
    """The same, symmetric; the diagonal is full, empty, or has gaps."""
    N = draw(st.integers(1, largest))
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    A = rng.random((N, N)) < draw(st.sampled_from([0, 0.05, 0.1, 0.15, 0.2, 0.4, 1]))
    A |= A.T
    np.fill_diagonal(A, rng.random(N) < draw(st.sampled_from([0, 0.5, 1])))
    if draw(st.booleans()):
        hub = rng.integers(N)
        A[hub] = A[:, hub] = True
    return A.astype(int)


def pattern_for(method):
    return symmetric_patterns() if method in ("star", "acyclic") else patterns()


def color(method, A, order=None):
    """A coloring by this method, or by one of the orders that it tries."""
    if order and method != "column":
        edges = symmetric.graph(as_pattern(A))
        return check_coloring(A, getattr(symmetric, method)(*edges, symmetric.visits(*edges, order)), method=method)
    if method == "bidirectional":
        return color_bidirectional(A)
    if method in ("star", "acyclic"):
        return color_symmetric(A, method=method)
    return color_columns(A, order=order or "best") if method == "column" else color_rows(A)


def numbers_in(A, seed, symmetric_ones):
    """A matrix of whole numbers, none zero, in the pattern."""
    values = np.random.default_rng(seed).integers(1, 100, A.shape) * np.where(A, 1, 0)
    return np.triu(values) + np.triu(values, 1).T if symmetric_ones else values


# What a coloring must satisfy, straight from the definitions, and without any code of the library.

def stands_alone_in_row(A, colors, i, j):
    return colors[j] >= 0 and all(k == j or not A[i, k] or colors[k] != colors[j] for k in range(A.shape[1]))


def lets_all_be_read(method, A, colors, row_colors=None):
    entries = [(i, j) for i, j in np.argwhere(A)]
    if method == "column":
        return all(stands_alone_in_row(A, colors, i, j) for i, j in entries)
    if method == "row":
        return all(stands_alone_in_row(A.T, colors, j, i) for i, j in entries)
    if method == "star":
        return all(stands_alone_in_row(A, colors, i, j) or stands_alone_in_row(A, colors, j, i) for i, j in entries)
    if method == "bidirectional":
        return all(stands_alone_in_row(A, colors, i, j) or stands_alone_in_row(A.T, row_colors, j, i) for i, j in entries)
    if any(i != j and colors[i] == colors[j] for i, j in entries):
        return False
    for pair in itertools.combinations(set(colors), 2):          # acyclic: taking leaves away leaves nothing
        edges = {frozenset((i, j)) for i, j in entries if {colors[i], colors[j]} == set(pair)}
        while edges:
            degree = {v: sum(v in edge for edge in edges) for v in set().union(*edges)}
            leaves = {v for v in degree if degree[v] == 1}
            if not leaves:
                return False
            edges = {edge for edge in edges if not edge & leaves}
    return True


def partitions(size, skip):
    """All colors [size], up to their names, as restricted growth strings; with skip, -1 as well."""
    out = [[]]
    for _ in range(size):
        out = [[*head, c] for head in out for c in range(-1 if skip else 0, max(head, default=-1) + 2)]
    return [np.array(colors) for colors in out]


def fewest(method, A):
    """The number of products of the best coloring there is, by trying all."""
    (M, N), skip = A.shape, method == "bidirectional"
    sides = [partitions(M if method == "row" else N, skip), partitions(M, skip) if skip else [np.array([-1])]]
    pairs = sorted(itertools.product(*sides), key=lambda pair: sum(c.max() + 1 for c in pair))
    return next(sum(int(c.max()) + 1 for c in pair) for pair in pairs if lets_all_be_read(method, A, *pair))


# Every coloring is one.

@pytest.mark.parametrize("method", METHODS)
@many
@given(st.data())
def test_by_every_coloring_every_entry_can_be_read(method, data):
    A = data.draw(pattern_for(method))
    for order in [*ORDERS.get(method, ()), None]:
        coloring = color(method, A, order)
        assert lets_all_be_read(method, A, coloring.colors, coloring.row_colors)
        assert np.array_equal(coloring.pattern.toarray(), A) and coloring.method == method
        assert check_coloring(A, coloring) is coloring


@many
@given(st.data(), st.sampled_from(METHODS))
def test_colors_are_numbered_without_gaps_and_counted(data, method):
    A = data.draw(pattern_for(method))
    coloring = color(method, A)
    sides = [coloring.colors] if coloring.row_colors is None else [coloring.colors, coloring.row_colors]
    assert [c.shape for c in sides] == [(A.shape[0 if method == "row" else 1],), (A.shape[0],)][:len(sides)]
    assert all(set(c) - {-1} == set(range(c.max() + 1)) for c in sides)
    assert method == "bidirectional" or coloring.colors.min() >= 0
    assert coloring.num_colors == sum(int(c.max()) + 1 for c in sides) == coloring.counts[coloring.order]
    assert coloring.num_colors == min(coloring.counts.values())


@pytest.mark.parametrize("method", METHODS)
@few
@given(st.data(), st.integers(0, 2**20))
def test_the_matrix_comes_back_from_its_products_exactly(method, data, seed):
    A = data.draw(pattern_for(method))
    coloring, values = color(method, A), numbers_in(A, seed, method in ("star", "acyclic"))
    seeds = seed_matrix(coloring)
    if method == "bidirectional":
        B = (values @ seeds[0].T).T, seeds[1] @ values
    else:
        B = seeds @ values if method == "row" else (values @ seeds.T).T
    back = decompress(B, coloring)
    assert np.array_equal(back.toarray(), values)
    assert np.array_equal(back.indices, coloring.pattern.indices) and np.array_equal(back.indptr, coloring.pattern.indptr)
    for form in (values, sparse.coo_array(values), sparse.csc_matrix(values)):
        again = compress(form, coloring)
        pairs = zip(again, B) if method == "bidirectional" else [(again, B)]
        assert all(isinstance(ours, np.ndarray) and np.array_equal(ours, theirs) for ours, theirs in pairs)


@pytest.mark.parametrize("method", METHODS)
@few
@given(st.data())
def test_no_coloring_at_all_is_below_the_lower_bound(method, data):
    A = data.draw(symmetric_patterns(5) if method in ("star", "acyclic") else patterns(3 if method == "bidirectional" else 5))
    coloring = color(method, A)
    assert coloring.lower_bound <= fewest(method, A) <= coloring.num_colors


@few
@given(patterns(14))
def test_best_is_the_least_of_its_orders_and_no_more_than_scipy_with_the_natural_order(A):
    best = color_columns(A)
    each = {order: color_columns(A, order=order).num_colors for order in one_sided.ORDERS}
    assert best.num_colors == min(each.values()) == each[best.order]
    assert all(each[order] == count for order, count in best.counts.items())
    assert each["natural"] == group_columns(A.astype(float), order=np.arange(A.shape[1])).max() + 1


@few
@given(patterns(14))
def test_rows_are_the_columns_of_the_transposed_pattern_and_both_directions_need_no_more_than_one(A):
    rows = color_rows(A)
    assert np.array_equal(rows.colors, color_columns(A.T).colors)
    assert color_bidirectional(A).num_colors <= min(rows.num_colors, color_columns(A).num_colors)


@few
@given(patterns(5), st.data())
def test_your_own_coloring_is_taken_exactly_when_every_entry_can_be_read(A, data):
    method = data.draw(st.sampled_from(METHODS))
    if method in ("star", "acyclic"):
        A = data.draw(symmetric_patterns(5))
    (M, N), lowest = A.shape, -1 if method == "bidirectional" else 0
    draw = lambda size: np.array(data.draw(st.lists(st.integers(lowest, 3), min_size=size, max_size=size)))
    mine = (draw(N), draw(M)) if method == "bidirectional" else (draw(M if method == "row" else N), None)
    given_by = mine if method == "bidirectional" else mine[0]
    if not lets_all_be_read(method, A, *mine):
        with pytest.raises(ValueError, match="coloring .* expected"):
            check_coloring(A, given_by, method=method)
        return
    coloring = check_coloring(A, given_by, method=method)
    assert isinstance(coloring, Coloring) and coloring.order == "given" and coloring.lower_bound <= coloring.num_colors
    values = numbers_in(A, 0, method in ("star", "acyclic"))
    assert np.array_equal(decompress(compress(values, coloring), coloring).toarray(), values)


# What the messages name is the case.

@pytest.mark.parametrize("A, colors, method, message", [
    ([[1, 0, 0], [0, 1, 1]], [0, 1, 1], "column",
     "columns 1 and 2 color 1, expected different ones: both have an entry in row 1"),
    ([[0, 1], [1, 0], [1, 1]], [0, 1, 0], "row",
     "rows 0 and 2 color 0, expected different ones: both have an entry in column 1"),
    (problems.band(4, 1, 1), [0, 1, 0, 1], "star", "columns 0 and 2 color 0 (see row 1), and columns 1 and 3 color 1 "
     "(see row 2), expected a product in which entry (1, 2) stands alone"),
    (problems.band(2, 1, 1), [0, 0], "star", "columns 0 and 1 color 0, expected different ones: both have an entry in row 0"),
    (problems.band(2, 1, 1), [0, 0], "acyclic", "columns 0 and 1 color 0, expected different ones: they meet in row 0"),
    (problems.laplacian(2), [0, 1, 1, 0], "acyclic", "a cycle of the colors 0 and 1, through columns"),
    (np.ones((2, 2)), ([0, 0], [0, -1]), "bidirectional", "columns 0 and 1 color 0 (see row 1), and no color to row 1 "
     "(see column 0), expected a product in which entry (1, 0) stands alone"),
    (np.ones((2, 2)), ([0, -1], [0, 0]), "bidirectional", "no color to column 1 (see row 0), and rows 0 and 1 color 0 "
     "(see column 1), expected a product in which entry (0, 1) stands alone")],
    ids=["column", "row", "star", "star-neighbors", "acyclic-neighbors", "acyclic", "columns-shared", "rows-shared"])
def test_a_coloring_that_fails_is_refused_with_who_shares_a_color_and_where(A, colors, method, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        check_coloring(A, colors, method=method)


def test_a_coloring_of_another_pattern_is_checked_against_this_one():
    coloring = color_columns(np.eye(3))
    with pytest.raises(ValueError, match="columns 0 and 2 color 0"):
        check_coloring([[1, 0, 1]], coloring)
    smaller = check_coloring([[1, 0, 0]], coloring)
    assert smaller.order == "given" and smaller.pattern.nnz == 1
    with pytest.raises(ValueError, match=re.escape("shape [3], expected [4]")):
        check_coloring(np.eye(4), coloring)


@pytest.mark.parametrize("method", METHODS)
def test_a_coloring_that_was_tampered_with_gives_no_matrix(method):
    A = np.ones((3, 3), int)
    coloring = color(method, A)
    zeros = np.zeros(3, int)
    broken = dataclasses.replace(coloring, colors=zeros, row_colors=zeros if method == "bidirectional" else None)
    with pytest.raises(ValueError, match="coloring gives .* expected"):
        recovery(broken)


@pytest.mark.parametrize("method", METHODS)
def test_what_a_coloring_holds_cannot_be_written_over(method):
    coloring = color(method, problems.band(5, 1, 1))
    pattern = coloring.pattern
    for array in (coloring.colors, coloring.row_colors, pattern.data, pattern.indices, pattern.indptr):
        with pytest.raises((ValueError, TypeError)):
            array[0] = 0
    mine = np.arange(5)
    made = dataclasses.replace(color_columns(np.eye(5)), colors=mine)
    mine[:] = 0
    assert made.colors.tolist() == [0, 1, 2, 3, 4]


def test_colors_of_few_bits_count_places_of_many_and_colors_that_are_no_integers_are_refused():
    A = np.triu(np.ones((60, 60))) * np.arange(1, 61)
    coloring = dataclasses.replace(color_columns(A), colors=np.arange(60, dtype=np.int8))
    assert np.array_equal(decompress(compress(A, coloring), coloring).toarray(), A)
    with pytest.raises(TypeError, match="float64"):
        dataclasses.replace(coloring, colors=np.arange(60.0))


def test_numbers_that_your_colors_leave_out_are_closed_up():
    assert check_coloring(np.ones((1, 3)), [7, 3, 5]).colors.tolist() == [2, 0, 1]
    gaps = dataclasses.replace(color_columns(np.ones((1, 3))), colors=np.array([7, 3, 5]))
    assert check_coloring(np.ones((1, 3)), gaps).colors.tolist() == [2, 0, 1]
    both = check_coloring(np.eye(2), ([4, -1], [-1, 4]), method="bidirectional")
    assert (both.colors.tolist(), both.row_colors.tolist(), both.num_colors) == ([0, -1], [-1, 0], 2)


@pytest.mark.parametrize("method", ["star", "acyclic"])
def test_a_pattern_that_is_not_symmetric_is_refused_with_an_entry_that_has_no_mirror_image(method):
    for call in (lambda A: color_symmetric(A, method=method), lambda A: check_coloring(A, [0, 1, 2], method=method)):
        with pytest.raises(ValueError, match=re.escape("pattern has an entry at (1, 2) and none at (2, 1)")):
            call(np.array([[1, 1, 0], [1, 1, 1], [0, 0, 1]]))


# Patterns.

@few
@given(patterns(), st.sampled_from(["coo", "csr", "csc", "bsr", "lil", "dok"]), st.booleans())
def test_a_pattern_is_the_same_in_every_format_and_its_own_copy(A, form, as_matrix):
    stored = (sparse.coo_matrix if as_matrix else sparse.coo_array)(A).asformat(form)
    coloring = color_columns(stored)
    assert np.array_equal(coloring.pattern.toarray(), A) and coloring.pattern.has_canonical_format
    assert np.array_equal(color_columns(A.astype(bool)).colors, coloring.colors)
    stored *= 0
    assert np.array_equal(coloring.pattern.toarray(), A)


def test_duplicates_count_once_even_where_they_cancel_and_unsorted_entries_are_sorted():
    stored = sparse.coo_array(([1.0, -1.0, 2.0, 3.0], ([0, 0, 0, 1], [2, 2, 0, 1])), shape=(2, 3))
    assert color_columns(stored).pattern.toarray().tolist() == [[1, 0, 1], [0, 1, 0]]
    unsorted = sparse.csr_array((np.ones(3), np.array([2, 0, 2]), np.array([0, 3])), shape=(1, 3))
    assert color_columns(unsorted).pattern.toarray().tolist() == [[1, 0, 1]] and unsorted.indices.tolist() == [2, 0, 2]


def test_stored_zeros_do_not_count_and_nan_does_in_sparse_and_dense_arrays_alike():
    stored = sparse.csr_array((np.array([0.0, np.nan, 1.0]), np.array([0, 1, 2]), np.array([0, 3])), shape=(1, 3))
    assert color_columns(stored).pattern.toarray().tolist() == [[0, 1, 1]]
    assert color_columns(stored.toarray()).pattern.toarray().tolist() == [[0, 1, 1]]
    with_zeros = sparse.kron(np.eye(2), np.array([[1, 1], [0, 1]]))
    assert with_zeros.nnz > 6 and color_columns(with_zeros).pattern.nnz == 6
    assert color_columns(jnp.eye(2)).num_colors == 1


# Known numbers.

@pytest.mark.parametrize("name, A, colors, asdex", [
    ("tridiagonal", problems.band(1000, 1, 1), 3, 3), ("Laplace 64", problems.laplacian(64), 5, 7),
    ("growth", problems.growth(1000), 3, 3), ("growth (c, k)", problems.growth_ck(1000), 3, 3),
    ("eight countries", problems.growth_countries(100), 24, 24), ("Brusselator 30", problems.brusselator(30), 10, 10),
    ("Brusselator 32", problems.brusselator(32), 10, 12), ("Brusselator 64", problems.brusselator(64), 11, 12)])
def test_colors_of_the_course_and_no_more_than_asdex_and_scipy(name, A, colors, asdex):
    coloring = color_columns(A)
    assert coloring.num_colors <= colors <= asdex, name
    assert (coloring.num_colors == coloring.lower_bound) != name.startswith("Brusselator"), name
    assert coloring.num_colors <= group_columns(A.tocsc(), order=np.arange(A.shape[1])).max() + 1, name


@pytest.mark.parametrize("n", [6, 30, 66])
def test_six_colors_of_the_brusselator_by_formula_are_the_fewest_there_are(n):
    coloring = check_coloring(problems.brusselator(n), problems.brusselator_colors(n))
    assert coloring.num_colors == coloring.lower_bound == 6


def test_the_brusselator_is_the_published_one_entry_for_entry():
    published = problems.brusselator_6()
    assert published.shape == (72, 72) and published.sum() == 432
    assert np.array_equal(color_columns(problems.brusselator(6)).pattern.toarray(), published)


def test_natural_order_gives_the_published_228_colors_of_dfl001():
    A = problems.dfl001()
    natural = color_columns(A, order="natural")
    assert (*A.shape, natural.pattern.nnz) == (6071, 12230, 35632)
    assert (np.diff(natural.pattern.indptr).max(), np.bincount(natural.pattern.indices).max()) == (228, 14)
    assert natural.num_colors == natural.lower_bound == 228


@pytest.mark.parametrize("n, k", [(10, 3), (50, 5), (50, 9)])
def test_differences_taken_k_times_take_k_plus_1_colors(n, k):
    A = problems.iter_diff(n, k)
    assert color_columns(A).num_colors == color_columns(A).lower_bound == k + 1
    assert A.nnz == {3: 28, 5: 270, 9: 410}[k]


@pytest.mark.parametrize("bands", [2, 4, 10, 20])
def test_banded_symmetric_matrices_take_the_published_colors(bands):
    A = problems.band(5000, bands // 2, bands // 2)
    assert color_symmetric(A).num_colors == 2 * (bands // 2) + 1
    coloring = color_symmetric(A, method="acyclic")
    assert coloring.num_colors == coloring.lower_bound == bands // 2 + 1


@pytest.mark.parametrize("A, star, acyclic", [
    (problems.growth(1000), 3, 2), (problems.planner_ck(1000), 4, 3), (problems.arrowhead(2000), 2, 2),
    (sparse.eye_array(1000), 1, 1), (problems.laplacian(64), 5, 4)],
    ids=["planner", "planner-ck", "arrowhead", "separable", "poisson"])
def test_hessians_of_the_course(A, star, acyclic):
    assert color_symmetric(A).num_colors == star and color_symmetric(A, method="acyclic").num_colors == acyclic


@pytest.mark.parametrize("A, colors, method, fewest_known", [
    (problems.FIGURE_4_1, problems.STAR_4_1, "star", 3), (problems.FIGURE_6_1, problems.STAR_1, "star", 4),
    (problems.FIGURE_6_1, problems.ACYCLIC_6_1, "acyclic", 3)], ids=["4.1", "1", "6.1"])
def test_the_published_small_colorings_hold_and_ours_need_no_more(A, colors, method, fewest_known):
    published = check_coloring(A, colors, method=method)
    assert color_symmetric(A, method=method).num_colors == fewest_known <= published.num_colors == len(set(colors))


def test_an_arrowhead_jacobian_takes_three_products_and_no_fewer_and_n_on_one_side():
    A = problems.arrowhead(10_000)
    coloring = color_bidirectional(A)
    assert coloring.num_colors == coloring.lower_bound == 3
    assert coloring.counts["columns only"] == coloring.counts["rows only"] == 10_000
    values = sparse.csr_array((np.arange(1.0, A.nnz + 1), A.indices, A.indptr), shape=A.shape)
    assert (decompress(compress(values, coloring), coloring) != values).nnz == 0


def test_several_dense_rows_and_columns_take_one_product_each_and_those_of_the_rest():
    A = problems.band(300, 1, 1).tolil()
    A[[10, 100, 200]] = 1
    A[:, [50, 150]] = 1
    coloring = color_bidirectional(A)
    assert coloring.num_colors == coloring.lower_bound == 3 + 2 + 3


# Recovery elsewhere, its precision and its cost.

@pytest.mark.parametrize("method", METHODS)
def test_recovery_is_the_same_in_numpy_jax_and_torch_compiled_and_mapped(method):
    torch = pytest.importorskip("torch")
    A = problems.laplacian(5)
    coloring, values = color(method, A), numbers_in(A.toarray() > 0, 1, True)
    B = compress(values, coloring)
    flat = np.concatenate([part.ravel() for part in B]) if method == "bidirectional" else B.ravel()
    plan, data = recovery(coloring), values[values != 0]
    assert np.array_equal(plan.apply(flat, np), data)
    twice = np.stack([flat, 2 * flat])
    assert np.array_equal(jax.jit(jax.vmap(lambda z: plan.apply(z, jnp)))(twice), [data, 2 * data])
    assert np.array_equal(jax.jvp(lambda z: plan.apply(z, jnp), (flat,), (3 * flat,))[1], 3 * data)
    assert np.array_equal(torch.func.vmap(lambda z: plan.apply(z, torch))(torch.as_tensor(twice)).numpy(), [data, 2 * data])
    assert plan.apply(flat.astype(np.float32), np).dtype == np.float32


def test_an_index_takes_32_bits_and_products_stay_in_their_precision():
    A = problems.band(10, 1, 1).astype(np.float32)
    coloring = color_columns(A)
    assert recovery(coloring).index.dtype == np.int32
    assert compress(A, coloring).dtype == decompress(compress(A, coloring), coloring).dtype == np.float32


def test_substitution_along_a_path_of_n_entries_loses_about_the_root_of_n_rounding_errors():
    n = 20_000
    rng = np.random.default_rng(0)
    below = rng.standard_normal(n - 1)
    H = sparse.diags_array([below, rng.standard_normal(n), below], offsets=[-1, 0, 1]).tocsr()
    errors = {}
    for method in ("star", "acyclic"):
        coloring = color_symmetric(H, method=method)
        errors[method] = np.max(np.abs(decompress(compress(H, coloring), coloring).data - H.data))
    assert errors["star"] == 0 and 0 < errors["acyclic"] < 4 * np.sqrt(n) * np.finfo(float).eps


def test_trees_are_summed_in_as_many_rounds_as_their_depth_has_digits():
    deep = recovery(color_symmetric(problems.band(1000, 1, 1), method="acyclic"))
    flat = recovery(color_symmetric(problems.arrowhead(1000), method="acyclic"))
    assert len(deep.trees.rounds) == 10 and len(flat.trees.rounds) == 0


def steps(call, *args):
    """The number of lines of the library that a call runs through."""
    count = 0

    def trace(frame, event, _):
        nonlocal count
        count += event == "line"
        return trace if "lecture_utils" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call(*args)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("call", [lambda A: color_symmetric(A, method="star"),
                                  lambda A: color_symmetric(A, method="acyclic"),
                                  lambda A: color_symmetric(A[::-1, ::-1], method="star"),
                                  lambda A: color_columns(A, order="natural"), color_bidirectional],
                         ids=["star", "acyclic", "star-hub-last", "column", "bidirectional"])
def test_twice_the_arrowhead_is_twice_the_work(call):
    once, twice = (steps(call, problems.arrowhead(n)) for n in (300, 600))
    assert once > 300 and twice < 2.1 * once


def test_the_colors_that_rows_have_seen_do_not_fill_the_memory_beside_a_long_row():
    A = problems.band(8000, 1, 1).tolil()
    A[0, :7900] = 1                                # 7900 colors, of a kilobyte as bits, in each of 8000 rows
    pattern = as_pattern(A)
    tracemalloc.start()
    colors = one_sided.greedy(pattern, np.arange(8000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert colors.max() == 7899 and peak < 4_000_000


def test_best_leaves_dsatur_out_where_most_columns_meet_and_says_so(monkeypatch):
    A = problems.laplacian(8)
    assert set(color_columns(A).counts) == {"natural", "largest_first", "dsatur"}
    monkeypatch.setattr(one_sided, "MOST_MEETINGS", 100)
    assert set(color_columns(A).counts) == {"natural", "largest_first"}


def test_orders_after_one_that_reaches_the_bound_are_not_tried():
    assert color_columns(problems.band(50, 1, 1)).counts == {"natural": 3}
    assert color_symmetric(problems.arrowhead(50)).counts == {"natural": 2}


@few
@given(st.integers(2, 30), st.integers(0, 2**20))
def test_smallest_last_meets_in_a_tree_at_most_one_neighbor_that_is_colored_and_largest_first_begins_with_the_hubs(n, seed):
    rng = np.random.default_rng(seed)
    names = rng.permutation(n)
    edges = [(names[v] + 1, names[rng.integers(v)] + 1) for v in range(1, n)]
    neighbors, starts = symmetric.graph(sparse.csr_array(problems.graph(n, edges)))
    around = [set(neighbors[starts[v]:starts[v + 1]]) for v in range(n)]
    order = symmetric.visits(neighbors, starts, "smallest_last")
    assert sorted(order) == list(range(n))
    assert all(len(around[v] & set(order[:step])) <= 1 for step, v in enumerate(order))
    degrees = [len(around[v]) for v in symmetric.visits(neighbors, starts, "largest_first")]
    assert degrees == sorted(degrees, reverse=True)


def test_a_coloring_prints_in_one_line():
    assert repr(color_columns(np.eye(3))) == "Coloring(column, 3 x 3, 3 entries, 1 colors, at least 1, order 'natural')"


@pytest.mark.parametrize("call", [color_columns, color_rows, color_symmetric, color_bidirectional])
def test_tensors_of_pytorch_are_refused(call):
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match="pattern .* PyTorch, expected"):
        call(torch.eye(3))

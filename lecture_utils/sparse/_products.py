"""Seeds, the few products of a matrix with them, and the matrix back.

Idea: the columns of one color are added up to one seed, and one product gives their entries all at once; each stands alone in
its row, and so it can be put back in its place.
Source: A. Curtis, M. Powell, J. Reid, J. Inst. Maths Applics 13 (1974) 117-119. Public names through lecture_utils.sparse.
"""
import numpy as np
from scipy import sparse

from lecture_utils import _inputs
from lecture_utils.sparse._pattern import Coloring
from lecture_utils.sparse._recovery import recovery


def seed_matrix(coloring, dtype=float):
    """Return the seeds, [p, N], one in each row: seed c is 1 in the columns of color c. J times each of them is all it takes.

    coloring: a Coloring. dtype: of the seeds, a floating-point type. For the method "row" the seeds are [p, M], to be
    multiplied from the left; for "bidirectional" they are a pair of both, of which one may have no row.

    Cost: p N numbers.
    Raises TypeError for what is no Coloring or no such type.
    Source: Curtis, Powell, Reid (1974).

    >>> from lecture_utils.sparse import color_columns
    >>> seed_matrix(color_columns([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]))
    array([[1., 0., 1., 0.],
           [0., 1., 0., 1.]])
    """
    _coloring(coloring)
    _inputs.epsilon("dtype", dtype)
    if coloring.method == "bidirectional":
        return _seeds(coloring.colors, dtype), _seeds(coloring.row_colors, dtype)
    return _seeds(coloring.colors, dtype)


def _seeds(colors, dtype):
    return (np.arange(colors.max() + 1)[:, None] == colors).astype(dtype)


def compress(A, coloring):
    """Return the products of the matrix A with the seeds: [p, M], row c being A times seed c.

    A: [M, N], sparse or dense, of numbers. coloring: a Coloring; for the method "row" the products are [p, N], row c being
    seed c times A, for "bidirectional" a pair of both. Not checked: that A has no entry outside of the pattern, and for "star"
    and "acyclic" that it is symmetric. Such an A is not what `decompress` returns.

    Cost: p products.
    Raises TypeError or ValueError if A has another shape than the pattern or holds no real numbers, or for what is no
    Coloring.
    Source: Curtis, Powell, Reid (1974).

    >>> from lecture_utils.sparse import color_columns
    >>> A = np.array([[1.0, 2, 0, 0], [0, 3, 4, 0], [0, 0, 5, 6]])
    >>> compress(A, color_columns(A))
    array([[1., 4., 5.],
           [2., 3., 6.]])
    """
    _coloring(coloring)
    if not sparse.issparse(A):
        A = np.asarray(_inputs.numbers("A", A))
    if A.shape != coloring.pattern.shape:
        raise ValueError(f"A has shape {list(A.shape)}, expected that of the pattern: {list(coloring.pattern.shape)}")
    if A.dtype.kind not in "iuf":
        raise TypeError(f"A has dtype {A.dtype}, expected real numbers")
    seeds = seed_matrix(coloring, A.dtype if A.dtype.kind == "f" else float)
    if coloring.method == "bidirectional":
        return (A @ seeds[0].T).T, seeds[1] @ A
    return seeds @ A if coloring.method == "row" else (A @ seeds.T).T


def decompress(B, coloring):
    """Return the matrix, csr_array [M, N] with the coloring's pattern, whose products are B, as `compress` returns them.

    B: [p, M], for the method "row" [p, N], for "bidirectional" a pair of both: real numbers. coloring: a Coloring.
    Entries are copied from B as they are, with one exception: after an acyclic coloring, an entry is a sum of numbers of B
    with alternating signs, over a part of a tree. So its error is no longer that of one number, but that of the largest of
    them, which costs a small entry its digits; and it grows with the number of terms (on a path of n entries, typically like
    the root of n times a rounding error, at worst like n).

    Cost: a gather of nnz numbers; for "acyclic" besides about log2(depth of the trees) additions for an entry. Raises
    TypeError or ValueError if B has other shapes or holds no real numbers, for what is no Coloring, or one by which entries
    cannot be read.
    Source: Curtis, Powell, Reid (1974); for substitution Gebremedhin, Tarafdar, Manne, Pothen (2007), section 3.

    >>> from lecture_utils.sparse import color_columns
    >>> A = np.array([[1.0, 2, 0, 0], [0, 3, 4, 0], [0, 0, 5, 6]])
    >>> coloring = color_columns(A)
    >>> decompress(compress(A, coloring), coloring).toarray()
    array([[1., 2., 0., 0.],
           [0., 3., 4., 0.],
           [0., 0., 5., 6.]])
    """
    _coloring(coloring)
    (M, N), pattern = coloring.pattern.shape, coloring.pattern
    if coloring.method != "bidirectional":
        B, colors, sizes = [B], [coloring.colors], [N if coloring.method == "row" else M]
    else:
        colors, sizes = [coloring.colors, coloring.row_colors], [M, N]
        if not isinstance(B, (tuple, list)) or len(B) != 2:
            raise TypeError(f"B is a {type(B).__name__}, expected a pair of arrays: products with columns, products with rows")
    B = [np.asarray(_inputs.numbers("B", part)) for part in B]
    wanted = [[int(c.max()) + 1, size] for c, size in zip(colors, sizes)]
    if [list(part.shape) for part in B] != wanted:
        raise ValueError(f"B has shape {', '.join(str(list(part.shape)) for part in B)}, "
                         f"expected {', '.join(map(str, wanted))}: a row for each color")
    data = recovery(coloring).apply(np.concatenate([part.ravel() for part in B]), np)
    return sparse.csr_array((data, pattern.indices.copy(), pattern.indptr.copy()), shape=pattern.shape)


def _coloring(value):
    if not isinstance(value, Coloring):
        raise TypeError(f"coloring is a {type(value).__name__}, expected a Coloring: check_coloring makes one of your colors")

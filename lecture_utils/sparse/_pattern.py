"""What a coloring is, and the patterns that it is of.

Idea: a pattern says which entries of a matrix may differ from zero; a coloring says which columns (or rows) share one product.
Source: A. Gebremedhin, F. Manne, A. Pothen, What Color Is Your Jacobian?, SIAM Review 47 (2005) 629-705. Private.
"""
from dataclasses import dataclass

import numpy as np
from scipy import sparse

METHODS = ("column", "row", "star", "acyclic", "bidirectional")


@dataclass(frozen=True, eq=False)
class Coloring:
    """Which columns (rows) of a matrix share a product, so that every entry can still be read off. Its arrays are read-only.

    method: "column", "row", "star", "acyclic" or "bidirectional".
    pattern: csr_array [M, N] of ones, sorted, without duplicates.
    colors: the color of each column, [N] int, from 0 on; of each row, [M], where method is "row". With "bidirectional",
    -1 is a column that no product needs.
    num_colors: products in all: J v, or uᵀJ for rows, or both for "bidirectional".
    lower_bound: no coloring of this kind has fewer; where the two agree, the coloring is the best there is.
    order: the order that won, or "given". counts: the orders that were tried, each with its number of colors.
    row_colors: the color of each row, [M] int or -1, with "bidirectional" only.
    """
    method: str
    pattern: sparse.csr_array
    colors: np.ndarray
    num_colors: int
    lower_bound: int
    order: str
    counts: dict
    row_colors: np.ndarray | None = None

    def __post_init__(self):
        for name in ("colors", "row_colors"):
            if getattr(self, name) is not None:                  # in 64 bits, since a color times M is a place in the products
                colors = np.array(getattr(self, name)).astype(np.int64, casting="same_kind")
                colors.setflags(write=False)
                object.__setattr__(self, name, colors)

    def __repr__(self):
        M, N = self.pattern.shape
        return (f"Coloring({self.method}, {M} x {N}, {self.pattern.nnz} entries, {self.num_colors} colors, "
                f"at least {self.lower_bound}, order {self.order!r})")


def as_pattern(value, name="pattern"):
    """Return the pattern as a csr_array [M, N] of ones, sorted, without duplicates, whose arrays are read-only.

    value: a sparse matrix or array of SciPy, or a dense array of numbers or booleans. What differs from zero counts, NaN too;
    a stored zero does not (`scipy.sparse.kron`, for one, stores many), so a sparse array and its dense form have one pattern.
    Of duplicates one that differs from zero suffices, even where they cancel.
    """
    if sparse.issparse(value):
        stored = value
    else:
        if hasattr(value, "detach"):
            raise TypeError(f"{name} is a {type(value).__name__} of PyTorch, expected a sparse matrix of SciPy")
        try:
            stored = np.asarray(value)
        except (TypeError, ValueError):
            raise ValueError(f"{name} is {value!r}, expected a sparse matrix of SciPy, or an array [M, N]") from None
        if stored.dtype.kind not in "biufc":
            raise TypeError(f"{name} is a {type(value).__name__} of dtype {stored.dtype}, expected a sparse matrix of SciPy, "
                            "or an array [M, N] of numbers or booleans")
    if stored.ndim != 2 or 0 in stored.shape:
        raise ValueError(f"{name} has shape {list(stored.shape)}, expected [M, N] with M, N > 0")
    entries = sparse.coo_array(stored)
    (rows, cols), counts = entries.coords, entries.data != 0
    pattern = sparse.csr_array((np.ones(np.count_nonzero(counts), np.int64), (rows[counts], cols[counts])), shape=entries.shape)
    pattern.sum_duplicates()
    pattern.data[:] = 1
    for array in (pattern.data, pattern.indices, pattern.indptr):          # a coloring of it would be wrong for another
        array.setflags(write=False)
    return pattern


def coordinates(pattern):
    """Return the row and the column of each entry, two [nnz] int, in the order of the pattern's data."""
    return np.repeat(np.arange(pattern.shape[0]), np.diff(pattern.indptr)), pattern.indices.astype(np.int64)

"""Colorings of columns and rows together, for matrices in which a few rows and columns are dense.

Idea: a dense row makes every column a color of its own, and costs one product from the left. So products with rows (uᵀJ) read
the dense rows, products with columns (J v) the rest, where columns may now meet in a dense row: each entry has to stand alone
in one of the two only.
Source: A. Gebremedhin, F. Manne, A. Pothen, SIAM Review 47 (2005) 629-705, section 6; T. Coleman, A. Verma, SIAM J. Sci.
Comput. 19 (1998) 1210-1233. Which rows are dense is chosen here by trial. Public names through lecture_utils.sparse.
"""
import numpy as np
from scipy import sparse

from lecture_utils.sparse._coloring import ORDERS, color_columns, color_rows, greedy, visits
from lecture_utils.sparse._pattern import Coloring, as_pattern, coordinates
from lecture_utils.sparse._reading import places

TRIALS = 3


def color_bidirectional(pattern):
    """Return a Coloring of columns and rows, by which each entry can be read from a product with one of the two.

    pattern: [M, N], as in `color_columns`. In the Coloring, `.colors` are those of the columns, [N], `.row_colors` those of the
    rows, [M], with -1 for a column or row that no product needs, and `.num_colors` counts the products with both. It is never
    more than the fewer of `color_columns` and `color_rows`; where one of these is best, it is returned (`.order` is then
    "columns only" or "rows only"), and all colors of the other side are -1.
    The k rows of most entries are read by rows, and all others by columns; or the other way round. `.counts` has a line for
    each k that was tried: of the numbers of rows above a given number of entries, the three that promise most.

    The lower bound counts entries: p products with columns read at most p entries of a row, and q with rows at most one entry
    of each column each; and the same with rows and columns exchanged.

    Cost: that of eight colorings of columns or rows.
    Raises TypeError or ValueError for what is no pattern.
    Source: Gebremedhin, Manne, Pothen (2005), section 6; Coleman, Verma (1998).

    >>> arrowhead = np.eye(6) + np.eye(1, 6).T + np.eye(1, 6)
    >>> coloring = color_bidirectional(arrowhead)
    >>> coloring.num_colors, coloring.lower_bound
    (3, 3)
    >>> coloring.colors.tolist(), coloring.row_colors.tolist()
    ([0, 1, 1, 1, 1, 1], [0, -1, -1, -1, -1, -1])
    """
    pattern = as_pattern(pattern)
    transposed = as_pattern(pattern.T)
    (M, N), bound = pattern.shape, lower_bound(pattern)
    by_columns, by_rows = color_columns(pattern), color_rows(pattern)
    tried = {"columns only": (by_columns.colors, np.full(M, -1)), "rows only": (np.full(N, -1), by_rows.colors)}
    for k in dense(pattern):
        tried[f"{k} dense rows"] = split(pattern, k)
    for k in dense(transposed):
        tried[f"{k} dense columns"] = split(transposed, k)[::-1]
    counts = {name: int(sum(colors.max() + 1 for colors in pair)) for name, pair in tried.items()}
    winner = min(counts, key=counts.__getitem__)
    return Coloring("bidirectional", pattern, tried[winner][0], counts[winner], bound, winner, counts, tried[winner][1])


def dense(pattern):
    """Return the numbers of rows worth trying: k, where the rest has so few entries in a row that k plus these are few."""
    entries = np.sort(np.diff(pattern.indptr))[::-1]
    k = 1 + np.flatnonzero(entries[1:] < entries[:-1])             # where the number of entries drops
    return k[np.argsort(k + entries[k], kind="stable")][:TRIALS].tolist()


def split(pattern, k):
    """Return colors of columns [N] and of rows [M]: the k rows of most entries are read by rows, the others by columns."""
    M, N = pattern.shape
    i, j = coordinates(pattern)
    chosen = np.zeros(M, bool)
    chosen[np.argsort(-np.diff(pattern.indptr), kind="stable")[:k]] = True
    colors = color_where(pattern, ~chosen[i])
    read = places(pattern, "bidirectional", colors, np.full(M, -1))[1]     # what the products with columns give anyway
    needed = np.zeros(N, bool)
    needed[j[~read]] = True                                                # in these columns, chosen rows must not meet
    return colors, color_where(as_pattern(pattern.T), (chosen[i] & needed[j])[np.lexsort((i, j))])


def color_where(pattern, kept):
    """Return the colors of the columns, [N], that the kept entries, [nnz] bool, ask for; -1 where a column has none of them."""
    i, j = coordinates(pattern)
    part = sparse.csr_array((pattern.data[kept], (i[kept], j[kept])), shape=pattern.shape)
    part.sort_indices()
    colors = min((greedy(part, visits(part, order)) for order in ORDERS[:2]), key=np.max)
    return np.where(np.isin(np.arange(pattern.shape[1]), part.indices), colors, -1)


def lower_bound(pattern):
    """Return a number of products that no coloring in both directions is below.

    With p colors of columns, row i has at most p entries that are read by columns. The other ones, at least r_i - p, are
    read by rows, where a product reads at most one in each of the n columns: so q >= (sum of what r_i exceeds p by) / n.
    """
    above_p, rows = excess(np.diff(pattern.indptr))
    above_q, columns = excess(np.bincount(pattern.indices, minlength=pattern.shape[1]))
    p = np.arange(len(above_p))
    q = np.maximum(-(-above_p // max(columns, 1)),                                   # rounded up
                   np.searchsorted(-above_q, -p * rows))                             # the first q with above_q <= p rows
    return int(np.min(p + q))


def excess(entries):
    """Return by how much the numbers of entries exceed 0, 1, 2, … in all, down to 0; and how many of them are not zero."""
    at_least = np.cumsum(np.bincount(entries)[::-1])[::-1]                           # how many have so many, or more
    return np.append(np.cumsum(at_least[1:][::-1])[::-1], 0), int(np.count_nonzero(entries))

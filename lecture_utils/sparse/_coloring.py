"""Colorings of columns and rows: which of them may share one product of the Jacobian.

Idea: columns that never meet in a row share a color; then each entry stands alone in its row among the columns of its color,
and is read off the product. Fewest colors is a hard problem, so: greedy in several orders, and a lower bound beside it.
Source: A. Curtis, M. Powell, J. Reid, J. Inst. Maths Applics 13 (1974) 117-119; A. Gebremedhin, F. Manne, A. Pothen, SIAM
Review 47 (2005) 629-705; D. Brélaz, Commun. ACM 22 (1979) 251-256, for DSATUR. Public names through lecture_utils.sparse.
"""
import heapq

import numpy as np
from scipy import sparse

from lecture_utils import _inputs
from lecture_utils.sparse._pattern import Coloring, as_pattern, coordinates

ORDERS = ("natural", "largest_first", "dsatur")
LONG = 1000                     # a row of more entries than this is long
MOST_MEETINGS = 20_000_000      # "best" leaves DSATUR out where more pairs of columns than this meet in the rows


def color_columns(pattern, *, order="best"):
    """Return a Coloring of the columns: two columns of one color have no row in which both may differ from zero.

    pattern: [M, N], a sparse matrix of SciPy or a dense array, of numbers or booleans. What differs from zero counts; a zero
    does not, even if it is stored. So a Jacobian at a point where one of its entries happens to be zero is no pattern: it
    lacks this entry, and at other points recovery would be wrong. Set the entries that can be nonzero to 1.
    order: "natural", from left to right; "largest_first", the column that meets most others first;
    "dsatur", each time the column that most colors are already closed to; "best", the one of fewest colors, where
    `.counts` holds what each took (those after one that reaches the lower bound are not tried).
    The lower bound is the largest number of entries in a row: their columns meet there, so each has its own color.

    Cost: for nnz entries and p colors, nnz operations on p bits; DSATUR holds every pair of columns that meet, and "best"
    leaves it out where the rows have more than twenty million.
    Raises TypeError or ValueError for what is no pattern or no order.
    Source: Curtis, Powell, Reid (1974); Gebremedhin, Manne, Pothen (2005), section 3; Brélaz (1979) for DSATUR.

    >>> coloring = color_columns([[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1]])
    >>> coloring.colors.tolist(), coloring.num_colors, coloring.lower_bound, coloring.order
    ([0, 1, 2, 0], 3, 3, 'natural')
    """
    _inputs.choice("order", order, (*ORDERS, "best"))
    return _color("column", as_pattern(pattern), order)


def color_rows(pattern):
    """Return a Coloring of the rows: two rows of one color have no column in which both may differ from zero.

    pattern: [M, N], as for `color_columns`. The products are uᵀJ, from reverse mode; the lower bound is the largest number of
    entries in a column.

    Cost: that of `color_columns` for the transposed pattern.
    Raises TypeError or ValueError for what is no pattern.
    Source: Gebremedhin, Manne, Pothen (2005), section 3.

    >>> color_rows([[1, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 1]]).num_colors
    2
    """
    return _color("row", as_pattern(pattern), "best")


def _color(method, pattern, order):
    across = pattern if method == "column" else as_pattern(pattern.T)      # its columns are what is colored
    bound = lower_bound(pattern, method)
    tried, counts = {}, {}
    for name in ORDERS if order == "best" else [order]:
        if order == "best" and name == "dsatur" and np.sum(np.diff(across.indptr) ** 2.0) > MOST_MEETINGS:
            continue
        tried[name] = dsatur(across) if name == "dsatur" else greedy(across, visits(across, name))
        counts[name] = int(tried[name].max()) + 1
        if counts[name] <= bound:
            break
    winner = min(counts, key=counts.__getitem__)
    return Coloring(method, pattern, tried[winner], counts[winner], bound, winner, counts)


def lower_bound(pattern, method):
    """Return the largest number of entries in a row (for "row" in a column): their columns meet there. It is at least 1."""
    entries = np.diff(pattern.indptr) if method == "column" else np.bincount(pattern.indices, minlength=1)
    return max(1, int(entries.max()))


def visits(pattern, order):
    """Return the columns, [N] int, in the order in which greedy colors them."""
    if order == "natural":
        return np.arange(pattern.shape[1])
    rows, cols = coordinates(pattern)
    meetings = np.bincount(cols, np.diff(pattern.indptr)[rows] - 1.0, pattern.shape[1])    # with others, row by row
    return np.argsort(-meetings, kind="stable")


def greedy(pattern, order):
    """Return the colors of the columns, [N] int: in this order, each gets the first color that is free in all of its rows.

    The colors that a row has seen are the bits of one integer. Where there are long rows, and with them many colors, those of
    a row that no later column needs are forgotten, so that they do not fill the memory.
    """
    rows, starts = by_column(pattern)
    forget = np.diff(pattern.indptr).max() > LONG
    last, ends = last_visits(pattern, order) if forget else ((), ())
    seen = [0] * pattern.shape[0]
    colors = [0] * pattern.shape[1]
    for step, j in enumerate(order.tolist()):
        mine = rows[starts[j]:starts[j + 1]]
        closed = 0
        for i in mine:
            closed |= seen[i]
        bit = ~closed & (closed + 1)                  # the lowest bit that is not set: the first free color
        for i in mine:
            seen[i] |= bit
        colors[j] = bit.bit_length() - 1
        for i in last[ends[step]:ends[step + 1]] if forget else ():
            seen[i] = 0
    return np.array(colors)


def by_column(pattern):
    """Return the rows of all entries, column by column, and where each column starts, as lists."""
    columns = pattern.tocsc()
    return columns.indices.tolist(), columns.indptr.tolist()


def last_visits(pattern, order):
    """Return the rows sorted by the step at which greedy meets them last, and where each step starts, as lists."""
    step = np.empty(len(order), np.int64)
    step[order] = np.arange(len(order))
    filled = np.flatnonzero(np.diff(pattern.indptr))
    steps = np.maximum.reduceat(step[pattern.indices], pattern.indptr[filled]) if len(filled) else filled
    by_step = np.argsort(steps, kind="stable")
    return filled[by_step].tolist(), np.searchsorted(steps[by_step], np.arange(len(order) + 1)).tolist()


def dsatur(pattern):
    """Return the colors of the columns, [N] int: next is always the column that most colors are closed to.

    Among equals the one that meets most others comes first, then the leftmost. The heap holds a column again each time one
    more color is closed to it, and what it held of it before is skipped.
    """
    N = pattern.shape[1]
    meets = sparse.csr_array(pattern.T @ pattern)                # [N, N]: which columns meet
    neighbors, starts = meets.indices.tolist(), meets.indptr.tolist()
    degree = np.diff(meets.indptr)
    rank = np.empty(N, np.int64)
    rank[np.argsort(-degree, kind="stable")] = np.arange(N)      # ties: most neighbors first
    column, rank = np.argsort(rank).tolist(), rank.tolist()
    heap = list(range(N))                                        # -N (closed colors) + rank: the smallest is next
    closed, colors = [0] * N, [-1] * N
    while heap:
        j = column[heapq.heappop(heap) % N]
        if colors[j] >= 0:
            continue
        bit = ~closed[j] & (closed[j] + 1)
        colors[j] = bit.bit_length() - 1
        for k in neighbors[starts[j]:starts[j + 1]]:
            if colors[k] < 0 and not closed[k] & bit:
                closed[k] |= bit
                heapq.heappush(heap, rank[k] - N * closed[k].bit_count())
    return np.array(colors)

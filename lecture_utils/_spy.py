"""What plot.spy_colored draws: which product gives which nonzero of a pattern.

Idea: a product of a group of columns gives an entry by itself where no other column of the group has one in that row.
Source: A. R. Curtis, M. J. D. Powell, J. K. Reid, On the estimation of sparse Jacobian matrices, 1974. Private to lecture_utils.
"""
import numpy as np
import scipy.sparse

from lecture_utils import _inputs


def read_from(pattern, colors, row_colors):
    """Return (filled [M, N] bool, group [M, N] int, number of groups): the group that each nonzero is read from, -1 for none."""
    if not scipy.sparse.issparse(pattern):
        pattern = np.asarray(pattern if np.dtype(bool) == getattr(pattern, "dtype", None) else _inputs.numbers("pattern", pattern))
    if pattern.ndim != 2 or 0 in pattern.shape:
        raise ValueError(f"pattern has shape {list(pattern.shape)}, expected [M, N] with M > 0 and N > 0")
    if colors is None and row_colors is None:
        raise ValueError("colors and row_colors are None, expected at least one of them")
    filled = (pattern.toarray() if scipy.sparse.issparse(pattern) else pattern) != 0
    group, count = np.full(filled.shape, -1), 0
    for name, given, cells, groups in (("colors", colors, filled, group), ("row_colors", row_colors, filled.T, group.T)):
        if given is None:
            continue
        given = _group_numbers(name, given, cells.shape[1])
        for c in range(given.max() + 1):
            alone = cells[:, given == c].sum(axis=1) == 1
            groups[alone[:, None] & cells & (given == c) & (groups < 0)] = count + c
        count += given.max() + 1
    return filled, group, count


def _group_numbers(name, value, size):
    """Return value as an array of `size` integers of -1 or more."""
    value = np.asarray(_inputs.numbers(name, value))
    if value.dtype.kind not in "iu":
        raise TypeError(f"{name} has dtype {value.dtype}, expected integers")
    if value.shape != (size,):
        raise ValueError(f"{name} has shape {list(value.shape)}, expected [{size}], one for each of the pattern's "
                         f"{'columns' if name == 'colors' else 'rows'}")
    if value.min() < -1:
        raise ValueError(f"{name} holds {value.min()}, expected -1 (no group) or more")
    return value.astype(int)

"""Whether a coloring lets every entry of a pattern be read off, whoever made it.

Idea: put each entry at its place in the products, and look whether it stands there alone.
Source: A. Gebremedhin, F. Manne, A. Pothen, SIAM Review 47 (2005) 629-705. Public names through lecture_utils.sparse.
"""
from typing import Any

import numpy as np

from lecture_utils import _inputs
from lecture_utils.sparse import _bidirectional, _coloring, _symmetric
from lecture_utils.sparse._pattern import METHODS, Coloring, as_pattern, coordinates
from lecture_utils.sparse._reading import forest, places


def check_coloring(pattern, coloring, *, method="column"):
    """Return the coloring, after checking that every entry of the pattern can be read off its products.

    pattern: [M, N], as in `color_columns`. coloring: a Coloring, or your own colors: an array [N] of integers from 0 on, for
    the method "row" [M], for "bidirectional" a pair of both, in which -1 stands for no product. Your own come back as a
    Coloring of order "given"; numbers that are left out are closed up. method: "column", "row", "star", "acyclic" or
    "bidirectional"; a Coloring has its own.

    Cost: a sort of the entries.
    Raises ValueError if an entry cannot be read, and names it, the columns or rows that share a color, and where they meet; or
    if the shapes differ, or a symmetric method meets a pattern that is not; TypeError for colors that are no integers. A star
    coloring is judged by this alone: where diagonal entries are missing, neighbors may share a color.
    Source: Gebremedhin, Manne, Pothen (2005), sections 3 to 6.

    >>> check_coloring([[1, 1, 0], [0, 1, 1]], [0, 1, 0]).num_colors
    2
    >>> check_coloring([[1, 1, 0], [0, 1, 1]], [0, 1, 1])
    Traceback (most recent call last):
    ValueError: coloring gives columns 1 and 2 color 1, expected different ones: both have an entry in row 1
    """
    _inputs.choice("method", method, METHODS)
    pattern = as_pattern(pattern)
    given: Any
    if isinstance(coloring, Coloring):
        made, method, given = coloring, coloring.method, (coloring.colors, coloring.row_colors)
        _inputs.choice("coloring.method", method, METHODS)
    else:
        made, given = None, coloring if method == "bidirectional" else (coloring, None)
        if method == "bidirectional" and (not isinstance(given, (tuple, list)) or len(given) != 2):
            raise ValueError(f"coloring is {given!r}, expected a pair of arrays: the colors of the columns, of the rows")
    (M, N), lowest = pattern.shape, -1 if method == "bidirectional" else 0
    colors = _colors(given[0], M if method == "row" else N, lowest)
    row_colors = _colors(given[1], M, lowest) if method == "bidirectional" else None
    if method in ("star", "acyclic"):
        _symmetric.check_symmetric(pattern)
    _refuse_what_cannot_be_read(pattern, method, colors, row_colors)
    if made is not None and _same(pattern, made.pattern) and np.array_equal(colors, given[0]):
        if row_colors is None or np.array_equal(row_colors, given[1]):
            return made
    if method == "bidirectional":
        bound = _bidirectional.lower_bound(pattern)
    else:
        bound = (_symmetric if method in ("star", "acyclic") else _coloring).lower_bound(pattern, method)
    count = int(colors.max()) + 1 + (0 if row_colors is None else int(row_colors.max()) + 1)
    return Coloring(method, pattern, colors, count, bound, "given", {"given": count}, row_colors)


def _colors(value, size, lowest):
    """Return colors as [size] int, numbered from 0 on without gaps, after checking that they are integers >= lowest."""
    value = np.asarray(_inputs.numbers("coloring", value))
    if value.shape != (size,):
        raise ValueError(f"coloring has shape {list(value.shape)}, expected [{size}], a color for each column (or row)")
    if value.dtype.kind not in "iu":
        raise TypeError(f"coloring has dtype {value.dtype}, expected integers")
    if value.min() < lowest:
        raise ValueError(f"coloring holds {value.min()}, expected colors from {lowest} on")
    used, closed_up = np.unique(value, return_inverse=True)
    return closed_up - int(used[0] == -1)


def _same(pattern, other):
    return (pattern.shape == other.shape and np.array_equal(pattern.indptr, other.indptr)
            and np.array_equal(pattern.indices, other.indices))


def _refuse_what_cannot_be_read(pattern, method, colors, row_colors):
    """Raise ValueError that says which entry shares its places with which others."""
    i, j = coordinates(pattern)
    readable = places(pattern, method, colors, row_colors)[1]
    if method == "acyclic":
        readable = colors[i] != colors[j]
        readable[i == j] = True
    if not np.all(readable):
        i, j = (int(where[np.argmin(readable)]) for where in (i, j))
        raise ValueError(f"coloring {_why(pattern, method, colors, row_colors, i, j)}")
    if method == "acyclic":
        place, node, mirror, parent = forest(pattern, colors)
        on_cycle = np.flatnonzero((parent[node] != mirror) & (parent[mirror] != node))
        if len(on_cycle):
            a, b = (int(place[nodes[on_cycle[0]]]) % len(colors) for nodes in (node, mirror))
            raise ValueError(f"coloring has a cycle of the colors {colors[a]} and {colors[b]}, through columns {a} and {b} "
                             f"(which meet in row {a}), expected none of two colors")


def _why(pattern, method, colors, row_colors, i, j):
    """Return why entry (i, j) cannot be read, as the end of a sentence that begins with the coloring."""
    rows, cols = coordinates(pattern)
    in_row, in_column = cols[rows == i].tolist(), rows[cols == j].tolist()

    def sharing(what, given, one, others):
        others = [k for k in others if k != one and given[k] == given[one]]
        if given[one] < 0 or not others:
            return f"no color to {what} {one}"
        return f"{what}s {min(one, others[0])} and {max(one, others[0])} color {given[one]}"

    if method == "acyclic":
        return f"gives columns {i} and {j} color {colors[i]}, expected different ones: they meet in row {i}"
    if method == "row":
        return f"gives {sharing('row', colors, i, in_column)}, expected different ones: both have an entry in column {j}"
    here = f"gives {sharing('column', colors, j, in_row)}"
    if method == "column" or i == j and method == "star":
        return f"{here}, expected different ones: both have an entry in row {i}"
    there = sharing("column", colors, i, in_column) if method == "star" else sharing("row", row_colors, i, in_column)
    where = f"row {j}" if method == "star" else f"column {j}"
    return f"{here} (see row {i}), and {there} (see {where}), expected a product in which entry ({i}, {j}) stands alone"

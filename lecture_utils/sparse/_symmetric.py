"""Colorings of symmetric patterns, which use that each entry stands in the matrix twice: for Hessians.

Idea: h_ij is read from row i or from row j, wherever it stands alone. So neighbors get different colors, and no path of four
vertices has two colors (star coloring). Who solves for the entries one after the other needs only that no cycle has two colors
(acyclic coloring): the entries between two colors then form trees, and are solved from the leaves.
Source: T. Coleman, J. Moré, Math. Programming 28 (1984) 243-270; A. Gebremedhin, A. Tarafdar, F. Manne, A. Pothen, SIAM J.
Sci. Comput. 29 (2007) 1042-1072. Here sets of colors are the bits of integers, so that a vertex of many neighbors costs
no more than its edges. Public names through lecture_utils.sparse.
"""
import numpy as np

from lecture_utils import _inputs
from lecture_utils.sparse._pattern import Coloring, as_pattern, coordinates

# Largest first hardly ever wins for "acyclic".
ORDERS = {"star": ("natural", "largest_first", "smallest_last"), "acyclic": ("natural", "smallest_last")}


def color_symmetric(pattern, *, method="star"):
    """Return a Coloring of the vertices (rows and columns alike) of a symmetric pattern.

    pattern: [N, N], as in `color_columns`, with an entry (j, i) for each (i, j). method: "star", whose entries are each read
    at one place; "acyclic", of fewer colors, whose entries are solved for: see `decompress` on rounding. It is the
    one of fewest colors of these orders, and `.counts` holds what each took: "natural"; "largest_first", most neighbors first,
    for "star"; "smallest_last", which takes away the vertex of fewest neighbors, again and again, and colors in the opposite
    order.
    An entry h_ii is read in row i from the product of i's own color, since no neighbor has it; that some diagonal entries
    are missing is not made use of. The lower bound counts edges: those between two colors form a forest, for "star" one of
    stars, which has no more than so many edges.

    Cost: for nnz entries and p colors, about nnz operations on p bits, for "star" at most p times that, for "acyclic" also
    up to p for a neighbor that shares its color with another.
    Raises TypeError or ValueError for what is no pattern, is not symmetric (and names an entry without its mirror image), or
    for an unknown method.
    Source: Gebremedhin, Tarafdar, Manne, Pothen (2007), algorithms 3.1 and 4.1.

    >>> arrowhead = np.eye(6) + np.eye(1, 6).T + np.eye(1, 6)
    >>> color_symmetric(arrowhead).num_colors
    2
    >>> path = np.eye(6) + np.eye(6, k=1) + np.eye(6, k=-1)
    >>> [color_symmetric(path, method=method).num_colors for method in ("star", "acyclic")]
    [3, 2]
    """
    _inputs.choice("method", method, ("star", "acyclic"))
    pattern = as_pattern(pattern)
    check_symmetric(pattern)
    bound, (neighbors, starts) = lower_bound(pattern, method), graph(pattern)
    tried, counts = {}, {}
    for name in ORDERS[method]:
        tried[name] = (star if method == "star" else acyclic)(neighbors, starts, visits(neighbors, starts, name))
        counts[name] = int(tried[name].max()) + 1
        if counts[name] <= bound:
            break
    winner = min(counts, key=counts.__getitem__)
    return Coloring(method, pattern, tried[winner], counts[winner], bound, winner, counts)


def check_symmetric(pattern):
    """Refuse a pattern that is not square, or has an entry without its mirror image."""
    M, N = pattern.shape
    if M != N:
        raise ValueError(f"pattern has shape {[M, N]}, expected a square one: that of a symmetric matrix")
    mirrored = as_pattern(pattern.T)
    if not (np.array_equal(mirrored.indptr, pattern.indptr) and np.array_equal(mirrored.indices, pattern.indices)):
        i, j = coordinates(pattern)
        alone = np.flatnonzero(~np.isin(i * N + j, j * N + i))[0]
        raise ValueError(f"pattern has an entry at ({i[alone]}, {j[alone]}) and none at ({j[alone]}, {i[alone]}), "
                         "expected a symmetric one")


def lower_bound(pattern, method):
    """Return a number of colors that no coloring of this method is below.

    In p colors of n vertices, the edges between two colors form a forest, with fewer edges than vertices: in all at most
    (p - 1) n - p (p - 1) / 2. A star of d edges has d + 1 vertices, so with "star" they are at most (p - 1) n d / (d + 1).
    """
    i, j = coordinates(pattern)
    kept = i != j
    if method == "star":                     # vertices without h_ii may do with less: leave them out
        diagonal = np.isin(np.arange(pattern.shape[0]), i[i == j])
        kept &= diagonal[i] & diagonal[j]
    degree = np.bincount(i[kept], minlength=1)
    n, edges, d = int(np.count_nonzero(degree)), int(kept.sum()) // 2, int(degree.max())
    p = 1
    while edges > (p - 1) * n - p * (p - 1) // 2 or method == "star" and edges * (d + 1) > (p - 1) * n * d:
        p += 1
    return p


def graph(pattern):
    """Return the neighbors of all vertices in one list, and where those of each start: the entries off the diagonal."""
    i, j = coordinates(pattern)
    off = i != j
    return j[off].tolist(), np.searchsorted(i[off], np.arange(pattern.shape[0] + 1)).tolist()


def visits(neighbors, starts, order):
    """Return the vertices, a list, in the order in which they are colored."""
    degree = np.diff(starts).tolist()
    vertices = range(len(degree))
    if order == "natural":
        return list(vertices)
    if order == "largest_first":
        return sorted(vertices, key=lambda v: -degree[v])
    waiting: list[list[int]] = [[] for _ in range(max(degree) + 1)]              # vertices by the neighbors that they have left
    for v in vertices:
        waiting[degree[v]].append(v)
    backward: list[int] = []
    low = 0
    while len(backward) < len(degree):
        while not waiting[low]:
            low += 1
        v = waiting[low].pop()
        if degree[v] == low:                                    # else it moved on to another list
            backward.append(v)
            degree[v] = -1
            for w in neighbors[starts[v]:starts[v + 1]]:
                if degree[w] > 0:
                    degree[w] -= 1
                    waiting[degree[w]].append(w)
            low = max(low - 1, 0)
    return backward[::-1]


def star(neighbors, starts, order):
    """Return the colors of the vertices, [N] int: no two neighbors share one, and no path of four vertices has only two."""
    N = len(order)
    color = [0] * N              # of each vertex, as a bit; 0 as long as it has none
    near = [0] * N               # the colors of its neighbors,
    many = [0] * N               # those of at least two of them: with these it is the hub of a star,
    hubs = [0] * N               # and the colors of the hubs of which it is a leaf
    for v in order:
        mine = neighbors[starts[v]:starts[v + 1]]
        once = twice = closed = 0
        for w in mine:
            twice |= once & color[w]
            once |= color[w]
            closed |= hubs[w]                        # v - w - hub - leaf: v must not have the color of the hub
        closed |= once
        for w in mine if twice else ():
            if color[w] & twice:
                closed |= near[w]                    # x - w - v - w', where w and w' share a color: nor that of x
        bit = ~closed & (closed + 1)                 # the first free color
        color[v], near[v], many[v] = bit, once, twice
        for w in mine:
            if color[w] & twice:
                hubs[w] |= bit                       # v is the hub of w and w'
            if color[w] and not near[w] & bit:
                near[w] |= bit
            elif color[w]:                           # w is the hub of v and others of its color
                hubs[v] |= color[w]
                if not many[w] & bit:                # until now there was one other
                    many[w] |= bit
                    for x in neighbors[starts[w]:starts[w + 1]]:
                        if color[x] == bit:
                            hubs[x] |= color[w]
    return np.array([bit.bit_length() - 1 for bit in color])


def acyclic(neighbors, starts, order):
    """Return the colors of the vertices, [N] int: no two neighbors share one, and no cycle has only two."""
    N = len(order)
    color, near = [0] * N, [0] * N                   # as in star
    above: dict[int, int] = {}                       # trees of two colors: where v + N k, vertex v with color k - 1, hangs
    for v in order:
        mine = [w for w in neighbors[starts[v]:starts[v + 1]] if color[w]]
        once = twice = 0
        for w in mine:
            twice |= once & color[w]
            once |= color[w]
        closed, met = once, set()
        for w in mine if twice else ():
            rest = near[w] & ~closed if color[w] & twice else 0
            while rest:                              # the colors that w has around it
                bit = rest & -rest
                rest ^= bit
                tree = root(above, w + N * bit.bit_length())
                if tree in met:                      # v would join two vertices of one tree: a cycle
                    closed |= bit
                met.add(tree)
        bit = ~closed & (closed + 1)
        color[v], near[v] = bit, once
        for w in mine:
            near[w] |= bit
            above[root(above, v + N * color[w].bit_length())] = root(above, w + N * bit.bit_length())
    return np.array([bit.bit_length() - 1 for bit in color])


def root(above, member):
    """Return the root of the tree of a member, which from now on hangs right below it; a new member is a root."""
    top = above.setdefault(member, member)
    while above[top] != top:
        top = above[top]
    while member != top:
        above[member], member = top, above[member]
    return top

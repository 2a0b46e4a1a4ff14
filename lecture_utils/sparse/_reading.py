"""Where in the products each entry of a pattern stands, and whether it stands there alone.

Idea: the products are laid one after the other in one array, `flat`: first those with columns, [p, M], then those with rows,
[q, N]. Entry (i, j) is part of place c M + i, for the color c of its column, and of place r N + j, for the color r of its row.
Source: A. Gebremedhin, F. Manne, A. Pothen, SIAM Review 47 (2005) 629-705. Private.
"""
import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from lecture_utils.sparse._pattern import coordinates


def places(pattern, method, colors, row_colors=None):
    """Return for each entry, in the order of pattern.data, a place at which it may be read, and whether it can be: two [nnz].

    For "acyclic" this holds of the diagonal only: the other entries are solved for.
    """
    (M, N), (i, j) = pattern.shape, coordinates(pattern)
    if method == "row":
        place = colors[i] * N + j
        return place, alone(place)
    place = colors[j] * M + i
    here = alone(place) & (colors[j] >= 0)
    if method == "star":                                         # or from its mirror image
        mirrored = colors[i] * M + j
        return np.where(here, place, mirrored), here | alone(mirrored)
    if method == "bidirectional":
        across = (colors.max() + 1) * M + row_colors[i] * N + j
        return np.where(here, place, across), here | alone(across, row_colors[i] >= 0)
    return place, here


def alone(place, counted=True):
    """Return for each entry, [nnz], whether no other one that is counted stands at its place."""
    _, group, count = np.unique(np.where(counted, place, -1), return_inverse=True, return_counts=True)
    return counted & (count[group] == 1)


def forest(pattern, colors):
    """Return the trees that the entries between two colors form: places [n], node [k], mirror [k], parent [n + 1].

    The k entries are those off the diagonal. There is a node for each place at which some of them stand; places holds these,
    sorted. An entry is an edge from its own node to that of its mirror image. parent: the node above each, n above a root,
    which is the one of most edges in its tree. Where the edges form a cycle, one of them is nobody's way to a parent.
    """
    i, j = coordinates(pattern)
    i, j, N = i[i != j], j[i != j], pattern.shape[0]
    place, node = np.unique(colors[j] * N + i, return_inverse=True)
    mirror = np.searchsorted(place, colors[i] * N + j)
    n = len(place)
    trees, tree = csgraph.connected_components(sparse.csr_array((np.ones(len(node)), (node, mirror)), shape=(n, n)))
    by_tree = np.lexsort((np.bincount(node, minlength=n), tree))                # in each tree the busiest node last
    roots = by_tree[np.cumsum(np.bincount(tree, minlength=trees)) - 1]
    ends = np.concatenate([node, np.full(trees, n)]), np.concatenate([mirror, roots])     # node n: above all roots
    linked = sparse.csr_array((np.ones(len(ends[0])), ends), shape=(n + 1, n + 1))
    parent = csgraph.breadth_first_order(linked, n)[1]
    parent[n] = n
    return place, node, mirror, parent

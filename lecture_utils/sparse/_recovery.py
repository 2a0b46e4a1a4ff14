"""How the entries of a matrix are read off its products, wherever these were computed.

Idea: each entry stands alone at some place of the products, so that recovery is one gather by a fixed index. After an acyclic
coloring it first takes sums over trees, in as many rounds as their depth has binary digits.
Source: A. Curtis, M. Powell, J. Reid, J. Inst. Maths Applics 13 (1974) 117-119; A. Gebremedhin, A. Tarafdar, F. Manne,
A. Pothen, SIAM J. Sci. Comput. 29 (2007) 1042-1072, for substitution; J. JáJá, An Introduction to Parallel Algorithms,
Addison-Wesley 1992, section 2.2, for sums in rounds (pointer jumping). Private.
"""
from dataclasses import dataclass

import numpy as np

from lecture_utils.sparse._check import check_coloring
from lecture_utils.sparse._pattern import coordinates
from lecture_utils.sparse._reading import forest, places


@dataclass(frozen=True, eq=False)
class Recovery:
    """How the entries of a pattern are read off the products, which are raveled and laid one after the other in `flat`.

    index: [nnz] int: where each entry stands, in flat; where trees is given, in flat followed by the sums over the trees.
    trees: None, or what substitution needs.
    """
    index: np.ndarray
    trees: "Trees | None" = None

    def apply(self, flat, xp):
        """Return the entries, [nnz], in the order of pattern.data; xp: numpy, jax.numpy or torch, that of flat.

        Works inside of jit and vmap, and is linear, so that it can be differentiated.
        """
        if self.trees is not None:
            flat = xp.concatenate([flat, self.trees.sums(flat, xp)])
        return flat[_like(flat, self.index, xp)]


@dataclass(frozen=True, eq=False)
class Trees:
    """The trees of an acyclic coloring: a node for each place in the products at which entries stand, an edge for each entry.

    The number at a node's place is the sum of its edges. Solved from the leaves, the edge above a node is its number minus the
    edges below, which is the sum of the numbers of the node and all under it, with signs that alternate from level to level.

    places: [n] int, where the numbers stand in flat. signs: [n], 1 or -1. rounds: pairs (below, above) of nodes, [k] int each:
    in round t, each node adds to its sum those that the nodes 2^t levels below it have so far, and then has 2^(t+1) levels.
    """
    places: np.ndarray
    signs: np.ndarray
    rounds: list

    def sums(self, flat, xp):
        """Return the edge above each node, [n]; what it returns for a root stands for nothing."""
        signs = _like(flat, self.signs, xp)
        sums = signs * flat[_like(flat, self.places, xp)]
        for below, above in self.rounds:
            sums = _add_at(sums, _like(flat, above, xp), sums[_like(flat, below, xp)])
        return signs * sums


def recovery(coloring):
    """Return the Recovery of a coloring, after checking that it has one."""
    pattern, colors = coloring.pattern, coloring.colors
    index, readable = places(pattern, coloring.method, colors, coloring.row_colors)
    if coloring.method == "acyclic":
        return _substitution(coloring, index)
    if not np.all(readable):
        check_coloring(pattern, coloring)                        # which raises, and says why
    return Recovery(_small(index))


def _substitution(coloring, index):
    """Return the Recovery by substitution; index: where the entries on the diagonal stand."""
    pattern, colors = coloring.pattern, coloring.colors
    i, j = coordinates(pattern)
    off = i != j
    if not np.any(off):
        return Recovery(_small(index))
    place, node, mirror, parent = forest(pattern, colors)
    if np.any(colors[i[off]] == colors[j[off]]) or np.any((parent[node] != mirror) & (parent[mirror] != node)):
        check_coloring(pattern, coloring)                        # as above
    n = len(place)
    index[off] = pattern.shape[0] * (colors.max() + 1) + np.where(parent[node] == mirror, node, mirror)
    odd, up = parent != n, parent                                # whether the level of a node is odd
    while np.any(up != n):
        odd, up = odd ^ odd[up], up[up]
    jump = np.where(parent[parent] == n, n, parent)              # nobody needs the sum of a root: it is zero
    rounds = []
    while np.any(jump != n):
        below = np.flatnonzero(jump != n)
        rounds.append((_small(below), _small(jump[below])))
        jump = jump[jump]
    return Recovery(_small(index), Trees(_small(place), np.where(odd[:n], -1, 1).astype(np.int8), rounds))


def _small(index):
    """Return an index in 32 bits where these suffice: half as much to read."""
    return index.astype(np.int32) if index.max(initial=0) < 2**31 - 1 else index


def _like(flat, array, xp):
    """Return a NumPy array for use with flat: for PyTorch as a tensor, on the same device."""
    return xp.as_tensor(array, device=flat.device) if hasattr(flat, "detach") else array


def _add_at(sums, at, values):
    """Return the sums with the values added at some places."""
    if hasattr(sums, "detach"):
        return sums.index_add(0, at, values)
    if hasattr(sums, "at"):
        return sums.at[at].add(values)
    np.add.at(sums, at, values)                                  # the array is our own
    return sums

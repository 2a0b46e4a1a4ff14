"""A program as a list of steps, and a place on paper for each: what `plot.graph_plot` draws.

Idea: rows by the longest path from an input, an order in each row with few crossings, boxes near what they are joined to.
Source: K. Sugiyama, S. Tagawa, M. Toda, IEEE Trans. Systems, Man, and Cybernetics 11 (1981) 109-125. Private to lecture_utils.
"""
import numbers
from typing import NamedTuple

import numpy as np
from scipy.optimize import isotonic_regression

GAP, DROP = 0.3, 0.45  # inches between boxes of a row, and between rows


class Node(NamedTuple):
    """One step of a program: its name, the operation, the names of what it is computed from, its value or a text about it.

    A program is a list of these. An input has no parents, and its op is "". A parent that is used twice stands there twice.
    """
    name: str
    op: str = ""
    parents: tuple = ()
    value: object = None


def check(nodes):
    """Return the nodes in a dict by name, parents first, after checking that they are a program."""
    if not isinstance(nodes, (list, tuple)) or isinstance(nodes, Node):
        raise TypeError(f"nodes is {nodes!r}, expected a list of Nodes (name, op, parents, value)")
    found = {}
    for i, node in enumerate(nodes):
        if not isinstance(node, (list, tuple)) or not 1 <= len(node) <= 4:
            raise TypeError(f"nodes[{i}] is {node!r}, expected a Node (name, op, parents, value)")
        node = Node(*node)
        if not isinstance(node.name, str) or not node.name or not isinstance(node.op, str):
            raise TypeError(f"nodes[{i}] is {node!r}, expected a name and an op that are str, and a name that is not empty")
        if not isinstance(node.parents, (list, tuple)) or not all(isinstance(p, str) for p in node.parents):
            raise TypeError(f"nodes[{i}] has parents {node.parents!r}, expected a list of names")
        if isinstance(node.value, bool) or not isinstance(node.value, (str, numbers.Real, type(None))):
            raise TypeError(f"nodes[{i}] has value {node.value!r}, expected None, a real number or a str")
        if node.name in found:
            raise ValueError(f"nodes[{i}] has the name {node.name!r} of an earlier one, expected each name once")
        found[node.name] = node
    if not found:
        raise ValueError("nodes is empty, expected at least one node")
    for node in found.values():
        for parent in node.parents:
            if parent not in found:
                raise ValueError(f"nodes: {node.name!r} has the parent {parent!r}, expected one of {', '.join(map(repr, found))}")
    ordered: dict[str, Node] = {}
    while len(ordered) < len(found):
        ready = {n: node for n, node in found.items() if n not in ordered and all(p in ordered for p in node.parents)}
        if not ready:
            rest = [n for n in found if n not in ordered]
            raise ValueError(f"nodes has a cycle among {', '.join(map(repr, rest))}, expected none: a step uses earlier ones")
        ordered |= ready
    return ordered


def place(nodes, sizes):
    """Return where each node goes and the points that each arrow passes, in inches, y upward.

    nodes: a dict as `check` returns it. sizes: name -> (width, height). Returns ({name: (x, y)}, [points [P, 2]]), one
    element of the list for each parent of each node; an arrow that passes a row of boxes has two points there.
    """
    layer: dict[str, int] = {}
    rows: list[list] = []
    chains: list[list] = []
    for name, node in nodes.items():
        layer[name] = 1 + max((layer[p] for p in node.parents), default=-1)
        rows += [[]] * (layer[name] == len(rows))
        rows[layer[name]] = rows[layer[name]] + [name]
    for name, node in nodes.items():
        for k, parent in enumerate(node.parents):
            between = [(name, k, row) for row in range(layer[parent] + 1, layer[name])]     # where the arrow passes a row
            for key in between:
                rows[key[2]].append(key)
            chains.append([parent, *between, name])
    above: dict[object, list] = {key: [] for row in rows for key in row}
    below: dict[object, list] = {key: [] for key in above}
    for chain in chains:
        for upper, lower in zip(chain, chain[1:]):
            below[upper].append(lower)
            above[lower].append(upper)
    x = _columns(_ordered(rows, above, below), above, below, {key: sizes[key][0] if key in sizes else 0.1 for key in above})
    heights = [max(sizes[key][1] for key in row if key in sizes) for row in rows]
    y = -(np.cumsum(heights) - np.divide(heights, 2) + DROP * np.arange(len(rows)))
    at = {name: (x[name], y[layer[name]]) for name in nodes}

    def port(name, others, chain_end):
        """How far from the middle of a box each of its arrows starts or ends: spread in the order of where they go."""
        spread = min(0.17, (sizes[name][0] - 0.1) / max(len(others), 1))
        rank = np.argsort(np.argsort([x[other] for other in others], kind="stable"))
        return {i: (r - (len(others) - 1) / 2) * spread for i, r in zip(chain_end, rank.tolist())}

    start: dict[int, float] = {}
    end: dict[int, float] = {}
    for name in nodes:
        leaving = [i for i, chain in enumerate(chains) if chain[0] == name]
        coming = [i for i, chain in enumerate(chains) if chain[-1] == name]
        start |= port(name, [chains[i][1] for i in leaving], leaving)
        end |= port(name, [chains[i][-2] for i in coming], coming)
    routes = []
    for i, (first, *between, last) in enumerate(chains):
        points = [(x[first] + start[i], at[first][1] - sizes[first][1] / 2)]
        for key in between:
            points += [(x[key], y[key[2]] + heights[key[2]] / 2), (x[key], y[key[2]] - heights[key[2]] / 2)]
        routes.append(np.array([*points, (x[last] + end[i], at[last][1] + sizes[last][1] / 2)]))
    return at, routes


def _ordered(rows, above, below):
    """Return the rows, each in an order in which few arrows cross: the best of some sweeps down and up."""
    def crossings(rows):
        at = {key: i for row in rows for i, key in enumerate(row)}
        pairs = [[(at[key], at[other]) for key in row for other in below[key]] for row in rows]
        return sum((a - c) * (b - d) < 0 for row in pairs for j, (a, b) in enumerate(row) for c, d in row[:j])

    best = rows
    for sweep in range(8):
        rows, side = list(rows), (above, below)[sweep % 2]
        for i in range(len(rows))[:: 1 if side is above else -1]:
            at = {key: j for row in rows for j, key in enumerate(row)}
            mean = {key: np.mean([at[other] for other in side[key]]) if side[key] else at[key] for key in rows[i]}
            rows[i] = sorted(rows[i], key=mean.__getitem__)
        best = min(best, rows, key=crossings)
    return best


def _columns(rows, above, below, width):
    """Return the middle of each box: near its neighbors, in the order of its row, and GAP away from the next box."""
    x = {key: float(i) for row in rows for i, key in enumerate(row)}
    for sides in [(above,), (below,)] * 6 + [(above, below)] * 4:
        for row in rows[:: -1 if sides == (below,) else 1]:
            wanted = [np.mean([x[other] for side in sides for other in side[key]] or [x[key]]) for key in row]
            w = np.array([width[key] for key in row])
            offset = np.concatenate([[0.0], np.cumsum((w[1:] + w[:-1]) / 2 + GAP)])
            x |= dict(zip(row, (isotonic_regression(wanted - offset).x + offset).tolist()))
    return x

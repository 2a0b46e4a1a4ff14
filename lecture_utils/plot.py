"""Figures of the book: one style, legible in light, dark and gray, on a phone and in print.

Idea: a white ground (the dark site shows it as a card), color-blind safe colors in an order that also differs in gray, labels at
the curves instead of legends. Alt text is written in the chapter.
Source: M. Okabe, K. Ito, Color Universal Design (2008), for the colors.
"""
import itertools

import jax
import jax.extend
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.textpath import TextPath

from lecture_utils import _graph, _inputs, _spy
from lecture_utils._graph import Node

COLORS = {"blue": "#0072B2", "vermilion": "#D55E00", "green": "#009E73", "black": "#000000",
          "purple": "#CC79A7", "sky": "#56B4E9", "orange": "#E69F00"}
GROUPS = ("#56B4E9", "#E69F00", "#CC79A7", "#F0E442", "#999999", "#009E73", "#D55E00")   # grounds of black numbers


def use_book_style():
    """Set matplotlib's defaults to those of the book; in a notebook, draw at twice the resolution.

    >>> use_book_style()
    >>> mpl.rcParams["axes.spines.top"]
    False
    """
    mpl.rcParams.update({
        "figure.figsize": (5.8, 3.5), "figure.dpi": 100, "figure.facecolor": "white", "figure.constrained_layout.use": True,
        "font.size": 11, "axes.titlesize": 11, "axes.labelsize": 11, "legend.frameon": False,
        "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25,
        "axes.axisbelow": True, "lines.linewidth": 2, "axes.prop_cycle": mpl.rcsetup.cycler(color=list(COLORS.values())),
    })
    try:
        from IPython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:                          # plain Python, as in `make gpu`
        return
    if get_ipython() is not None:
        set_matplotlib_formats("retina")


def step_plot(hs, errors, *, ax=None, floor=1e-17):
    """Draw errors against step sizes, both on logarithmic scales: the V-curves. Return the axes.

    hs: [H] positive steps. errors: a dict from a label to [H] relative errors; each curve carries its label and a dot at its
    best step (the largest, where several are equally good). ax: the axes to draw on; None makes a figure. floor: errors
    below it, and zeros, are drawn there; errors that are not finite are left out.

    Raises ValueError or TypeError if hs are not positive numbers [H], or if errors is no such dict.

    >>> ax = step_plot([1e-8, 1e-4, 1e-1], {"forward": [1e-8, 5e-5, 5e-2]})
    >>> ax.get_xscale(), ax.get_yscale()
    ('log', 'log')
    """
    hs = _inputs.steps("hs", hs)
    if not isinstance(errors, dict) or not errors:
        raise TypeError(f"errors is {errors!r}, expected a dict from labels to errors")
    floor = _inputs.positive("floor", floor)
    if ax is not None and not isinstance(ax, mpl.axes.Axes):
        raise TypeError(f"ax is {ax!r}, expected the axes of a figure, or None")
    curves = {}
    for label, values in errors.items():
        values = np.asarray(_inputs.numbers(f"errors[{label!r}]", values)).astype(float)
        if values.shape != hs.shape:
            raise ValueError(f"errors[{label!r}] has shape {list(values.shape)}, expected {list(hs.shape)}, one for each step")
        if np.any(values < 0):
            raise ValueError(f"errors[{label!r}] is negative in places, expected absolute values")
        curves[label] = np.where(np.isfinite(values), np.maximum(values, floor), np.nan)
        if not np.any(np.isfinite(values)):
            raise ValueError(f"errors[{label!r}] holds no finite error, expected at least one")
    ax = plt.subplots()[1] if ax is None else ax
    for (label, values), color in zip(curves.items(), itertools.cycle(COLORS.values())):
        best = np.flatnonzero(values == np.nanmin(values))[-1]
        ax.loglog(hs, values, color=color)
        ax.plot(hs[best], values[best], "o", color=color, zorder=4)
        at = np.log(hs[best] / hs.min()) / max(np.log(hs.max() / hs.min()), 1e-9)      # 0 at the left end, 1 at the right
        ax.annotate(label, (hs[best], values[best]), xytext=(0, -7), textcoords="offset points", va="top", color=color,
                    ha="left" if at < 0.15 else "right" if at > 0.85 else "center",
                    path_effects=[withStroke(linewidth=4, foreground="white")], zorder=5)
    return ax


def spy_colored(pattern, colors, *, row_colors=None, ax=None):
    """Draw a sparsity pattern with each nonzero in the color of the product that gives it. Return the axes.

    pattern: [M, N], a SciPy sparse matrix (its stored entries that are not 0) or a dense array (what is not 0). colors: [N]
    integers, the group of each column, -1 for none; or None if all products are of rows. row_colors: [M] likewise, or None. A
    nonzero is drawn for its column's group where it is alone in its row among the columns of that group, otherwise for its
    row's group where it is alone in its column, otherwise as an empty cell: no product gives it by itself. Row groups count on
    from the column groups. ax: the axes to draw on; None makes a figure.
    Up to 20 rows and columns each nonzero bears the number of its group. With more than seven groups the seven colors come
    again, and only the number tells: up to 40 rows and columns are then numbered, and more are refused.

    Cost: M N cells are painted.
    Raises ValueError or TypeError if pattern is no matrix with rows and columns, if colors or row_colors are no such integers
    or both None, if more than seven groups meet more than 40 rows or columns, if ax is no axes.

    >>> ax = spy_colored(np.eye(3) + np.eye(3, k=1), [0, 1, 0])
    >>> [text.get_text() for text in ax.texts]
    ['0', '1', '1', '0', '0']
    """
    if ax is not None and not isinstance(ax, mpl.axes.Axes):
        raise TypeError(f"ax is {ax!r}, expected the axes of a figure, or None")
    filled, group, count = _spy.read_from(pattern, colors, row_colors)
    numbered = max(filled.shape) <= (40 if count > len(GROUPS) else 20)
    if count > len(GROUPS) and not numbered:
        raise ValueError(f"colors and row_colors hold {count} groups for a pattern of {filled.shape[0]} x {filled.shape[1]}, "
                         f"expected at most {len(GROUPS)} groups, or at most 40 rows and columns, which are numbered")
    picture = np.ones((*filled.shape, 3))
    picture[group >= 0] = np.array([mpl.colors.to_rgb(c) for c in GROUPS])[group[group >= 0] % len(GROUPS)]
    ax = plt.subplots(figsize=(3.4, 3.4))[1] if ax is None else ax
    ax.imshow(picture, interpolation="nearest", aspect="equal")
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(True)
    cell = 72 * min(ax.figure.get_size_inches() * ax.get_position().size / filled.shape[::-1])     # in points
    for i, j in np.argwhere(filled) if numbered else ():
        ax.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, fill=False, edgecolor="black" if group[i, j] < 0 else "white",
                               linewidth=1))
        if group[i, j] >= 0:
            ax.text(j, i, str(group[i, j]), ha="center", va="center_baseline", fontsize=min(11, 0.6 * cell))
    return ax


def graph_plot(nodes, outputs=None):
    """Draw a small program as a graph, inputs at the top: a box for each step, an arrow from each of its parents. Return the axes.

    nodes: a list of `Node`s (name, op, parents, value), or of such tuples, where all but the name may be left out. A box shows
    op and below it "name = value"; without an op, "name = value" alone. value: None, a real number, shown to four digits, or a
    text in place of "= value", which may have several lines. Text between dollar signs is set as a formula.
    outputs: the names of the results; None takes the nodes that no other node uses. Inputs are blue, outputs vermilion with a
    thick frame, steps white. For up to about thirty nodes: what is wider than 4.6 inches, a phone's screen, is drawn smaller,
    text included.

    Raises ValueError or TypeError if nodes is no such list: empty, a name that is missing, no str or given twice, a parent that
    is no node, a cycle, a value that is neither text nor real; if outputs are no names of nodes.

    >>> ax = graph_plot([("x",), ("b", "sin", ["x"]), ("c", "exp", ["b"]), ("d", "mul", ["b", "c"], 1.952)])
    >>> [text.get_text() for text in ax.texts]
    ['x', 'sin\\nb', 'exp\\nc', 'mul\\nd = 1.952']
    """
    nodes = _graph.check(nodes)
    if outputs is None:
        used = {parent for node in nodes.values() for parent in node.parents}
        outputs = [name for name in nodes if name not in used]
    elif not isinstance(outputs, (list, tuple)) or not outputs or not all(isinstance(o, str) and o in nodes for o in outputs):
        raise ValueError(f"outputs is {outputs!r}, expected a list of names of nodes, or None")
    texts = {name: _box_text(node) for name, node in nodes.items()}
    sizes = {name: _box_size(text) for name, text in texts.items()}
    at, routes = _graph.place(nodes, sizes)                         # in inches
    corners = np.array([[np.subtract(at[n], np.divide(sizes[n], 2)), np.add(at[n], np.divide(sizes[n], 2))] for n in nodes])
    points = np.vstack([corners.reshape(-1, 2), *routes])
    (left, low), (right, high) = points.min(0) - 0.1, points.max(0) + 0.1
    fit = min(1.0, 4.6 / (right - left))
    figure = plt.figure(figsize=(max(fit * (right - left), 2.5), fit * (high - low)), layout="none")
    ax = figure.add_axes((0, 0, 1, 1))
    scale = min(1.0, *(figure.get_size_inches() / [right - left, high - low]))
    ax.set_axis_off()
    ax.set(xlim=(left, right), ylim=(low, high), aspect="equal")
    for points in routes:                                           # curves that leave and arrive upright
        middle = np.column_stack([np.zeros(len(points) - 1), np.diff(points[:, 1]) / 2])
        bends = np.stack([points[:-1] + middle, points[1:] - middle, points[1:]], axis=1).reshape(-1, 2)
        path = Path(np.vstack([points[:1], bends]), [Path.MOVETO] + [Path.CURVE4] * len(bends))
        ax.add_patch(FancyArrowPatch(path=path, arrowstyle="-|>", mutation_scale=11 * scale, linewidth=1.3 * scale, color="#444444"))
    for (name, node), (corner, _) in zip(nodes.items(), corners):
        width, height = sizes[name]
        frame, ground = (("vermilion", "#FCE6D8") if name in outputs else ("black", "white") if node.op or node.parents
                         else ("blue", "#DDEEF8"))
        ax.add_patch(FancyBboxPatch(corner, width, height, boxstyle="round,pad=0,rounding_size=0.08", facecolor=ground, zorder=3,
                                    edgecolor=COLORS[frame], linewidth=(2.4 if name in outputs else 1.2) * scale))
        x, y = at[name]
        ax.text(x, y, texts[name], fontsize=11 * scale, ha="center", va="center", linespacing=1.3, zorder=4)
    return ax


def jaxpr_graph(jaxpr):
    """Return a jaxpr as what `graph_plot` takes: (nodes, outputs), a `Node` for each input and each result of an equation.

    jaxpr: what `jax.make_jaxpr(f)(*args)` returns. Nodes are named a, b, c, … as JAX prints them (up to the first equation that
    holds a program, such as cond or scan; it is one node), and _, __, … where nothing uses the result. A number that stands in
    an equation is shown in its op, as in "mul(2, ·)"; a result that is a number is a node, "out 1" if it is the first.

    Cost: one pass over the equations.
    Raises TypeError if jaxpr is no closed jaxpr, and ValueError if it has no result.

    >>> nodes, outputs = jaxpr_graph(jax.make_jaxpr(lambda x: 2 * jax.numpy.sin(x))(1.0))
    >>> [(node.name, node.op, node.parents) for node in nodes], outputs
    ([('a', '', ()), ('b', 'sin', ('a',)), ('c', 'mul(2, ·)', ('b',))], ['c'])
    """
    if not isinstance(jaxpr, jax.extend.core.ClosedJaxpr):
        raise TypeError(f"jaxpr is {jaxpr!r}, expected what jax.make_jaxpr(f)(*args) returns")
    program = jaxpr.jaxpr
    names: dict = {}
    nodes: list[Node] = []
    if not program.outvars:
        raise ValueError("jaxpr has no result, expected at least one")
    number = lambda v: isinstance(v, jax.extend.core.Literal)
    shown = lambda v: f"{np.asarray(v.val).item():.4g}" if np.ndim(v.val) == 0 else "…"
    needed = {v for vs in (program.outvars, *(equation.invars for equation in program.eqns)) for v in vs if not number(v)}

    def add(variable, op="", parents=()):
        i, name = len(names), ""
        while i or not name:                                        # as a number in base 26 whose digits are a to z
            i, name = i // 26, chr(97 + i % 26) + name
        if variable in needed or not op:
            names[variable] = name
        else:
            name = "_" * (1 + sum(node.name.startswith("_") for node in nodes))
        nodes.append(Node(name, op, parents))

    for variable in (*program.constvars, *program.invars):
        add(variable)
    for equation in program.eqns:
        op = equation.params["name"] if equation.primitive.name in ("jit", "pjit") else equation.primitive.name
        if any(map(number, equation.invars)):
            op += "(" + ", ".join(shown(v) if number(v) else "·" for v in equation.invars) + ")"
        for variable in equation.outvars:
            add(variable, op, tuple(names[v] for v in equation.invars if not number(v)))
    outputs = []
    for i, variable in enumerate(program.outvars, 1):
        if number(variable):
            nodes.append(Node(f"out {i}", shown(variable)))
        outputs.append(f"out {i}" if number(variable) else names[variable])
    return nodes, list(dict.fromkeys(outputs))


def _box_text(node):
    """What stands in a node's box."""
    value = "" if node.value is None else f" {node.value}" if isinstance(node.value, str) else f" = {node.value:.4g}"
    return (f"{node.op}\n" if node.op else "") + node.name + value


def _box_size(text):
    """Width and height, in inches, of a box around a text of 11 points."""
    try:
        widths = [TextPath((0, 0), line, size=11).get_extents().width for line in text.split("\n") if line.strip()]
    except ValueError:
        raise ValueError(f"nodes: the text {text!r} is no valid formula, expected one between its dollar signs") from None
    return max([*widths, 8]) / 72 + 0.2, 0.205 * text.count("\n") + 0.34

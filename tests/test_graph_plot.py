"""lecture_utils.plot.graph_plot and jaxpr_graph: every step has its box, every use its arrow, nothing lies on anything else."""
import re

import jax
import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from lecture_utils import plot
from lecture_utils.plot import Node

mpl.use("Agg")
import matplotlib.pyplot as plt

SLIDE = [Node("x"), Node("B", "g(x)", ("x",)), Node("C", "h(g(x))", ("B",)), Node("D", "f", ("B", "C"))]


@pytest.fixture(autouse=True)
def figures():
    yield
    plt.close("all")


@st.composite
def programs(draw):
    """Programs of up to 12 steps, each with up to three parents, given in a random order."""
    n = draw(st.integers(1, 12))
    nodes = [Node(f"v{i}", "op", tuple(f"v{draw(st.integers(0, i - 1))}" for _ in range(draw(st.integers(0, 3)) if i else 0)))
             for i in range(n)]
    return draw(st.permutations(nodes))


def boxes(ax):
    """Name -> (left, low, right, high) of its box."""
    found = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    assert len(found) == len(ax.texts)
    return {text.get_text().split("\n")[-1].split(" ")[0]: (b.get_x(), b.get_y(), b.get_x() + b.get_width(), b.get_y() + b.get_height())
            for text, b in zip(ax.texts, found)}


def arrows(ax):
    """The paths of the arrows, in the coordinates of the boxes."""
    return [patch._path_original for patch in ax.patches if isinstance(patch, FancyArrowPatch)]


def bezier(path):
    """Points along a path of cubic curves."""
    assert set(path.codes[1:]) == {Path.CURVE4}
    t = np.linspace(0, 1, 25)[:, None]
    starts = range(0, len(path.vertices) - 1, 3)
    return np.vstack([sum(k * t**i * (1 - t)**(3 - i) * path.vertices[s + i] for i, k in enumerate((1, 3, 3, 1))) for s in starts])


def ends(ax):
    """(parent, child) for each arrow: the boxes on whose lower and upper edges it starts and ends."""
    found = []
    for path in arrows(ax):
        (x0, y0), (x1, y1) = path.vertices[0], path.vertices[-1]
        start = [n for n, (left, low, right, high) in boxes(ax).items() if left < x0 < right and abs(y0 - low) < 1e-9]
        end = [n for n, (left, low, right, high) in boxes(ax).items() if left < x1 < right and abs(y1 - high) < 1e-9]
        assert len(start) == len(end) == 1
        found.append((start[0], end[0]))
    return sorted(found)


@settings(max_examples=30, deadline=None)
@given(programs())
def test_each_use_of_a_step_is_one_arrow_downward_and_no_box_is_touched_on_the_way(nodes):
    ax = plot.graph_plot(nodes)
    assert ends(ax) == sorted((parent, node.name) for node in nodes for parent in node.parents)
    places = boxes(ax)
    for path in arrows(ax):
        curve = bezier(path)
        for left, low, right, high in places.values():
            inside = (curve[:, 0] > left) & (curve[:, 0] < right) & (curve[:, 1] > low + 1e-6) & (curve[:, 1] < high - 1e-6)
            assert not inside.any()
        assert np.all(np.diff(path.vertices[[0, -1], 1]) < 0)
    plt.close("all")


@settings(max_examples=30, deadline=None)
@given(programs())
def test_boxes_do_not_overlap_and_lie_below_their_parents(nodes):
    places = boxes(plot.graph_plot(nodes))
    names = list(places)
    for i, a in enumerate(names):
        for b in names[:i]:
            (l1, b1, r1, t1), (l2, b2, r2, t2) = places[a], places[b]
            assert r1 < l2 or r2 < l1 or t1 < b2 or t2 < b1
    for node in nodes:
        assert all(places[parent][1] > places[node.name][3] for parent in node.parents)
    plt.close("all")


def test_a_chain_is_drawn_straight_and_arrows_that_need_not_cross_do_not():
    middle = lambda box: (box[0] + box[2]) / 2
    chain = boxes(plot.graph_plot([("a",), ("b", "a long name", ["a"]), ("c", "sin", ["b"]), ("d", "exp", ["c"])]))
    assert np.ptp([middle(box) for box in chain.values()]) < 1e-9
    ladder = [("a",), ("b",), ("c",), ("x", "", ["c"]), ("y", "", ["a"]), ("z", "", ["b"]), ("u", "", ["z"]), ("v", "", ["x"]), ("w", "", ["y"])]
    at = {name: middle(box) for name, box in boxes(plot.graph_plot(ladder)).items()}
    rows = ["".join(sorted(row, key=at.get)).translate(str.maketrans("yzxwuv", "abcabc")) for row in ("abc", "xyz", "uvw")]
    assert len(set(rows)) == 1


def test_a_value_in_two_lines_makes_its_box_higher_and_no_other():
    plain, tall = boxes(plot.graph_plot(SLIDE)), boxes(plot.graph_plot([*SLIDE[:3], SLIDE[3]._replace(value="= 1\nadjoint 1")]))
    height = lambda box: box[3] - box[1]
    assert list(tall)[:3] == list(plain)[:3]
    assert [height(a) == height(b) for a, b in zip(plain.values(), tall.values())] == [True, True, True, False]


def test_inputs_outputs_and_other_steps_differ_in_color_and_outputs_in_their_frame_too():
    ax = plot.graph_plot(SLIDE)
    frames = [(to_hex(b.get_edgecolor()).upper(), b.get_linewidth()) for b in ax.patches if isinstance(b, FancyBboxPatch)]
    thin, black = frames[1][1], plot.COLORS["black"]
    assert frames == [(plot.COLORS["blue"], thin), (black, thin), (black, thin), (plot.COLORS["vermilion"], 2 * thin)]
    given_outputs = plot.graph_plot(SLIDE, ["B"])
    assert [b.get_linewidth() == 2 * thin for b in given_outputs.patches if isinstance(b, FancyBboxPatch)] == [False, True, False, False]


def test_the_ground_is_light_and_the_text_black_so_that_it_reads_on_the_white_card_of_the_dark_page():
    ax = plot.graph_plot(SLIDE)
    assert all(min(b.get_facecolor()[:3]) > 0.8 for b in ax.patches if isinstance(b, FancyBboxPatch))
    assert {text.get_color() for text in ax.texts} == {"black"}


def test_values_are_numbers_to_four_digits_or_text():
    ax = plot.graph_plot([("x", "", (), 2.0), ("y", "ln", ["x"], 0.693147), ("z", "sin", ["y"], "= 0.6\nslope 1"), ("w", "", (), np.nan)])
    assert [text.get_text() for text in ax.texts] == ["x = 2", "w = nan", "ln\ny = 0.6931", "sin\nz = 0.6\nslope 1"]


def test_every_text_lies_within_its_box():
    ax = plot.graph_plot([*SLIDE, ("m", "a long operation", ["D"], "$v_3$ = 0.123456"), ("W" * 12, "", (), "= 1\n2\n3\n4\n5")])
    ax.figure.canvas.draw()
    found = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    for text, box in zip(ax.texts, found, strict=True):
        inner, outer = text.get_window_extent(), box.get_window_extent()
        assert outer.x0 <= inner.x0 and inner.x1 <= outer.x1 and outer.y0 <= inner.y0 and inner.y1 <= outer.y1


def test_wide_graphs_shrink_to_a_phone():
    wide = [Node(f"a_long_name_{i}") for i in range(9)]
    ax = plot.graph_plot(wide)
    assert ax.figure.get_size_inches()[0] <= 4.6 + 1e-9 and ax.texts[0].get_fontsize() < 11
    assert plot.graph_plot(SLIDE).texts[0].get_fontsize() == 11
    assert not ax.axison


def test_what_cannot_be_drawn_is_refused_before_a_figure_is_made():
    for nodes in ([("x", "sin", ["y"])], [("x", "", (), "$\\frac$")]):
        with pytest.raises(ValueError, match="nodes"):
            plot.graph_plot(nodes)
    with pytest.raises(ValueError, match="cycle among 'y', 'z', expected none"):
        plot.graph_plot([("x",), ("y", "add", ["x", "z"]), ("z", "sin", ["y"])])
    assert not plt.get_fignums()


# Jaxprs.

def swell(x):
    for _ in range(30):
        x = jnp.sin(x) * 2.0
    return x


@pytest.mark.parametrize("f, x", [
    (lambda x: jnp.sin(x) * jnp.exp(jnp.sin(x)), 1.0), (jax.grad(lambda x: jnp.sin(x) * jnp.exp(x)), 1.0),
    (jax.value_and_grad(lambda x: x[0] * x[1]), jnp.ones(2)), (swell, 1.0),
], ids=["shared", "grad", "value and grad", "61 names"])
def test_names_ops_and_parents_are_those_that_jax_prints(f, x):
    """A line reads `c:f32[] = mul a 2.0:f32[]`, or `b:f32[1] = slice[…] a`."""
    jaxpr = jax.make_jaxpr(f)(x)
    nodes, outputs = plot.jaxpr_graph(jaxpr)
    *lines, last = re.sub(r":\w+\[\d*\]|\[.*?\]", "", str(jaxpr)).split("\n")[1:]
    printed = [re.fullmatch(r" *(\w+) = (\w+)(.*)", line).groups() for line in lines]
    assert [(node.name[:2].replace("__", "_"), re.sub(r"\(.*", "", node.op)) for node in nodes if node.op] == [p[:2] for p in printed]
    assert [node.parents for node in nodes if node.op] == [tuple(re.findall(r"[a-z]+", rest)) for _, _, rest in printed]
    assert outputs == re.findall(r"[a-z]+", last.replace("in", "", 1))


def test_numbers_in_equations_constant_results_and_inner_programs_are_shown():
    nodes, outputs = plot.jaxpr_graph(jax.make_jaxpr(lambda x: (x, 2.0, jax.jit(jnp.sin)(1.5 - x)))(1.0))
    assert nodes == [Node("a"), Node("b", "sub(1.5, ·)", ("a",)), Node("c", "sin", ("b",)), Node("out 2", "2")]
    assert outputs == ["a", "out 2", "c"]
    branch = lambda x: jax.lax.cond(x > 1, jnp.sin, jnp.cos, x)
    assert [node.op for node in plot.jaxpr_graph(jax.make_jaxpr(branch)(1.0))[0]] == ["", "gt(·, 1)", "convert_element_type", "cond"]


def test_constants_of_a_jaxpr_are_inputs_and_steps_that_nothing_uses_stay():
    table = np.arange(3.0)
    nodes, outputs = plot.jaxpr_graph(jax.make_jaxpr(lambda x: (jnp.sin(x), x * table)[1])(1.0))
    assert [node.name for node in nodes if not node.op] == ["a", "b"] and Node("_", "sin", ("b",)) in nodes
    plot.graph_plot(nodes, outputs)

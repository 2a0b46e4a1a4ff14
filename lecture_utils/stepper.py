"""The sweeps of a program, step by step: the reader goes forward and back, and values, then cotangents, appear in its graph.

Idea: HTML and SVG without a script. Radio buttons hold the step; every element of the drawing knows the first and the last step
at which it is seen, and CSS makes its opacity from them. On paper, and where CSS or `:has` is missing, the final graph and a
list of all steps remain.
Source: A. Griewank, A. Walther, Evaluating Derivatives, SIAM 2008, chapter 3, for the two sweeps on a list of scalar steps.
"""
import math
import numbers
import re
from html import escape
from typing import NamedTuple

from lecture_utils import _graph
from lecture_utils._stepper import CSS, KINDS, accented, drawing, shown


class Step(NamedTuple):
    """One step: what is said, and what appears in the graph, where it stays until a later step replaces it.

    text: a sentence, and below it, each on a line of its own, arithmetic. at: the name of the node that is worked on, which is
    highlighted with its arrows (against their direction where cotangents appear), or None. values, tangents, cotangents: dicts
    from names of nodes to what appears there: a number, shown to four digits, or a text.
    """
    text: str
    at: str | None = None
    values: dict = {}
    tangents: dict = {}
    cotangents: dict = {}


class Stepper:
    """What `stepper` returns: a notebook shows its HTML, and str() is the list of its steps."""

    def __init__(self, title, texts, html):
        self.title, self.texts, self.html = title, texts, html

    def _repr_html_(self):
        return self.html

    def __repr__(self):
        return f"<Stepper: {self.title}, {len(self.texts)} steps>"

    def __str__(self):
        return "\n".join([self.title, *(f"{k}. " + text.replace("\n", "\n   ") for k, text in enumerate(self.texts, 1))])


def stepper(nodes, steps, *, name, title):
    """Return a program's graph to step through, as one HTML output without scripts or outside files: a `Stepper`.

    nodes: a list of `plot.Node`s (name, op, parents), as `plot.graph_plot` takes it; the last one is the result, with a thick
    frame. steps: a list of `Step`s, such as `reverse_sweep` and `forward_sweep` return. name: lower-case letters, digits and
    hyphens, starting with a letter, different for each stepper of a page. title: a str. The reader moves by the two buttons,
    by a step's radio button, or with the arrow keys. The same input gives the same text on every machine. A phone holds three
    nodes side by side, with text of 11 pixels; wider graphs are drawn smaller. Size: 13 kB for four nodes, 38 for twelve.

    Raises TypeError or ValueError if nodes is no program, if steps is no such list or names an unknown node, if name or title
    is none.

    >>> nodes = [("x", "", (), 3.0), ("y", "square", ("x",), 9.0)]
    >>> stepper(nodes, reverse_sweep(nodes, {"y": [6.0]}), name="square", title="The square")
    <Stepper: The square, 5 steps>
    """
    program = _graph.check(nodes)
    result = _graph.Node(*nodes[-1]).name
    steps = _check_steps(steps, program)
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise ValueError(f"name is {name!r}, expected lower-case letters, digits and hyphens, starting with a letter")
    if not isinstance(title, str) or not title.strip():
        raise ValueError(f"title is {title!r}, expected a str that is not empty")
    last = len(steps)
    back = next((k for k, step in enumerate(steps) if step.cotangents), last)       # where a second row of buttons begins
    radios, items, rules = [], [], [f'#{name}{{--k:{last};--last:"{last}"}}']
    for k, step in enumerate(steps, 1):
        spoken = re.sub("\u0304(\\w*)", r"\1 bar", re.sub("\u0307(\\w*)", r"\1 dot", step.text))     # b with a bar: "b bar"
        spoken = spoken.replace("·", "times").replace("\n", "; ")
        radios.append(f'<input type="radio" name="{name}" id="{name}-{k}" aria-label="Step {k} of {last}: {escape(spoken)}"'
                      + (" checked>" if k == 1 else ">"))
        first, *lines = [escape(line) for line in step.text.split("\n")]
        buttons = [("back", k - 1)] * (k > 1) + [("next", k + 1) if k < last else ("over", 1)] * (last > 1)
        labels = [f'<label for="{name}-{to}" class="{kind}" aria-hidden="true"></label>' for kind, to in buttons]
        items.append("<li>" + "".join(labels) + f"<b>{first}</b>"
                     + "".join(f"<br><span>{line}</span>" for line in lines) + "</li>")
        here = f"#{name}:has(#{name}-{k}:checked)"
        rules.append(f"@media screen{{{here}{{--k:{k}}}{here} li:nth-child({k}){{visibility:visible}}}}")
    said = "; ".join(_formula(node) if node.op else f"{node.name}, an input" for node in program.values())
    alt = f"Graph of the program: {said}. What each step adds to it is said in the step."
    return Stepper(title, [step.text for step in steps], "\n".join([
        f'<div class="stepper" id="{name}" data-lm-suppress-shortcuts="true">', f"<style>{CSS}", *rules, "</style>",
        f'<div><strong id="{name}-title">{escape(title)}</strong>',
        f'<div role="radiogroup" aria-labelledby="{name}-title">',
        "<div>", *radios[:back], "</div><div>", *radios[back:], "</div></div>",
        "<ol>", *items, "</ol></div>", *drawing(program, steps, result, alt), "</div>"]))


def reverse_sweep(nodes, partials):
    """Return the `Step`s of reverse mode on a scalar program: values forward, one node a step, then cotangents backward.

    nodes: a list of `plot.Node`s in order of execution (parents first) with numbers as values; the last one is the result.
    partials: a dict from the name of each node that has parents to a list of its partial derivatives, one for each parent, in
    their order. Nodes that do not influence the result are passed over on the way back; a node without parents that has an op
    is a constant.

    Cost: one visit of each arrow.
    Raises TypeError or ValueError if nodes is no such list, or if partials lacks an entry, has one too many, or holds anything
    but finite numbers.

    >>> nodes = [("x", "", (), 3.0), ("y", "square", ("x",), 9.0)]
    >>> for step in reverse_sweep(nodes, {"y": [6.0]}):
    ...     print(step.text.replace("\\u0304", "_"))
    Input: x = 3
    Forward: y = square(x) = 9
    Backward: start at the result
    y_ = 1
    Backward through y = square(x)
    x_ += y_ · 6: 0 + 6 = 6
    Done: the derivatives of y
    x_ = 6
    """
    program, partials = _check_program(nodes, partials)
    steps = [Step(_forward_text(node), node.name, {node.name: node.value}) for node in program.values()]
    *_, result = program
    bar = {result: 1.0}
    steps.append(Step(f"Backward: start at the result\n{_bar(result)} = 1", result, cotangents=dict(bar)))
    for node in reversed(program.values()):
        if node.name not in bar or not node.parents:
            continue
        lines = [f"Backward through {_formula(node)}"]
        for d, parent in zip(partials[node.name], node.parents):
            old, term = bar.get(parent, 0.0), bar[node.name] * d
            bar[parent] = old + term
            lines.append(f"{_bar(parent)} += {_bar(node.name)} · {shown(d)}: {shown(old)}{_plus(term)} = {shown(bar[parent])}")
        steps.append(Step("\n".join(lines), node.name, cotangents={p: bar[p] for p in node.parents}))
    ends = {name: bar.get(name, 0.0) for name in _inputs(program)}
    lines = [f"{_bar(name)} = {shown(value)}" for name, value in ends.items()]
    return steps + [Step("\n".join([f"Done: the derivatives of {result}", *lines]), cotangents=ends)]


def forward_sweep(nodes, partials, tangents):
    """Return the `Step`s of forward mode on a scalar program: each node's value and its tangent together, one node a step.

    nodes, partials: as in `reverse_sweep`. tangents: a dict from names of inputs to numbers, the direction; inputs that it
    leaves out do not move.

    Cost: one visit of each arrow.
    Raises TypeError or ValueError if nodes or partials are not as there, or if tangents is no such dict.

    >>> nodes = [("x", "", (), 3.0), ("y", "square", ("x",), 9.0)]
    >>> [step.tangents for step in forward_sweep(nodes, {"y": [6.0]}, {"x": 1.0})]
    [{'x': 1.0}, {'y': 6.0}]
    """
    program, partials = _check_program(nodes, partials)
    inputs = _inputs(program)
    if not isinstance(tangents, dict) or not tangents or not all(i in inputs and _real(t) for i, t in tangents.items()):
        raise ValueError(f"tangents is {tangents!r}, expected a dict from inputs ({', '.join(inputs)}) to finite numbers")
    dot: dict[str, float] = {}
    steps = []
    for node in program.values():
        pairs = list(zip(partials.get(node.name, ()), node.parents))
        dot[node.name] = sum(d * dot[parent] for d, parent in pairs) if pairs else float(tangents.get(node.name, 0.0))
        terms = ["".join(f"{_plus(d)} · {show(parent)}" for d, parent in pairs).removeprefix(" + ").removeprefix(" ")
                 for show in (_dot, lambda parent: shown(dot[parent]))] * bool(pairs)
        line = " = ".join([_dot(node.name), *terms, shown(dot[node.name])])
        steps.append(Step(f"{_forward_text(node)}\n{line}", node.name, {node.name: node.value}, {node.name: dot[node.name]}))
    return steps


def _inputs(program):
    """The names of the nodes that are computed from nothing: without parents, and without an op, which a constant may have."""
    return [node.name for node in program.values() if not node.parents and not node.op]


def _bar(name):
    return accented(name, KINDS["cotangents"][1])


def _dot(name):
    return accented(name, KINDS["tangents"][1])


def _formula(node):
    return f"{node.name} = {node.op}({', '.join(node.parents)})" if node.parents else f"{node.name} = {node.op}"


def _forward_text(node):
    return f"Forward: {_formula(node)} = {shown(node.value)}" if node.op else f"Input: {node.name} = {shown(node.value)}"


def _plus(value):
    return f" − {shown(-value)}" if value < 0 else f" + {shown(value)}"


def _real(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)


def _check_steps(steps, program):
    """Return steps as a list of Steps, after checking them."""
    if not isinstance(steps, (list, tuple)) or isinstance(steps, Step) or not all(isinstance(step, Step) for step in steps):
        raise TypeError(f"steps is {steps!r}, expected a list of Steps")
    if not steps:
        raise ValueError("steps is empty, expected at least one Step")
    for k, step in enumerate(steps):
        if not isinstance(step.text, str) or not step.text.strip():
            raise ValueError(f"steps[{k}] has the text {step.text!r}, expected a str that is not empty")
        if step.at is not None and (not isinstance(step.at, str) or step.at not in program):
            raise ValueError(f"steps[{k}] is at {step.at!r}, expected None or one of {', '.join(map(repr, program))}")
        for kind in KINDS:
            new = getattr(step, kind)
            if not isinstance(new, dict) or not all(n in program and (isinstance(v, str) or _real(v)) for n, v in new.items()):
                raise ValueError(f"steps[{k}] has {kind} {new!r}, expected a dict from nodes to finite numbers or texts")
    return list(steps)


def _check_program(nodes, partials):
    """Return the nodes by name, in the order given, and partials as a dict of lists, after checking both."""
    _graph.check(nodes)
    program = {}
    for node in (_graph.Node(*node) for node in nodes):
        if not _real(node.value):
            raise ValueError(f"nodes: {node.name!r} has the value {node.value!r}, expected a finite number")
        if not all(parent in program for parent in node.parents):
            raise ValueError(f"nodes: {node.name!r} stands before one of its parents {node.parents!r}, expected parents first")
        program[node.name] = node
    inner = [name for name, node in program.items() if node.parents]
    if not isinstance(partials, dict) or sorted(map(str, partials)) != sorted(inner):
        raise ValueError(f"partials is {partials!r}, expected a dict with an entry for each of {', '.join(inner) or 'no node'}")
    for name in inner:
        if not isinstance(partials[name], (list, tuple)) or not all(map(_real, partials[name])) \
                or len(partials[name]) != len(program[name].parents):
            raise ValueError(f"partials[{name!r}] is {partials[name]!r}, expected {len(program[name].parents)} finite numbers")
    return program, partials

"""lecture_utils.stepper: each step shows what the sweeps compute and nothing later, in a real browser, without scripts, for everyone."""
import math
import os
import re
import subprocess
import sys
from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from test_site import AXE, AXE_RUN, browser  # noqa: F401  # a fixture

from lecture_utils import stepper
from lecture_utils._stepper import KINDS
from lecture_utils.plot import Node
from lecture_utils.stepper import Step

STANDARD = [Node("v1", "", (), 2.0), Node("v2", "", (), 5.0), Node("v3", "log", ("v1",), math.log(2)), Node("v4", "mul", ("v1", "v2"), 10.0),
            Node("v5", "sin", ("v2",), math.sin(5)), Node("v6", "add", ("v3", "v4"), math.log(2) + 10),
            Node("v7", "sub", ("v6", "v5"), math.log(2) + 10 - math.sin(5))]
PARTIALS = {"v3": [0.5], "v4": [5.0, 2.0], "v5": [math.cos(5)], "v6": [1.0, 1.0], "v7": [1.0, -1.0]}
B, C = math.sin(0.5), math.exp(math.sin(0.5))
NESTED = [Node("a", "", (), 0.5), Node("b", "sin", ("a",), B), Node("c", "exp", ("b",), C), Node("d", "mul", ("b", "c"), B * C)]
NESTED_PARTIALS = {"b": [math.cos(0.5)], "c": [C], "d": [C, B]}
TWELVE = [Node("x1", "", (), -0.1234), Node("x2", "", (), -0.1235), Node("x3", "", (), -0.1236)] + [
    Node(f"w{i}", "mul", parents, -0.12345 * (i + 1)) for i, parents in enumerate([
        ("x1", "x2"), ("x2", "x3"), ("w0", "w1"), ("x1", "w2"), ("w1", "w2"), ("w3", "w4"), ("w5", "x3"), ("w6", "w0"), ("w7", "w7")])]
TWELVE_PARTIALS = {node.name: [0.3333, -1.2345] for node in TWELVE[3:]}

REVERSE = stepper.reverse_sweep(STANDARD, PARTIALS)
FORWARD = stepper.forward_sweep(NESTED, NESTED_PARTIALS, {"a": 1.0})
BIG = stepper.reverse_sweep(TWELVE, TWELVE_PARTIALS)


def steppers():
    """The steppers of the test page, with their programs."""
    return {"reverse": (STANDARD, REVERSE, stepper.stepper(STANDARD, REVERSE, name="reverse", title="Reverse mode: ln x₁ + x₁x₂ − sin x₂")),
            "forward": (NESTED, FORWARD, stepper.stepper(NESTED, FORWARD, name="forward", title="Forward mode: sin(a) exp(sin a)")),
            "big": (TWELVE, BIG, stepper.stepper(TWELVE, BIG, name="big", title="Twelve nodes"))}


def by_hand(nodes, steps, k):
    """What stands in the boxes at step k, counted from 1: op and name of each node, and what has appeared so far, the last of each."""
    texts = []
    for node in nodes:
        value, *others = [[getattr(step, kind)[node.name] for step in steps[:k] if node.name in getattr(step, kind)]
                          for kind in ("values", "tangents", "cotangents")]
        show = lambda x: f"{x:.4g}".replace("-", "−")
        texts += [node.op or "input", f"{node.name} = {show(value[-1])}" if value else node.name]
        texts += [f"{node.name[0]}{accent}{node.name[1:]} = {show(seen[-1])}" for accent, seen in zip("\u0307\u0304", others) if seen]
    return Counter(texts)


# The sweeps.

def nested(a, db=0.0, dc=0.0, dd=0.0):
    b = jnp.sin(a) + db
    c = jnp.exp(b) + dc
    return b * c + dd


def standard(x1, x2, d3=0.0, d4=0.0, d5=0.0, d6=0.0, d7=0.0):
    return (jnp.log(x1) + d3) + (x1 * x2 + d4) + d6 - (jnp.sin(x2) + d5) + d7


@pytest.mark.parametrize("f, nodes, partials", [(nested, NESTED, NESTED_PARTIALS), (standard, STANDARD, PARTIALS)])
def test_the_last_cotangent_of_each_node_is_the_derivative_by_jax(f, nodes, partials):
    last = {}
    for step in stepper.reverse_sweep(nodes, partials):
        last |= step.cotangents
    inputs = [node.value for node in nodes if not node.parents]
    with jax.enable_x64(True):
        arguments = [*inputs, *[0.0] * (len(nodes) - len(inputs))]
        expected = jax.grad(f, argnums=tuple(range(len(nodes))))(*arguments)
    np.testing.assert_allclose([last[node.name] for node in nodes], expected, rtol=1e-12)


def test_values_come_before_tangents_and_the_tangents_are_those_of_jax():
    with jax.enable_x64(True):
        program = lambda a: (a, jnp.sin(a), jnp.exp(jnp.sin(a)), nested(a))
        values, tangents = jax.jvp(program, (0.5,), (1.0,))
    np.testing.assert_allclose([step.values[node.name] for step, node in zip(FORWARD, NESTED, strict=True)], values, rtol=1e-12)
    np.testing.assert_allclose([step.tangents[node.name] for step, node in zip(FORWARD, NESTED, strict=True)], tangents, rtol=1e-12)


def test_forward_steps_are_in_the_order_of_the_program_and_backward_steps_in_reverse():
    assert [step.at for step in REVERSE] == ["v1", "v2", "v3", "v4", "v5", "v6", "v7", "v7", "v7", "v6", "v5", "v4", "v3", None]
    assert [bool(step.cotangents) for step in REVERSE] == [False] * 7 + [True] * 7


def test_a_node_that_is_used_twice_collects_from_both_uses_and_the_text_says_how():
    assert [round(step.cotangents["v2"], 4) for step in REVERSE if "v2" in step.cotangents] == [-0.2837, 1.7163, 1.7163]
    assert REVERSE[11].text.split("\n")[1:] == ["v\u03041 += v\u03044 · 5: 0 + 5 = 5", "v\u03042 += v\u03044 · 2: −0.2837 + 2 = 1.716"]
    square = [Node("x", "", (), 3.0), Node("y", "mul", ("x", "x"), 9.0)]
    assert stepper.reverse_sweep(square, {"y": [3.0, 3.0]})[-1].cotangents == {"x": 6.0}


def test_what_does_not_reach_the_result_is_passed_over_and_its_inputs_have_derivative_zero():
    nodes = [Node("x", "", (), 1.0), Node("z", "", (), 2.0), Node("dead", "neg", ("z",), -2.0), Node("y", "neg", ("x",), -1.0)]
    steps = stepper.reverse_sweep(nodes, {"dead": [-1.0], "y": [-1.0]})
    assert [step.at for step in steps if step.cotangents] == ["y", "y", None] and steps[-1].cotangents == {"x": -1.0, "z": 0.0}


@st.composite
def programs(draw):
    """Scalar programs of up to 12 steps in order of execution, with partial derivatives, as (nodes, partials)."""
    number = st.floats(-3, 3).map(lambda x: round(x, 3))
    nodes = [Node(f"v{i}", *(("op", tuple(f"v{draw(st.integers(0, i - 1))}" for _ in range(draw(st.integers(1, 3)))))
                             if i and draw(st.booleans()) else ("", ())), draw(number)) for i in range(draw(st.integers(1, 12)))]
    return nodes, {node.name: [draw(number) for _ in node.parents] for node in nodes if node.parents}


@settings(max_examples=50, deadline=None)
@given(programs())
def test_both_sweeps_give_the_same_derivative_and_any_program_has_a_small_page(program):
    nodes, partials = program
    inputs = [node.name for node in nodes if not node.parents]
    back = stepper.reverse_sweep(nodes, partials)
    for i in inputs:
        dot = stepper.forward_sweep(nodes, partials, {i: 1.0})[-1].tangents[nodes[-1].name]
        assert math.isclose(back[-1].cotangents[i], dot, rel_tol=1e-9, abs_tol=1e-9)
    assert len(str(stepper.stepper(nodes, back, name="any", title="any")._repr_html_()).encode()) < 60_000


# The HTML.

def test_it_is_one_small_piece_without_scripts_or_addresses():
    for _, _, made in steppers().values():
        html = made._repr_html_()
        assert len(html.encode()) < 40_000
        assert not re.search(r"<script|https?:|javascript|\bon\w+=|url\(|@import|\bsrc=|\bhref=", html)


def test_it_is_the_same_on_every_run_whatever_the_backend_the_hash_seed_and_the_fonts():
    code = "from test_stepper import steppers; import sys; sys.stdout.buffer.write(''.join(s[2].html for s in steppers().values()).encode())"
    here = os.path.dirname(__file__)
    expected = "".join(made.html for _, _, made in steppers().values()).encode()
    for backend, seed in (("svg", "1"), ("agg", "2")):
        env = {**os.environ, "MPLBACKEND": backend, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join([os.path.dirname(here), here])}
        assert subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True).stdout == expected


def test_rounding_in_the_last_digits_of_the_layout_moves_nothing(monkeypatch):
    from lecture_utils import _graph
    expected, place = [made.html for _, _, made in steppers().values()], _graph.place
    for sign in (1, -1):
        def shaken(nodes, sizes, sign=sign):
            at, routes = place(nodes, sizes)
            return {n: (x * (1 + sign * 1e-12), y * (1 - sign * 1e-12)) for n, (x, y) in at.items()}, [r * (1 + sign * 1e-12) for r in routes]
        monkeypatch.setattr(_graph, "place", shaken)
        assert [made.html for _, _, made in steppers().values()] == expected


def test_ids_are_unique_on_a_page_of_several_and_labels_lead_to_radio_buttons():
    page = BeautifulSoup("".join(made.html for _, _, made in steppers().values()), "html.parser")
    ids = [tag["id"] for tag in page.find_all(id=True)]
    assert all(label["aria-hidden"] == "true" for label in page.find_all("label"))     # a radio button's name is its own
    assert len(ids) == len(set(ids)) and {label["for"] for label in page.find_all("label")} <= set(ids)
    assert {radio["name"] for radio in page.find_all("input")} == {"reverse", "forward", "big"}


def test_a_viewer_that_takes_out_forms_drawings_and_styles_is_left_with_the_title_and_a_numbered_list():
    page = BeautifulSoup(steppers()["reverse"][2].html, "html.parser")
    for tag in page(["style", "input", "svg"]):
        tag.decompose()
    assert page.get_text().split() == " ".join(["Reverse mode: ln x₁ + x₁x₂ − sin x₂", *[s.text.replace("\n", "") for s in REVERSE]]).split()
    assert [item.get_text("\n", strip=True) for item in page.ol("li")] == [step.text for step in REVERSE]


def test_a_constant_has_an_op_and_no_derivative_of_its_own_at_the_end():
    nodes = [Node("x", "", (), 3.0), Node("k", "constant", (), 2.0), Node("y", "mul", ("k", "x"), 6.0)]
    back, forth = stepper.reverse_sweep(nodes, {"y": [3.0, 2.0]}), stepper.forward_sweep(nodes, {"y": [3.0, 2.0]}, {"x": 1.0})
    assert back[-1].cotangents == {"x": 2.0} and [step.tangents for step in forth] == [{"x": 1.0}, {"k": 0.0}, {"y": 2.0}]
    assert back[1].text == "Forward: k = constant = 2"


def test_text_is_escaped_wherever_it_stands():
    nasty = '<b>&"x\'</b>'
    nodes = [Node(nasty, "", (), 1.0), Node("y", nasty, (nasty,), 2.0)]
    html = stepper.stepper(nodes, [Step(nasty, "y", {nasty: nasty})], name="n", title=nasty).html
    tree = BeautifulSoup(html, "html.parser")
    assert nasty not in html and tree.strong.text == nasty and tree.li.b.text == nasty and not tree.find("b").find("b")
    assert f"{nasty} = {nasty}" in [text.text for text in tree.find_all("text")] and nasty in tree.input["aria-label"]


def test_bars_and_dots_are_spelled_out_for_screen_readers():
    labels = [tag["aria-label"] for made in steppers().values() for tag in BeautifulSoup(made[2].html, "html.parser").find_all("input")]
    assert not any("\u0304" in label or "\u0307" in label for label in labels)
    assert labels[7] == "Step 8 of 14: Backward: start at the result; v7 bar = 1"
    assert labels[15] == "Step 2 of 4: Forward: b = sin(a) = 0.4794; b dot = 0.8776 times a dot = 0.8776 times 1 = 0.8776"


def luminance(color, dim=1.0):
    linear = [(c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4) for c in (dim * int(color[i:i + 2], 16) / 255 for i in (1, 3, 5))]
    return np.dot([0.2126, 0.7152, 0.0722], linear)


@pytest.mark.parametrize("dim", [1.0, 0.86], ids=["light", "dark page"])
def test_text_stands_out_from_its_ground(dim):
    html = steppers()["reverse"][2].html
    tints = {color for color in re.findall(r'fill="(#\w+)"', html) if len(color) == 7 and luminance(color) > 0.7}
    assert len(tints) == 2
    for color, _ in KINDS.values():
        for ground in tints | {"#ffffff"}:
            assert (luminance(ground, dim) + 0.05) / (luminance(color, dim) + 0.05) >= 4.5, (color, ground)


def test_it_introduces_itself_in_plain_text():
    made = steppers()["forward"][2]
    assert repr(made) == "<Stepper: Forward mode: sin(a) exp(sin a), 4 steps>"
    assert str(made).split("\n")[:3] == ["Forward mode: sin(a) exp(sin a)", "1. Input: a = 0.5", "   a\u0307 = 1"]


# In the browser.

PAGE = ("<!doctype html><html lang='en' data-theme='{}'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        "<title>Steppers</title></head><body style='margin:24px;background:{}'><main><h1 style='color:#777'>Steppers</h1>{}</main></body></html>")
SHOWN = """name => { const seen = e => !e || e.tagName === 'svg' ? 1 : getComputedStyle(e).opacity * seen(e.parentElement);
  return [...document.querySelectorAll(`#${name} svg text`)].filter(e => seen(e) > 0).map(e => e.textContent); }"""
SAID = """name => [...document.querySelectorAll(`#${name} li`)].filter(e => getComputedStyle(e).visibility === 'visible')
  .map(e => [...e.querySelectorAll('b, span')].map(part => part.textContent).join('\\n'))"""
MARKED = """name => [...document.querySelectorAll(`#${name} svg g`)].filter(e => getComputedStyle(e).opacity > 0)
  .map(e => [e.querySelectorAll('rect').length, [...e.querySelectorAll('path[fill^="#"]')].map(h => h.getAttribute('d').includes('l-4 8h8z') ? 'up' : 'down')])"""
ARRIVING = """name => [...document.querySelectorAll(`#${name} svg > path[fill^="#"]`)].filter(e => getComputedStyle(e).opacity > 0).length"""


def page(theme="light", change=lambda html: html):
    return PAGE.format(theme, "white" if theme == "light" else "#111", change("".join(made.html for _, _, made in steppers().values())))


@pytest.fixture(params=[(1280, "top"), (390, "frame")], ids=["desktop, scripts off", "phone, sandboxed frame"])
def frame(request, browser):
    """The page with JavaScript turned off, or in a frame that forbids it: (its frame, its tab)."""
    width, where = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=where == "frame")
    context.set_default_timeout(10_000)
    tab = context.new_page()
    if where == "frame":
        tab.set_content(f"<body style='margin:0'><iframe sandbox title='t' style='border:0;width:{width}px;height:900px' "
                        f"srcdoc=\"{page().replace('&', '&amp;').replace(chr(34), '&quot;')}\"></iframe>")
        tab.frame_locator("iframe").locator("#big").wait_for()
        yield tab.frames[1], tab
    else:
        tab.set_content(page())
        yield tab.main_frame, tab
    context.close()


def assert_at(frame, name, k):
    nodes, steps, made = steppers()[name]
    assert Counter(frame.evaluate(SHOWN, name)) == by_hand(nodes, steps, k)
    assert frame.evaluate(SAID, name) == [steps[k - 1].text]
    assert frame.get_by_role("radiogroup", name=made.title).get_by_role("radio", checked=True).get_attribute("id") == f"{name}-{k}"


@pytest.mark.parametrize("name", ["reverse", "forward"])
def test_the_two_buttons_lead_through_each_step_and_back_and_touch_no_other_stepper(frame, name):
    frame, _ = frame
    last = len(steppers()[name][1])
    assert_at(frame, name, 1)
    assert not frame.locator(f"#{name} label.back:visible").count()
    for button, ks in (("next", range(2, last + 1)), ("back", range(last - 1, 0, -1))):
        for k in ks:
            frame.locator(f"#{name} label.{button}:visible").click()
            assert_at(frame, name, k)
    frame.locator(f"#{name}-{last}").click()
    frame.locator(f"#{name} label.over:visible").click()
    for other in steppers():
        assert_at(frame, other, 1)


def test_the_keyboard_reaches_every_step_with_its_focus_in_sight(frame):
    frame, tab = frame
    if frame != tab.main_frame:
        frame.locator("h1").click()
    for name in ("reverse", "forward"):                     # Tab goes from one group to the next
        tab.keyboard.press("Tab")
        last = len(steppers()[name][1])
        for key, ks in (("ArrowRight", range(1, last + 1)), ("ArrowLeft", range(last - 1, 0, -1))):
            for k in ks:
                if (key, k) != ("ArrowRight", 1):
                    tab.keyboard.press(key)
                assert_at(frame, name, k)
                style = "([...document.querySelectorAll('input:focus-visible')].map(e => [e.id, getComputedStyle(e).outlineStyle, e.checked]))"
                assert frame.evaluate(style) == [[f"{name}-{k}", "solid", True]]
    assert_at(frame, "reverse", 1)


def test_the_node_at_work_its_neighbors_and_the_arrows_between_are_marked_and_go_backward_on_the_way_back(frame):
    frame, _ = frame
    arrows = sum(len(node.parents) for node in STANDARD)
    expected = {1: (1, 0), 4: (1, 2), 8: (1, 0), 9: (3, 2), 11: (2, 1), 12: (3, 2), 14: (2, 0)}       # boxes, arrows
    for k, (boxes, passed) in expected.items():
        frame.locator(f"#reverse-{k}").click()
        assert frame.evaluate(MARKED, "reverse") == [[boxes, ["up" if k > 8 else "down"] * passed]]
        assert frame.evaluate(ARRIVING, "reverse") == arrows - (passed if k > 8 else 0)


def test_it_fits_a_phone_and_a_thumb(frame):
    frame, tab = frame
    assert frame.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    for name in steppers():
        frame.locator(f"#{name}-2").click()
        for button in ("back", "next"):
            box = frame.locator(f"#{name} label.{button}:visible").bounding_box()
            assert box["height"] >= 44 and box["width"] >= 44
        scale = frame.evaluate("name => { const e = document.querySelector(`#${name} svg`); return e.getBoundingClientRect().width / e.viewBox.baseVal.width }", name)
        assert 12 * scale >= 11 and scale <= 1.001


def test_every_text_lies_within_a_box(frame):
    frame, _ = frame
    outside = """() => [...document.querySelectorAll('svg')].flatMap(svg => [...svg.querySelectorAll('text')].filter(text => {
      const t = text.getBBox();
      return ![...svg.querySelectorAll('rect')].map(r => r.getBBox()).some(r => r.x < t.x && t.x + t.width < r.x + r.width
                                                                         && r.y < t.y + 2 && t.y + t.height - 2 < r.y + r.height);
    }).map(text => text.textContent))"""
    assert frame.evaluate("document.querySelectorAll('svg text').length") > 50 and frame.evaluate(outside) == []


def test_the_graph_and_its_steps_have_names_for_screen_readers(frame):
    frame, _ = frame
    drawing = frame.get_by_role("img").first
    assert drawing.get_attribute("aria-label").startswith("Graph of the program: v1, an input; v2, an input; v3 = log(v1); v4 = mul(v1, v2); ")
    assert frame.get_by_role("radio", name="Step 11 of 14: Backward through v5 = sin(v2); v2 bar += v5 bar times 0.2837: 0 − 0.2837 = −0.2837",
                             exact=True).count() == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_and_nothing_is_asked_of_anyone(browser, theme, width):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    tab = context.new_page()
    asked, console = [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: console.append(message.text))
    tab.set_content(page(theme))
    tab.evaluate(AXE)
    for k in (1, 2, 12, 14):
        tab.locator(f"#reverse-{k}").check()
        assert tab.evaluate(AXE_RUN, [None, "everything"]) == []
    assert tab.evaluate("axe.run('main', {preload: false, runOnly: ['wcag22aa', 'best-practice']}).then(r => r.violations.map(v => v.id))") == []
    assert asked == console == []
    context.close()


@pytest.mark.parametrize("change", [lambda html: re.sub(r"(?s)<style>.*?</style>", "", html), lambda html: html.replace(":has(", ":nope("), None],
                         ids=["no style sheet", "no :has", "on paper"])
def test_where_it_cannot_step_all_steps_and_the_final_graph_are_there(browser, change):
    context = browser.new_context(viewport={"width": 720, "height": 900})
    tab = context.new_page()
    tab.set_content(page(change=change or (lambda html: html)))
    if change is None:
        tab.locator("#reverse-3").check()
        tab.emulate_media(media="print")
    for name, (nodes, steps, _) in steppers().items():
        assert Counter(tab.evaluate(SHOWN, name)) == by_hand(nodes, steps, len(steps))
        assert tab.evaluate(SAID, name) == [step.text for step in steps]
        heights = tab.evaluate("name => [...document.querySelectorAll(`#${name} li`)].map(e => e.getBoundingClientRect().top)", name)
        assert heights == sorted(set(heights))              # one below the other
    context.close()

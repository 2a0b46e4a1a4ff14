"""Every exercise there is: its solution gets all points, its stub none, each wrong answer less and a hint."""
import ast
import json
from pathlib import Path

import pytest

from tools import exercises, judging

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = [p for p in exercises.files(ROOT).values() if '"role": "solution"' in p.read_text(encoding="utf-8")]
SEEDS = (0, 1, 20261122)


def test_each_chapter_has_exercises_and_each_exercise_hidden_tests_and_a_wrong_answer():
    bank = {p.stem: [e for e in exercises.read(p) if not e.by_hand] for p in NOTEBOOKS}
    chapters = {p.stem: bank[p.stem] for p in NOTEBOOKS if p.parent.name == "chapters"}
    assert sorted(name[:2] for name in chapters) == [f"{n:02d}" for n in range(20)]
    assert sum(map(len, chapters.values())) >= 42
    for chapter, found in bank.items():
        module, wrong = judging.hidden(chapter), {w.exercise for w in judging.wrong_answers(chapter)}
        assert wrong == {e.id for e in found}, f"{chapter}: each exercise needs a wrong answer that is rejected"
        for e in found:
            assert judging.driver_source(chapter, e.id)
            parts = judging.judge_for(e, module)({}, 0)
            assert sum(p.points for p in parts) == e.points and not any(p.ok for p in parts), f"{e.id}: {parts}"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda p: p.stem)
def test_solution_full_points_stub_none(notebook, record_property):
    found = [e for e in exercises.read(notebook) if not e.by_hand]
    results = judging.run([(e, e.solution, SEEDS[0]) for e in found] + [(e, exercises.stub(e.solution), 0) for e in found], seconds=240)
    solutions, stubs = results[:len(found)], results[len(found):]
    record_property("exercises", {                             # conftest.py adds them up and prints them
        "chapters": 1, "exercises": len(found), "untouched": len(stubs), "none": sum(r.points == 0 for r in stubs),
        "solutions": len(solutions), "full": sum(r.points == e.points for e, r in zip(found, solutions))})
    for e, solution, stub in zip(found, solutions, stubs):
        assert solution.points == e.points, f"{e.id}: {solution.points} of {e.points}: {solution.hints} {solution.errors}"
        assert sum(p.points for p in solution.parts) == e.points, f"{e.id}: the judge's parts do not sum to {e.points}"
        assert not solution.visible, f"{e.id}: its solution fails its visible tests: {solution.visible}"
        assert stub.points == 0, f"{e.id}: the stub gets {stub.points} points"
        assert stub.visible, f"{e.id}: the stub passes the visible tests"


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda p: p.stem)
def test_wrong_answers_get_less_and_a_hint_and_solutions_all_points_with_other_seeds(notebook, record_property):
    by_id = {e.id: e for e in exercises.read(notebook) if not e.by_hand}
    wrong = judging.wrong_answers(notebook.stem)
    solutions = [(e, e.solution, seed) for seed in SEEDS[1:] for e in by_id.values()]
    found = judging.run(solutions + [(by_id[w.exercise], w.source, 0) for w in wrong], seconds=240)     # time is not tested here
    of_solutions, of_wrong = found[:len(solutions)], found[len(solutions):]
    record_property("exercises", {
        "chapters": 1, "exercises": len(by_id),
        "solutions": len(solutions), "full": sum(r.points == e.points for (e, _, _), r in zip(solutions, of_solutions)),
        "wrong": len(wrong), "rejected": sum(r.points < by_id[w.exercise].points for w, r in zip(wrong, of_wrong))})
    for (e, _, seed), result in zip(solutions, of_solutions):
        assert result.points == e.points, f"{e.id}, seed {seed}: {result.points} of {e.points}: {result.hints} {result.errors}"
    for w, result in zip(wrong, of_wrong):
        assert result.points < by_id[w.exercise].points, f"{w.exercise}: full points for the answer that {w.what}"
        assert w.keeps in (None, result.points), f"{w.exercise}, the answer that {w.what}: {result.points} points, not {w.keeps}: {result.hints}"
        hints = " ".join(result.hints)
        assert w.hint in hints, f"{w.exercise}, the answer that {w.what}: no hint with {w.hint!r} in {hints!r}"


def test_the_driver_holds_nothing_of_the_judge():
    for notebook in NOTEBOOKS:
        for e in (e for e in exercises.read(notebook) if not e.by_hand):
            source = judging.driver_source(notebook.stem, e.id)
            assert source.startswith("def drive_") and "judge" not in source and "Part(" not in source
            used = {getattr(node, "attr", getattr(node, "id", "")) for node in ast.walk(ast.parse(source))}
            assert not used & {"allclose", "isclose", "array_equal", "array_equiv"}, f"{e.id}: its driver compares; send the arrays"


def test_comparisons_that_an_answer_replaces_decide_nothing():
    e = next(e for e in exercises.read(ROOT / "chapters" / "12-sparse.ipynb") if e.id == "color-and-recover")
    forged = e.solution + ("\nright = color_and_recover\n\ndef color_and_recover(product, pattern):\n"
                           "    colors, data = right(product, pattern)\n"
                           "    return (colors, data) if len(data) < 1000 else (colors, 0 * data)\n\n"
                           "np.allclose = np.array_equal = lambda *args, **named: True")
    (result,) = judging.run([(e, forged, 0)])
    assert [p.name for p in result.parts if not p.ok] == ["a large pattern"], result.hints


GOOD = "def modified_duration(price, y):\n    return -jax.grad(price)(y) / price(y)\n"
BROKEN = {
    "a syntax error": "def modified_duration(price, y:\n    return 0",
    "an error at once": "1 / 0",
    "nothing defined": "x = 1",
    "a word": "def modified_duration(price, y):\n    return 'five'",
    "not a number": "def modified_duration(price, y):\n    return float('nan')",
    "leaves": "raise SystemExit",
    "ends the process": "import os; os._exit(0)",
    "never ends": "while True: pass",
    "spoils JAX": "jax.grad = jax.value_and_grad = None",
    "forges the report": "import json; json.dump = json.dumps = lambda *a: '[]'\n" + GOOD,
}


def test_a_broken_answer_gets_nothing_but_a_reason_and_leaves_the_next_one_alone():
    e = exercises.read(ROOT / "chapters" / "00-getting-started.ipynb")[0]
    sources = [source for broken in BROKEN.values() for source in (broken, GOOD)]
    results = judging.run([(e, source, 0) for source in sources], seconds=8)
    for what, broken, good in zip(BROKEN, results[::2], results[1::2]):
        assert broken.points == 0 and broken.visible, what
        assert good.points == e.points, f"after the answer that {what}: {good.hints}"


def test_one_failing_input_costs_its_own_part_only():
    e = exercises.read(ROOT / "chapters" / "00-getting-started.ipynb")[0]
    picky = "def modified_duration(price, y):\n    if y < 0: raise ValueError('negative yield')\n    return -jax.grad(price)(y) / price(y)"
    magic = "%matplotlib inline\n!pip list\n" + GOOD
    pytorch = ("import torch\ndef modified_duration(price, y):\n    t = torch.tensor(y, dtype=torch.float64, requires_grad=True)\n"
               "    p = price(t)\n    p.backward()\n    return -t.grad / p\n")
    result, with_magic, by_torch = judging.run([(e, source, 0) for source in (picky, magic, pytorch)])
    assert result.points == e.points - 1 and result.errors == {"negative yield": "ValueError: negative yield"}
    assert any("negative yield: ValueError" in hint for hint in result.hints)
    assert with_magic.points == by_torch.points == e.points, by_torch.hints


@pytest.mark.parametrize("value, expected", [(float("nan"), False), (float("inf"), False), ([2.0, 2.0], False), ([[2.0]], False),
                                             (2.0 + 1e-7, False), ("2.0", False), (2.0 + 0j, False), (2.0, True), (2, True)])
def test_close_asks_for_the_shape_for_finite_real_numbers_and_for_the_tolerance(value, expected):
    assert judging.close({"x": value}, "x", 2.0, rtol=1e-8) is expected
    assert judging.close({"y": value}, "x", 2.0) is False


@pytest.mark.parametrize("source, message", [
    ("def f(): pass", "found 0 opened"),
    ("# BEGIN SOLUTION\nx = 1", "not closed"),
    ("# END SOLUTION", "without"),
    ("# BEGIN SOLUTION\n# BEGIN SOLUTION\n# END SOLUTION", "a second"),
])
def test_unpaired_markers_are_refused(source, message):
    with pytest.raises(ValueError, match=message):
        exercises.stub(source)


def test_the_stub_keeps_what_stands_outside_the_markers():
    source = "import math\ndef f(x):\n    '''Doc.'''\n    # BEGIN SOLUTION\n    y = x\n    return y\n    # END SOLUTION\nprint(1)"
    assert exercises.stub(source) == ("import math\ndef f(x):\n    '''Doc.'''\n"
                                      f"    {exercises.PLACEHOLDER}\nprint(1)")


def test_a_wrong_answer_may_be_edits_of_the_solution():
    solution = "def f(x):\n    # BEGIN SOLUTION\n    y = x\n    y = 2 * x\n    return y\n    # END SOLUTION"
    assert judging.edited(solution, "-    y = 2 * x\n+    y = 3 * x\n+    y = y\n-    return y\n") == (
        "def f(x):\n    y = x\n    y = 3 * x\n    y = y\n")
    assert judging.edited(solution, "-    y = x\n-    y = 2 * x\n") == "def f(x):\n    return y\n"
    for edits, message in [("-    y = 4 * x\n+\n", "stand 0 times"), ("y = 3\n", "lines that begin with"), ("", "lines that begin with"),
                           ("+    y = 3\n", "lines that begin with"), ("-    y = x\n+    y = 1\n and more\n", "lines that begin with")]:
        with pytest.raises(ValueError, match=message):
            judging.edited(solution, edits)
    with pytest.raises(ValueError, match="stand 2 times"):
        judging.edited("x = 1\ny = 2\nx = 1", "-x = 1\n+x = 2")


def test_the_course_edition_has_no_line_of_a_solution():
    for path in NOTEBOOKS:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        course = exercises.course_edition(notebook)
        for before, after in zip(notebook["cells"], course["cells"]):
            if before["metadata"].get("exercise", {}).get("role") != "solution":
                continue
            answer, left = "".join(before["source"]), "".join(after["source"])
            assert exercises.BEGIN not in left and exercises.PLACEHOLDER in left and not after["outputs"]
            inside = answer.split(exercises.BEGIN)[1].split(exercises.END)[0].splitlines()
            assert [line for line in inside if line.strip()]
            assert not [line for line in inside if line.strip() and line.strip() in left]

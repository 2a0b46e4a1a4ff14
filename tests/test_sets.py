"""Problem sets: parts that call earlier parts, parts in words, and everything that chapters' exercises have too."""
import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import tiny_course as tiny
from test_assignments import RUN

from tools import assignments, exercises, grade, judging, leaks, notebooks, sandbox

ROOT = Path(__file__).resolve().parents[1]
SETS = assignments.problem_sets(ROOT)
LIMITS = sandbox.Limits(seconds=20, memory=500, processes=24, output=2, disk=8, start=60)
needs_sandbox = pytest.mark.skipif(bool(sandbox.why_not()), reason=sandbox.why_not() or "-")
NAME = "p9-tiny"
TWICE = "def twice(x):\n    # BEGIN SOLUTION\n    return FACTOR * x\n    # END SOLUTION"
FOUR = "def four(x):\n    # BEGIN SOLUTION\n    return twice(twice(x))\n    # END SOLUTION"
WHY = "In words:\n\n<!-- BEGIN SOLUTION -->\nBecause two times two is four, as everyone knows.\n<!-- END SOLUTION -->"
HIDDEN = '''
from tools.judging import Part, close


def drive_t_twice(answer, seed):
    return {"x": lambda: answer(3.0 + seed)}


def judge_t_twice(arrays, seed):
    return [Part("a number", 2, close(arrays, "x", 2 * (3.0 + seed)), "multiply by two")]


def drive_t_four(answer, seed):
    return {"x": lambda: answer(3.0 + seed)}


def judge_t_four(arrays, seed):
    return [Part("a number", 1, close(arrays, "x", 4 * (3.0 + seed)), "call twice two times"), Part("at all", 1, "x" in arrays, "it gave nothing")]
'''


def box(ident, title):
    return tiny.markdown(f":::{{exercise}} {title}\n:label: ex-{ident}\n\nSee [the first part](#ex-t-twice).\n:::")


def cells():
    words = {**tiny.markdown(WHY), "metadata": {"exercise": {"id": "t-why", "role": "text", "points": 3, "stars": 1, "minutes": 5}}}
    out = [tiny.markdown("# Problem set 9: Tiny\n\nText."), tiny.code("EXTRAS = []", tags=["setup"]), tiny.code("import numpy as np", tags=["imports"]),
           tiny.code("FACTOR = 2.0", tags=["given"]), box("t-twice", "Two times"),
           tiny.code(TWICE, "t-twice", "solution", answer="twice", points=2, stars=1, minutes=5), tiny.code("assert twice(1.0) == 2", "t-twice", "test"),
           box("t-four", "Four times"), tiny.code(FOUR, "t-four", "solution", answer="four", points=2, stars=1, minutes=5, needs=["t-twice"]),
           tiny.code("assert four(1.0) == 4", "t-four", "test"), box("t-why", "Why"), words]
    for cell in out:
        if cell["metadata"].get("exercise", {}).get("role") == "solution":
            cell["metadata"] |= {"cellView": "form", "tags": ["hide-input"]}
    return out


def write(path, cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}))
    return path


@pytest.fixture
def course(tmp_path):
    root = tiny.make(tmp_path / "course")
    write(root / "assignments" / "sets" / f"{NAME}.ipynb", cells())
    (root / "assignments" / "hidden" / f"{NAME}.py").write_text(HIDDEN)
    (root / "assignments" / "rubrics").mkdir()
    (root / "assignments" / "rubrics" / f"{NAME}.md").write_text("Full points for the word four, none for five of anything.")
    shutil.copytree(ROOT / "tools", root / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("_config.yml", "constraints.txt", "intro.md"):
        (root / name).write_text((ROOT / name).read_text(encoding="utf-8"))
    return root


def hand_in(folder, student, **answers):
    """A submission: right but for what is given (twice=, four=, why=)."""
    nb = {"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}
    for cell in cells():
        role, ident = (cell["metadata"].get("exercise", {}).get(k) for k in ("role", "id"))
        if role in ("solution", "text"):
            given = answers.get(ident.removeprefix("t-"))
            cell["source"] = given if given is not None else cell["source"] if role == "solution" else exercises.wordless(cell["source"])
        nb["cells"].append(cell)
    tiny.submit(folder, student, nb)


# --- the five of the course

def test_there_are_five_with_hours_points_rubrics_and_at_least_three_wrong_answers_a_part():
    assert len(SETS) == 5
    for name, parts in SETS.items():
        code = [e for e in parts if not e.by_hand]
        wrong = judging.wrong_answers(name, ROOT)
        assert len(code) < len(parts), f"{name}: no part in words"
        assert (ROOT / "assignments" / "rubrics" / f"{name}.md").stat().st_size > 500
        for e in code:
            mine = [w for w in wrong if w.exercise == e.id]
            assert len(mine) >= 3, f"{name}, {e.id}: {len(mine)} wrong answers"
            assert all(w.keeps is not None for w in mine), f"{name}, {e.id}: say how many points each wrong answer keeps"
        intro = notebooks.read_notebook(exercises.files(ROOT)[name]).cells[1].source + notebooks.read_notebook(exercises.files(ROOT)[name]).cells[0].source
        total = sum(e.points for e in parts)
        assert re.search(rf"\b{total:g}\b", intro), f"{name}: its table does not say {total:g} points"


@pytest.mark.parametrize("name", SETS)
def test_its_pair_is_fresh_and_in_order(name):
    assert notebooks.problems(exercises.files(ROOT)[name].with_suffix(""), ROOT) == []


@pytest.mark.parametrize("name", SETS)
def test_its_student_notebook_is_valid_holds_no_secret_and_runs_untouched(name, tmp_path):
    nb = assignments.notebook(name, SETS[name], "student", ROOT)
    nbformat.validate(nbformat.from_dict(nb))
    path = tmp_path / "release" / f"{name}.ipynb"
    path.parent.mkdir()
    path.write_text(json.dumps(nb), encoding="utf-8")
    assert leaks.search(tmp_path / "release", leaks.secrets(ROOT)) == []
    text = "\n".join(c["source"] for c in nb["cells"] if c["cell_type"] == "markdown")
    assert ":::" not in text and exercises.WORDS_BEGIN not in text and exercises.WRITE_HERE in text
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", RUN, path], capture_output=True, text=True, cwd=tmp_path,
                          env={**os.environ, "MPLBACKEND": "agg"})
    assert done.returncode == 0, done.stderr[-2000:]
    assert set(json.loads(done.stdout)) == {exercises.SAYS}


# --- how they are read

def test_a_set_is_read_with_what_is_given_and_what_its_parts_call(course):
    twice, four, why = exercises.read(exercises.files(course)[NAME])
    assert "FACTOR = 2.0" in four.imports and four.needs == ("t-twice",) and not four.by_hand
    assert why.by_hand and why.points == 3 and why.tests == []
    assert judging.needed(four, {e.id: e for e in (twice, four, why)}) == ["t-twice"]


@pytest.mark.parametrize("change, words", [
    (lambda c: c[8]["metadata"]["exercise"].update(needs=["t-why"]), "it needs t-why, expected exercises that stand above"),
    (lambda c: c[8]["metadata"]["exercise"].update(needs=["fd-forward"]), "it needs fd-forward"),
    (lambda c: c[11].update(source="no marks"), "expected one model answer between"),
    (lambda c: c[11]["metadata"]["exercise"].pop("points"), "lacks points"),
])
def test_a_part_that_is_not_in_order_is_refused(change, words, tmp_path):
    wrong = cells()
    change(wrong)
    with pytest.raises(ValueError, match=words):
        exercises.read(write(tmp_path / f"{NAME}.ipynb", wrong))


def test_a_part_is_judged_with_right_answers_to_those_that_it_calls(course):
    twice, four, _ = exercises.read(exercises.files(course)[NAME])
    right, wrong, stub = judging.run([(four, four.solution, 1), (four, "def four(x):\n    return twice(x)", 1), (four, exercises.stub(four.solution), 1)],
                                     root=course)
    assert (right.points, wrong.points, stub.points) == (2, 1, 0) and wrong.hints[-1] == "a number: call twice two times"


# --- handing out

def test_a_set_is_handed_out_whole_and_alone(course):
    assert [e.id for e in assignments.choose(NAME, course)] == ["t-twice", "t-four", "t-why"]
    for asked in ("t-four", f"{NAME},square"):
        with pytest.raises(ValueError, match=rf"A: {asked.split(',')[0]} is \(of\) a problem set.*as A={NAME}"):
            assignments.choose(asked, course)


def test_the_release_has_statements_and_stubs_and_the_private_folder_the_rubric(course, tmp_path):
    assert assignments.main([NAME, "--out", str(tmp_path / "out")], course) == 0
    folder = tmp_path / "out" / NAME
    student, solution = (json.loads(next(folder.glob(pattern)).read_text(encoding="utf-8")) for pattern in ("release/*.ipynb", "private/*.ipynb"))
    ids = [c["id"] for c in student["cells"]]
    assert len(set(ids)) == len(ids) and ids[1:4] == ["setup", "imports", "given"]
    text = json.dumps(student)
    assert "### Four times" in text and "graded by hand" in text and "[the first part](#ex-t-twice)" in text
    assert "everyone knows" not in text and "twice(twice" not in text and "five of anything" not in text
    assert "everyone knows" in json.dumps(solution) and "BEGIN SOLUTION" not in json.dumps(solution)
    assert "word four" in (folder / "private" / f"{NAME}-rubric.md").read_text()
    assert "| 3 | Why |" in (folder / "release" / "handout.md").read_text()


def test_a_line_of_a_model_answer_or_of_a_rubric_is_found(course, tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    (site / "page.md").write_text("So it is:\nBecause two times two is four, as everyone knows.\nFull points for the word four, none for five of anything.")
    (site / "statement.md").write_text("See [the first part](#ex-t-twice). FACTOR = 2.0")
    found = leaks.search(site, leaks.secrets(course))
    assert len(found) == 2 and "the model answer of t-why" in found[0] + found[1] and "assignments/rubrics/p9-tiny.md" in found[0] + found[1]


# --- grading

def run(root, folder, out):
    return grade.main(["-a", NAME, "--dir", str(folder), "--out", str(out), "--seed", "5", "--jobs", "1"], root, LIMITS)


@needs_sandbox
def test_a_part_calls_the_students_own_answers_and_words_are_graded_by_a_person(course, tmp_path, capsys):
    given, out = tmp_path / "given", tmp_path / "out"
    hand_in(given, "ann", why="Four is twice two.\n\nAnd twice that is eight.")
    hand_in(given, "bob", twice="def twice(x):\n    return 3 * x")
    hand_in(given, "cy", four="def four(x):\n    return 4 * x", twice=exercises.stub(TWICE))
    assert run(course, given, out) == 0
    rows = lambda: {r["student"]: r for r in csv.DictReader((out / "grades.csv").read_text().splitlines())}
    assert [(rows()[s]["t-twice"], rows()[s]["t-four"], rows()[s]["t-why"], rows()[s]["total"]) for s in ("ann", "bob", "cy")] == [
        ("2", "2", "", "4"), ("0", "1", "", "1"), ("0", "2", "", "2")]
    assert rows()["ann"]["out_of"] == "7" and rows()["ann"]["remark"] == "to be graded by hand: t-why"
    said = (out / "words" / "t-why.md").read_text()
    assert "**ann**\n\nFour is twice two.\n\nAnd twice that is eight.\n" in said and "**bob**\n\n*(nothing)*" in said and "everyone" not in said
    assert "To be graded by a person." in (out / "feedback" / "ann.md").read_text()
    path = out / "by-hand.csv"
    assert path.read_text() == "student,t-why,remark on t-why\nann,,\nbob,,\ncy,,\n"
    path.write_text('student,t-why,remark on t-why\nann,"2,5",no word on five\nbob,0,\n')           # a spreadsheet's comma; cy's row lost
    assert run(course, given, out) == 0 and "graded 0, kept 3" in capsys.readouterr().out
    assert (rows()["ann"]["total"], rows()["bob"]["t-why"], rows()["cy"]["t-why"]) == ("6.5", "0", "")
    assert "no word on five" in (out / "feedback" / "ann.md").read_text() and path.read_text().endswith("cy,,\n")
    for text, words in (("student,t-why,remark on t-why\nann,4,\n", "expected points from 0 to 3"), ("student,t-why,remark on t-why\nann,many,\n", "'many'"),
                        ("student,remark on t-why\nann,\n", "the column t-why is gone"), ("student,t-why,remark on t-why\nann,1,\nann,2,\n", "ann is listed twice")):
        path.write_text(text)
        assert run(course, given, out) == 2 and words in capsys.readouterr().err and path.read_text() == text


@needs_sandbox
def test_words_are_found_below_their_statement_when_marks_are_lost(course, tmp_path):
    given, out = tmp_path / "given", tmp_path / "out"
    hand_in(given, "ann", why="Four is twice two.")
    nb = json.loads((given / "ann.ipynb").read_text())
    for cell in nb["cells"]:
        cell["metadata"] = {}
        cell["source"] = exercises.STATEMENT.sub(lambda m: f'<a id="ex-{m[2]}"></a>\n\n### T\n\n{m[3]}', cell["source"])
    (given / "ann.ipynb").write_text(json.dumps(nb))
    assert run(course, given, out) == 0
    assert "Four is twice two." in (out / "words" / "t-why.md").read_text() and "\nann,2,2,," in (out / "grades.csv").read_text()
